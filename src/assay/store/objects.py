"""Content-addressed objects: each is a file named by the BLAKE3 of its bytes, written aside and renamed, never changed."""

# Paths are text here: making a `Path` for each of a tree's thousand files would double the cost of a snapshot.
# ruff: noqa: PTH103, PTH104, PTH105, PTH108, PTH110, PTH116, PTH120

from __future__ import annotations

import errno
import fcntl
import os
import stat
from pathlib import Path
from typing import TypeVar

from blake3 import blake3

from assay.errors import MissingContent, StoreDamaged
from assay.records.canonical import Record, canonical, decode, digest
from assay.store.failures import unusable, using
from assay.store.process import owned_name

R = TypeVar("R", bound=Record)

_FICLONE = 0x40049409  # ioctl that shares extents between two files (linux/fs.h)
_WHOLE = 1 << 20  # bytes up to which a file is read at once, so that known content costs no copy
_STEP = 1 << 26  # bytes that the kernel is asked to copy in one call
_CHUNK = 1 << 20
_DIGITS = frozenset("0123456789abcdef")


class Objects:
    """The objects of one store. What is in it was whole when it appeared; several processes may put the same content at once.

    Args:
        store: the store's folder; `objects/` and `tmp/` in it exist.
    """

    def __init__(self, store: Path) -> None:
        self._folder = os.fspath(store / "objects")
        self._aside = os.fspath(store / "tmp")

    def path(self, content_id: str) -> Path:
        """Where the object lies, or would lie; for reading alone."""
        return Path(self._path(content_id))

    def _path(self, content_id: str) -> str:
        return f"{self._folder}/{content_id[:2]}/{content_id[2:]}"

    def __contains__(self, content_id: str) -> bool:
        """Whether the content is here."""
        return _is_id(content_id) and os.path.exists(self._path(content_id))

    def put(self, data: bytes) -> str:
        """The id of `data`, which is in the store afterwards.

        Raises:
            StoreUnusable: it could not be written.
        """
        content_id = digest(data)
        if self._size(content_id) != len(data):
            try:
                self._write(data, content_id)
            except OSError as error:
                raise unusable(error, self._path(content_id)) from error
        return content_id

    def put_record(self, record: Record) -> str:
        """The id of a record, whose canonical bytes are in the store afterwards.

        Raises:
            InvalidValue: the record has no canonical form.
            StoreUnusable: it could not be written.
        """
        return self.put(canonical(record))

    def put_file(self, path: str | bytes | Path, *, expect: str | None = None) -> str:
        """The id of the file's content as it was copied into the store; a file that is written meanwhile gives one consistent object.

        Args:
            path: a regular file, or a link to one.
            expect: the id that the file had when the caller hashed it. Where it is already stored, nothing is read or copied. Where the
                file has changed since, the id that is returned differs from it.

        Raises:
            OSError: the file cannot be read, has vanished or is no regular file.
            StoreUnusable: the store cannot take it.
        """
        if expect is not None and expect in self:
            return expect
        source = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)  # a FIFO without a writer must not block
        try:
            status = os.fstat(source)
            if not stat.S_ISREG(status.st_mode):
                raise OSError(errno.EINVAL, "not a regular file", os.fsdecode(path))
            data = _read(source, _WHOLE + 1) if status.st_size <= _WHOLE else None
            if data is not None and len(data) <= _WHOLE:
                return self.put(data)
            return self._take(source)
        finally:
            os.close(source)

    def get(self, content_id: str) -> bytes:
        """The bytes of an object, checked against its id.

        Raises:
            MissingContent: the store does not have it.
            StoreDamaged: the stored bytes are others.
            StoreUnusable: it cannot be read.
        """
        if not _is_id(content_id):
            raise _missing(content_id)
        path = self._path(content_id)
        try:
            with open(path, "rb") as file:
                data = file.read()
        except FileNotFoundError:
            raise _missing(content_id) from None
        except OSError as error:
            raise unusable(error, path) from error
        if digest(data) != content_id:
            raise _damaged(content_id, path)
        return data

    def record(self, content_id: str, kind: type[R]) -> R:
        """The record with this id.

        Raises:
            MissingContent, StoreDamaged, StoreUnusable: as for `get`.
            StoreTooNew: a newer Assay wrote it.
        """
        return decode(self.get(content_id), kind)

    def copy_to(self, content_id: str, target: Path, *, executable: bool = False) -> None:
        """Make `target` a file of its own with this content, in place of what stood there; missing folders above it are made.

        Never a hard link: who writes into the copy does not write into the store. It appears whole, and its content was checked.

        Raises:
            MissingContent: the store does not have it.
            StoreDamaged: the stored bytes are others; `target` is as it was.
            OSError: `target` cannot be written.
        """
        if content_id not in self:
            raise _missing(content_id)
        path = self._path(content_id)
        target.parent.mkdir(parents=True, exist_ok=True)
        aside = os.fspath(target.parent / f".assay-{owned_name()}")
        with using(path):
            source = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            copied = _copy_aside(source, aside, 0o777 if executable else 0o666)
            if copied != content_id:
                raise _damaged(content_id, path)
            os.replace(aside, target)
        except BaseException:
            _remove(aside)
            raise
        finally:
            os.close(source)

    def _take(self, source: int) -> str:
        """Copy an open file aside, hash the copy, and let it appear under its id."""
        aside = f"{self._aside}/{owned_name()}"
        try:
            content_id = _copy_aside(source, aside, 0o444)
            if content_id in self:
                os.unlink(aside)
            else:
                self._appear(aside, content_id)
        except OSError as error:
            _remove(aside)
            raise unusable(error, self._folder) from error
        return content_id

    def _size(self, content_id: str) -> int:
        """Bytes of the stored object, -1 where there is none: one of another size was torn by a power cut, and is written again."""
        try:
            return os.stat(self._path(content_id)).st_size
        except FileNotFoundError:
            return -1
        except OSError as error:
            raise unusable(error, self._path(content_id)) from error

    def _write(self, data: bytes, content_id: str) -> None:
        aside = f"{self._aside}/{owned_name()}"
        try:
            write_new(aside, data)
            self._appear(aside, content_id)
        except OSError:
            _remove(aside)
            raise

    def _appear(self, aside: str, content_id: str) -> None:
        path = self._path(content_id)
        try:
            os.rename(aside, path)
        except FileNotFoundError:
            os.makedirs(os.path.dirname(path), exist_ok=True)
            os.rename(aside, path)


def hash_file(path: str | bytes | Path) -> str:
    """BLAKE3 of a file's content, read in pieces: what `b3sum` prints.

    Raises:
        OSError: the file cannot be read.
    """
    hasher = blake3()
    with open(path, "rb", buffering=0) as file:
        while piece := file.read(_CHUNK):
            hasher.update(piece)
    return str(hasher.hexdigest())


def write_new(path: str, data: bytes, mode: int = 0o444) -> None:
    """Write a file that must not exist yet; the umask narrows `mode`.

    Raises:
        OSError: it exists, or cannot be written; what was written stays for the caller to remove.
    """
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
    try:
        write_all(descriptor, data)
    finally:
        os.close(descriptor)


def write_all(descriptor: int, data: bytes) -> None:
    """Write every byte: the kernel may take fewer at once.

    Raises:
        OSError: not all of it could be written.
    """
    written = os.write(descriptor, data)
    while written < len(data):
        written += os.write(descriptor, memoryview(data)[written:])


def _copy_aside(source: int, aside: str, mode: int) -> str:
    """Copy an open file to the new file `aside`, the cheapest way that works, and hash what arrived there."""
    target = os.open(aside, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
    try:
        if not _share(source, target):
            _copy(source, target)
        os.lseek(target, 0, os.SEEK_SET)
        return _hash_open(target)
    finally:
        os.close(target)


def _share(source: int, target: int) -> bool:
    """Share the source's extents with the copy; False where the file system cannot."""
    try:
        fcntl.ioctl(target, _FICLONE, source)
    except OSError:
        return False
    return True


def _copy(source: int, target: int) -> None:
    """Copy the bytes that the file has now: one that grows all the while would never come to an end."""
    left = os.fstat(source).st_size
    os.lseek(source, 0, os.SEEK_SET)
    while left > 0:
        try:
            copied = os.copy_file_range(source, target, min(left, _STEP))
        except OSError as error:
            if error.errno not in (errno.EXDEV, errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP, errno.EBADF):
                raise
            _copy_by_hand(source, target, left)
            return
        if copied == 0:
            return
        left -= copied


def _copy_by_hand(source: int, target: int, left: int) -> None:
    while left > 0 and (piece := os.read(source, min(left, _CHUNK))):
        write_all(target, piece)
        left -= len(piece)


def _hash_open(descriptor: int) -> str:
    hasher = blake3()
    while piece := os.read(descriptor, _CHUNK):
        hasher.update(piece)
    return str(hasher.hexdigest())


def _read(descriptor: int, limit: int) -> bytes:
    pieces = []
    while limit > 0 and (piece := os.read(descriptor, limit)):
        pieces.append(piece)
        limit -= len(piece)
    return b"".join(pieces)


def _remove(path: str) -> None:
    try:
        os.unlink(path)
    except OSError:
        return  # it was renamed or never made; what is left of a dead process is removed when the store is next opened


def _is_id(text: str) -> bool:
    return len(text) == 64 and _DIGITS.issuperset(text)


def _missing(content_id: str) -> MissingContent:
    return MissingContent(
        "this content is not in the store",
        value=content_id,
        expected="the id of a stored object, 64 hexadecimal digits",
        next_step="It was only hashed and not kept, or the store is incomplete.",
    )


def _damaged(content_id: str, path: str) -> StoreDamaged:
    return StoreDamaged(
        "a stored object does not have the content that its name promises",
        value=path,
        expected=f"bytes whose BLAKE3 is {content_id}",
        next_step="The disk or somebody changed it. Delete this file; what still has the content will put it back.",
    )
