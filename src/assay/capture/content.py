"""Content ids of files on disk, without reading again what is known: from the snapshot, or from what an earlier run hashed."""

# Paths are text here: observed names need not be valid Unicode, and there can be hundreds of thousands of them.
# ruff: noqa: PTH116

from __future__ import annotations

import math
import os
import stat
import time
from collections.abc import Mapping
from typing import Final

from assay.capture.code_secrets import is_original
from assay.capture.stat_cache import KeptCopy
from assay.capture.trace_reports import Stat
from assay.capture.watch import Mark, mark
from assay.store.objects import hash_file

_WORTH_KEEPING: Final = 1 << 20  # bytes; smaller files are hashed faster than a cache is read
_MOST: Final = 20_000  # remembered files; beyond, the cache would cost more than it spares


BUDGET: Final = 60.0
"""Seconds that the end of a run may spend on hashing what the run read, and once more on what it wrote; ASSAY_HASH_SECONDS is another."""

_FASTEST: Final = 8 << 30  # bytes a second: what could not be hashed in time by the fastest machine is not begun


class Budget:
    """Seconds that are left for hashing.

    >>> Budget(60.0).allows(1 << 40), Budget(60.0).allows(1 << 30), Budget(0.0).allows(1)
    (False, True, False)
    """

    def __init__(self, seconds: float) -> None:
        self._left = seconds

    def allows(self, size: int) -> bool:
        """Whether a file of `size` bytes is worth beginning."""
        return self._left > 0 and size <= self._left * _FASTEST

    def hash(self, path: str) -> str:
        """The id of a file's content; the time that it took is spent.

        Raises:
            OSError: it cannot be read; TimeoutError, which is one, where the time was over before its end.
        """
        began = time.monotonic()
        try:
            return hash_file(path, until=began + self._left)
        finally:
            self._left -= time.monotonic() - began


def budget_seconds() -> float:
    """Seconds for hashing as ASSAY_HASH_SECONDS says; `BUDGET` where it says nothing, or no number from 0 upwards."""
    try:
        chosen = float(os.environ.get("ASSAY_HASH_SECONDS", ""))
    except ValueError:
        return BUDGET
    return chosen if chosen >= 0 else BUDGET


_small: dict[str, Mark] = {}
"""Of smaller files what this process has hashed: its runs, and trials that are forked from it, load the same sources."""


def readable(path: str) -> str:
    """A path as records hold it: "/" between names, bytes that are not UTF-8 as `\\xNN`."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")


class Contents:
    """Content ids for one settling.

    Args:
        root: absolute path of the project.
        files, stats: of the snapshot: path relative to the root to content id, and to size and modification time in nanoseconds.
    """

    def __init__(self, root: str, files: Mapping[str, str], stats: Mapping[str, tuple[int, int]]) -> None:
        self.root = root
        self._real = os.path.realpath(root)
        self._folders: dict[str, str] = {}
        self._files = files
        self._stats = stats
        self._kept = KeptCopy("hashes-1", (root,))
        self._marks: dict[str, Mark] | None = None
        self._new = False

    def name(self, path: str) -> str:
        """`path` as the trace has it: relative to the root where below it, though it was reached through a link."""
        if path in (self.root, self._real):
            return "."
        if not path.startswith(self.root + "/"):
            folder, _, name = path.rpartition("/")
            real = self._folders.get(folder) or self._folders.setdefault(folder, os.path.realpath(folder))
            if not (real + "/").startswith(self._real + "/"):
                return readable(path)
            path = f"{self.root}{real[len(self._real) :]}/{name}"
        return readable(path[len(self.root) + 1 :])

    def in_snapshot(self, path: str) -> str | None:
        """The id that the file had when the snapshot was taken; None where the snapshot does not hold it."""
        return self._files.get(self.name(path))

    def at(self, path: str, then: Stat) -> str | None:
        """The id of the content that the file had when `then` was its stat record, if the snapshot saw the same record."""
        name = self.name(path)
        return self._files.get(name) if self._stats.get(name) == (then.size, then.mtime) else None

    def now(self, path: str, budget: Budget | None = None) -> tuple[str, Stat] | None:
        """The id of the content as it is now, and the stat record it goes with; None where it cannot be read or keeps changing.

        Args:
            budget: the time for it; without one it takes as long as it takes.

        Raises:
            TimeoutError: it is not known yet, and the budget does not last for it.
        """
        budget = budget or Budget(math.inf)
        for _ in range(3):
            before = Stat.of(path)
            if before is None or not stat.S_ISREG(before.mode):
                return None
            known = self.at(path, before) or self._remembered(path)
            if known is not None:
                return self._as_kept(path, known), before
            if not budget.allows(before.size):
                raise TimeoutError
            try:
                found = self._hash(path, before, budget)
            except TimeoutError:
                raise
            except OSError:
                return None
            if Stat.of(path) == before:
                return self._as_kept(path, found), before
        return None

    def _as_kept(self, path: str, found: str) -> str:
        """The id that the snapshot has for a file which differs from it in nothing but the secrets that no copy has."""
        kept = self.in_snapshot(path)
        return kept if kept is not None and kept != found and is_original(path, kept) else found

    def _remembered(self, path: str) -> str | None:
        try:
            found = os.stat(path)
        except OSError:
            return None
        known = self._cache().get(path) if found.st_size >= _WORTH_KEEPING else _small.get(path)
        return known.digest if known is not None and known.matches(found) else None

    def _hash(self, path: str, before: Stat, budget: Budget) -> str:
        moment = time.time_ns()
        found = budget.hash(path)
        made = mark(os.stat(path), moment, found)
        if before.size >= _WORTH_KEEPING:
            self._cache()[path] = made
            self._new = True
        elif len(_small) < _MOST:
            _small[path] = made
        return found

    def _cache(self) -> dict[str, Mark]:
        if self._marks is None:
            self._marks = self._kept.load(dict[str, Mark]) or {}
        return self._marks

    def keep(self) -> None:
        """Leave what was learnt to the next run."""
        if self._new and self._marks is not None:
            for path in list(self._marks)[: max(0, len(self._marks) - _MOST)]:
                del self._marks[path]
            self._kept.save({path: known for path, known in self._marks.items() if path.isprintable()})
