"""Declared data: inputs that a user names, identified by content and kept, whatever their size."""

# Paths are text here: a data set may have a million files, with names that need not be valid Unicode.
# ruff: noqa: PTH100, PTH112, PTH113, PTH115, PTH118, PTH119, PTH120

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from assay.capture.code import path_text
from assay.errors import InvalidValue
from assay.records.canonical import digest
from assay.store.objects import Objects, hash_file
from assay.store.store import Store
from assay.store.tree import FileKind, write_tree


class Mismatch(NamedTuple):
    """A declared input whose content is not what was recorded; `found` is None where it is not there or cannot be read."""

    path: str
    expected: str
    found: str | None


def declare(store: Store, root: str | os.PathLike[str], paths: Iterable[str | os.PathLike[str]]) -> dict[str, str]:
    """Content ids of declared inputs by path (relative to `root` where below it); their content is in the store afterwards.

    A file's id is that of its content, a folder's that of its tree. A link to a file stands for the file, so that a data set made of
    links (as download caches are) has the content that a reader gets; other links in a folder stand for themselves.

    Args:
        store: where to.
        root: the project's root.
        paths: files and folders; relative ones are relative to the working directory.

    Raises:
        InvalidValue: a path is not there, cannot be read, or is neither a file nor a folder.
        StoreUnusable: the store cannot take the content.
    """
    base = os.path.realpath(root)
    declared = {}
    for path in paths:
        full = os.path.abspath(path)
        try:
            content_id = _put(store.objects, full)
        except OSError as error:
            raise InvalidValue(
                "a declared input cannot be used",
                value=os.fspath(path),
                expected="a file or folder that can be read",
                next_step=f"Check the path ({error.strerror}).",
            ) from error
        declared[path_text(_relative(full, base))] = content_id
    return declared


def check(root: str | os.PathLike[str], data: Mapping[str, str]) -> list[Mismatch]:
    """The declared inputs that do not have the recorded content now; empty where all have. Nothing is stored.

    Args:
        root: what the relative paths of `data` are relative to.
        data: path to content id, as `declare` gives them.
    """
    found = ((path, expected, _content_id(os.path.join(root, path))) for path, expected in data.items())
    return [Mismatch(path, expected, now) for path, expected, now in found if now != expected]


class _Hashed(Objects):
    """Objects that get their ids and are not kept."""

    def __init__(self) -> None:
        super().__init__(Path(os.devnull))

    def put(self, data: bytes) -> str:
        return digest(data)

    def put_file(self, path: str | bytes | Path, *, expect: str | None = None) -> str:
        if not os.path.isfile(path):
            raise OSError(errno.EINVAL, "not a regular file", os.fsdecode(path))
        return hash_file(path)


def _content_id(full: str) -> str | None:
    try:
        return _put(_Hashed(), full)
    except OSError:
        return None


def _put(objects: Objects, full: str) -> str:
    return write_tree(objects, dict(_entries(objects, full))) if os.path.isdir(full) else objects.put_file(full)


def _entries(objects: Objects, folder: str) -> Iterator[tuple[bytes, tuple[FileKind, str]]]:
    """The files and links below a folder, put into `objects`; FIFOs, sockets and devices are no data.

    Raises:
        OSError: a folder or file in it cannot be read.
    """
    waiting = [""]
    while waiting:
        path = waiting.pop()
        with os.scandir(os.path.join(folder, path)) as entries:
            for entry in entries:
                inner = os.path.join(path, entry.name)
                if entry.is_dir(follow_symlinks=False):
                    waiting.append(inner)
                elif entry.is_file():
                    kind: FileKind = "exec" if entry.stat().st_mode & stat.S_IXUSR else "file"
                    yield os.fsencode(inner), (kind, objects.put_file(entry.path))
                elif entry.is_symlink():
                    yield os.fsencode(inner), ("link", objects.put(os.fsencode(os.readlink(entry.path))))


def _relative(full: str, base: str) -> str:
    """`full` relative to the root where below it, and with its folder, not itself, freed of links."""
    real = os.path.join(os.path.realpath(os.path.dirname(full)), os.path.basename(full))
    return os.path.relpath(real, base) if real == base or real.startswith(base + "/") else real
