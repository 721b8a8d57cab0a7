"""Fractions of two-level factorials: regular ones of a resolution, and the Nordstrom-Robinson array where it is smaller."""

from __future__ import annotations

import random
from collections.abc import Sequence
from functools import lru_cache
from itertools import combinations, product

from assay.ablation.generators.hadamard import Rows

_TRIES = 60
_NODES = 4000
"""Columns that one try looks at before it gives up. The sizes of textbooks are found with a tenth of it."""
_PATTERN_FACTORS = 14
"""Up to so many factors, the best of the tries is chosen by its short words; counting them takes too long beyond."""


def fraction(factors: int, resolution: int) -> Rows:
    """The smallest fraction known here of at least this resolution, the row without any flip first.

    In a fraction of resolution R no effect of p factors is aliased with one of fewer than R - p. Where all combinations are needed, they
    are what is given.

    Args:
        factors: at least 1.
        resolution: 3 or more; for 12 to 15 factors, 4 and 5 may be had of an array that is no regular fraction.

    Source: Box and Hunter 1961 (resolution); Fries and Hunter 1980 (aberration).

    >>> len(fraction(7, 3)), len(fraction(7, 4)), len(fraction(5, 5)), len(fraction(15, 5))
    (8, 16, 16, 128)
    """
    columns = generators(factors, resolution)
    basic = max(column.bit_length() for column in columns)
    if resolution == 5 and factors <= 15 and basic > 7:
        return [row[:factors] for row in nordstrom_robinson()]
    return [tuple((column & run).bit_count() % 2 for column in columns) for run in range(2**basic)]


@lru_cache(maxsize=64)
def generators(factors: int, resolution: int) -> tuple[int, ...]:
    """For each factor the basic factors whose product it is, as bits: any `resolution` - 1 of them are independent.

    The fewest basic factors with which one was found; then the highest resolution, then the fewest shortest words.
    """
    for basic in range(1, factors):
        if factors > 2**basic - 1:
            continue
        found = _best(factors, basic, resolution)
        if found is not None:
            return found
    return tuple(1 << index for index in range(factors))


def words(columns: Sequence[int], longest: int) -> tuple[int, ...]:
    """How many products of 1, 2, … `longest` columns are the identity."""
    return tuple(sum(1 for chosen in combinations(columns, length) if not _product(chosen)) for length in range(1, longest + 1))


def strength(rows: Rows, largest: int = 5) -> int:
    """Largest t such that any t columns hold every combination of levels equally often, by looking at them all.

    The resolution of a two-level orthogonal array is its strength + 1 (Hedayat, Sloane and Stufken 1999).
    """
    for t in range(1, largest + 1):
        for chosen in combinations(range(len(rows[0])), t):
            met = [tuple(row[column] for column in chosen) for row in rows]
            if any(met.count(cell) * 2**t != len(rows) for cell in product((0, 1), repeat=t)):
                return t - 1
    return largest


@lru_cache(maxsize=1)
def nordstrom_robinson() -> Rows:
    """128 rows of 15 columns of which any four hold every combination equally often: resolution V, where regular fractions need 256.

    The words of the octacode by Gray's map, those that begin with 0.

    Source: Nordstrom and Robinson 1967; Hammons et al. 1994 (as the image of a linear code over the integers modulo 4).
    """
    octacode = ((1, 0, 0, 0, 3, 1, 2, 1), (0, 1, 0, 0, 1, 2, 3, 1), (0, 0, 1, 0, 3, 3, 3, 2), (0, 0, 0, 1, 2, 3, 1, 1))
    gray = {0: (0, 0), 1: (0, 1), 2: (1, 1), 3: (1, 0)}
    found = []
    for factors in product(range(4), repeat=4):
        word = [sum(f * row[i] for f, row in zip(factors, octacode, strict=True)) % 4 for i in range(8)]
        bits = [bit for symbol in word for bit in gray[symbol]]
        if bits[0] == 0:
            found.append(tuple(bits[1:]))
    return sorted(found)


def _best(factors: int, basic: int, resolution: int) -> tuple[int, ...] | None:
    # A fixed beginning, so that the same question has the same design on every machine.
    chance = random.Random(factors * 1000 + basic)
    candidates = [column for column in range(1, 2**basic) if column.bit_count() > 1]
    best: tuple[tuple[int, ...], tuple[int, ...]] | None = None
    for attempt in range(_TRIES if factors <= _PATTERN_FACTORS else 2):
        order = sorted(candidates) if attempt == 0 else chance.sample(candidates, len(candidates))
        found = _search(factors, basic, resolution, order)
        if found is None and attempt >= 2 and best is None:
            return None
        if found is not None:
            key = (words(found, 6) if factors <= _PATTERN_FACTORS else (), found)
            best = key if best is None or key < best else best
    return best[1] if best else None


def _search(factors: int, basic: int, resolution: int, candidates: Sequence[int]) -> tuple[int, ...] | None:
    """Columns of which no fewer than `resolution` multiply to the identity, by trying the candidates in their order."""
    start = tuple(1 << index for index in range(basic))
    left = [_NODES]

    def grow(columns: tuple[int, ...], sums: list[set[int]], rest: Sequence[int]) -> tuple[int, ...] | None:
        if len(columns) == factors:
            return columns
        allowed = [c for c in rest if not any(c in each for each in sums[: resolution - 2])]
        while allowed and len(columns) + len(allowed) >= factors and left[0] > 0:
            left[0] -= 1
            column, *allowed = allowed
            found = grow((*columns, column), _with(sums, column), allowed)
            if found is not None:
                return found
        return None

    sums: list[set[int]] = [set() for _ in range(max(1, resolution - 2))]
    for column in start:
        sums = _with(sums, column)
    return grow(start, sums, candidates)


def _with(sums: list[set[int]], column: int) -> list[set[int]]:
    """Products of 1, 2, … chosen columns, with one column more."""
    return [each | {column ^ one for one in (sums[i - 1] if i else {0})} for i, each in enumerate(sums)]


def _product(columns: Sequence[int]) -> int:
    found = 0
    for column in columns:
        found ^= column
    return found
