"""Trials in folders of their own that had too few of the user's files, and are handed out again with what they missed."""

from __future__ import annotations

from collections.abc import Mapping

from assay.execution.needed import Needed
from assay.execution.setup import Report
from assay.execution.variants import Variants
from assay.execution.workspace import in_project
from assay.store.store import Store

_AGAIN = 3
"""Times that a trial is run again with files that it missed."""


class HandedOut:
    """Which files of the project each trial was given.

    Args:
        store: has the runs.
        needed: the files that trials are given; it grows by what they missed.
        variants: the code of the trials.
    """

    def __init__(self, store: Store, needed: Needed, variants: Variants) -> None:
        self._store = store
        self._needed = needed
        self._variants = variants
        self._given: dict[int, frozenset[str]] = {}
        self._again: dict[int, int] = {}

    def give(self, number: int) -> dict[str, str]:
        """The files for a trial that is handed out now."""
        self._given[number] = frozenset(self._needed.files)
        return dict(self._needed.files)

    def again(self, report: Report, other: Mapping[str, str | None]) -> bool:
        """Whether a trial is to be handed out again: it failed over a file of the user's that it names, or saw other names in a folder.

        Args:
            report: what came of it.
            other: its files that are other than the project's.
        """
        if report.state not in ("failed", "finished") or self._again.get(report.number, 0) >= _AGAIN:
            return False
        if report.failure is not None:
            self._needed.add_missed(in_project(f"{report.failure.text}\n{report.failure.traceback}", self._needed.root))
        elif report.run is not None:
            self._needed.add_listed(self._listed(report.run, other))
        if self._needed.files.keys() <= self._given[report.number]:
            return False
        self._again[report.number] = self._again.get(report.number, 0) + 1
        return True

    def _listed(self, run_id: str, other: Mapping[str, str | None]) -> list[str]:
        former = self._variants.reuse(other)
        trace = former.trace(self._store.runs.read(run_id))
        return former.changed_folders(trace) if trace is not None else []
