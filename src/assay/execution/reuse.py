"""Runs that stand for a trial: the same recipe, finished, and every input that they were seen to use unchanged."""

from __future__ import annotations

import os
from collections.abc import Container, Mapping
from pathlib import Path

from assay.capture.code_secrets import is_original
from assay.capture.settle import listing_digest
from assay.errors import MissingContent
from assay.records.run import Run
from assay.records.trace import FileUse, Trace
from assay.store.objects import hash_file
from assay.store.store import Store


class Reuse:
    """Looks for earlier runs on behalf of one study, and hashes each input at most once for it.

    Args:
        store: where the runs are.
        root: root that the paths of their traces are relative to.
        apart: the runs had folders of their own, whose top holds other names than the root's.
        other: files that the runs had otherwise than the root has them: relative path to content id, None for those that were not there.
    """

    def __init__(self, store: Store, root: Path, *, apart: bool = False, other: Mapping[str, str | None] | None = None) -> None:
        self._apart = apart
        self._other = other or {}
        self._store = store
        self._root = root
        self._content: dict[str, str | None] = {}
        self._verdicts: dict[str, bool] = {}

    def find(self, recipe_id: str, other_than: Container[str] = ()) -> Run | None:
        """The newest finished run of this recipe whose observed inputs still have their content; None where there is none.

        Args:
            recipe_id: id of the recipe.
            other_than: ids of runs that are not wanted.
        """
        for run_id in self._store.catalogue.with_recipe(recipe_id):
            if run_id in other_than:
                continue
            run = self._store.runs.read(run_id)
            if run.state == "finished" and self._holds(run):
                return run
        return None

    def trace(self, run: Run) -> Trace | None:
        """What the run was seen to do; None where it was not watched, or the store no longer has it."""
        if run.result is None or run.result.trace is None:
            return None
        try:
            return self._store.objects.record(run.result.trace, Trace)
        except MissingContent:
            return None

    def _holds(self, run: Run) -> bool:
        """Runs of one study mostly share one trace, so its verdict is kept."""
        if run.result is None or run.result.trace is None:
            return False
        known = self._verdicts.get(run.result.trace)
        if known is None:
            trace = self.trace(run)
            known = (
                trace is not None
                and all(self._unchanged(use) for use in (*trace.loaded, *trace.read))
                and not self.changed_folders(trace)
            )
            self._verdicts[run.result.trace] = known
        return known

    def changed_folders(self, trace: Trace) -> list[str]:
        """Folders that the run listed and that have other names in them here, now."""
        return [path for path, names in trace.listed.items() if not (self._apart and path == ".") and self._names(path) != names]

    def _unchanged(self, use: FileUse) -> bool:
        return use.id is not None and (self._now(use.path) == use.id or is_original(self._root / use.path, use.id))

    def _now(self, path: str) -> str | None:
        if path in self._other:
            return self._other[path]
        if path not in self._content:
            self._content[path] = content_now(self._root / path)
        return self._content[path]

    def _names(self, path: str) -> str | None:
        """Digest of what the folder lists, as traces have it; None where it is no folder that can be listed."""
        here = "" if path == "." else f"{path}/"
        inside = {file[len(here) :]: content for file, content in self._other.items() if file.startswith(here)}
        there = {name.partition("/")[0] for name, content in inside.items() if content is not None}
        try:
            names = {entry.name for entry in (self._root / path).iterdir()}
        except OSError:
            if not there:
                return None
            names = set()
        return listing_digest(iter((names - inside.keys()) | there))


class Taken:
    """Which runs stand for which trials of one call, so that a repetition is never its own original."""

    def __init__(self) -> None:
        self._all: set[str] = set()
        self._repeats: set[str] = set()

    def find(self, reuse: Reuse | None, recipe_id: str, *, repeats: bool) -> Run | None:
        """A run that may stand for a trial; it is taken from now on. None where there is none, or where nothing is reused."""
        earlier = reuse.find(recipe_id, self._all if repeats else self._repeats) if reuse else None
        if earlier is not None:
            self._all.add(earlier.id)
            if repeats:
                self._repeats.add(earlier.id)
        return earlier


def content_now(path: Path) -> str | None:
    """Id of the file's content as it is; None where it is no readable file."""
    try:
        return hash_file(path) if os.path.isfile(path) else None  # noqa: PTH113
    except OSError:
        return None
