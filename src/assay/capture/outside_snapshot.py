"""Code from beyond the project in a snapshot: what editable installations and former runs import from other folders, as it is now."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from assay.capture.code import CodeCapture
from assay.capture.outside import APART, moved
from assay.capture.siblings import snapshot_siblings
from assay.records.environment import Package
from assay.store.store import Store
from assay.store.tree import restore_tree


def editable_outside(root: Path, packages: Sequence[Package]) -> list[str]:
    """Folders of editable installations outside the project; Assay's own is left out, since it records, and is no part of what runs."""
    base = os.path.realpath(root)
    editable = [package for package in packages if package.origin == "editable" and package.name != "assay"]
    sources = [(package.url or "").removeprefix("file://").rstrip("/") for package in editable]
    folders = {os.path.realpath(source) for source in sources if source.startswith("/")}
    return sorted(folder for folder in folders if Path(folder).is_dir() and not Path(folder).is_relative_to(base))


def snapshot_outside(store: Store, root: Path, packages: Sequence[Package]) -> dict[str, str]:
    """Folder of each editable installation outside the project, and each that former runs imported from, to the tree of its code.

    The trees are in the store afterwards.

    Raises:
        StoreUnusable: the store cannot take the files.
    """
    editable = {folder: CodeCapture(store, Path(folder)).snapshot().tree for folder in editable_outside(root, packages)}
    return {**editable, **snapshot_siblings(store, list(editable))}


def lay_outside(store: Store, outside: Mapping[str, str], target: Path) -> list[str]:
    """Restore such folders below `target`; those of them that have to stand first on the module path.

    Raises:
        MissingContent: the store lacks a part of one.
        OSError: `target` cannot be written.
    """
    entries = []
    for folder, tree in outside.items():
        place = moved(folder, target / APART)
        restore_tree(store.objects, tree, place)
        entries += [str(each) for each in (place / "src", place) if each.is_dir()]
    return entries
