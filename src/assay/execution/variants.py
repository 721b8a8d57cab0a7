"""The code that each configuration of a study runs: the project's own, or that with the patches of its levels made in it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

from assay.capture.code import Snapshot
from assay.execution.patches import Patches, Side, changed_tree, files_of_tree
from assay.execution.reuse import Reuse
from assay.records.factor import Patch
from assay.records.plan import Configuration
from assay.store.store import Store


class Variant(NamedTuple):
    """Code of a trial.

    Attributes:
        snapshot: the tree that its folder is made of.
        other: files that are other than in the project: relative path to content id, None for what is gone.
    """

    snapshot: Snapshot
    other: Mapping[str, str | None]


class Variants:
    """The code of every configuration, each composed once.

    Args:
        store: has the snapshot, and takes what is composed.
        root: the project.
        snapshot: the code as it was when the study began.
        patches: those of a configuration.
    """

    def __init__(self, store: Store, root: Path, snapshot: Snapshot, patches: Callable[[Configuration], tuple[Patch, ...]]) -> None:
        self._store = store
        self._root = root
        self._plain = Variant(snapshot, {})
        self._of = patches
        self._patches: Patches | None = None
        self._known: dict[tuple[Patch, ...], Variant] = {(): self._plain}
        self._reuse: dict[tuple[tuple[str, str | None], ...], Reuse] = {}

    def variant(self, configuration: Configuration) -> Variant:
        """The code of a configuration.

        Raises:
            InvalidStudy: its patches do not apply, alone or together.
        """
        patches = self._of(configuration)
        if patches not in self._known:
            self._known[patches] = self._composed(patches)
        return self._known[patches]

    def reuse(self, other: Mapping[str, str | None]) -> Reuse:
        """Looks for runs whose inputs are those of the project, but for these files."""
        key = tuple(sorted(other.items()))
        if key not in self._reuse:
            self._reuse[key] = Reuse(self._store, self._root, apart=True, other=other)
        return self._reuse[key]

    def _composed(self, patches: tuple[Patch, ...]) -> Variant:
        snapshot = self._plain.snapshot
        if self._patches is None:
            self._patches = Patches(files_of_tree(self._store.objects, snapshot.tree))
        changed, other = _changed(self._store, snapshot, self._patches.composed(patches))
        return Variant(changed, other)


def without(store: Store, snapshot: Snapshot, files: Iterable[str]) -> Snapshot:
    """The snapshot as it would be if the project did not have these files."""
    gone = [path for path in files if path in snapshot.files]
    return _changed(store, snapshot, dict.fromkeys(gone))[0] if gone else snapshot


def _changed(store: Store, snapshot: Snapshot, sides: Mapping[str, Side | None]) -> tuple[Snapshot, dict[str, str | None]]:
    tree, other = changed_tree(store.objects, snapshot.tree, sides)
    kept = {path: content for path, content in snapshot.files.items() if path not in other}
    files = kept | {path: content for path, content in other.items() if content is not None}
    stats = {path: stat for path, stat in snapshot.stats.items() if path not in other}
    return snapshot._replace(tree=tree, files=files, stats=stats), other
