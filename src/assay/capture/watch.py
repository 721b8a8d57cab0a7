"""Whether a file or folder is as it was: stat records that may be trusted, and what to compare where they may not.

A stat record proves that content is unchanged only if the last change lay clearly before the moment at which the content was read:
clocks of file systems advance in ticks, and two changes within one tick leave the same record.
"""

# Paths are text here: making a `Path` for each of a tree's thousand files would double the cost of a snapshot.
# ruff: noqa: PTH116

from __future__ import annotations

import os
import stat
from typing import Final

import blake3
import msgspec

# Linux ticks at most every 10 ms; file systems that keep whole seconds (FAT: two) are known by their times.
_FINE_TICK: Final = 50_000_000
_COARSE_TICK: Final = 2_500_000_000


class Mark(msgspec.Struct, array_like=True, gc=False):
    """A stat record: times in nanoseconds, size in bytes. `digest` stands for the content (of a folder: its names and their types)."""

    mtime: int
    ctime: int
    size: int
    inode: int
    settled: bool
    digest: str = ""

    def matches(self, found: os.stat_result) -> bool:
        """Whether `found` proves that nothing changed since the mark was made."""
        return (
            self.settled
            and found.st_mtime_ns == self.mtime
            and found.st_ctime_ns == self.ctime
            and found.st_size == self.size
            and found.st_ino == self.inode
        )


def mark(found: os.stat_result, moment: int, digest: str = "") -> Mark:
    """The mark of a stat record that was taken at `moment` (nanoseconds since 1970) or later."""
    changed = max(found.st_mtime_ns, found.st_ctime_ns)
    return Mark(
        mtime=found.st_mtime_ns,
        ctime=found.st_ctime_ns,
        size=found.st_size,
        inode=found.st_ino,
        settled=changed + (_FINE_TICK if found.st_mtime_ns % 1_000_000_000 else _COARSE_TICK) < moment,
        digest=digest,
    )


def mark_after(found: os.stat_result, moment: int, digest: str) -> Mark:
    """The mark of something that was looked at after others, from `moment` on, had drawn conclusions from it.

    What may have changed in between gets a digest that nothing has: the conclusions are then drawn again.
    """
    made = mark(found, moment, digest)
    if not made.settled:
        made.digest = ""
    return made


def mark_rule(path: str, moment: int) -> Mark | None:
    """`mark_after` of a small file; None where there is none that can be read."""
    made = mark_file(path, moment)
    if made is not None and not made.settled:
        made.digest = ""
    return made


def mark_file(path: str, moment: int) -> Mark | None:
    """The mark of a small file with the digest of its bytes; None where there is none that can be read."""
    try:
        with open(path, "rb") as file:
            found = os.fstat(file.fileno())
            return mark(found, moment, _digest(file.read())) if stat.S_ISREG(found.st_mode) else None
    except OSError:
        return None


def same_file(path: str, known: Mark | None) -> bool:
    """Whether the file at `path` has the content that `known` stands for (None: whether it still cannot be read)."""
    try:
        found = os.stat(path)
    except OSError:
        return known is None
    if known is None:
        return not stat.S_ISREG(found.st_mode)
    if known.matches(found):
        return True
    again = mark_file(path, 0)
    return again is not None and again.digest == known.digest and again.size == known.size


def digest_names(names: list[str]) -> str:
    """One text for the names of a folder, in any order; a name ends with "/" where it is a folder's."""
    return _digest("\0".join(sorted(names)).encode("utf-8", "surrogateescape"))


def _digest(data: bytes) -> str:
    return blake3.blake3(data).hexdigest(16)
