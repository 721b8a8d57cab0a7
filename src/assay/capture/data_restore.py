"""A version of a data set put back, whole or in part, after what it would overwrite has been kept."""

# Paths are bytes here: a data set may have a million files, with names that need not be valid Unicode.
# ruff: noqa: PTH103, PTH108, PTH115, PTH116, PTH118, PTH120, PTH211

from __future__ import annotations

import os
import stat
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from assay.capture.code_file import LARGEST
from assay.capture.data_changes import File, files_of
from assay.capture.data_scan import readable
from assay.capture.data_versions import enter
from assay.capture.secrets import secret_content, secret_name
from assay.errors import InvalidValue, MissingContent
from assay.records.canonical import digest
from assay.records.dataset import DataVersion
from assay.store.datasets import Listed
from assay.store.failures import writing
from assay.store.objects import Objects, hash_file
from assay.store.store import Store
from assay.store.tree import FileKind, write_tree

SAVED = "saved/"
"""Before the name of the data set that keeps what a restore has overwritten."""


class Restored(NamedTuple):
    """What a restore did.

    Attributes:
        folder: where to.
        written: paths that were made or replaced.
        same: how many files were there already.
        overwritten: the entry that keeps what stood in the way; None where nothing did.
        not_kept: paths that the store does not have because they looked like secrets; they were left alone.
        others: how many files stand in the folder that the version does not have; they were left alone.
    """

    folder: str
    written: list[str]
    same: int
    overwritten: Listed | None
    not_kept: list[str]
    others: int


def restore(store: Store, listed: Listed, target: str, paths: Sequence[str] = ()) -> Restored:
    """Put a version of a data set, or the files and folders named, into the folder `target`; a file that is right stays as it is.

    Nothing is lost: what would be overwritten is added to the data set `saved/NAME` first. Files that the version does not have stay.
    Nothing is written outside `target`, and nothing at all where it is known before that the restore cannot be completed. Each file
    appears whole; a full disk ends the restore, which goes on from there when it is asked for again.

    Args:
        target: absolute; the folder that holds the files, which need not exist.
        paths: as the version has them.

    Raises:
        InvalidValue: a path is not in the version; a file or link stands where a folder is needed, or a folder where a file is.
        MissingContent: the store does not have a content that is needed (it was only hashed).
        StoreDamaged, StoreUnusable: the store cannot be read, or cannot take what would be overwritten.
        TargetUnusable: `target` cannot be written.
    """
    version = store.objects.record(listed.entry.version, DataVersion)
    files = _chosen(files_of(store.objects, version, listed.entry.path or listed.entry.name), paths, listed.entry.name)
    base = os.fsencode(target)
    _refuse_what_stands_in_the_way(base, files)
    needed = {path: file for path, file in files.items() if not _holds(os.path.join(base, path), file)}
    not_kept = [path for path in needed if readable(path) in version.not_kept and needed[path].id not in store.objects]
    for path in not_kept:
        del needed[path]
    _refuse_what_is_not_kept(store.objects, needed, listed.entry.name)
    overwritten = _save(store, listed.entry.name, base, [path for path in needed if os.path.lexists(os.path.join(base, path))])
    with writing(target):
        for path in sorted(needed):
            _write(store.objects, needed[path], os.path.join(base, path))
    return Restored(
        target,
        [readable(path) for path in sorted(needed)],
        len(files) - len(needed) - len(not_kept),
        overwritten,
        [readable(path) for path in not_kept],
        0 if paths or version.kind != "folder" else _count_others(base, files),
    )


def _chosen(files: Mapping[bytes, File], paths: Sequence[str], name: str) -> dict[bytes, File]:
    if not paths:
        return dict(files)
    chosen: dict[bytes, File] = {}
    for path in paths:
        wanted = os.fsencode(path).strip(b"/").removeprefix(b"./")
        part = {one: file for one, file in files.items() if wanted in (one, b".") or one.startswith(wanted + b"/")}
        part = part or {one: file for one, file in files.items() if readable(one) == path}
        if not part:
            raise InvalidValue(
                "the version has no such file or folder",
                value=path,
                expected="a path as `assay data diff` shows it",
                next_step=f"`assay data restore {name} --to DIR` puts the whole of it into a folder of its own.",
            )
        chosen |= part
    return chosen


def _refuse_what_stands_in_the_way(base: bytes, files: Mapping[bytes, File]) -> None:
    """A link in place of a folder would let files leave the target; a folder in place of a file holds what nobody asked about."""
    folders = {path[:cut] for path in files for cut in range(len(path)) if path[cut : cut + 1] == b"/"}
    for path in sorted(folders):
        full = os.path.join(base, path)
        if os.path.lexists(full) and not stat.S_ISDIR(os.lstat(full).st_mode):
            raise _in_the_way(full, "a file or link stands where the data set has a folder", "a folder, or nothing")
    for path in files:
        full = os.path.join(base, path)
        if os.path.lexists(full) and not stat.S_ISREG(mode := os.lstat(full).st_mode) and not stat.S_ISLNK(mode):
            raise _in_the_way(full, "something else than a file stands where the data set has a file", "a file, a link, or nothing")


def _in_the_way(full: bytes, problem: str, expected: str) -> InvalidValue:
    return InvalidValue(
        problem,
        value=os.fsdecode(full),
        expected=expected,
        next_step="Move it away, or restore into another folder with --to. Nothing was written.",
    )


def _holds(full: bytes, file: File) -> bool:
    """Whether the file at a place is the right one. A link to a file is right, if the file has the content."""
    try:
        if file.kind == "link":
            return digest(os.readlink(full)) == file.id
        found = os.stat(full)
        return (
            stat.S_ISREG(found.st_mode)
            and found.st_size == file.size
            and bool(found.st_mode & stat.S_IXUSR) == (file.kind == "exec")
            and hash_file(full) == file.id
        )
    except OSError:
        return False


def _refuse_what_is_not_kept(objects: Objects, needed: Mapping[bytes, File], name: str) -> None:
    missing = sorted(path for path, file in needed.items() if file.id not in objects)
    if missing:
        raise MissingContent(
            f"the store does not have {len(missing)} of the {len(needed)} files to put back, which were only hashed",
            value=", ".join(readable(path) for path in missing[:3]) + (", …" if len(missing) > 3 else ""),
            expected="a version of a data set that is kept",
            next_step=f"Name others of its paths, or find a copy; `assay data add PATH --name {name} --policy kept` keeps what is there now. "
            "Nothing was written.",
        )


def _save(store: Store, name: str, base: bytes, paths: Sequence[bytes]) -> Listed | None:
    """Keep what stands at these paths as a version of its own."""
    if not paths:
        return None
    entries: dict[bytes, tuple[FileKind, str]] = {}
    sizes: dict[bytes, int] = {}
    for path in paths:
        full = os.path.join(base, path)
        found = os.lstat(full)
        if stat.S_ISLNK(found.st_mode):
            entries[path], sizes[path] = ("link", store.objects.put(os.readlink(full))), 0
        else:
            _refuse_secret(full, found)
            kind: FileKind = "exec" if found.st_mode & stat.S_IXUSR else "file"
            entries[path], sizes[path] = (kind, store.objects.put_file(full)), found.st_size
    order = sorted(entries, key=lambda path: path.rpartition(b"/")[::2])
    version = DataVersion(content=write_tree(store.objects, entries), sizes=tuple(sizes[path] for path in order))
    return enter(store, SAVED + name, "", store.objects.put_record(version), version.content)


def _refuse_secret(full: bytes, found: os.stat_result) -> None:
    """What would be overwritten must be kept, and secrets are never kept: then nothing is overwritten."""
    with open(full, "rb") as file:
        why = secret_name(readable(full)) or (secret_content(file.read()) if found.st_size <= LARGEST else "")
    if why:
        raise _in_the_way(
            full, f"this file would be overwritten, and is not kept first, since it is or holds a secret ({why})", "another"
        )


def _write(objects: Objects, file: File, full: bytes) -> None:
    if file.kind != "link":
        objects.copy_to(file.id, Path(os.fsdecode(full)), executable=file.kind == "exec")
        return
    target = objects.get(file.id)
    os.makedirs(os.path.dirname(full), exist_ok=True)
    if os.path.lexists(full):
        os.unlink(full)
    os.symlink(target, full)


def _count_others(base: bytes, files: Mapping[bytes, File]) -> int:
    others = 0
    for folder, _, names in os.walk(base):
        before = b"" if folder == base else os.path.relpath(folder, base) + b"/"
        others += sum(before + name not in files for name in names)
    return others
