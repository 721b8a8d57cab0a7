"""BLAKE3 of files, as fast as memory and processors allow, without ever holding more than a few pieces of them.

Files are read, never mapped: a mapped file that another process cuts short kills the process that hashes it (SIGBUS), and that may be
the user's.
"""

# Paths are text here: data sets have hundreds of thousands of files.
from __future__ import annotations

import errno
import math
import os
import time
from pathlib import Path
from queue import SimpleQueue
from threading import Thread

from blake3 import blake3

_PIECE = 1 << 20
_LARGE = 32 << 20  # bytes from which starting threads pays
_BUFFER = 4 << 20
_BUFFERS = 3  # one is read into, one is hashed, one waits between them
_MOST_THREADS = 8


def hash_file(path: str | bytes | Path, *, until: float = math.inf) -> str:
    """BLAKE3 of a file's content, read in pieces: what `b3sum` prints.

    Args:
        until: when to give up, on the clock `time.monotonic`.

    Raises:
        OSError: the file cannot be read; TimeoutError, which is one, where the time was over before its end.
    """
    with open(path, "rb", buffering=0) as file:
        return hash_open(file.fileno(), until=until)


def hash_open(descriptor: int, *, until: float = math.inf) -> str:
    """BLAKE3 of what an open file holds from its position on.

    Raises:
        OSError: it cannot be read; TimeoutError, which is one, where the time was over before its end.
    """
    if os.fstat(descriptor).st_size >= _LARGE:
        return _hash_large(descriptor, until)
    hasher = blake3()
    while piece := os.read(descriptor, _PIECE):
        _check(until)
        hasher.update(piece)
    return str(hasher.hexdigest())


def _check(until: float) -> None:
    if time.monotonic() >= until:
        raise TimeoutError(errno.ETIMEDOUT, "the time for hashing is over")


def threads() -> int:
    """How many threads hash at once."""
    return min(len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1, _MOST_THREADS)


def _hash_large(descriptor: int, until: float) -> str:
    """Hash with several threads while another one reads ahead."""
    # A number, not AUTO: its threads end with the hasher, while those of AUTO stay and are missing after a fork.
    hasher = blake3(max_threads=threads())
    free: SimpleQueue[bytearray] = SimpleQueue()
    filled: SimpleQueue[tuple[bytearray, int] | OSError] = SimpleQueue()
    for _ in range(_BUFFERS):
        free.put(bytearray(_BUFFER))
    reader = Thread(target=_read_ahead, args=(descriptor, free, filled, until), daemon=True)
    reader.start()
    while True:
        item = filled.get()
        if isinstance(item, OSError):
            raise item
        buffer, count = item
        if not count:
            break
        hasher.update(memoryview(buffer)[:count])
        free.put(buffer)
    reader.join()
    return str(hasher.hexdigest())


def _read_ahead(
    descriptor: int, free: SimpleQueue[bytearray], filled: SimpleQueue[tuple[bytearray, int] | OSError], until: float
) -> None:
    """Fill one buffer after the other until the end of the file (0 bytes) or an error, which is the last item."""
    count = -1
    while count:
        buffer = free.get()
        try:
            _check(until)
            count = os.readv(descriptor, [buffer])
        except OSError as error:
            filled.put(error)
            return
        filled.put((buffer, count))
