"""The order in which combinations are run: drawn at random among those that are allowed, the same ones each time."""

from __future__ import annotations

import random
from collections.abc import Sequence
from math import ceil

import numpy as np
from numpy.typing import NDArray

from assay.ablation.components import effect_name
from assay.ablation.constraints import feasible
from assay.ablation.design import Levels, levels_of
from assay.ablation.models import codes_of
from assay.errors import InvalidStudy
from assay.records.factor import Constraint, Factor
from assay.stats.factorial_levels import Codes
from assay.stats.factorial_models import Space

BATCH = 4
"""Trials in turn under one seed."""
_MORE = 20
_RUNS, _PER_FACTOR = 120, 4
_TRIES = 2000

Coins = NDArray[np.bool_]


def first_look(factors: int) -> int:
    """Trials before the first look: twice as many as there are alternatives to the baseline, since fewer make a sparse model too sure of itself."""
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


def default_budget(counts: Sequence[int]) -> int:
    """Most trials, where the user says nothing: of components with so many alternatives each.

    A comparison counts trials at the baseline's level and at its own alternative. Where a component has more of these, the others have more to run.
    """
    return ceil((_RUNS + _PER_FACTOR * sum(counts)) * (1 + max(counts)) / 2)


def alternatives(factors: Sequence[Factor]) -> list[int]:
    """How many levels each component has beside the baseline's."""
    return [len(factor.levels) for factor in factors]


def drawn(factors: Sequence[Factor], constraints: Sequence[Constraint], blocks: int, runs: int) -> list[tuple[int, Levels]]:
    """Block and combination of each trial, the baseline in the first block first; none twice in a block.

    Every combination is drawn with equal chances from those that the constraints allow and its block has not had. So, given all else,
    which of two levels a component has is a fair coin wherever both could have been drawn: what the tests of this design rest on.

    Args:
        factors: components.
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


def coins(of: Space, codes: Codes, blocks: Sequence[int], factors: Sequence[Factor], constraints: Sequence[Constraint]) -> Coins:
    """Where the level of a term was a fair coin when its trial was drawn, shape (trials, terms).

    A term is an alternative against the baseline's level. Given that its component is at one of these two, and given all else of the trial, which
    one it is was a fair coin if the other was possible: allowed, and not yet run in that block. Trials at a third level tell nothing of it. A
    product needs this of either component, and of both at once. The first trial is the baseline and not drawn.

    Args:
        of: the terms.
        codes: of the trials, in their order.
        blocks: of the trials.
        factors: components, one for each column of `codes`.
        constraints: what goes together.
    """
    places = [(place, level) for place, most in enumerate(alternatives(factors)) for level in range(1, most + 1)]
    flips = [frozenset([places[one], places[other]]) for one, other in zip(of.first, of.second, strict=True)]
    had: dict[int, set[bytes]] = {}
    free = np.zeros((len(codes), of.terms), dtype=bool)
    for number, (row, block) in enumerate(zip(codes, blocks, strict=True)):
        seen = had.setdefault(block, set())
        if number:
            possible = np.array([_possible(row, each, seen, factors, constraints) for each in flips])
            alone = possible[: of.factors]
            free[number] = possible & alone[of.first] & alone[of.second]
        seen.add(row.tobytes())
    return free


def fewest_coins(
    rows: Sequence[tuple[int, Levels]], factors: Sequence[Factor], constraints: Sequence[Constraint]
) -> tuple[int, list[str]]:
    """How many of these trials are coins of the effect that has the fewest, and the names of all such effects.

    Args:
        rows: block and combination of each trial, as `drawn` gives them.
        factors: components.
        constraints: what goes together.
    """
    codes = codes_of([levels for _, levels in rows], factors, {})
    had: dict[int, set[bytes]] = {}
    found = dict.fromkeys(((place, level) for place, most in enumerate(alternatives(factors)) for level in range(1, most + 1)), 0)
    for number, (row, (block, _)) in enumerate(zip(codes, rows, strict=True)):
        seen = had.setdefault(block, set())
        for side in found:
            found[side] += number > 0 and _possible(row, frozenset([side]), seen, factors, constraints)
        seen.add(row.tobytes())
    least = min(found.values())
    return least, [effect_name(factors[p], factors[p].levels[level - 1]) for (p, level), number in found.items() if number == least]


def _possible(
    row: NDArray[np.intp],
    flips: frozenset[tuple[int, int]],
    seen: set[bytes],
    factors: Sequence[Factor],
    constraints: Sequence[Constraint],
) -> bool:
    other = row.copy()
    for place, level in flips:
        if row[place] not in (0, level):
            return False
        other[place] = level - row[place]
    if other.tobytes() in seen:
        return False
    return not constraints or feasible(levels_of(other.tolist(), factors), factors, constraints)


def _draw(
    factors: Sequence[Factor], constraints: Sequence[Constraint], had: set[tuple[int, ...]], chance: random.Random
) -> tuple[int, ...] | None:
    """A combination that the block has not had; None where chance finds none."""
    counts = alternatives(factors)
    for _ in range(_TRIES):
        row = tuple(chance.getrandbits(1) if most == 1 else chance.randrange(1 + most) for most in counts)
        if row not in had and feasible(levels_of(row, factors), factors, constraints):
            return row
    return None
