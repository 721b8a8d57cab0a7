"""Declared data: inputs that a user names, identified by content and kept, whatever their size; and how any data is looked at."""

# Paths are text or bytes here: a data set may have a million files, with names that need not be valid Unicode.
# ruff: noqa: PTH100, PTH112, PTH118, PTH119, PTH120

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import NamedTuple

import msgspec

from assay.capture.data_gather import Gathered, flat, gather
from assay.capture.data_known import KeptFolder, Remembered, kept
from assay.capture.data_scan import Files, readable
from assay.capture.data_take import Refuse
from assay.capture.keep_out import KeepOut
from assay.capture.stat_cache import KeptCopy
from assay.errors import InvalidValue
from assay.records.dataset import DataVersion, Policy
from assay.records.trace import FileUse
from assay.store.objects import Objects
from assay.store.store import Store
from assay.store.tree import write_folders


class Looked(NamedTuple):
    """What a file or folder holds now: the version that it is, with its id, and what is known of each file."""

    id: str
    version: DataVersion
    files: Files


class _LastLook(msgspec.Struct, array_like=True):
    """What the last look at a data set found, and the `DataVersion` that was made of it."""

    version: str
    folders: dict[bytes, KeptFolder]
    left_out: dict[str, str]

    def files(self) -> Files:
        return {path: Remembered(folder) for path, folder in self.folders.items()}


def declare(
    store: Store, root: str | os.PathLike[str], cwd: str | os.PathLike[str], paths: Iterable[str | os.PathLike[str]]
) -> tuple[FileUse, ...]:
    """The files of declared inputs, which are in the store afterwards; of a folder, all files below it.

    A link to a file stands for the file, so that a data set made of links (as download caches are) has the content that a reader
    gets; other links are left out. Files that look like secrets, or that `.assayignore` names, are identified and not kept, which their
    `note` says.

    Args:
        store: where to.
        root: the project's root, which paths are recorded relative to.
        cwd: what relative paths are relative to.
        paths: files and folders.

    Raises:
        InvalidValue: one is neither a file nor a folder, or cannot be read.
        StoreUnusable: the store cannot take the content.
    """
    return tuple(use for path in paths for use in _declared(store, root, os.path.join(cwd, path)))


def look(store: Store, full: str, policy: Policy) -> Looked:
    """The version that the file or folder at the absolute path `full` is now; it and its trees, and contents if kept, are in the store.

    Files that have not changed since the last look are not read again. Those that `.assayignore` names are identified and not kept.

    Raises:
        InvalidValue: it cannot be read.
        StoreUnusable: the store cannot take it.
    """
    rules = KeepOut.read(os.fspath(store.root))
    copy = _copy(store, full, policy, rules)
    memory = copy.load(_LastLook) or _LastLook("", {}, {})
    # What an entry of a history names stays in the store with all that it needs; of anything else, nobody can say that it did.
    rooted = memory.version in {listed.entry.version for listed in store.datasets.listed()}
    known = memory.files() if rooted or policy == "hashed" else _still_kept(store.objects, memory.files())
    found = _gather(store.objects, full, known, _refusing(store, full, rules), keep=policy == "kept")
    if rooted and found.same and found.left_out == memory.left_out:
        return Looked(memory.version, store.objects.record(memory.version, DataVersion), found.files)
    version = _version(store.objects, full, found, policy)
    version_id = store.objects.put_record(version)
    copy.save(_LastLook(version_id, _kept(full, found.files), found.left_out))
    return Looked(version_id, version, found.files)


def present(store: Store, full: str) -> Files:
    """What the file or folder at the absolute path `full` holds now, identified alone; what did not change is not read again.

    Raises:
        InvalidValue: it cannot be read.
    """
    rules = KeepOut.read(os.fspath(store.root))
    copies = (_copy(store, full, policy, rules).load(_LastLook) for policy in ("kept", "hashed"))
    memory = next((copy for copy in copies if copy is not None), None)
    return _gather(store.objects, full, memory.files() if memory else {}, _refusing(store, full, rules), keep=False).files


def recorded_path(full: str, root: str | os.PathLike[str]) -> str:
    """An absolute path as records have it: relative to the root where below it, its folder, not itself, freed of links."""
    base = os.path.realpath(root)
    real = os.path.join(os.path.realpath(os.path.dirname(full)), os.path.basename(full))
    below = real == base or real.startswith(base.rstrip("/") + "/")
    return readable(os.fsencode(os.path.relpath(real, base) if below else real))


def _declared(store: Store, root: str | os.PathLike[str], path: str) -> Iterable[FileUse]:
    full = os.path.abspath(path)
    recorded = recorded_path(full, root)
    folder = recorded + "/" if recorded != "." else ""
    for name, known in flat(look(store, full, "kept").files):
        if known.kind != "link":
            yield FileUse(
                path=folder + readable(name) if os.path.isdir(full) else recorded,
                id=known.id,
                size=known.size,
                mtime=known.mtime,
                kept=not known.why,
                by="declared",
                note=f"not kept: {known.why}" if known.why else "",
            )


def _still_kept(objects: Objects, files: Files) -> Files:
    return {
        folder: {name: known for name, known in names.items() if known.why or known.id in objects}
        for folder, names in files.items()
    }


def _kept(full: str, files: Files) -> dict[bytes, KeptFolder]:
    base = os.fsencode(full)
    return {path: kept(base + b"/" + path if path else base, names) for path, names in files.items()}


def _copy(store: Store, full: str, policy: str, rules: KeepOut) -> KeptCopy:
    """What the last look left under these rules: under others, files that did not change may have to be kept, or must not be."""
    return KeptCopy("data-2", (os.fspath(store.path), full, policy, *(f"{out} {pattern.pattern}" for pattern, out in rules.rules)))


def _refusing(store: Store, full: str, rules: KeepOut) -> Refuse:
    """What says why a file is not kept, by its path below `full`, or its name where that is a file."""
    if not rules.rules:
        return lambda path: ""
    folder = recorded_path(full if os.path.isdir(full) else os.path.dirname(full), store.root)
    before = "" if folder == "." else folder + "/"
    return lambda path: rules.reason(before + readable(path))


def _gather(objects: Objects, full: str, known: Files, refuse: Refuse, *, keep: bool) -> Gathered:
    try:
        return gather(objects, os.fsencode(full), known, keep=keep, refuse=refuse)
    except OSError as error:
        raise InvalidValue(
            "this data cannot be read",
            value=full,
            expected="a file or folder that can be read",
            next_step=f"Check the path ({error.strerror}).",
        ) from error


def _version(objects: Objects, full: str, found: Gathered, policy: Policy) -> DataVersion:
    is_folder = os.path.isdir(full)
    one = None if is_folder else next(iter(found.files[b""].values()))
    by_folder: dict[bytes, list[tuple[bytes, str, str]]]
    by_folder = {folder: [(name, known.kind, known.id) for name, known in names.items()] for folder, names in found.files.items()}
    ordered = [names[name] for _, names in sorted(found.files.items()) for name in sorted(names)]
    secrets = any(known.why for known in ordered)
    return DataVersion(
        content=one.id if one else write_folders(objects, by_folder),
        kind="folder" if one is None else "exec" if one.kind == "exec" else "file",
        policy=policy,
        sizes=tuple([known.size if known.kind != "link" else 0 for known in ordered]),
        not_kept={readable(path): known.why for path, known in flat(found.files) if known.why} if secrets else {},
        left_out=dict(sorted(found.left_out.items())),
    )
