"""What Assay itself wrote into a project, reports and bundles: no code, since looking at a study must not make its trials other ones."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from pathlib import Path

from assay.errors import AssayError

OWN = "written by Assay: a report or a bundle"
NUMBERS, PAGES = "effects.json", ("index.html", "table.md", "table.tex")
"""Files of a report: the numbers, by which it is recognised, and what lies beside them."""
_BEGIN = re.compile(rb'\{\s*"version": \d+,\s*"study": "[0-9a-f]{64}",')
_LONG_ENOUGH = 160


def own_files(root: str, paths: Iterable[str]) -> set[str]:
    """Files of reports, and bundles that are named so (`.zip`). What only has such a name is the user's.

    Args:
        root: what the paths are relative to.
        paths: of the files that are looked at.
    """
    found: set[str] = set()
    for path in [path for path in paths if path.endswith((NUMBERS, ".zip"))]:
        if path == NUMBERS or path.endswith(f"/{NUMBERS}"):
            folder = path[: -len(NUMBERS)]
            if _is_report(f"{root}/{folder}"):
                found |= {path, *(folder + name for name in PAGES)}
        elif path.endswith(".zip") and _is_bundle(f"{root}/{path}"):
            found.add(path)
    return found


def _is_report(folder: str) -> bool:
    try:
        with open(folder + NUMBERS, "rb") as file:
            begin = file.read(_LONG_ENOUGH)
    except OSError:
        return False
    return _BEGIN.match(begin) is not None and all(os.path.isfile(folder + name) for name in PAGES)  # noqa: PTH113


def _is_bundle(path: str) -> bool:
    # Late: few projects have an archive among their code, and every snapshot would wait for what reads one.
    from assay.store.bundles.reading import BundleFile

    try:
        with BundleFile(Path(path)):
            return True
    except (AssayError, OSError):  # whatever keeps it from being read, nothing says that it is a bundle
        return False
