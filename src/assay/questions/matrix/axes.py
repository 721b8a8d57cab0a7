"""What a matrix varies: axes as they are written on the command line, and the cells that they span."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Mapping, Sequence

from assay.errors import InvalidValue

PYTHON = "python"
_AXIS = re.compile(r"\s*([A-Za-z0-9][A-Za-z0-9._-]*)\s*={1,2}\s*(.+?)\s*")
_VERSION = re.compile(r"[0-9][A-Za-z0-9.+!_-]*")


def axis(text: str) -> tuple[str, tuple[str, ...]]:
    """Name and levels of `NAME==V1,V2` or `python=3.11,3.12`; names as indexes have them.

    Raises:
        InvalidValue: it does not have this form, or names a version twice.

    >>> axis("numpy==1.26.4,2.0.2"), axis("python=3.11")
    (('numpy', ('1.26.4', '2.0.2')), ('python', ('3.11',)))
    """
    found = _AXIS.fullmatch(text)
    levels = tuple(level.strip() for level in found[2].split(",")) if found else ()
    if found is None or not all(_VERSION.fullmatch(level) for level in levels) or len(set(levels)) < len(levels):
        raise InvalidValue(
            "this is no axis of a matrix",
            value=text,
            expected="NAME==VERSION,VERSION,… with each version once",
            next_step="Write --vary numpy==1.26.4,2.0.2 or --vary python=3.11,3.12.",
        )
    return re.sub(r"[-_.]+", "-", found[1]).lower(), levels


def cells_of(axes: Mapping[str, Sequence[str]]) -> Iterator[dict[str, str]]:
    """Every combination of levels, the last axis running fastest.

    >>> list(cells_of({"numpy": ["1", "2"], "python": ["3.11"]}))
    [{'numpy': '1', 'python': '3.11'}, {'numpy': '2', 'python': '3.11'}]
    """
    for levels in itertools.product(*axes.values()):
        yield dict(zip(axes, levels, strict=True))


def lines_along(axes: Mapping[str, Sequence[str]], name: str) -> Iterator[dict[str, str]]:
    """What is fixed on each line of cells along one axis."""
    yield from cells_of({other: levels for other, levels in axes.items() if other != name})
