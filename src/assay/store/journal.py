"""Journals: what a run says while it runs, each entry whole or not there at all.

A journal is a file that one writer appends to. It begins with 8 bytes that name the format; then come frames: the length of the
payload and its CRC-32 (both 32 bits, little-endian), then the payload, one `Entry` as MessagePack. Each frame is one `os.write`: the
kernel has it when `append` returns, so it survives SIGKILL at the next instruction (not a power cut: that would need a disk write
for each point).
"""

from __future__ import annotations

import os
import re
import weakref
from collections.abc import Callable, Iterator
from pathlib import Path
from struct import Struct
from threading import Lock
from zlib import crc32

import msgspec

from assay.errors import InvalidValue
from assay.records.journal import Entry
from assay.store.failures import unusable
from assay.store.objects import write_all

SUFFIX = ".journal"
MAGIC = b"assayj1\n"
_head = Struct("<II")
_pack = _head.pack
_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Entry).decode
# How each payload begins: an array of 1 to 15 items, of which the first is a tag of one letter.
_BEGINNING = re.compile(rb"[\x91-\x9f]\xa1[a-z]")

Report = Callable[[str], None]


class JournalWriter:
    """Appends to a journal of its own. Threads may share it; so may a forked child, since the kernel appends each frame as a whole.

    Args:
        path: a file that must not exist yet.

    Attributes:
        exists: there is a file.

    Raises:
        StoreUnusable: it cannot be made.
    """

    exists = True
    _file = -1

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = Lock()
        try:
            self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644)
            os.write(self._file, MAGIC)
        except OSError as error:
            raise unusable(error, path) from error
        _open_writers.add(self)

    def append(self, entry: Entry) -> None:
        """Add one entry; whatever ends this process afterwards, readers find it.

        Raises:
            InvalidValue: it holds something that has no MessagePack form.
            StoreUnusable: it could not be written, or the journal is closed; the entry is not there.
        """
        try:
            payload = _encode(entry)
            frame = _pack(len(payload), crc32(payload)) + payload
            # The lock keeps `close` from giving the descriptor to another file between the two.
            with self._lock:
                write_all(self._file, frame)
        except OSError as error:
            raise unusable(error, self.path) from error
        except (TypeError, ValueError, OverflowError) as error:
            raise InvalidValue(
                "this cannot be logged", value=entry, expected="text, numbers, lists and mappings", next_step=f"{error}."
            ) from error

    def close(self) -> None:
        """Give the file back; what was appended stays. Closing twice is allowed."""
        with self._lock:
            if self._file >= 0:
                os.close(self._file)
            self._file = -1

    # Of a run that nobody ended the descriptor must not be lost to the process. By default, since a module is empty when Python ends.
    def __del__(self, close: Callable[[int], None] = os.close) -> None:
        if self._file >= 0:
            close(self._file)


class LateJournal:
    """A journal that is made when something is first appended to it; threads may share it.

    Args:
        make: makes it.
    """

    def __init__(self, make: Callable[[], JournalWriter]) -> None:
        self._make = make
        self._lock = Lock()
        self._journal: JournalWriter | None = None

    @property
    def exists(self) -> bool:
        """Whether there is a file."""
        return self._journal is not None

    def append(self, entry: Entry) -> None:
        """As `JournalWriter.append`."""
        with self._lock:
            if self._journal is None:
                self._journal = self._make()
        self._journal.append(entry)


_open_writers: weakref.WeakSet[JournalWriter] = weakref.WeakSet()


def _renew_locks() -> None:
    # Another thread may have held a lock when this process was forked; here nobody would ever release it.
    for writer in _open_writers:
        writer._lock = Lock()


os.register_at_fork(after_in_child=_renew_locks)


def read_journal(path: Path, report: Report) -> Iterator[Entry]:
    """The entries of a journal in the order in which they were appended.

    A last frame that is torn was never acknowledged and is passed over in silence. A damaged frame before others is passed over and
    reported, once for each such place.

    Raises:
        StoreUnusable: the file cannot be read.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise unusable(error, path) from error
    yield from journal_entries(data, path.name, report)


def journal_entries(data: bytes, name: str, report: Report) -> Iterator[Entry]:
    """The entries of a journal whose bytes these are; as `read_journal`, which see. `name` is how reports call it."""
    if data[: len(MAGIC)] == MAGIC:
        yield from _frames(data, lambda text: report(f"{name}: {text}"))
    elif not MAGIC.startswith(data[: len(MAGIC)]):
        report(f"{name}: this is no journal that this version of Assay can read")


def _frames(data: bytes, report: Report) -> Iterator[Entry]:
    position, end = len(MAGIC), len(data)
    while position < end:
        frame = _frame(data, position)
        if frame is None:
            following = _next_frame(data, position + 1)
            if following == end:
                return
            report(f"{following - position} damaged bytes at position {position} were passed over")
            position = following
            continue
        payload, position = frame
        try:
            yield _decode(payload)
        except msgspec.MsgspecError as error:
            report(f"an entry before position {position} is not one that this version of Assay can read ({error})")


def _frame(data: bytes, position: int) -> tuple[memoryview, int] | None:
    """Payload of the whole frame at `position`, and where the next one begins; None where there is none."""
    begin = position + _head.size
    if begin > len(data):
        return None
    length, checksum = _head.unpack_from(data, position)
    payload = memoryview(data)[begin : begin + length]
    # Length 0 with CRC 0 is what a power cut leaves: zeros, and no frame.
    if length == 0 or len(payload) != length or crc32(payload) != checksum:
        return None
    return payload, begin + length


def _next_frame(data: bytes, position: int) -> int:
    """Where the next whole frame begins; the end of the data where there is none. Lengths cannot be trusted once one is damaged."""
    for found in _BEGINNING.finditer(data, position + _head.size):
        candidate = found.start() - _head.size
        if _frame(data, candidate) is not None:
            return candidate
    return len(data)
