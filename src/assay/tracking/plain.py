"""Parameters as plain values: what a user's objects say, in types that a record can hold and that are the same in every process."""

from __future__ import annotations

import dataclasses
import enum
import os
from collections.abc import Mapping
from typing import Any

from assay.errors import InvalidValue

_SMALLEST, _LARGEST = -(2**63), 2**64 - 1


def plain_params(values: Mapping[str, Any]) -> dict[str, Any]:
    """`values` made of None, bool, int, float, text, lists and mappings.

    Arrays' scalars become numbers, paths text, enumerations their name, data classes mappings, sets sorted lists, functions and classes
    their qualified name. Other objects become what they print, unless that holds an address.

    Raises:
        InvalidValue: `values` is no mapping with text keys.
    """
    if not isinstance(values, Mapping):
        raise InvalidValue("parameters are a mapping", value=values, expected='a dictionary such as {"lr": 0.1}')
    for key in values:
        if not isinstance(key, str):
            raise InvalidValue("a parameter's name is text", value=key, expected='a name such as "lr"')
    return {key: _plain(value) for key, value in values.items()}


def _plain(value: Any) -> Any:
    kind = type(value)
    if value is None or kind in (bool, float, str, bytes):
        return value
    if kind is int:
        return value if _SMALLEST <= value <= _LARGEST else str(value)
    if isinstance(value, enum.Enum):
        return value.name
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, set | frozenset):
        return sorted((_plain(item) for item in value), key=repr)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: _plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    return _object(value)


def _object(value: Any) -> Any:
    if isinstance(value, os.PathLike):
        return os.fsdecode(value)
    if getattr(value, "ndim", None) == 0 and callable(getattr(value, "item", None)):
        return _plain(value.item())
    if callable(getattr(value, "tolist", None)):
        return _plain(value.tolist())
    if isinstance(value, int | float | str):
        return next(kind(value) for kind in (int, float, str) if isinstance(value, kind))
    name = getattr(value, "__qualname__", None)
    if isinstance(name, str):
        return f"{getattr(value, '__module__', '')}.{name}"
    text = str(value)
    # The default text of an object holds its address, which differs in every process.
    return text if " at 0x" not in text else f"{type(value).__module__}.{type(value).__qualname__}"
