"""Reports of studies that lie in a project: what Assay wrote there is no code, and looking at a study must not make its trials other ones."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable

NUMBERS, PAGES = "effects.json", ("index.html", "table.md", "table.tex")
"""Files of a report: the numbers, by which it is recognised, and what lies beside them."""
OWN_REPORT = "a report that Assay wrote"
_BEGIN = re.compile(rb'\{\s*"version": \d+,\s*"study": "[0-9a-f]{64}",')
_LONG_ENOUGH = 160


def own_reports(root: str, paths: Iterable[str]) -> set[str]:
    """Those of the paths that are files of reports. Where the numbers are not a report's, or no page lies beside them, the files are the user's.

    Args:
        root: what the paths are relative to.
        paths: of the files that are looked at.
    """
    found: set[str] = set()
    for path in paths:
        if path.endswith(NUMBERS) and path[-len(NUMBERS) - 1 : -len(NUMBERS)] in ("", "/") and _is_report(f"{root}/{path}"):
            folder = path[: -len(NUMBERS)]
            found |= {path, *(folder + name for name in PAGES)}
    return found


def _is_report(numbers: str) -> bool:
    folder = numbers[: -len(NUMBERS)]
    try:
        with open(numbers, "rb") as file:
            begin = file.read(_LONG_ENOUGH)
    except OSError:
        return False
    return _BEGIN.match(begin) is not None and all(os.path.isfile(folder + name) for name in PAGES)  # noqa: PTH113
