"""One file of the code tree: read once, kept in the store, or left out with a reason."""

# Paths are text here: making a `Path` for each of a tree's thousand files would double the cost of a snapshot.
# ruff: noqa: PTH115

from __future__ import annotations

import errno
import os
import stat
from typing import Final

import msgspec

from assay.capture.code_secrets import without_secrets
from assay.capture.listing import A_FOLDER
from assay.capture.secrets import secret_name
from assay.capture.watch import Mark, mark
from assay.store.objects import Objects
from assay.store.tree import FileKind

LARGEST: Final = 1 << 20
"""Bytes up to which a file belongs to the code tree."""

_REFUSALS: Final = {
    errno.ENOENT: "vanished while it was read",
    errno.ELOOP: "replaced by a link while it was read",
    errno.EACCES: "not readable (permission denied)",
    errno.EPERM: "not readable (permission denied)",
}


class CodeFile(msgspec.Struct, array_like=True, gc=False):
    """What reading a file gave: its kind and content id, or the reason for leaving it out; in words, the secrets that its copy misses."""

    mark: Mark
    kind: FileKind
    id: str
    reason: str = ""
    secrets: str = ""

    def same(self, other: CodeFile) -> bool:
        """Whether both stand for the same entry of a tree."""
        return self.id == other.id and self.kind == other.kind and self.reason == other.reason


def read_code_file(objects: Objects, path: str, full: str, found: os.stat_result, moment: int) -> CodeFile:
    """Put a file into the store, or say why not.

    Args:
        objects: where to.
        path: relative to the root, for what its name says.
        full: absolute path; never followed where it is a link.
        found: its stat record, taken at `moment` (nanoseconds since 1970) or later, before this call.

    Raises:
        StoreUnusable: the store cannot take it.
    """
    known = CodeFile(mark=mark(found, moment), kind="file", id="")
    known.reason = _reason(path, found)
    if known.reason:
        return known
    try:
        if stat.S_ISLNK(found.st_mode):
            known.kind, data = "link", os.fsencode(os.readlink(full))
        else:
            known.kind, data = _read(full)
    except OSError as error:
        known.reason = _REFUSALS.get(error.errno or 0, f"not readable ({error.strerror})")
        return known
    if len(data) > LARGEST:
        known.reason = _too_large(len(data))
        return known
    if known.kind != "link":
        data, known.secrets = without_secrets(path, data)
    known.id = objects.put(data)
    return known


def _reason(path: str, found: os.stat_result) -> str:
    """Why a file is left out before it is read; empty where nothing speaks against it."""
    if stat.S_ISDIR(found.st_mode):
        return A_FOLDER
    if not stat.S_ISREG(found.st_mode):
        return "" if stat.S_ISLNK(found.st_mode) else "neither a file, a folder nor a link"
    return secret_name(path) or (_too_large(found.st_size) if found.st_size > LARGEST else "")


def _too_large(size: int) -> str:
    return f"larger than 1 MiB ({size:,} bytes seen)"


def _read(full: str) -> tuple[FileKind, bytes]:
    # What lstat saw may have been replaced since: a link is not followed, a FIFO does not block.
    descriptor = os.open(full, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode):
            raise OSError(errno.EINVAL, "replaced by something that is not a file")
        data = os.read(descriptor, LARGEST + 1)
        while len(data) <= LARGEST and (more := os.read(descriptor, LARGEST + 1 - len(data))):
            data += more
        return ("exec" if found.st_mode & stat.S_IXUSR else "file"), data
    finally:
        os.close(descriptor)
