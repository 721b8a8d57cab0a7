"""Many factors seen as a few units that are flipped together, and divided where they turn out to matter."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from math import ceil

import numpy as np

from assay.stats.sparse import UNITS, Bits

Unit = tuple[str, ...]


def gather(factors: Sequence[str], most: int = UNITS) -> list[Unit]:
    """The factors in at most `most` units of neighbours, as equal in number as can be.

    >>> gather("abcde", 2)
    [('a', 'b', 'c'), ('d', 'e')]
    """
    number = min(most, len(factors))
    edges = [ceil(len(factors) * part / number) for part in range(number + 1)]
    return [tuple(factors[low:high]) for low, high in pairwise(edges)]


def divide(units: Sequence[Unit], room: int = UNITS) -> list[Unit]:
    """Every unit of several factors in parts, so that there are at most `room` units altogether (or two parts of each, if that is more)."""
    several = [unit for unit in units if len(unit) > 1]
    if not several:
        return list(units)
    parts = max(2, (room - len(units) + len(several)) // len(several))
    return [part for unit in units for part in gather(unit, parts)]


def bits(units: Sequence[Unit], states: Sequence[frozenset[str]]) -> Bits:
    """Which units are wholly at BAD's level in each state, as bits."""
    return np.array([sum(1 << at for at, unit in enumerate(units) if state.issuperset(unit)) for state in states], dtype=np.int64)


def members(units: Sequence[Unit], state: int) -> frozenset[str]:
    """The factors of the units whose bits are set."""
    return frozenset(factor for at, unit in enumerate(units) if state >> at & 1 for factor in unit)


def weights(units: Sequence[Unit], single: Mapping[str, float]) -> list[float]:
    """Prior weight of each unit: the sum of its factors', so that dividing a unit changes no odds; over all units 1 on average."""
    sums = [sum(single[factor] for factor in unit) for unit in units]
    return [each * len(sums) / sum(sums) for each in sums]
