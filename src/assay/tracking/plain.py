"""Parameters as plain values: what a user's objects say, in types that a record can hold and that are the same in every process."""

from __future__ import annotations

import dataclasses
import enum
import math
import os
from collections.abc import Mapping
from typing import Any

from assay.capture.secret_values import redact_params
from assay.errors import InvalidValue

_MOST_ELEMENTS = 10_000
_SMALLEST, _LARGEST = -(2**63), 2**64 - 1


def plain_params(values: Mapping[str, Any]) -> dict[str, Any]:
    """`values` made of None, bool, int, float, text, lists and mappings.

    Arrays' scalars become numbers, paths text, enumerations their name, data classes mappings, sets sorted lists, functions and classes
    their qualified name. Other objects become what they print, unless that holds an address. What is a secret by its name or look is `***`.

    Raises:
        InvalidValue: `values` is no mapping with text keys, or a value is too large, holds itself, or cannot be printed.
    """
    if not isinstance(values, Mapping):
        raise InvalidValue("parameters are a mapping", value=values, expected='a dictionary such as {"lr": 0.1}')
    for key in values:
        if not isinstance(key, str):
            raise InvalidValue("a parameter's name is text", value=key, expected='a name such as "lr"')
    return redact_params({key: _parameter(key, value) for key, value in values.items()})


def _parameter(name: str, value: Any) -> Any:
    try:
        return _plain(value)
    except RecursionError as error:
        raise _refused(name, value, "it holds itself, or is nested hundreds of levels deep") from error
    except InvalidValue:
        raise
    except Exception as error:  # the objects are the user's, and so is whatever they raise when asked what they hold
        raise _refused(name, value, f"asked for its value it raised {type(error).__name__}") from error


def _refused(name: str, value: Any, why: str) -> InvalidValue:
    return InvalidValue(
        f"the parameter {name!r} cannot be recorded: {why}",
        value=type(value).__qualname__,
        expected="numbers, text, lists and mappings",
        next_step="Give what describes it; large values go into a file, which `run.save` keeps.",
    )


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
        if len(value) and math.prod(value.shape) > _MOST_ELEMENTS:
            raise _refused(
                "array", value, f"it has {math.prod(value.shape)} elements, and at most {_MOST_ELEMENTS} are a parameter"
            )
        return _plain(value.tolist())
    if isinstance(value, int | float | str):
        return next(kind(value) for kind in (int, float, str) if isinstance(value, kind))
    name = getattr(value, "__qualname__", None)
    if isinstance(name, str):
        return f"{getattr(value, '__module__', '')}.{name}"
    text = str(value)
    # The default text of an object holds its address, which differs in every process.
    return text if " at 0x" not in text else f"{type(value).__module__}.{type(value).__qualname__}"
