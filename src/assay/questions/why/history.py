"""Differences of code that are commits: each can be made, or taken back, without the others where it applies."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import msgspec

from assay.capture.git import GitFailed
from assay.capture.history import Blob, Step, blob, steps_between, tree_files
from assay.comparison.diff import show_path
from assay.errors import InvalidValue
from assay.execution.again import Original
from assay.execution.patches import three_way
from assay.questions.why.code import Entry, without
from assay.questions.why.flips import Flip, Variant
from assay.store.objects import Objects
from assay.store.store import Store
from assay.store.tree import read_tree, write_tree


class HistoryPart:
    """The commits between two runs whose code stands in one repository.

    Files that either run had otherwise than its commit are no part of it (`paths` are those that are).

    Args:
        store: has both code trees, and takes the files of commits.
        root: folder of the repository that paths are relative to.
        good, bad: the runs.

    Raises:
        GitFailed: the runs' commits are not on one history here, or fewer than two commits lie between them.
    """

    def __init__(self, store: Store, root: Path, good: Original, bad: Original) -> None:
        self._objects = store.objects
        self._root = str(root)
        a, b = (_commit(side) for side in (good, bad))
        found = steps_between(self._root, a, b)
        touched = {path for step in found for path in step.changes}
        unclean = [_unclean(store.objects, self._root, side, commit, touched) for side, commit in ((good, a), (bad, b))]
        self.paths = touched.difference(*unclean)
        steps = [_within(step, self.paths) for step in found]
        self._steps = {f"code commit {step.commit[:10]} {step.subject}": step for step in steps if step.changes}
        if len(self._steps) < 2:
            raise GitFailed("fewer than two commits lie between the runs")
        self.flips = [_flip(key, step) for key, step in self._steps.items()]

    def apply(self, variant: Variant, bad: frozenset[str]) -> Variant:
        """The variant with the commits of the combination made, in their order.

        Raises:
            InvalidValue: one of them does not apply without another.
        """
        mixed = read_tree(self._objects, variant.original.code)
        for key, step in self._steps.items():
            if key in bad:
                self._make(mixed, step)
        tree = write_tree(self._objects, mixed)
        recipe = msgspec.structs.replace(variant.original.recipe, code=tree)
        trace = without(variant.original.trace, {show_path(path) for path in self.paths})
        return variant._replace(original=variant.original._replace(code=tree, recipe=recipe, trace=trace))

    def _make(self, mixed: dict[bytes, Entry], step: Step) -> None:
        for path, (before, after) in step.changes.items():
            current = mixed.get(path)
            was, becomes = (_entry(self._objects, self._root, side) for side in (before, after))
            if current == was:
                _put(mixed, path, becomes)
            elif current != becomes:
                _put(mixed, path, self._merged(path, step, current, was, becomes))

    def _merged(self, path: bytes, step: Step, current: Entry | None, was: Entry | None, becomes: Entry | None) -> Entry:
        if current is None or was is None or becomes is None or "link" in (current[0], was[0], becomes[0]):
            raise _conflict(path, step)
        merged = three_way(*(self._objects.get(side[1]) for side in (current, was, becomes)))
        if merged is None:
            raise _conflict(path, step)
        return (becomes[0], self._objects.put(merged))


def history_between(store: Store, root: Path, good: Original, bad: Original) -> HistoryPart | None:
    """The commits between two runs, where there are at least two that their code consists of; else None."""
    if good.run.start.git is None or bad.run.start.git is None or good.code == bad.code:
        return None
    try:
        return HistoryPart(store, root, good, bad)
    except GitFailed:
        return None


def _commit(side: Original) -> str:
    commit = side.run.start.git.commit if side.run.start.git else None
    if commit is None:
        raise GitFailed("the run was recorded before the first commit")
    return commit


def _unclean(objects: Objects, root: str, side: Original, commit: str, paths: Iterable[bytes]) -> set[bytes]:
    """Those of the paths at which a run had something else than its commit."""
    tree, files = read_tree(objects, side.code), tree_files(root, commit)
    return {path for path in paths if tree.get(path) != _entry(objects, root, files.get(path))}


def _entry(objects: Objects, root: str, found: Blob | None) -> Entry | None:
    return None if found is None else (found.kind, objects.put(blob(root, found.name)))


def _within(step: Step, paths: set[bytes]) -> Step:
    return step._replace(changes={path: change for path, change in step.changes.items() if path in paths})


def _put(mixed: dict[bytes, Entry], path: bytes, entry: Entry | None) -> None:
    if entry is None:
        mixed.pop(path, None)
    else:
        mixed[path] = entry


def _conflict(path: bytes, step: Step) -> InvalidValue:
    act = "applies" if step.forward else "can be taken back"
    return InvalidValue(
        f"the change of {show_path(path)} in a commit only {act} with another one",
        value=f"{step.commit[:10]} {step.subject}",
        expected="a combination in which its lines are as the commit found them",
    )


def _flip(key: str, step: Step) -> Flip:
    was, is_now = ("not made", "made") if step.forward else ("made", "not made")
    return Flip("code", key.removeprefix("code "), was, is_now)
