"""Trees: folders as nested records, each named by its content (`docs/identity.md`, "Trees")."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from typing import Literal, get_args

import msgspec

from assay.errors import InvalidValue, StoreDamaged
from assay.records.canonical import Record
from assay.store.objects import Objects

FileKind = Literal["file", "exec", "link"]
Entries = Mapping[bytes, tuple[FileKind, str]]

_KINDS = frozenset(get_args(FileKind))
_NO_NAMES = (b"", b".", b"..")


class Tree(Record, frozen=True, kw_only=True, tag_field="assay", tag="tree/1"):
    """One folder: `[name, kind, id]` for each entry, sorted by the bytes of the name; kind is file, exec, link or dir."""

    entries: tuple[tuple[bytes, Literal["file", "exec", "link", "dir"], str], ...] = ()


# A tree holds neither floats nor free values, so the encoder alone gives its canonical bytes (a test compares them); walking
# every entry in Python first would double the cost of a snapshot.
_encode = msgspec.msgpack.Encoder(order="sorted").encode


def write_tree(objects: Objects, entries: Entries) -> str:
    """The id of the tree that holds `entries`; it and the trees below it are in the store afterwards, the files need not be.

    Args:
        objects: where to.
        entries: path relative to the tree, with "/", to kind and content id; for a link the id of the bytes of its target.

    Raises:
        InvalidValue: a path is absolute, has an empty part, "." or "..", or is a file and a folder at once.
        StoreUnusable: it cannot be written.
    """
    folders: dict[bytes, list[tuple[bytes, str, str]]] = {b"": []}
    for path, (kind, content_id) in entries.items():
        folder, _, name = path.rpartition(b"/")
        if folder not in folders:
            _open_folders(folders, folder)
        if kind not in _KINDS or name in _NO_NAMES or path[:1] == b"/" or b"\0" in name:
            raise _refused(path, kind)
        folders[folder].append((name, kind, content_id))
    return write_folders(objects, folders)


def write_folders(objects: Objects, folders: dict[bytes, list[tuple[bytes, str, str]]]) -> str:
    """As `write_tree`, for entries that are grouped by folder already; the lists are used up.

    Args:
        objects: where to.
        folders: path of a folder ("" for the tree itself) to name, kind and content id of each file and link in it. The folder above
            each is there too. A folder that holds nothing is left out.

    Raises:
        InvalidValue: a name is there twice.
        StoreUnusable: it cannot be written.
    """
    # A folder sorts before all that it holds, so going backwards meets every folder after its own folders.
    for path in sorted(folders, reverse=True)[:-1]:
        if folders[path]:
            folder, _, name = path.rpartition(b"/")
            folders[folder].append((name, "dir", _put(objects, folders[path], path)))
    return _put(objects, folders[b""], b"")


def read_tree(objects: Objects, tree_id: str) -> dict[bytes, tuple[FileKind, str]]:
    """Every file and link below a tree: what `write_tree` was given.

    Raises:
        MissingContent: the store lacks the tree or one below it.
        StoreDamaged: one of them is damaged, or has a name that could lead out of the folder.
    """
    found: dict[bytes, tuple[FileKind, str]] = {}
    pending = [(b"", tree_id)]
    while pending:
        folder, content_id = pending.pop()
        for name, kind, child in _checked(objects.record(content_id, Tree), content_id):
            if kind == "dir":
                pending.append((folder + name + b"/", child))
            else:
                found[folder + name] = (kind, child)
    return found


def restore_tree(objects: Objects, tree_id: str, target: Path) -> None:
    """Put every file and link of a tree into the folder `target`, with its bytes, execute bit and link target.

    What stands at the same paths is replaced; other files stay. Links are made, never followed: nothing is written outside `target`.

    Raises:
        MissingContent, StoreDamaged: as for `read_tree`, for the files too.
        InvalidValue: a file or a link stands where a folder is needed.
        OSError: `target` cannot be written.
    """
    restore_files(objects, read_tree(objects, tree_id), target)


def restore_files(objects: Objects, entries: Mapping[bytes, tuple[FileKind, str]], target: Path) -> None:
    """As `restore_tree`, for the files and links of a tree or a part of it, by their paths.

    Raises:
        MissingContent, StoreDamaged, InvalidValue, OSError: as for `restore_tree`.
    """
    target.mkdir(parents=True, exist_ok=True)
    made: set[bytes] = {b""}
    for path, (kind, content_id) in sorted(entries.items()):
        _make_folders(target, path.rpartition(b"/")[0], made)
        place = target / os.fsdecode(path)
        if kind == "link":
            _make_link(objects.get(content_id), place)
        else:
            objects.copy_to(content_id, place, executable=kind == "exec")


def _open_folders(folders: dict[bytes, list[tuple[bytes, str, str]]], folder: bytes) -> None:
    """Give `folder` and those above it a list of their own."""
    while folder not in folders:
        folders[folder] = []
        above, _, name = folder.rpartition(b"/")
        if name in _NO_NAMES or b"\0" in name:
            raise _refused(folder, "dir")
        folder = above


def _put(objects: Objects, entries: list[tuple[bytes, str, str]], folder: bytes) -> str:
    entries.sort()
    for before, after in pairwise(entries):
        if before[0] == after[0]:
            raise _refused(folder + b"/" + after[0] if folder else after[0], f"{before[1]} and {after[1]} at once")
    return objects.put(_encode({"assay": "tree/1", "entries": entries}))


def _checked(tree: Tree, tree_id: str) -> tuple[tuple[bytes, Literal["file", "exec", "link", "dir"], str], ...]:
    """The entries of a tree that came from a store, which somebody may have made by hand."""
    last = b""
    for name, _, _ in tree.entries:
        if name in _NO_NAMES or b"/" in name or b"\0" in name or name <= last:
            raise StoreDamaged(
                "a tree has an entry that no folder can have",
                value=name,
                expected="names in ascending order, none of them empty, '.', '..' or with '/'",
                next_step=f"The tree {tree_id} was not written by Assay; nothing was restored from it.",
            )
        last = name
    return tree.entries


def _refused(path: bytes, kind: str) -> InvalidValue:
    return InvalidValue(
        f"a tree cannot hold this path as {kind}",
        value=os.fsdecode(path),
        expected="a relative path of a file, exec or link, with '/', without empty parts, '.' or '..'",
    )


def _make_folders(target: Path, folder: bytes, made: set[bytes]) -> None:
    if folder in made:
        return
    _make_folders(target, folder.rpartition(b"/")[0], made)
    place = target / os.fsdecode(folder)
    try:
        place.mkdir()
    except FileExistsError:
        # lstat: a link to a folder elsewhere would let the restored files leave `target`.
        if not stat.S_ISDIR(place.lstat().st_mode):
            raise InvalidValue(
                "a file or link stands where the tree has a folder",
                value=str(place),
                expected="a folder, or nothing",
                next_step="Move it away, or restore into an empty folder.",
            ) from None
    made.add(folder)


def _make_link(to: bytes, place: Path) -> None:
    place.unlink(missing_ok=True)
    place.symlink_to(os.fsdecode(to))
