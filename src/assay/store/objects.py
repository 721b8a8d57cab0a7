"""Content-addressed objects: each is a file named by the BLAKE3 of its bytes, written aside and renamed, never changed.

objects/ab/REST         the content whole
objects/ab/REST.parts   or the list of the objects that it is cut into (`assay.store.parts`), where it is large
"""

# Paths are text here: making a `Path` for each of a tree's thousand files would double the cost of a snapshot.
# ruff: noqa: PTH103, PTH104, PTH105, PTH108, PTH110, PTH116, PTH120

from __future__ import annotations

import errno
import fcntl
import io
import os
import stat
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import TypeVar, overload

from blake3 import blake3

from assay.errors import MissingContent, StoreDamaged
from assay.records.canonical import Record, canonical, decode, digest
from assay.store.failures import unusable
from assay.store.hashing import hash_file, hash_open, threads
from assay.store.parts import SUFFIX, Parts
from assay.store.process import owned_name

R = TypeVar("R", bound=Record)

_FICLONE = 0x40049409  # ioctl that shares extents between two files (linux/fs.h)
CHUNKED_ABOVE = 4 << 20
"""Bytes above which content is kept in parts, unless the file system can share it with the file that it came from."""

_WHOLE = 1 << 20  # bytes up to which a file is read at once, so that known content costs no copy
_STEP = 1 << 26  # bytes that the kernel is asked to copy in one call
_CHUNK = 1 << 20
_LISTED = 6  # names that are listed in the time of one question for a file
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
        """Where the object lies, or would lie; for reading alone. What is kept in parts has its list there, under `parts.SUFFIX`."""
        return Path(self._path(content_id))

    def _path(self, content_id: str) -> str:
        return f"{self._folder}/{content_id[:2]}/{content_id[2:]}"

    def __contains__(self, content_id: str) -> bool:
        """Whether the content is here."""
        if not _is_id(content_id):
            return False
        path = self._path(content_id)
        return os.path.exists(path) or os.path.exists(path + SUFFIX)

    def missing(self, content_ids: Iterable[str]) -> set[str]:
        """Those of many contents that are not here."""
        folders: dict[str, set[str]] = {}
        for content_id in content_ids:
            folders.setdefault(content_id[:2], set()).add(content_id[2:])
        return {begin + end for begin, ends in folders.items() for end in self._missing_below(begin, ends)}

    def _missing_below(self, begin: str, ends: set[str]) -> set[str]:
        """Ends of ids that are not in one folder, which is listed: that takes a fraction of asking for each, unless it holds many others."""
        try:
            with os.scandir(f"{self._folder}/{begin}") as entries:
                found = {entry.name for entry in islice(entries, _LISTED * len(ends))}
        except OSError:
            found = set()
        return {end for end in ends - found if begin + end not in self}

    def renew(self, content_id: str) -> bool:
        """Whether the content is here; if so its age begins anew, and with it that of all it leads to (`assay.store.gc`).

        Who is going to name a content in a run asks this way, so that no collection takes it before the run is there to be seen. An object
        of another user keeps its age, since only its owner may change that.
        """
        if not _is_id(content_id):
            return False
        path = self._path(content_id)
        for name in (path, path + SUFFIX):
            try:
                os.utime(name)
            except FileNotFoundError:
                continue
            except OSError:
                return os.path.exists(name)
            return True
        return False

    def parts(self, content_id: str) -> list[str]:
        """Ids of the objects that a content is kept in, in order, each once or more often; empty where it is kept whole.

        Raises:
            MissingContent: the store does not have it.
            StoreDamaged: the list of its parts is none.
            StoreUnusable: it cannot be read.
        """
        if content_id not in self:
            raise _missing(content_id)
        found = None if self._size(content_id) >= 0 else self._parts(content_id)
        return [piece for piece, _ in found.pieces] if found is not None else []

    def put(self, data: bytes) -> str:
        """The id of `data`, which is in the store afterwards.

        Raises:
            StoreUnusable: it could not be written.
        """
        content_id = digest(data)
        if self._size(content_id) == len(data) and self.renew(content_id):
            return content_id
        if len(data) > CHUNKED_ABOVE:
            return self._put_chunks(io.BytesIO(data).readinto)
        self._write(data, self._path(content_id))
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
        if expect is not None and self.renew(expect):
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
            MissingContent: the store does not have it, or lacks a part of it.
            StoreDamaged: the stored bytes are others.
            StoreUnusable: it cannot be read.
        """
        if not _is_id(content_id):
            raise _missing(content_id)
        data = self._read(self._path(content_id))
        if data is None:
            data = b"".join(self._pieces(content_id))
        if digest(data) != content_id:
            raise _damaged(content_id, self._path(content_id))
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
            MissingContent: the store does not have it, or lacks a part of it.
            StoreDamaged: the stored bytes are others; `target` is as it was.
            OSError: `target` cannot be written.
        """
        if content_id not in self:
            raise _missing(content_id)
        target.parent.mkdir(parents=True, exist_ok=True)
        aside = os.fspath(target.parent / f".assay-{owned_name()}")
        try:
            copied = self._copy_out(content_id, aside, 0o777 if executable else 0o666)
            if copied != content_id:
                raise _damaged(content_id, self._path(content_id))
            os.replace(aside, target)
        except BaseException:
            _remove(aside)
            raise

    def _copy_out(self, content_id: str, aside: str, mode: int) -> str:
        """Copy an object to the new file `aside`; the id of what arrived there."""
        path = self._path(content_id)
        try:
            source = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            return write_pieces(self._pieces(content_id), aside, mode)
        except OSError as error:
            raise unusable(error, path) from error
        try:
            return _copy_aside(source, aside, mode)
        finally:
            os.close(source)

    def _read(self, path: str) -> bytes | None:
        """The bytes of a file of the store; None where there is none."""
        try:
            with open(path, "rb") as file:
                return file.read()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise unusable(error, path) from error

    def _parts(self, content_id: str) -> Parts | None:
        data = self._read(self._path(content_id) + SUFFIX)
        return None if data is None else decode(data, Parts)

    def _pieces(self, content_id: str) -> Iterator[bytes]:
        """The bytes of the parts in order, each checked against its id."""
        found = self._parts(content_id)
        if found is None:
            raise _missing(content_id)
        for piece, _ in found.pieces:
            data = self._read(self._path(piece))
            if data is None:
                raise _missing(piece)
            if digest(data) != piece:
                raise _damaged(piece, self._path(piece))
            yield data

    def _take(self, source: int) -> str:
        """Copy an open file aside, hash the copy, and let it appear under its id; or cut a large one into parts."""
        aside = f"{self._aside}/{owned_name()}"
        try:
            content_id = _copy_aside(source, aside, 0o444, most=CHUNKED_ABOVE)
            if content_id is None or self.renew(content_id):
                os.unlink(aside)
            else:
                self._appear(aside, self._path(content_id))
        except OSError as error:
            _remove(aside)
            raise unusable(error, self._folder) from error
        return content_id or self._put_chunks(lambda buffer: os.readv(source, [buffer]))

    def _put_chunks(self, readinto: Callable[[memoryview], int]) -> str:
        """Keep what can be read in parts; its id. The list appears after all that it names."""
        # Late: few runs keep a large file, and the chunker takes a twentieth of a second to load.
        from assay.store.chunks import put_chunks

        content_id, parts = put_chunks(readinto, self._put_piece, threads())
        if len(parts.pieces) < 2:  # a file that was cut short meanwhile
            return self.put(b"".join(self.get(piece) for piece, _ in parts.pieces))
        path, listing = self._path(content_id), canonical(parts)
        here = self._size(content_id) == parts.size or self._read(path + SUFFIX) == listing
        if not here or not self.renew(content_id):
            self._write(listing, path + SUFFIX)
        return content_id

    def _put_piece(self, data: bytes) -> str:
        """Keep bytes whole."""
        content_id = digest(data)
        if self._size(content_id) != len(data) or not self.renew(content_id):
            self._write(data, self._path(content_id))
        return content_id

    def _size(self, content_id: str) -> int:
        """Bytes of the stored object, -1 where there is none: one of another size was torn by a power cut, and is written again."""
        try:
            return os.stat(self._path(content_id)).st_size
        except FileNotFoundError:
            return -1
        except OSError as error:
            raise unusable(error, self._path(content_id)) from error

    def _write(self, data: bytes, path: str) -> None:
        aside = f"{self._aside}/{owned_name()}"
        try:
            write_new(aside, data)
            self._appear(aside, path)
        except OSError as error:
            _remove(aside)
            raise unusable(error, path) from error

    def _appear(self, aside: str, path: str) -> None:
        try:
            os.rename(aside, path)
        except FileNotFoundError:
            os.makedirs(os.path.dirname(path), exist_ok=True)
            os.rename(aside, path)


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


def write_pieces(pieces: Iterator[bytes], path: str, mode: int) -> str:
    """Write a new file of these pieces, with holes where they are all zeros; the id of its content.

    Raises:
        OSError: it exists, or cannot be written; what was written stays for the caller to remove.
    """
    hasher = blake3(max_threads=threads())
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
    try:
        size = 0
        for piece in pieces:
            hasher.update(piece)
            size += len(piece)
            if piece.count(0) == len(piece):
                os.lseek(descriptor, len(piece), os.SEEK_CUR)
            else:
                write_all(descriptor, piece)
        os.ftruncate(descriptor, size)
    finally:
        os.close(descriptor)
    return str(hasher.hexdigest())


@overload
def _copy_aside(source: int, aside: str, mode: int) -> str: ...
@overload
def _copy_aside(source: int, aside: str, mode: int, *, most: int) -> str | None: ...
def _copy_aside(source: int, aside: str, mode: int, *, most: int | None = None) -> str | None:
    """Copy an open file to the new file `aside`, the cheapest way that works, and hash what arrived there.

    None, with nothing copied, where it has more than `most` bytes and the file system cannot share them.
    """
    target = os.open(aside, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
    try:
        if not _share(source, target):
            if most is not None and os.fstat(source).st_size > most:
                return None
            _copy(source, target)
        os.lseek(target, 0, os.SEEK_SET)
        return hash_open(target)
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


__all__ = ["CHUNKED_ABOVE", "Objects", "hash_file", "write_all", "write_new", "write_pieces"]


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
