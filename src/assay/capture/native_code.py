"""Compiled code of the user's own: whether it asks the C library for files, which no interpreter would see."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from typing import Final

_OPENING: Final = frozenset(
    name + large for name in ("open", "openat", "fopen", "freopen", "__open_2", "__openat_2", "__open64_2") for large in ("", "64")
)
_STREAMS: Final = ("basic_filebuf", "basic_ifstream", "basic_fstream")  # of C++, in names as compilers spell them
_LARGEST: Final = 256 << 20  # bytes
_DYNAMIC_SYMBOLS: Final = 11  # SHT_DYNSYM
_SECTION: Final = struct.Struct("<IIQQQQIIQQ")
_SYMBOL: Final = struct.Struct("<IBBHQQ")


def that_open_files(paths: Iterable[str]) -> Iterator[str]:
    """Those of these files that are shared libraries which can open files by themselves, in order."""
    return (path for path in sorted(paths) if _is_library(path) and opens_files(path))


def opens_files(path: str) -> bool:
    """Whether a shared library names, among what it needs of others, a function that opens files; true where that cannot be told.

    A file that is gone, or no library, opens none.
    """
    try:
        with open(path, "rb") as file:
            data = file.read(_LARGEST)
    except OSError:
        return False
    if not data.startswith(b"\x7fELF"):
        return False
    try:
        return any(name in _OPENING or any(stream in name for stream in _STREAMS) for name in _needed(data))
    except (struct.error, ValueError, IndexError):
        return True


def _is_library(path: str) -> bool:
    name = path.rpartition("/")[2]
    return name.endswith(".so") or ".so." in name


def _needed(data: bytes) -> Iterator[str]:
    """Names of the functions that a library expects others to have. Raises ValueError for other machines than 64-bit little-endian ones.

    Source: System V ABI, chapter 4 (object files), sections and symbol table of the 64-bit class.
    """
    if data[4:6] != b"\x02\x01":
        raise ValueError("neither 64 bits nor little-endian")
    (begin,), (size, count) = struct.unpack_from("<Q", data, 0x28), struct.unpack_from("<HH", data, 0x3A)
    sections = [_SECTION.unpack_from(data, begin + size * number) for number in range(count)]
    for _, kind, _, _, offset, length, link, _, _, _ in sections:
        if kind == _DYNAMIC_SYMBOLS:
            names = sections[link][4]
            for at in range(offset, offset + length, _SYMBOL.size):
                name, _, _, defined_in, _, _ = _SYMBOL.unpack_from(data, at)
                if not defined_in:
                    end = data.index(b"\0", names + name)
                    yield data[names + name : end].decode("ascii", "replace")
