"""Unpacked bundles in the user's cache that nobody has opened for long: found, and removed. Each can be unpacked again from its file."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final, NamedTuple

from assay.store.bundles.opening import bundles_folder
from assay.store.process import owned_name

UNUSED: Final = 30 * 86400.0
"""Seconds after its last opening at which an unpacked bundle counts as unused."""
_OF_CONTENT: Final = frozenset(("objects", "tmp"))


class Unpacked(NamedTuple):
    """An unpacked bundle: its folder, the bytes that it takes, when it was last opened, and whether more than the bundle is in it.

    What is there beside the bundle (runs that were carried out from it) is nowhere else.
    """

    path: Path
    bytes: int
    opened: float
    has_more: bool


def unused_bundles(now: float | None = None) -> list[Unpacked]:
    """Those that were not opened for 30 days, by name; what cannot be read is left out."""
    since = (time.time() if now is None else now) - UNUSED
    return [each for each in unpacked() if each.opened < since]


def unpacked() -> Iterator[Unpacked]:
    """All that are whole, by name."""
    folder = bundles_folder()
    for path in sorted(folder.iterdir()) if folder.is_dir() else ():
        with suppress(OSError):
            whole = (path / "format").stat().st_mtime_ns
            yield Unpacked(path, _size(path), path.stat().st_mtime, _newest(path) > whole)


def remove(found: Unpacked) -> bool:
    """Whether it is gone: one that was opened, or written to, since it was found stays."""
    aside = found.path.with_name(owned_name())
    try:
        found.path.rename(aside)
        # Who opens one renews it first: seen here, or it is unpacked again.
        if aside.stat().st_mtime > found.opened or _newest(aside) > (aside / "format").stat().st_mtime_ns:
            aside.rename(found.path)
            return False
    except OSError:
        return False
    shutil.rmtree(aside, ignore_errors=True)
    return True


def _size(path: Path) -> int:
    return sum(os.lstat(Path(folder, name)).st_size for folder, _, names in os.walk(path) for name in names)


def _newest(path: Path) -> int:
    """When the youngest record in it was written, in nanoseconds since 1970."""
    folders = [each for each in path.iterdir() if each.is_dir() and each.name not in _OF_CONTENT]
    files = (file for folder in folders for file in folder.rglob("*") if file.is_file())
    return max((file.lstat().st_mtime_ns for file in files), default=0)
