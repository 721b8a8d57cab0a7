"""One file of a data set: read, hashed, and kept in the store where it may be."""

# Paths are bytes here: a data set may have a million files, with names that need not be valid Unicode.
# ruff: noqa: PTH115, PTH116

from __future__ import annotations

import errno
import os
import stat
import time
from collections.abc import Callable
from typing import Final

from assay.capture.data_known import Known
from assay.capture.data_scan import Fresh, kind_of, known_of, readable
from assay.capture.secrets import secret_content, secret_name
from assay.records.canonical import digest
from assay.store.objects import Objects, hash_file

_AT_ONCE: Final = 1 << 20  # bytes up to which a file is read in one piece and searched for secrets
_ATTEMPTS: Final = 3

CHANGING: Final = "kept changing while it was read: the version has what was read"


class LeftOut(Exception):
    """A file is not there any more, or cannot be read; its text says why."""


Refuse = Callable[[bytes], str]
"""Why a file, by its path below the data set, is not to be kept; empty where it is."""


def take(objects: Objects, base: bytes, fresh: Fresh, *, keep: bool, refuse: Refuse) -> tuple[Known, str]:
    """What a file or link holds, and what must be said of it (empty: nothing).

    Its content is in `objects` afterwards if it is to be kept; the target of a link always. A file that looks like one of secrets, or is
    refused, is hashed and not kept: `why` of what is known says so.

    Args:
        objects: where to.
        base: the data set's folder.
        fresh: where below it.
        keep: whether contents are kept, or hashed alone.
        refuse: what is hashed all the same.

    Raises:
        LeftOut: the file cannot be read, or has vanished.
        StoreUnusable: the store cannot take it.
    """
    path = b"/".join(filter(None, (base, fresh.folder, fresh.name)))
    try:
        if fresh.is_link:
            return _take_link(objects, path), ""
        why = keep and (secret_name(readable(fresh.name)) or refuse(b"/".join(filter(None, (fresh.folder, fresh.name)))))
        return _take_file(objects if keep else None, path, why or "")
    except OSError as error:
        raise LeftOut(_reason(error)) from error


def _take_link(objects: Objects, path: bytes) -> Known:
    moment = time.time_ns()
    found = os.lstat(path)
    return known_of(found, moment, "link", objects.put(os.readlink(path)))


def _take_file(objects: Objects | None, path: bytes, secret: str) -> tuple[Known, str]:
    for _ in range(_ATTEMPTS):
        moment = time.time_ns()
        before, after, content, why = _read(objects, path, secret)
        if _same(before, after):
            return known_of(before, moment, kind_of(before), content, why), ""
    unsettled = known_of(before, 0, kind_of(before), content, why)
    unsettled.size = after.st_size
    return unsettled, CHANGING


def _read(objects: Objects | None, path: bytes, secret: str) -> tuple[os.stat_result, os.stat_result, str, str]:
    """The stat records before and after reading a file, its content id, and why it was not kept."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)  # a FIFO that has taken the file's place must not block
    try:
        before = os.fstat(descriptor)
        if not stat.S_ISREG(before.st_mode):
            raise OSError(errno.EINVAL, "it is no regular file any more")
        data = os.read(descriptor, before.st_size + 1) if before.st_size <= _AT_ONCE else None
        if data is None or len(data) != before.st_size:
            return _stream(objects, path, before, secret)
        if objects is not None and not secret and b"\0" not in data:  # tokens stand in text, and the search is slow beside all else
            secret = secret_content(data)
        content = digest(data) if objects is None or secret else objects.put(data)
        return before, os.fstat(descriptor), content, secret
    finally:
        os.close(descriptor)


def _stream(
    objects: Objects | None, path: bytes, before: os.stat_result, secret: str
) -> tuple[os.stat_result, os.stat_result, str, str]:
    """The same for a file that is large, or was changed by another process just now."""
    content = hash_file(path) if objects is None or secret else objects.put_file(path)
    return before, os.stat(path), content, secret


def _same(before: os.stat_result, after: os.stat_result) -> bool:
    return (before.st_mtime_ns, before.st_ctime_ns, before.st_size, before.st_ino) == (
        after.st_mtime_ns,
        after.st_ctime_ns,
        after.st_size,
        after.st_ino,
    )


def _reason(error: OSError) -> str:
    if error.errno in (errno.ENOENT, errno.ENOTDIR):
        return "vanished while the data set was read"
    return f"cannot be read ({error.strerror})"
