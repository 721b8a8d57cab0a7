"""Kept snapshots: `snapshots/TREE`, a record for each. What they name is not collected as long as they stand here."""

from __future__ import annotations

import os
from pathlib import Path

from assay.errors import InvalidValue
from assay.records.canonical import canonical, decode
from assay.records.snapshot import KeptSnapshot
from assay.store.failures import using
from assay.store.inventory import is_content_id
from assay.store.objects import write_new
from assay.store.process import discard, owned_name

FOLDER = "snapshots"


class Snapshots:
    """The kept snapshots of one store.

    Args:
        store: the store's folder; `tmp/` in it exists, `snapshots/` is made with the first one.
    """

    def __init__(self, store: Path) -> None:
        self._folder = store / FOLDER
        self._aside = store / "tmp"

    def keep(self, snapshot: KeptSnapshot) -> None:
        """Keep a tree, which is in the store already; one that is kept counts as taken again.

        Raises:
            StoreUnusable: it cannot be written.
        """
        aside = self._aside / owned_name()
        with using(self._folder):
            try:
                write_new(str(aside), canonical(snapshot))
                self._folder.mkdir(exist_ok=True)
                aside.rename(self._folder / snapshot.tree)
            finally:
                discard(aside)

    def listed(self) -> list[KeptSnapshot]:
        """All that are kept, the newest first.

        Raises:
            StoreUnusable, StoreDamaged, StoreTooNew: one cannot be read.
        """
        found = []
        for tree in self.trees():
            with using(self._folder):
                try:
                    data = (self._folder / tree).read_bytes()
                except FileNotFoundError:
                    continue  # let go since the folder was listed
            found.append(decode(data, KeptSnapshot))
        return sorted(found, key=lambda kept: (-kept.taken, kept.tree))

    def trees(self) -> list[str]:
        """Ids of all trees that are kept, sorted.

        Raises:
            StoreUnusable: the folder cannot be read.
        """
        with using(self._folder):
            try:
                return sorted(filter(is_content_id, os.listdir(self._folder)))  # noqa: PTH208 - names are wanted, not paths
            except FileNotFoundError:
                return []

    def resolve(self, prefix: str) -> str:
        """The kept tree that a unique prefix of its id names.

        Raises:
            InvalidValue: none that is kept begins so, or several do.
            StoreUnusable: the folder cannot be read.
        """
        known = self.trees()
        found = [tree for tree in known if prefix and tree.startswith(prefix)]
        if len(found) == 1:
            return found[0]
        shown = ", ".join(tree[:12] for tree in (found or known)[:6])
        raise InvalidValue(
            "several kept snapshots have this prefix" if found else "no snapshot that is kept has this id", value=prefix,
            expected=f"one of {shown}" if shown else "a snapshot that `assay snapshot` has kept",
            next_step="`assay snapshot ls` lists them.",
        )  # fmt: skip

    def let_go(self, tree: str) -> None:
        """Keep a tree no longer for its own sake; what runs need of it stays. One that is not kept is left alone.

        Raises:
            StoreUnusable: the folder cannot be written.
        """
        with using(self._folder):
            (self._folder / tree).unlink(missing_ok=True)
