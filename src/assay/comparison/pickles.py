"""Pickles read without running anything that they name.

A pickle may call any function. Here every class and function it names becomes an inert stand-in that only keeps what it was given, but
for a few constructors of plain data. So two pickles can be compared by value, and torch need not be installed to look into its files.
"""

from __future__ import annotations

import collections
import io
import pickle
from collections.abc import Hashable
from typing import Any

import numpy as np

from assay.comparison.arrays import array_sameness
from assay.comparison.closeness import Yardstick
from assay.comparison.values import Meaning, judge, leaf_sameness, partings
from assay.records.verdict import Sameness

_PLAIN = {
    ("collections", "OrderedDict"), ("builtins", "set"), ("builtins", "frozenset"), ("builtins", "complex"), ("builtins", "bytearray"),
    ("builtins", "slice"), ("builtins", "range"), ("_codecs", "encode"),
    ("numpy", "ndarray"), ("numpy", "dtype"), ("numpy.core.multiarray", "_reconstruct"), ("numpy._core.multiarray", "_reconstruct"),
    ("numpy.core.multiarray", "scalar"), ("numpy._core.multiarray", "scalar"), ("numpy._core.numeric", "_frombuffer"),
}  # fmt: skip


class Inert:
    """What a pickle would have built: the name of its class or function, and everything that was handed to it."""

    named = ""

    def __init__(self, *arguments: object, **keywords: object) -> None:
        self.kept: list[object] = [*arguments, keywords]

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

    def plain(self) -> list[object]:
        """Name and contents as a list, for a comparison leaf by leaf."""
        return [self.named, *getattr(self, "kept", [])]


class _Reader(pickle.Unpickler):
    """Builds plain data and stand-ins; `storages` maps the key of each tensor storage to the name of its class."""

    def __init__(self, data: bytes) -> None:
        super().__init__(io.BytesIO(data))
        self.storages: dict[str, str] = {}

    def find_class(self, module: str, name: str) -> Any:
        module = "builtins" if module == "__builtin__" else module  # its name in protocols up to 2
        if (module, name) in _PLAIN:
            return super().find_class(module, name)
        return type(name.rpartition(".")[2], (Inert,), {"named": f"{module}.{name}"})

    def persistent_load(self, reference: Any) -> object:
        if isinstance(reference, tuple) and len(reference) >= 3 and isinstance(reference[1], type):
            self.storages[str(reference[2])] = reference[1].__name__
            return ["storage", reference[1].__name__, *reference[2:]]
        return ["reference", reference]


def read(data: bytes) -> tuple[object, dict[str, str]]:
    """The value of a pickle with stand-ins for what is not plain data, and its tensor storages by key.

    Raises:
        ValueError: the bytes are no pickle, or one that stand-ins cannot hold.
    """
    reader = _Reader(data)
    try:
        return _opened(reader.load(), set()), reader.storages
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
        return [_opened(item, within) for item in value.plain()]
    if isinstance(value, dict):
        return collections.OrderedDict((_key(key), _opened(item, within)) for key, item in value.items())
    items = [_opened(item, within) for item in value]
    return sorted(items, key=repr) if isinstance(value, set | frozenset) else items


def _key(key: Hashable) -> Hashable:
    return repr(key.plain()) if isinstance(key, Inert) else key


def compare_pickles(a: bytes, b: bytes, yardstick: Yardstick) -> Meaning:
    """Two pickles by value, without running them. Raises ValueError where one cannot be read as data."""
    return judge(partings(read(a)[0], read(b)[0], yardstick, leaf=_leaf))


def _leaf(a: object, b: object, yardstick: Yardstick) -> Sameness:
    if isinstance(a, np.generic | np.ndarray) and isinstance(b, np.generic | np.ndarray):
        return array_sameness(np.asarray(a), np.asarray(b), yardstick.tolerance)
    return leaf_sameness(a, b, yardstick)
