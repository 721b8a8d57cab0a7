"""Combinations that tell most, where no fixed design fits what is feasible."""

from __future__ import annotations

import random
from collections.abc import Sequence
from math import prod

from assay.ablation.constraints import feasible
from assay.ablation.design import Levels, levels_of
from assay.ablation.designs_factorial import all_combinations, groups_of, of_groups
from assay.ablation.models import codes_of, matrix_of
from assay.errors import InvalidStudy
from assay.records.factor import Factor
from assay.records.plan import DesignOptions
from assay.stats.designs import d_optimal

_LOOKED_AT = 1024
"""Combinations that are looked at; where there are more, so many are drawn, the same ones each time."""
_SPARE = 4
"""Configurations beyond the number of effects, where no budget is given."""


def optimal(
    factors: Sequence[Factor], options: DesignOptions, *, interactions: bool, runs: int | None = None, grouped: bool = False
) -> list[Levels]:
    """Feasible combinations, the baseline first, that tell the effects of a linear model best (D-optimal, as far as exchanges find).

    Args:
        factors: components.
        options: constraints, and the budget where `runs` is not given.
        interactions: whether those of two components are in the model.
        runs: how many; by default the budget, else a few more than there are effects.
        grouped: components of one group are flipped together, and effects are those of groups.

    Raises:
        InvalidStudy: the budget is smaller than two, or nothing beside the baseline is feasible.
    """
    players = groups_of(factors, options) if grouped else factors
    candidates = _candidates(players, factors, options, grouped=grouped)
    if len(candidates) < 2:
        raise InvalidStudy(
            "the constraints leave nothing but the baseline", value=len(candidates), expected="at least one other combination"
        )
    codes = codes_of(candidates, players, options.groups if grouped else {})
    matrix = matrix_of(codes, players, interactions=interactions)
    number = runs or options.budget or matrix.shape[1] + _SPARE
    if number < 2:
        raise InvalidStudy("the budget holds no comparison", value=number, expected="at least 2 configurations")
    return [candidates[row] for row in d_optimal(matrix, number)]


def _candidates(players: Sequence[Factor], factors: Sequence[Factor], options: DesignOptions, *, grouped: bool) -> list[Levels]:
    """Feasible combinations of the players: components, or groups of them."""
    if prod(1 + len(player.levels) for player in players) <= _LOOKED_AT:
        rows = all_combinations(players)
    else:
        chance = random.Random(len(players))
        drawn = [[chance.randint(0, len(player.levels)) for player in players] for _ in range(_LOOKED_AT)]
        single = [{player.name: level.name} for player in players for level in player.levels]
        rows = [{}, *single, *(levels_of(row, players) for row in drawn)]
    rows = [of_groups(levels, factors, options) for levels in rows] if grouped else rows
    kept = [levels for levels in rows if feasible(levels, factors, options.constraints)]
    return list({tuple(levels.items()): levels for levels in kept}.values())
