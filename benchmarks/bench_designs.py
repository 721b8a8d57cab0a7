"""Fractions and Plackett-Burman designs beside pydoe's, in the same run: how many runs each needs, what it reaches, and how long it takes.

The resolution is found by brute force, from the rows alone: one more than the largest number of columns that hold every combination equally
often. Bars: ours reaches what was asked, wherever pydoe's does so too in no more runs; at the same runs and resolution no more interactions
of two are one number with a main effect, and then no more are one with each other; every Plackett-Burman design is orthogonal. Times are of
first calls, without a bar: both search for generators, ours on until it has the best of many, and it keeps what it has found.

    python benchmarks/bench_designs.py
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from functools import partial
from itertools import combinations
from typing import NamedTuple

import numpy as np
import pydoe
from numpy.typing import NDArray

from assay.ablation.generators.fractions import fraction, generators, strength
from assay.ablation.generators.hadamard import plackett_burman

FRACTIONS = [
    (5, 3),
    (6, 3),
    (7, 3),
    (11, 3),
    (15, 3),
    (6, 4),
    (7, 4),
    (8, 4),
    (12, 4),
    (16, 4),
    (5, 5),
    (6, 5),
    (8, 5),
    (9, 5),
    (11, 5),
    (12, 5),
]
SCREENS = [7, 11, 15, 19, 23, 27, 31, 35, 47]

Rows = NDArray[np.int8]


class Made(NamedTuple):
    """A design and what it took: rows of 0 and 1, milliseconds of CPU; no rows where it could not be made."""

    rows: Rows | None
    milliseconds: float


def made(make: Callable[[], object]) -> Made:
    started = time.process_time()
    try:
        rows = (np.asarray(make(), dtype=np.float64) > 0).astype(np.int8)
    except (AssertionError, ValueError):  # pydoe has no design of this size
        return Made(None, 1000 * (time.process_time() - started))
    return Made(rows, 1000 * (time.process_time() - started))


def resolution(rows: Rows) -> int:
    return strength([tuple(row) for row in rows.tolist()], 4) + 1


def confounded(rows: Rows) -> tuple[int, int]:
    """How often an interaction of two is a main effect, and how often it is another one: the same number, or its opposite."""
    signs = (1 - 2 * rows.astype(np.int64)).T
    products = np.array([signs[i] * signs[j] for i, j in combinations(range(len(signs)), 2)])
    mains = np.abs(products @ signs.T) == len(rows)
    others = np.triu(np.abs(products @ products.T) == len(rows), 1)
    return int(mains.sum()), int(others.sum())


def fractions() -> bool:
    print(
        f"{'fraction':12}{'runs':>12}{'resolution':>12}{'main = two':>14}{'two = two':>14}{'CPU ms':>18}{'ratio':>8}   (assay / pydoe)"
    )
    met = True
    for factors, asked in FRACTIONS:
        generators.cache_clear()
        ours, theirs = made(partial(fraction, factors, asked)), made(partial(pydoe.fracfact_by_res, factors, asked))
        mine, other = measured(ours.rows), measured(theirs.rows)
        runs, reached, mains, twos = (f"{a} / {b}" for a, b in zip(mine, other, strict=True))
        milliseconds = f"{ours.milliseconds:.1f} / {theirs.milliseconds:.1f}"
        ratio = ours.milliseconds / theirs.milliseconds
        print(f"{f'{factors} at {asked}':12}{runs:>12}{reached:>12}{mains:>14}{twos:>14}{milliseconds:>18}{ratio:>8.1f}")
        met &= mine.resolution >= asked and (other.resolution < asked or worth(mine) <= worth(other))
    return met


class Measured(NamedTuple):
    """What a design is, from its rows alone; all 0 where there is none."""

    runs: int = 0
    resolution: int = 0
    mains: int = 0
    twos: int = 0


def measured(rows: Rows | None) -> Measured:
    return Measured() if rows is None else Measured(len(rows), resolution(rows), *confounded(rows))


def worth(one: Measured) -> tuple[int, int, int, int]:
    """The less, the better: in the order in which textbooks choose (runs, resolution, then the fewest shortest words)."""
    return one.runs, -one.resolution, one.mains, one.twos


def screens() -> bool:
    print(f"\n{'Plackett-Burman':24}{'runs':>12}{'orthogonal':>14}{'CPU ms':>32}{'ratio':>8}   (assay / pydoe)")
    met = True
    for factors in SCREENS:
        ours, theirs = made(partial(plackett_burman, factors)), made(partial(pydoe.pbdesign, factors))
        mine, other = orthogonal(ours.rows), orthogonal(theirs.rows)
        runs = [0 if one.rows is None else len(one.rows) for one in (ours, theirs)]
        milliseconds = f"{ours.milliseconds:.2f} / {theirs.milliseconds:.2f}"
        ratio = ours.milliseconds / theirs.milliseconds
        print(f"{factors:<24}{f'{runs[0]} / {runs[1]}':>12}{f'{mine} / {other}':>14}{milliseconds:>32}{ratio:>8.1f}")
        met &= mine == "yes" and (other != "yes" or runs[0] <= runs[1])
    return met


def orthogonal(rows: Rows | None) -> str:
    if rows is None:
        return "none"
    return "yes" if strength([tuple(row) for row in rows.tolist()], 2) == 2 else "no"


def main() -> int:
    # Both, so that neither hides the other's table.
    met = fractions() & screens()
    print("\nbars", "met" if met else "MISSED")
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
