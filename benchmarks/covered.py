"""What a simulated coverage is: shared by the benchmark and the modules that simulate its intervals."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from assay.stats.simultaneous import Array


class Covered(NamedTuple):
    """Shares of studies in which an interval holds the truth: as claimed, and per interval beside Student's t of its own differences.

    NaN where there is no such interval with so few seeds, or Student's t is none for the same thing.
    """

    claimed: float
    alone: float
    student: float


class Interval(NamedTuple):
    """An interval that Assay prints.

    Attributes:
        name: as the table says it.
        configurations: how many it needs.
        covers: its coverage on simulated tables, shape (studies, blocks, configurations).
        exact: 95 % is claimed, not at least 95 %.
        share: how many of the studies are simulated, one by one; 1: all.
        seeds: what a seed shares with all configurations is added to the tables.
    """

    name: str
    configurations: int
    covers: Callable[[Array], Covered]
    exact: bool
    share: float = 1.0
    seeds: bool = True


def holds(off: Array, half: Array, student: Array) -> Covered:
    """Of estimates that are off by so much, shape (studies, comparisons)."""
    inside = abs(off) <= half
    return Covered(float(inside.all(axis=1).mean()), float(inside.mean()), float((abs(off) <= student).mean()))
