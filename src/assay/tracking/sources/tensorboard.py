"""Scalars of TensorBoard event files, read without TensorBoard.

An event file is a sequence of TFRecords: length (uint64), its checksum, the payload, its checksum. Each payload is an `Event`
message of protocol buffers, of which the fields below are read (tensorflow/core/util/event.proto, framework/summary.proto,
framework/tensor.proto). Checksums are not verified: what is cut off at the end is seen by its length.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Any, NamedTuple

_HEADER = struct.Struct("<QI")
_CHECKSUM = 4
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
# DataType numbers of tensor.proto to the format of one element in `tensor_content`, and the field that holds loose values.
_ELEMENT = {1: "<f", 2: "<d", 3: "<i", 4: "<B", 5: "<h", 6: "<b", 9: "<q", 10: "<?", 19: "<e", 22: "<I", 23: "<Q"}
_LOOSE = {5: "<f", 6: "<d"}
_LOOSE_INTEGERS = (7, 10, 11, 16, 17)
_SIGN = 1 << 63


class Scalar(NamedTuple):
    """One logged value: seconds since 1970, step, tag, value."""

    time: float
    step: int
    tag: str
    value: float


class _Torn(Exception):
    """The bytes end inside a field."""


def read_scalars(data: bytes) -> Iterator[Scalar]:
    """The scalars of an event file in the order they were written; a torn or damaged record ends or skips, and never raises."""
    for payload in _records(data):
        try:
            yield from _scalars(payload)
        except (_Torn, UnicodeDecodeError, struct.error):
            continue


def _records(data: bytes) -> Iterator[bytes]:
    at = 0
    while at + _HEADER.size <= len(data):
        length, _ = _HEADER.unpack_from(data, at)
        at += _HEADER.size
        if at + length > len(data):
            return
        yield data[at : at + length]
        at += length + _CHECKSUM


def _scalars(event: bytes) -> Iterator[Scalar]:
    time, step, summaries = 0.0, 0, []
    for field, kind, value in _fields(event):
        if field == 1 and kind == _FIXED64:
            time = struct.unpack("<d", value)[0]
        elif field == 2 and kind == _VARINT:
            step = _signed(value)
        elif field == 5 and kind == _BYTES:
            summaries.append(value)
    for summary in summaries:
        for field, kind, entry in _fields(summary):
            if field == 1 and kind == _BYTES:
                tag, number = _entry(entry)
                if number is not None and tag:
                    yield Scalar(time, step, tag, number)


def _entry(entry: bytes) -> tuple[str, float | None]:
    """Tag and value of a `Summary.Value`; None where it is an image, a histogram, a text …"""
    tag, number = "", None
    for field, kind, value in _fields(entry):
        if field == 1 and kind == _BYTES:
            tag = value.decode()
        elif field == 2 and kind == _FIXED32:
            number = float(struct.unpack("<f", value)[0])
        elif field == 8 and kind == _BYTES:
            number = _tensor(value)
    return tag, number


def _tensor(tensor: bytes) -> float | None:
    """The value of a tensor without dimensions (what TensorFlow 2 writes for a scalar), or None."""
    element, content, loose = None, b"", None
    for field, kind, value in _fields(tensor):
        if field == 1 and kind == _VARINT:
            element = _ELEMENT.get(value)
        elif field == 2 and kind == _BYTES and _has_dimensions(value):
            return None
        elif field == 4 and kind == _BYTES:
            content = value
        elif field in _LOOSE or field in _LOOSE_INTEGERS:
            loose = _loose(field, kind, value)
    if element is None:
        return None
    if loose is not None:
        return loose
    if len(content) != struct.calcsize(element):
        return None
    return float(struct.unpack(element, content)[0])


def _loose(field: int, kind: int, value: bytes | int) -> float | None:
    """The first of a tensor's loose values, packed or not."""
    if isinstance(value, int):
        return float(_signed(value))
    if field in _LOOSE:
        size = struct.calcsize(_LOOSE[field])
        return float(struct.unpack(_LOOSE[field], value[:size])[0]) if len(value) >= size else None
    return float(_signed(_varint(value, 0)[0])) if kind == _BYTES and value else None


def _has_dimensions(shape: bytes) -> bool:
    return any(field == 2 for field, _, _ in _fields(shape))


def _signed(value: int) -> int:
    return value - (_SIGN << 1) if value >= _SIGN else value


def _fields(message: bytes) -> Iterator[tuple[int, int, Any]]:
    at, end = 0, len(message)
    while at < end:
        key, at = _varint(message, at)
        field, kind = key >> 3, key & 7
        if kind == _VARINT:
            number, at = _varint(message, at)
            yield field, kind, number
            continue
        if kind == _BYTES:
            length, at = _varint(message, at)
        elif kind in (_FIXED64, _FIXED32):
            length = 8 if kind == _FIXED64 else 4
        else:
            raise _Torn
        if at + length > end:
            raise _Torn
        yield field, kind, message[at : at + length]
        at += length


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while at < len(data) and shift < 70:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7
    raise _Torn
