"""Marks of runs: `marks/ID`, one file for each, named by its content, written once and never changed.

So two stores that both grew are merged by putting their files together, and nobody waits for a lock.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

from assay.errors import AssayError
from assay.records.canonical import canonical, decode, digest
from assay.records.mark import Mark
from assay.records.run import Run
from assay.store.failures import using
from assay.store.objects import write_new
from assay.store.process import discard, owned_name

_SETTLED = 1_000_000_000  # nanoseconds after which a folder's time tells every later change


class Marked(NamedTuple):
    """What was said about one run: words that were given and taken away since its start, and notes, the oldest first; and when the last."""

    changes: tuple[tuple[str, bool], ...] = ()
    notes: tuple[Mark, ...] = ()
    latest: float = 0.0

    def tags(self, at_start: Iterable[str]) -> list[str]:
        """The words that stand, in the order in which they were given."""
        standing = dict.fromkeys(at_start)
        for word, given in self.changes:
            if given:
                standing.setdefault(word)
            else:
                standing.pop(word, None)
        return list(standing)


_NOTHING = Marked()


class Marks:
    """The marks of one store.

    Args:
        store: the store's folder; `tmp/` in it exists.
    """

    def __init__(self, store: Path) -> None:
        self._folder = store / "marks"
        self._aside = store / "tmp"
        self._seen = 0
        self._known: dict[str, Mark] = {}
        self._by_run: dict[str, Marked] = {}

    def add(self, mark: Mark) -> str:
        """The id of a mark, which is in the store afterwards; adding it again changes nothing.

        Raises:
            StoreUnusable: it cannot be written.
        """
        data = canonical(mark)
        name = digest(data)
        with using(self._folder):
            self._folder.mkdir(exist_ok=True)
            aside = self._aside / owned_name()
            try:
                write_new(str(aside), data)
                aside.rename(self._folder / name)
            finally:
                discard(aside)
        return name

    def of(self, run_id: str) -> Marked:
        """What was said about a run. Raises StoreUnusable where the marks cannot be read."""
        return self.all().get(run_id, _NOTHING)

    def tags(self, run: Run) -> list[str]:
        """The words by which a run can be found: those of its start, and those that were given since."""
        return self.of(run.id).tags(run.start.tags)

    def all(self) -> Mapping[str, Marked]:
        """Every run about which something was said. A mark that cannot be read is passed over: it takes none of the others with it.

        Raises:
            StoreUnusable: the folder cannot be read.
        """
        with using(self._folder):
            try:
                change = self._folder.stat().st_mtime_ns
            except FileNotFoundError:
                return {}
            if change != self._seen:
                now = time.time_ns()
                self._read(os.listdir(self._folder))  # noqa: PTH208 - names are wanted, not paths
                self._seen = change if now - change > _SETTLED else 0
        return self._by_run

    def _read(self, names: Iterable[str]) -> None:
        present = set(names)
        for name in present - self._known.keys():
            try:
                self._known[name] = decode((self._folder / name).read_bytes(), Mark)
            except (AssayError, FileNotFoundError):
                continue
        found: dict[str, list[Mark]] = {}
        for _, mark in sorted(self._known.items(), key=lambda item: (item[1].time, item[0])):
            found.setdefault(mark.run, []).append(mark)
        self._by_run = {run: _folded(marks) for run, marks in found.items()}


def _folded(marks: list[Mark]) -> Marked:
    changes = tuple((mark.text, mark.kind == "tag") for mark in marks if mark.kind != "note")
    return Marked(changes, tuple(mark for mark in marks if mark.kind == "note"), marks[-1].time)
