"""Combinations that tell most, where no fixed design fits what is feasible."""

from __future__ import annotations

import random
from collections.abc import Sequence
from math import prod

from assay.ablation.constraints import feasible
from assay.ablation.design import Levels, levels_of
from assay.ablation.designs_factorial import all_combinations
from assay.ablation.models import codes_of, matrix_of
from assay.errors import InvalidStudy
from assay.records.factor import Factor
from assay.records.plan import DesignOptions
from assay.stats.designs import d_optimal

_LOOKED_AT = 1024
"""Combinations that are looked at; where there are more, so many are drawn, the same ones each time."""
_SPARE = 4
"""Configurations beyond the number of effects, where no budget is given."""


def optimal(factors: Sequence[Factor], options: DesignOptions, *, interactions: bool, runs: int | None = None) -> list[Levels]:
    """Feasible combinations, the baseline first, that tell the effects of a linear model best (D-optimal, as far as exchanges find).

    Args:
        factors: components.
        options: constraints, and the budget where `runs` is not given.
        interactions: whether those of two components are in the model.
        runs: how many; by default the budget, else a few more than there are effects.

    Raises:
        InvalidStudy: the budget is smaller than two, or nothing beside the baseline is feasible.
    """
    candidates = _candidates(factors, options)
    if len(candidates) < 2:
        raise InvalidStudy(
            "the constraints leave nothing but the baseline", value=len(candidates), expected="at least one other combination"
        )
    matrix = matrix_of(codes_of(candidates, factors, {}), factors, interactions=interactions)
    number = runs or options.budget or matrix.shape[1] + _SPARE
    if number < 2:
        raise InvalidStudy("the budget holds no comparison", value=number, expected="at least 2 configurations")
    return [candidates[row] for row in d_optimal(matrix, number)]


def _candidates(factors: Sequence[Factor], options: DesignOptions) -> list[Levels]:
    if prod(1 + len(factor.levels) for factor in factors) <= _LOOKED_AT:
        rows = all_combinations(factors)
    else:
        chance = random.Random(len(factors))
        drawn = [[chance.randint(0, len(factor.levels)) for factor in factors] for _ in range(_LOOKED_AT)]
        single = [{factor.name: level.name} for factor in factors for level in factor.levels]
        rows = [{}, *single, *(levels_of(row, factors) for row in drawn)]
    kept = [levels for levels in rows if feasible(levels, factors, options.constraints)]
    return list({tuple(levels.items()): levels for levels in kept}.values())
