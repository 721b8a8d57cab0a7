"""Canonical bytes: equal content has equal bytes, everything else differs (docs/identity.md, "Records")."""

from __future__ import annotations

import enum
import math
import struct
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.errors import InvalidValue, StoreDamaged, StoreTooNew
from assay.records.canonical import canonical, decode, digest, identify
from assay.records.recipe import Recipe
from assay.records.run import Result, Start

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
LEAF = st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats() | TEXT | st.binary(max_size=300)
VALUE = st.recursive(LEAF, lambda inner: st.lists(inner, max_size=20) | st.dictionaries(TEXT, inner, max_size=20), max_leaves=40)


def reference(value: Any) -> bytes:
    """MessagePack with our choices, written a second time from its specification: the slow, plain way."""
    match value:
        case None:
            return b"\xc0"
        case bool():
            return b"\xc3" if value else b"\xc2"
        case int():
            return _integer(value)
        case float():
            return b"\xcb" + (bytes.fromhex("7ff8000000000000") if math.isnan(value) else struct.pack(">d", value))
        case str():
            data = value.encode()
            return _header(len(data), 0xA0, 32, (0xD9, 0xDA, 0xDB)) + data
        case bytes():
            return _header(len(value), None, 0, (0xC4, 0xC5, 0xC6)) + value
        case list() | tuple():
            return _header(len(value), 0x90, 16, (None, 0xDC, 0xDD)) + b"".join(map(reference, value))
        case _:
            items = sorted(value.items(), key=lambda item: item[0].encode())
            return _header(len(value), 0x80, 16, (None, 0xDE, 0xDF)) + b"".join(
                reference(key) + reference(item) for key, item in items
            )


def _integer(value: int) -> bytes:
    if -32 <= value < 128:
        return struct.pack(">b", value) if value < 0 else bytes([value])
    signed = ((0xD0, "b", 7), (0xD1, "h", 15), (0xD2, "i", 31), (0xD3, "q", 63))
    unsigned = ((0xCC, "B", 8), (0xCD, "H", 16), (0xCE, "I", 32), (0xCF, "Q", 64))
    code, letter, _ = next(kind for kind in (signed if value < 0 else unsigned) if -(2 ** kind[2]) <= value < 2 ** kind[2])
    return bytes([code]) + struct.pack(">" + letter, value)


def _header(size: int, short: int | None, below: int, codes: tuple[int | None, int, int]) -> bytes:
    if short is not None and size < below:
        return bytes([short | size])
    if codes[0] is not None and size < 2**8:
        return bytes([codes[0], size])
    return struct.pack(">BH", codes[1], size) if size < 2**16 else struct.pack(">BI", codes[2], size)


def same(left: Any, right: Any) -> bool:
    """Equality that tells 1 from 1.0 and True, and takes every NaN for one."""
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(same(left[key], right[key]) for key in left)
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(same, left, right))
    if isinstance(left, float) and isinstance(right, float):
        return struct.pack("d", left) == struct.pack("d", right) or (math.isnan(left) and math.isnan(right))
    return type(left) is type(right) and bool(left == right)


def shuffled(value: Any) -> Any:
    """The same content, with every mapping filled in the opposite order and every list a tuple."""
    if isinstance(value, dict):
        return {key: shuffled(item) for key, item in reversed(value.items())}
    return tuple(map(shuffled, value)) if isinstance(value, list) else value


@given(VALUE)
def test_bytes_are_those_of_an_independent_encoder(value: Any) -> None:
    """The format on paper and the format in code are one."""
    assert canonical(value) == reference(value)


@given(VALUE)
def test_order_of_keys_and_kind_of_sequence_do_not_count(value: Any) -> None:
    """Equal content has an equal id, however it was put together."""
    assert identify(value) == identify(shuffled(value))


@given(VALUE, VALUE)
def test_ids_are_equal_exactly_when_contents_are(left: Any, right: Any) -> None:
    """Two values share an id if and only if nothing tells them apart."""
    assert (identify(left) == identify(right)) == same(left, right)


@given(VALUE)
def test_what_is_decoded_has_the_same_bytes(value: Any) -> None:
    """Nothing is lost or changed on the way to the disk and back."""
    back = decode(canonical(value), object)
    assert same(back, value)
    assert canonical(back) == canonical(value)


@given(st.integers(0, 2**64 - 1).map(lambda bits: struct.unpack(">d", struct.pack(">Q", bits))[0]))
def test_every_nan_is_one_and_every_number_itself(number: float) -> None:
    """Sign and payload of a NaN are no content; those of any other number are all of it."""
    expected = "7ff8000000000000" if math.isnan(number) else struct.pack(">d", number).hex()
    assert canonical(number) == bytes.fromhex("cb" + expected)


def test_values_of_different_types_differ() -> None:
    """1, 1.0, True and "1" are four things; so are 0.0 and -0.0, None and the empty ones."""
    values = [1, 1.0, True, "1", b"1", 0.0, -0.0, 0, False, None, "", b"", [], {}, [None], "é", "e\u0301"]
    assert len({canonical(value) for value in values}) == len(values)


def test_a_subclass_is_the_plain_value_it_holds() -> None:
    """A NumPy float or an enumeration of numbers in a parameter gives the id of the number."""
    level = enum.IntEnum("level", {"HIGH": 3})
    word = enum.StrEnum("word", {"LOW": "low"})
    assert canonical([np.float64(0.1), level.HIGH, word.LOW, np.float64("nan")]) == canonical([0.1, 3, "low", math.nan])


class Circle(list[Any]):
    """A list that holds itself."""

    def __init__(self) -> None:
        super().__init__()
        self.append(self)


@pytest.mark.parametrize(
    "value",
    [
        {1: 2},
        {"a": {1, 2}},
        2**64,
        -(2**63) - 1,
        10**5000,
        "\ud800",
        {"\ud800": 1},
        object(),
        1j,
        bytearray(b"x"),
        np.int64(3),
        np.float32(1),
        Circle(),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_has_no_canonical_form_is_refused_by_name(value: Any) -> None:
    """Nothing is rounded, guessed or turned into text on the quiet."""
    with pytest.raises(InvalidValue, match="no canonical form") as caught:
        canonical({"params": [value]})
    assert caught.value.expected
    assert len(str(caught.value)) < 1000


def test_nesting_without_end_is_refused() -> None:
    """A value nested thousands of levels deep is an error with a name, not a crash."""
    deep: list[Any] = []
    for _ in range(5000):
        deep = [deep]
    with pytest.raises(InvalidValue):
        canonical(deep)


@given(st.binary(max_size=200))
def test_garbage_is_a_damaged_record_and_nothing_else(data: bytes) -> None:
    """Whatever lies on the disk, reading it ends in one of two errors that the caller knows."""
    with pytest.raises((StoreDamaged, StoreTooNew)):
        decode(data, Result)


@given(st.integers(0), st.binary(min_size=1, max_size=1))
def test_a_changed_byte_is_an_error_or_another_record(position: int, byte: bytes) -> None:
    """One damaged byte never crashes the reader; where it can still be read, its id tells that it is another record."""
    data = bytearray(canonical(Recipe(command=("python", "train.py"), params={"lr": 0.1, "layers": [1, 2]}, seed=7)))
    whole = bytes(data)
    data[position % len(data)] = byte[0]
    try:
        decode(bytes(data), Recipe)
    except (StoreDamaged, StoreTooNew):
        return
    assert (digest(bytes(data)) == digest(whole)) == (bytes(data) == whole)


@pytest.mark.parametrize("data", [b"\x91" * 5000 + b"\x01", b"\x82\xa5assay\xa8result/1\xa1z" + b"\x91" * 5000 + b"\x01"])
def test_bytes_nested_without_end_are_damaged(data: bytes) -> None:
    """A file made to exhaust the stack is damaged, and that is said."""
    with pytest.raises(StoreDamaged):
        decode(data, Result)


def test_a_record_of_a_newer_format_is_named() -> None:
    """A reader refuses a version that it does not know, and says what to do."""
    newer = canonical({"assay": "start/2", "id": "a" * 16, "recipe": "", "unheard_of": True})
    with pytest.raises(StoreTooNew, match=r"start/2.*Upgrade assay"):
        decode(newer, Start)


def test_a_record_of_another_kind_is_damaged() -> None:
    """A result where a start belongs is not read as one."""
    with pytest.raises(StoreDamaged, match="not a start/1 record"):
        decode(canonical(Result(state="finished", ended=1.0)), Start)


def test_the_id_of_bytes_is_their_blake3() -> None:
    """`b3sum` prints the same: the digest of nothing and of "abc" from the BLAKE3 specification's implementations."""
    assert digest(b"") == "af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262"
    assert digest(b"abc") == "6437b3ac38465133ffb63b75273a8db548c558465d79db03fd359c6cd5bd9d85"


def test_the_stored_record_is_a_map_with_kind_and_every_field() -> None:
    """A reader without Assay can see what a record is: plain MessagePack, defaults included."""
    fields = msgspec.msgpack.decode(canonical(Recipe()))
    assert fields.pop("assay") == "recipe/1"
    assert list(fields) == sorted(Recipe.__struct_fields__)
