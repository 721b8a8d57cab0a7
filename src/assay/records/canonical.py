"""Canonical bytes and ids: what `docs/identity.md` says, in code.

A record's canonical bytes are MessagePack with sorted keys, shortest integers, 64-bit floats and one NaN. Its id is the BLAKE3
digest of these bytes, so equal content has an equal id on every machine and in every process.
"""

from __future__ import annotations

import math
import re
import struct
from collections.abc import Mapping
from typing import Any, ClassVar, TypeVar

import blake3
import msgspec

from assay.errors import InvalidValue, StoreDamaged, StoreTooNew

_NAN = struct.unpack(">d", bytes.fromhex("7ff8000000000000"))[0]
# What bytes that are no record can raise: broken MessagePack or another type, broken text, nesting without end.
_UNREADABLE = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
_ESCAPED = re.compile(rb"\\x([0-9a-f]{2})")
_ATOMS = frozenset({type(None), bool, int, str, bytes})
_encode = msgspec.msgpack.Encoder(order="sorted").encode


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """Base of what is stored: immutable. Those stored on their own carry kind and format version under the key ``assay``.

    Attributes:
        LATER: fields that a format gained after its records had ids, with their defaults. At its default such a field is not among the
            canonical bytes, so that what could be said before keeps its id.
    """

    LATER: ClassVar[Mapping[str, object]] = {}


def canonical(value: object) -> bytes:
    """The one sequence of bytes that stands for `value`.

    Equal values give equal bytes, whatever the order of their keys; values that differ in type (1, 1.0, True, "1") differ.
    Every NaN is the same NaN; infinities and negative zero are themselves. A subclass of int, float or text (an `IntEnum`, a
    `numpy.float64`) is the plain value that it holds.

    Raises:
        InvalidValue: a key is not text, or a value is not made of None, bool, int (64 bits), float, text, bytes, lists and mappings,
            or it is nested hundreds of levels deep.

    >>> canonical({"b": 1, "a": float("nan")}) == canonical({"a": -float("nan"), "b": 1})
    True
    >>> canonical(1) == canonical(1.0)
    False
    """
    try:
        return _encode(_normal(value))
    except (OverflowError, TypeError, UnicodeEncodeError, RecursionError) as error:
        raise InvalidValue(
            "this value has no canonical form",
            value=_shown(value),
            expected="None, bool, 64-bit int, float, valid text, bytes, lists, and mappings with text keys",
            next_step=f"Convert it before it becomes part of a record ({error}).",
        ) from error


def legible(text: str) -> str:
    r"""Text that the system handed over, with bytes that are no UTF-8 (PEP 383) as ``\xNN``; all other text as it is.

    >>> legible("data/\udcff.csv"), legible("Gr\u00fc\u00dfe")
    ('data/\\xff.csv', 'Grüße')
    """
    if text.isascii():
        return text
    try:
        return text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    except UnicodeEncodeError:
        return text  # a surrogate that stands for no byte: no system hands it over, and no record takes it


def as_named(text: str) -> str:
    r"""What `legible` was given: ``\xNN`` stands for a byte where the text is no valid UTF-8 with it, else for itself.

    >>> as_named(legible("data/\udcff.csv")) == "data/\udcff.csv", as_named("C:\\x41")
    (True, 'C:\\x41')
    """
    plain = text.encode("utf-8", "surrogateescape")
    raw = _ESCAPED.sub(lambda match: bytes([int(match[1], 16)]), plain)
    try:
        raw.decode()
    except UnicodeDecodeError:
        return raw.decode("utf-8", "surrogateescape")
    return text


def identify(value: object) -> str:
    """The id of a record: 64 hexadecimal digits of the BLAKE3 digest of its canonical bytes."""
    return digest(canonical(value))


def digest(data: bytes | bytearray | memoryview) -> str:
    """BLAKE3 of bytes, 64 hexadecimal digits: what `b3sum` prints for a file with this content."""
    return blake3.blake3(data).hexdigest()


R = TypeVar("R")


def decode(data: bytes, kind: type[R]) -> R:
    """The record that `data` holds.

    Raises:
        StoreTooNew: the record has a format version that this Assay does not know.
        StoreDamaged: the bytes are not such a record.
    """
    try:
        return msgspec.msgpack.decode(data, type=kind)
    except _UNREADABLE as error:
        raise _explain(data, kind, error) from error


def _explain(data: bytes, kind: type[Any], error: Exception) -> StoreTooNew | StoreDamaged:
    wanted = str(kind.__struct_config__.tag) if hasattr(kind, "__struct_config__") else kind.__name__
    try:
        head = msgspec.msgpack.decode(data)
        found = head.get("assay") if isinstance(head, dict) else None
    except _UNREADABLE:
        found = None
    if isinstance(found, str) and found != wanted and _version(found) > _version(wanted):
        return StoreTooNew(
            "this record was written by a newer Assay", value=found, expected=wanted, next_step="Upgrade assay to read it."
        )
    return StoreDamaged(
        f"these {len(data)} bytes are not a {wanted} record",
        value=found,
        expected=wanted,
        next_step=f"The store is damaged or was edited by hand ({error}).",
    )


def _version(tag: str) -> int:
    number = tag.rpartition("/")[2]
    return int(number) if number.isdigit() else 0


def _normal(value: object) -> object:
    """`value` as plain maps and arrays, with every NaN made the one NaN, and key types checked."""
    if type(value) in _ATOMS:
        return value
    if isinstance(value, float):
        return _NAN if math.isnan(value) else float(value)
    if isinstance(value, msgspec.Struct):
        return _plain_struct(value)
    if isinstance(value, dict):
        for key in value:
            if not isinstance(key, str):
                raise TypeError(f"the key {key!r} is not text")
        return {str.__str__(key): item if type(item) in _ATOMS else _normal(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [item if type(item) in _ATOMS else _normal(item) for item in value]
    if isinstance(value, int):
        return int(value)
    if isinstance(value, str):
        return str.__str__(value)  # `str` of an enumeration is its name, not what it holds
    raise TypeError(f"{type(value).__name__} has no canonical form")


def _shown(value: object) -> str:
    """The beginning of a value's text, which may be endless (a list in itself) or refused (an integer of thousands of digits)."""
    try:
        return repr(value)[:200]
    except (ValueError, RecursionError):
        return type(value).__name__


def _plain_struct(value: msgspec.Struct) -> object:
    config = value.__struct_config__
    plain: dict[str, object] = {}
    later: Mapping[str, object] = getattr(value, "LATER", {})
    for name in value.__struct_fields__:
        item = getattr(value, name)
        if name in later and item == later[name]:
            continue
        plain[name] = item if type(item) in _ATOMS else _normal(item)
    if config.array_like:
        return [*([config.tag] if config.tag is not None else []), *plain.values()]
    if config.tag_field is not None:
        plain[config.tag_field] = config.tag
    return plain
