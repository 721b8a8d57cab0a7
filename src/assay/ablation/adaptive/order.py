"""The order in which combinations are run: drawn at random among those that are allowed, the same ones each time."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from assay.ablation.constraints import feasible
from assay.ablation.design import Levels, levels_of
from assay.errors import InvalidStudy
from assay.records.factor import Constraint, Factor
from assay.stats.factorial_models import Space
from assay.stats.simultaneous import Array

BATCH = 4
"""Trials in turn under one seed."""
_MORE = 20
_RUNS, _PER_FACTOR = 120, 4
_TRIES = 2000

Coins = NDArray[np.bool_]


def first_look(factors: int) -> int:
    """Trials before the first look: twice as many as there are components, since fewer make a sparse model too sure of itself."""
    return max(8, 2 * factors)


def looks(first: int, most: int) -> list[int]:
    """Trials after which is looked, ascending: each one after the first look, and from the fortieth on a twentieth more.

    >>> looks(38, 47)
    [38, 39, 40, 42, 44, 46, 47]
    """
    found = []
    while first < most:
        found.append(first)
        first += max(1, first // _MORE)
    return [*found, most]


def default_budget(factors: int) -> int:
    """Most trials, where the user says nothing."""
    return _RUNS + _PER_FACTOR * factors


def drawn(factors: Sequence[Factor], constraints: Sequence[Constraint], blocks: int, runs: int) -> list[tuple[int, Levels]]:
    """Block and combination of each trial, the baseline in the first block first; none twice in a block.

    Every combination is drawn with equal chances from those that the constraints allow and its block has not had. So, given all else, each
    component's level is a fair coin wherever its other level could have been drawn too: what the tests of this design rest on.

    Args:
        factors: components of one level.
        constraints: what goes together.
        blocks: how many seeds; a batch is of one, and they take turns.
        runs: how many trials at most; fewer where there are no more combinations.

    Raises:
        InvalidStudy: the constraints leave nothing but the baseline, as far as a search finds.
    """
    chance = random.Random(2026)
    had: list[set[tuple[int, ...]]] = [set() for _ in range(blocks)]
    baseline = (0,) * len(factors)
    had[0].add(baseline)
    found: list[tuple[int, Levels]] = [(0, {})]
    full: set[int] = set()
    number = 0
    while len(found) < runs and len(full) < blocks:
        block = number // BATCH % blocks
        number += 1
        row = None if block in full else _draw(factors, constraints, had[block], chance)
        if row is None:
            full.add(block)
            continue
        had[block].add(row)
        found.append((block, levels_of(row, factors)))
    if len(found) < 2:
        raise InvalidStudy("the constraints leave nothing but the baseline", value=1, expected="at least one other combination")
    return found


def signs(combinations: Sequence[Mapping[str, str]], factors: Sequence[Factor]) -> Array:
    """-1 where a component is as in the baseline and +1 where it is flipped, shape (trials, factors)."""
    return np.array([[1.0 if factor.name in levels else -1.0 for factor in factors] for levels in combinations])


def coins(of: Space, rows: Array, blocks: Sequence[int], factors: Sequence[Factor], constraints: Sequence[Constraint]) -> Coins:
    """Where the level of a term was a fair coin when its trial was drawn, shape (trials, terms).

    Its other level must have been possible: allowed, and not yet run in that block. A product needs this of either factor, and of both at
    once. The first trial is the baseline and not drawn.
    """
    had: dict[int, set[bytes]] = {}
    free = np.zeros((len(rows), of.terms), dtype=bool)
    for number, (row, block) in enumerate(zip(rows, blocks, strict=True)):
        seen = had.setdefault(block, set())
        if number:
            free[number] = _free(of, row, seen, factors, constraints)
        seen.add(row.tobytes())
    return free


def _free(of: Space, row: Array, seen: set[bytes], factors: Sequence[Factor], constraints: Sequence[Constraint]) -> Coins:
    possible = np.array([_possible(row, flips, seen, factors, constraints) for flips in zip(of.first, of.second, strict=True)])
    alone = possible[: of.factors]
    return np.asarray(possible & alone[of.first] & alone[of.second])


def _possible(
    row: Array, flips: tuple[int, int], seen: set[bytes], factors: Sequence[Factor], constraints: Sequence[Constraint]
) -> bool:
    other = row.copy()
    other[list(set(flips))] *= -1
    if other.tobytes() in seen:
        return False
    return not constraints or feasible(levels_of([int(sign > 0) for sign in other], factors), factors, constraints)


def _draw(
    factors: Sequence[Factor], constraints: Sequence[Constraint], had: set[tuple[int, ...]], chance: random.Random
) -> tuple[int, ...] | None:
    """A combination that the block has not had; None where chance finds none."""
    for _ in range(_TRIES):
        row = tuple(chance.getrandbits(1) for _ in factors)
        if row not in had and feasible(levels_of(row, factors), factors, constraints):
            return row
    return None
