"""What differs between two states of a data set, file by file: added, removed, changed, renamed."""

# Paths are bytes here: a data set may have a million files, with names that need not be valid Unicode.
# ruff: noqa: PTH119

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from typing import Literal, NamedTuple

from assay.capture.data_gather import flat
from assay.capture.data_scan import Files, readable
from assay.records.dataset import DataVersion
from assay.store.objects import Objects
from assay.store.tree import FileKind, read_tree


class File(NamedTuple):
    """One file or link of a data set; its size in bytes, 0 for a link."""

    kind: FileKind
    id: str
    size: int


class Change(NamedTuple):
    """One difference between state a and state b.

    Attributes:
        kind: "renamed": the content that was at `before` is at `path` alone.
        path: in b; of what was removed, in a.
        before: the path in a, where it is another.
        a, b: the file in either state.
    """

    kind: Literal["added", "removed", "changed", "renamed"]
    path: str
    before: str = ""
    a: File | None = None
    b: File | None = None


def files_of(objects: Objects, version: DataVersion, path: str) -> dict[bytes, File]:
    """The files of a version by their path in it; a version of one file has it under the last part of `path`.

    Raises:
        MissingContent, StoreDamaged, StoreUnusable: a tree of the version cannot be read.
    """
    if version.kind != "folder":
        return {os.path.basename(os.fsencode(path)) or b"data": File(version.kind, version.content, *version.sizes)}
    entries = read_tree(objects, version.content)
    order = sorted(entries, key=lambda name: name.rpartition(b"/")[::2])
    return {name: File(*entries[name], size) for name, size in zip(order, version.sizes, strict=True)}


def files_now(files: Files) -> dict[bytes, File]:
    """The same of what was found on the disk."""
    return {path: File(known.kind, known.id, known.size if known.kind != "link" else 0) for path, known in flat(files)}


def changes(a: Mapping[bytes, File], b: Mapping[bytes, File]) -> list[Change]:
    """Everything that differs, ordered by path. A file whose content is at one new path, and no longer at its old one, was renamed."""
    removed = {path: file for path, file in a.items() if path not in b}
    found = [
        Change("changed", readable(path), "", a[path], file)
        for path, file in b.items()
        if path in a and (a[path].id, a[path].kind) != (file.id, file.kind)
    ]
    places: dict[tuple[str, str], list[bytes]] = {}
    for path in sorted(removed, reverse=True):
        places.setdefault((removed[path].id, removed[path].kind), []).append(path)
    for path in sorted(path for path in b if path not in a):
        old = _nearest(path, places.get((b[path].id, b[path].kind), []))
        if old is None:
            found.append(Change("added", readable(path), "", None, b[path]))
        else:
            found.append(Change("renamed", readable(path), readable(old), removed.pop(old), b[path]))
    found += [Change("removed", readable(path), "", file, None) for path, file in removed.items()]
    return sorted(found, key=lambda change: change.path)


def count(found: Iterable[Change]) -> dict[str, int]:
    """How many of each kind."""
    counts = dict.fromkeys(("added", "removed", "changed", "renamed"), 0)
    for change in found:
        counts[change.kind] += 1
    return counts


def _nearest(path: bytes, places: list[bytes]) -> bytes | None:
    """Take one of the old places of a content: with the same name, if there is one."""
    if not places:
        return None
    name = path.rpartition(b"/")[2]
    same = [place for place in places if place.rpartition(b"/")[2] == name]
    chosen = same[-1] if same else places[-1]
    places.remove(chosen)
    return chosen
