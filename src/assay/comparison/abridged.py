"""A patch for people: of files that are data rather than source, where much of them changed, its first part and how much follows."""

from __future__ import annotations

import io
import re
from pathlib import PurePosixPath

from assay.capture.walk import SUFFIXES

MOST_CHANGED = 200
"""Changed lines up to which a file of data is shown whole."""
_HUNKS = 3
_LINES = 30  # at most, of the hunks that are shown
_DATA = frozenset((".json", ".jsonl", ".csv", ".tsv", ".txt"))
"""Suffixes of text that is as often data as it is configuration: what is read by hand is short."""
_FILE = re.compile(r"^(?=diff --git )", re.MULTILINE)
_NAME = re.compile(r'^diff --git .* "?b/(.*?)"?$', re.MULTILINE)


def abridged(patch: str) -> str:
    r"""A patch with all of its small changes and all source, and of larger ones of other files the beginning; no longer one to apply.

    >>> rows = "".join(f"+{row}\n" for row in range(1000))
    >>> text = f"diff --git a/x.csv b/x.csv\n--- a/x.csv\n+++ b/x.csv\n@@ -0,0 +1,1000 @@\n{rows}"
    >>> abridged(text).splitlines()[-2:]
    ['+28', '... x.csv: 971 more lines of its difference are not shown (+1000 -0 lines in all)']
    >>> abridged(text.replace("x.csv", "x.py")) == text.replace("x.csv", "x.py")
    True
    """
    return "".join(map(_file, _FILE.split(patch)))


def _file(part: str) -> str:
    name = _NAME.match(part)
    if name is None or _is_source(name[1]):
        return part
    lines = list(io.StringIO(part, newline="\n"))  # only a line feed ends a line, as in git
    starts = [index for index, line in enumerate(lines) if line.startswith(("@@ ", "GIT binary patch"))]
    if not starts:
        return part
    body = lines[starts[0] :]
    binary = body[0].startswith("GIT")
    added, removed = (0, 0) if binary else (sum(line.startswith(sign) for line in body) for sign in "+-")
    if (len(body) if binary else added + removed) <= MOST_CHANGED:
        return part
    end = starts[0] if binary else min(starts[_HUNKS] if len(starts) > _HUNKS else len(lines), starts[0] + _LINES)
    what = "binary, its content is" if binary else f"{len(lines) - end} more lines of its difference are"
    count = "" if binary else f" (+{added} -{removed} lines in all)"
    return "".join(lines[:end]) + f"... {name[1]}: {what} not shown{count}\n"


def _is_source(path: str) -> bool:
    suffix = PurePosixPath(path).suffix.lower()
    return suffix in SUFFIXES and suffix not in _DATA
