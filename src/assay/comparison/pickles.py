"""Pickles read without running anything that they name.

A pickle may call any function. Here every class and function it names becomes an inert stand-in that only keeps what it was given, but
for a few constructors of plain data. So two pickles can be compared by value, and torch need not be installed to look into its files.
"""

from __future__ import annotations

import bz2
import collections
import gzip
import io
import lzma
import pickle
import zlib
from collections.abc import Callable, Hashable
from typing import Any

import numpy as np

from assay.comparison.arrays import compare_arrays
from assay.comparison.closeness import Yardstick
from assay.comparison.values import Meaning, judge, leaf_meaning, partings

_PLAIN = {
    ("collections", "OrderedDict"), ("builtins", "set"), ("builtins", "frozenset"), ("builtins", "complex"), ("builtins", "bytearray"),
    ("builtins", "slice"), ("builtins", "range"), ("_codecs", "encode"),
    ("numpy", "ndarray"), ("numpy", "dtype"), ("numpy.core.multiarray", "_reconstruct"), ("numpy._core.multiarray", "_reconstruct"),
    ("numpy.core.multiarray", "scalar"), ("numpy._core.multiarray", "scalar"), ("numpy._core.numeric", "_frombuffer"),
}  # fmt: skip


# How a compressed file begins; joblib compresses what it writes with any of these.
_COMPRESSED: dict[bytes, Callable[[bytes], bytes]] = {
    b"\x1f\x8b": gzip.decompress, b"BZh": bz2.decompress, b"\xfd7zXZ": lzma.decompress, b"\x5d\x00": lzma.decompress,
    b"\x78\x01": zlib.decompress, b"\x78\x5e": zlib.decompress, b"\x78\x9c": zlib.decompress, b"\x78\xda": zlib.decompress,
}  # fmt: skip
_WRAPPER = ("joblib.numpy_pickle", "NumpyArrayWrapper")


class Inert:
    """What a pickle would have built: the name of its class or function, and everything that was handed to it."""

    named = ""

    def __init__(self, *arguments: object, **keywords: object) -> None:
        self.kept: list[object] = [*arguments, *([keywords] if keywords else [])]

    def __call__(self, *arguments: object) -> Inert:
        """What the call of a stand-in would have built: another stand-in."""
        return type(self)(*arguments)

    def __setstate__(self, state: object) -> None:
        self.kept = [*getattr(self, "kept", []), state]

    def __setitem__(self, key: Hashable, value: object) -> None:
        self.kept.append([key, value])

    def append(self, item: object) -> None:
        """Keep an item that the pickle would have appended."""
        self.kept.append(item)

    def extend(self, items: list[object]) -> None:
        """Keep items that the pickle would have added."""
        self.kept.extend(items)

    def plain(self) -> object:
        """Name and contents, for a comparison leaf by leaf: of an object that is nothing but its attributes, these by name."""
        kept = getattr(self, "kept", [])
        if len(kept) == 1 and isinstance(kept[0], dict) and all(isinstance(key, str) for key in kept[0]):
            return {"__class__": self.named} | kept[0]
        return [self.named, *kept]


class _Reader(pickle.Unpickler):
    """Builds plain data and stand-ins, and the arrays whose bytes joblib puts between the opcodes of a pickle."""

    def __init__(self, data: io.BytesIO) -> None:
        self._data = data
        super().__init__(data)

    def find_class(self, module: str, name: str) -> Any:
        module = "builtins" if module == "__builtin__" else module  # its name in protocols up to 2
        if (module, name) in _PLAIN:
            return super().find_class(module, name)
        if (module, name) == _WRAPPER:
            return type(name, (_Wrapped,), {"named": f"{module}.{name}", "data": self._data})
        return type(name.rpartition(".")[2], (Inert,), {"named": f"{module}.{name}"})

    def persistent_load(self, reference: Any) -> object:
        if isinstance(reference, tuple) and len(reference) >= 3 and isinstance(reference[1], type):
            return ["storage", reference[1].__name__, *reference[2:]]
        return ["reference", reference]


class _Wrapped(Inert):
    """What joblib pickles before the raw bytes of an array. Its state says type, shape and order; the bytes follow in the file."""

    data: io.BytesIO

    def __setstate__(self, state: Any) -> None:
        dtype, shape = np.dtype(state["dtype"]), state["shape"]
        if dtype.hasobject:
            self.kept = [_Reader(self.data).load()]  # a pickle within the pickle
            return
        if state.get("numpy_array_alignment_bytes") is not None:
            self.data.read(self.data.read(1)[0])
        raw = self.data.read(int(np.prod(shape, dtype=np.int64)) * dtype.itemsize)
        self.kept = [np.frombuffer(raw, dtype).reshape(shape, order=state["order"])]

    def plain(self) -> object:
        """The array itself: how it was stored does not count."""
        return self.kept[0]


def read(data: bytes) -> object:
    """The value of a pickle, compressed or not, with stand-ins for what is not plain data.

    Raises:
        ValueError: the bytes are no pickle, or one that stand-ins cannot hold.
    """
    try:
        inflate = next((inflate for magic, inflate in _COMPRESSED.items() if data.startswith(magic)), bytes)
        return _opened(_Reader(io.BytesIO(inflate(data))).load(), set())
    except Exception as error:  # the opcodes of a foreign pickle can fail in any way on a stand-in: then it is not comparable
        raise ValueError(f"not a pickle that can be read as data: {error}") from error


def _opened(value: object, above: set[int]) -> object:
    """`value` with stand-ins as lists, and with a word in the place of anything that contains itself."""
    if not isinstance(value, Inert | dict | list | tuple | set | frozenset):
        return value
    if id(value) in above:
        return "<itself>"
    within = above | {id(value)}
    if isinstance(value, Inert):
        return _opened(value.plain(), within)
    if isinstance(value, dict):
        return collections.OrderedDict((_key(key), _opened(item, within)) for key, item in value.items())
    items = [_opened(item, within) for item in value]
    return sorted(items, key=repr) if isinstance(value, set | frozenset) else items


def _key(key: Hashable) -> Hashable:
    return repr(key.plain()) if isinstance(key, Inert) else key


def compare_pickles(a: bytes, b: bytes, yardstick: Yardstick) -> Meaning:
    """Two pickles by value, without running them. Raises ValueError where one cannot be read as data."""
    return compare_read(read(a), read(b), yardstick)


def compare_read(a: object, b: object, yardstick: Yardstick) -> Meaning:
    """Two values as `read` gives them."""
    return judge(partings(a, b, yardstick, leaf=_leaf))


def _leaf(a: object, b: object, yardstick: Yardstick) -> Meaning:
    if isinstance(a, np.generic | np.ndarray) and isinstance(b, np.generic | np.ndarray):
        return compare_arrays(np.asarray(a), np.asarray(b), yardstick.tolerance)
    return leaf_meaning(a, b, yardstick)
