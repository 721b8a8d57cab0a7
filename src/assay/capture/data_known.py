"""What is known of the files of a data set, as it is kept between two looks: a folder in which nothing changed is known by its bytes.

The stat records of a folder's files stand side by side as numbers, in the order in which the folder lists them. Where they come out as they
were, every file is as it was, and nothing of what is known of each is even decoded.
"""

# Paths are bytes here: a data set may have a million files, with names that need not be valid Unicode.
# ruff: noqa: PTH208

from __future__ import annotations

import os
import stat
from array import array
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from itertools import chain
from operator import attrgetter
from typing import Final

import msgspec

from assay.store.tree import FileKind

# Folders that are no part of a data set, and what they are.
NO_DATA: Final = {b".git": "version control", b".hg": "version control", b".svn": "version control", b".assay": "an Assay store"}
_record = attrgetter("st_mtime_ns", "st_ctime_ns", "st_size", "st_ino", "st_mode")
_encode: Final = msgspec.msgpack.Encoder().encode


class Known(msgspec.Struct, array_like=True, gc=False):
    """What reading a file gave, and the stat record that it had then: times in nanoseconds, size in bytes.

    `settled` says that the record proves the content (see `assay.capture.watch`); `why` is the reason for which the content may not be kept.
    """

    mtime: int
    ctime: int
    size: int
    inode: int
    settled: bool
    kind: FileKind
    id: str
    why: str = ""

    def matches(self, found: os.stat_result) -> bool:
        """Whether `found` proves that nothing changed."""
        return (
            found.st_mtime_ns == self.mtime
            and found.st_ctime_ns == self.ctime
            and found.st_size == self.size
            and found.st_ino == self.inode
            and self.settled
        )


_decode = msgspec.msgpack.Decoder(dict[bytes, Known]).decode


class KeptFolder(msgspec.Struct, array_like=True, frozen=True):
    """A folder as it was left. Names and stat records are empty where they alone do not tell what it holds."""

    names: bytes
    records: bytes
    below: tuple[bytes, ...]
    files: msgspec.Raw


class Remembered(Mapping[bytes, Known]):
    """The files of a folder by name, decoded when one of them is asked for."""

    def __init__(self, kept: KeptFolder) -> None:
        self.kept = kept

    @cached_property
    def _files(self) -> dict[bytes, Known]:
        return _decode(self.kept.files)

    def __getitem__(self, name: bytes) -> Known:
        return self._files[name]

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._files)

    def __len__(self) -> int:
        return len(self._files)

    def below(self, folder: int, path: bytes) -> Sequence[bytes] | None:
        """Names of the folders in it, if all that it holds is as it was; else None. `folder` is a descriptor of the one at `path`."""
        if not self.kept.records:
            return None
        try:
            names = os.listdir(path)
            same = b"\0".join(names) == self.kept.names and _packed(_records(folder, names)) == self.kept.records
        except OSError:
            return None  # it vanishes just now: the longer look says what is left
        return self.kept.below if same else None


def kept(path: bytes, files: Mapping[bytes, Known]) -> KeptFolder:
    """What to keep of the folder at `path`, in which these files were found."""
    if isinstance(files, Remembered):
        return files.kept
    undecoded = KeptFolder(b"", b"", (), msgspec.Raw(_encode(files)))
    try:
        folder = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError:
        return undecoded
    try:
        names = os.listdir(path)
        records = _records(folder, names)
    except OSError:
        return undecoded
    finally:
        os.close(folder)
    below = tuple([name for name, record in zip(names, records, strict=True) if stat.S_ISDIR(record.st_mode)])
    if not _tell_all(dict(zip(names, records, strict=True)), below, files):
        return undecoded
    return KeptFolder(b"\0".join(names), _packed(records), below, undecoded.files)


def _tell_all(records: Mapping[bytes, os.stat_result], below: Sequence[bytes], files: Mapping[bytes, Known]) -> bool:
    """Whether a folder holds nothing but folders and these very files, and the record of each proves its content."""
    if not NO_DATA.keys().isdisjoint(below) or len(files) != len(records) - len(below):
        return False
    return all(
        name in records and stat.S_ISREG(records[name].st_mode) and known.kind != "link" and known.matches(records[name])
        for name, known in files.items()
    )


def _records(folder: int, names: Sequence[bytes]) -> list[os.stat_result]:
    look = os.stat
    return [look(name, dir_fd=folder, follow_symlinks=False) for name in names]


def _packed(records: Sequence[os.stat_result]) -> bytes:
    """Records as bytes; empty where a number has more than 63 bits."""
    try:
        return array("q", chain.from_iterable(map(_record, records))).tobytes()
    except OverflowError:
        return b""
