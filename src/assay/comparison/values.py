"""Plain values compared leaf by leaf: what JSON, tables, texts and pickles hold."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from assay.comparison.closeness import Yardstick, number_sameness, worst
from assay.comparison.stamps import is_clock, without_stamps
from assay.records.verdict import Sameness


class Parting(NamedTuple):
    """One leaf in which two values differ: where, how much, whether it is a wall-clock stamp, which never counts, and in what, in words."""

    where: str
    sameness: Sameness
    clock: bool = False
    detail: str = ""


class Meaning(NamedTuple):
    """What a comparison of two contents by value found; `note` names the first parting."""

    sameness: Sameness
    note: str = ""


Leaf = Callable[[object, object, Yardstick], Meaning]
"""Compares two leaves; its note says in what they differ, where that is worth saying."""


def judge(partings: Iterable[Parting]) -> Meaning:
    """The partings as one answer: the worst that is not a stamp, and in words where it lies."""
    found = list(partings)
    counted = [parting for parting in found if not parting.clock]
    if not counted:
        stamps = ", ".join(dict.fromkeys(parting.where for parting in found[:3]))
        return Meaning("identical", f"equal but for time stamps ({stamps})" if stamps else "equal by value")
    sameness = worst(parting.sameness for parting in counted)
    first = next(parting for parting in counted if parting.sameness == sameness)
    more = f" and {len(counted) - 1} more" if len(counted) > 1 else ""
    word = "within tolerance" if sameness == "numerical" else "differs"
    detail = f" ({first.detail})" if first.detail else ""
    return Meaning(sameness, f"{word} at {first.where or 'its top'}{detail}{more}")


def leaf_meaning(a: object, b: object, yardstick: Yardstick) -> Meaning:
    """As `leaf_sameness`; two numbers that differ are named."""
    sameness = leaf_sameness(a, b, yardstick)
    numbers = all(isinstance(each, int | float) for each in (a, b))
    return Meaning(sameness, f"{a!r} against {b!r}" if numbers and sameness != "identical" else "")


def leaf_sameness(a: object, b: object, yardstick: Yardstick) -> Sameness:
    """Numbers by tolerance, truth values and texts exactly; a text may name the folder of its own run."""
    if isinstance(a, bool) or isinstance(b, bool):
        return "identical" if a is b else "not reproduced"
    if isinstance(a, int | float) and isinstance(b, int | float):
        return number_sameness(a, b, yardstick.tolerance)
    if isinstance(a, str) and isinstance(b, str):
        return "identical" if _at_home(a, yardstick.root_a) == _at_home(b, yardstick.root_b) else "not reproduced"
    return "identical" if type(a) is type(b) and a == b else "not reproduced"


def _at_home(text: str, root: str) -> str:
    return text.replace(root, "<root>") if root else text


def partings(
    a: object, b: object, yardstick: Yardstick, *, where: str = "", clock: bool = False, leaf: Leaf = leaf_meaning
) -> Iterator[Parting]:
    """Every leaf in which two nested values differ, in the order of `a`."""
    if isinstance(a, Mapping) and isinstance(b, Mapping):
        for key in [*a, *(key for key in b if key not in a)]:
            name = f"{where}.{key}" if where else str(key)
            if key in a and key in b:
                inner = clock or (isinstance(key, str) and is_clock(key))
                yield from partings(a[key], b[key], yardstick, where=name, clock=inner, leaf=leaf)
            else:
                yield Parting(f"{name} (only in {'a' if key in a else 'b'})", "not reproduced", clock)
    elif isinstance(a, list | tuple) and isinstance(b, list | tuple):
        if len(a) != len(b):
            yield Parting(f"{where} ({len(a)} items against {len(b)})", "not reproduced", clock)
        else:
            for index, (one, other) in enumerate(zip(a, b, strict=True)):
                yield from partings(one, other, yardstick, where=f"{where}[{index}]", clock=clock, leaf=leaf)
    else:
        sameness, detail = leaf(a, b, yardstick)
        if sameness != "identical":
            yield Parting(where, sameness, clock or _stamps_alone(a, b), detail)


def _stamps_alone(a: object, b: object) -> bool:
    return isinstance(a, str) and isinstance(b, str) and without_stamps(a) == without_stamps(b)


def compare_json(a: bytes, b: bytes, yardstick: Yardstick) -> Meaning:
    """Two JSON documents by value. Raises ValueError where one is none."""
    return judge(partings(json.loads(a), json.loads(b), yardstick))


def compare_json_lines(a: bytes, b: bytes, yardstick: Yardstick) -> Meaning:
    """Two files of one JSON document a line by value. Raises ValueError where a line is none."""
    one, other = ([json.loads(line) for line in data.splitlines() if line.strip()] for data in (a, b))
    return judge(partings(one, other, yardstick, where="line "))


def compare_table(a: bytes, b: bytes, yardstick: Yardstick) -> Meaning:
    """Two tables (CSV, TSV) cell by cell; a column is known by the first row. Raises ValueError where one is no table."""
    try:
        one, other = _rows(a), _rows(b)
    except csv.Error as error:
        raise ValueError(str(error)) from error
    return judge(_table_partings(one, other, yardstick))


def _rows(data: bytes) -> list[list[str]]:
    text = data.decode()
    first = text.partition("\n")[0]
    separator = max(",\t;", key=first.count)
    return list(csv.reader(io.StringIO(text), delimiter=separator))


def _table_partings(a: list[list[str]], b: list[list[str]], yardstick: Yardstick) -> Iterator[Parting]:
    if len(a) != len(b):
        yield Parting(f"its length ({len(a)} rows against {len(b)})", "not reproduced")
        return
    header = a[0] if a else []
    for number, (one, other) in enumerate(zip(a, b, strict=True), start=1):
        if len(one) != len(other):
            yield Parting(f"row {number} ({len(one)} cells against {len(other)})", "not reproduced")
            continue
        for column, (left, right) in enumerate(zip(one, other, strict=True)):
            if left != right:
                name = header[column] if column < len(header) else f"column {column + 1}"
                sameness = leaf_sameness(as_number(left), as_number(right), yardstick)
                if sameness != "identical":
                    yield Parting(f"row {number}, {name}", sameness, is_clock(name) or _stamps_alone(left, right))


_SEPARATORS = re.compile(r"[\s,;=:|()\[\]{}\"'<>]+")


def compare_text(a: bytes, b: bytes, yardstick: Yardstick) -> Meaning:
    """Two texts word by word, numbers by tolerance, time stamps left out. Raises ValueError where one is not UTF-8."""
    one, other = (without_stamps(_at_home(data.decode(), root)) for data, root in ((a, yardstick.root_a), (b, yardstick.root_b)))
    return judge(_word_partings(_SEPARATORS.split(one), _SEPARATORS.split(other), yardstick))


def _word_partings(a: Sequence[str], b: Sequence[str], yardstick: Yardstick) -> Iterator[Parting]:
    if len(a) != len(b):
        yield Parting(f"its length ({len(a)} words against {len(b)})", "not reproduced")
        return
    for index, (left, right) in enumerate(zip(a, b, strict=True)):
        if left != right:
            before = a[index - 1] if index else ""
            sameness = leaf_sameness(as_number(left), as_number(right), yardstick)
            if sameness != "identical":
                yield Parting(f"word {index + 1} ({left!r} against {right!r})", sameness, is_clock(before))


def as_number(text: str) -> int | float | str:
    """`text` as the number it spells, else itself."""
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text
