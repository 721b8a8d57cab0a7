"""Errors of the operating system, said as what they mean for a store."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from assay.errors import StoreUnusable

_MEANING = {
    errno.ENOSPC: ("the disk is full", "Free some space, or set ASSAY_HOME to a folder on another disk."),
    errno.EDQUOT: ("the disk quota is used up", "Free some space, or set ASSAY_HOME to a folder on another disk."),
    errno.EROFS: ("the store lies on a read-only file system", "Set ASSAY_HOME to a folder that can be written."),
    errno.EACCES: (
        "the store may not be read or written by this user",
        "Change its owner or mode, or set ASSAY_HOME to a folder of your own.",
    ),
    errno.EPERM: (
        "the store may not be read or written by this user",
        "Change its owner or mode, or set ASSAY_HOME to a folder of your own.",
    ),
    errno.ENOTDIR: ("a file stands where the store needs a folder", "Move it away, or set ASSAY_HOME to another folder."),
    errno.EEXIST: ("a file stands where the store needs a folder", "Move it away, or set ASSAY_HOME to another folder."),
    errno.ENOENT: ("a part of the store has disappeared", "Look whether the folder was moved or deleted while it was used."),
    errno.EMFILE: ("this process has too many open files", "Raise the limit (`ulimit -n`) or close some."),
}


def unusable(error: OSError, path: Path | str) -> StoreUnusable:
    """The error of the store that stands for `error`, met at `path`."""
    problem, step = _MEANING.get(
        error.errno or 0, (f"the store cannot be used ({error.strerror or error})", "Check the disk and the folder.")
    )
    return StoreUnusable(problem, value=str(path), expected="a folder that this user can read and write", next_step=step)


@contextmanager
def using(path: Path | str) -> Iterator[None]:
    """Turn what the operating system refuses at `path` into `StoreUnusable`.

    Raises:
        StoreUnusable: the body met an `OSError`.
    """
    try:
        yield
    except OSError as error:
        raise unusable(error, path) from error
