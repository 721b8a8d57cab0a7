"""Errors of the operating system, said as what they mean for a store."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from assay.errors import StoreUnusable, TargetUnusable

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


_MEANING_OF_TARGET = {
    errno.ENOSPC: ("the disk is full", "Free some space, or name a folder on another disk."),
    errno.EDQUOT: ("the disk quota is used up", "Free some space, or name a folder on another disk."),
    errno.EROFS: ("the folder lies on a read-only file system", "Name a folder that can be written."),
    errno.EACCES: ("the folder may not be written by this user", "Change its owner or mode, or name another."),
    errno.EPERM: ("the folder may not be written by this user", "Change its owner or mode, or name another."),
    errno.ENAMETOOLONG: ("a path is longer than this file system allows", "Name a folder nearer to the root of the file system."),
}


@contextmanager
def writing(target: Path | str) -> Iterator[None]:
    """Turn what the operating system refuses while files are put into the folder `target` into `TargetUnusable`.

    Raises:
        TargetUnusable: the body met an `OSError`.
    """
    try:
        yield
    except OSError as error:
        other = f"the folder cannot be written ({error.strerror or error})"
        problem, step = _MEANING_OF_TARGET.get(error.errno or 0, (other, "Check the folder and its disk."))
        place = os.fsdecode(error.filename) if isinstance(error.filename, str | bytes) else str(target)
        raise TargetUnusable(
            problem, value=place, expected=f"room to put files into {target}",
            next_step=f"{step} Each file that is there already is whole.",
        ) from error  # fmt: skip
