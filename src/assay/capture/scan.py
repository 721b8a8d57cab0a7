"""Files that changed while a run ran although no interpreter was seen opening them: written by native code or by other programs."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from typing import Final, NamedTuple

_NEVER: Final = frozenset(
    (
        ".git",
        ".hg",
        ".svn",
        "node_modules",
        "__pycache__",
        ".mypy_cache",
        ".ruff_cache",
        ".pytest_cache",
        ".assay",
        ".ipynb_checkpoints",
    )
)
_PATIENCE: Final = 1.0  # seconds


class Scanned(NamedTuple):
    """Absolute paths of changed files; `complete` is false where the time was over before the end."""

    changed: list[str]
    complete: bool


def changed_since(root: str, since: float, *, without: str) -> Scanned:
    """Regular files below `root` that were created or changed at `since` (seconds since 1970) or later, by their stat records.

    Version control, caches, virtual environments and the folder `without` are not entered.
    """
    changed: list[str] = []
    limit = time.monotonic() + _PATIENCE
    moment = int(since * 1e9)
    for folder in _folders(root, without, changed, moment):
        if time.monotonic() > limit:
            return Scanned(changed, complete=not folder)
    return Scanned(changed, complete=True)


def _folders(root: str, without: str, changed: list[str], moment: int) -> Iterator[str]:
    waiting = [root]
    while waiting:
        folder = waiting.pop()
        yield folder
        try:
            with os.scandir(folder) as entries:
                found = list(entries)
        except OSError:
            continue
        if folder != root and any(entry.name == "pyvenv.cfg" for entry in found):
            continue
        for entry in found:
            try:
                if entry.is_dir(follow_symlinks=False):
                    if entry.name not in _NEVER and entry.path != without:
                        waiting.append(entry.path)
                elif entry.is_file(follow_symlinks=False) and _changed(entry.stat(follow_symlinks=False), moment):
                    changed.append(entry.path)
            except OSError:
                continue


def _changed(found: os.stat_result, moment: int) -> bool:
    return found.st_mtime_ns >= moment or found.st_ctime_ns >= moment
