"""Large content in pieces that its own bytes choose, so that a change in the middle moves the cuts near it and no others.

See docs/decisions/008. Which cuts are made decides only how much two versions share, never an id.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from blake3 import blake3
from pyfastcdc import FastCDC

from assay.store.parts import Parts

SMALLEST = 128 << 10
AVERAGE = 512 << 10
LARGEST = 2 << 20
"""Bytes of a chunk. A file of 4 GiB has about 7,000; a change of 1 MiB stores 1 to 5 MiB anew."""


class _Reader:
    """What the chunker reads from; everything that it reads is hashed as a whole too."""

    def __init__(self, readinto: Callable[[memoryview], int], threads: int) -> None:
        self._readinto = readinto
        self.hasher = blake3(max_threads=threads)

    def readinto(self, buffer: memoryview) -> int:
        """Fill the buffer's beginning; how many bytes, 0 at the end."""
        count = self._readinto(buffer)
        self.hasher.update(buffer[:count])
        return count


def put_chunks(readinto: Callable[[memoryview], int], put: Callable[[bytes], str], threads: int = 1) -> tuple[str, Parts]:
    """The id of all that could be read, and the list of its chunks, each of which was given to `put`.

    Raises:
        OSError: `readinto` raised it.
    """
    reader = _Reader(readinto, threads)
    pieces = [(put(piece), len(piece)) for piece in _pieces(reader)]
    return str(reader.hasher.hexdigest()), Parts(pieces=tuple(pieces))


def _pieces(reader: _Reader) -> Iterator[bytes]:
    # A chunker for each call: it may not be used by two threads at once.
    chunker = FastCDC(AVERAGE, min_size=SMALLEST, max_size=LARGEST, normalized_chunking=2)
    for chunk in chunker.cut_stream(reader):
        yield bytes(chunk.data)
