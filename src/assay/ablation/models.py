"""The linear model of a design's combinations: which effects it tells apart, what else is in each number, and what is lost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from assay.ablation.components import effect_name
from assay.ablation.design import interaction_name
from assay.records.factor import Factor
from assay.stats.designs import alias_matrix, independent, weights
from assay.stats.simultaneous import Array

_LISTED = 24
"""Aliases of one effect that are named; a screening of 47 components has a thousand for each."""

Codes = NDArray[np.intp]
"""Shape (configurations, factors): 0 the baseline level, 1 the first level, 2 the second."""

Part = tuple[int, int]
"""A factor and its level, from 1."""


class Term(NamedTuple):
    """One effect of a model.

    Attributes:
        parts: one for a main effect, two for an interaction.
        name: of the effect.
        column: its column of the model's matrix.
        scale: what the column's coefficient is multiplied by to give the effect.
    """

    parts: tuple[Part, ...]
    name: str
    column: Array
    scale: float
    curved: bool = False


class Fitted(NamedTuple):
    """A term that is told apart: the weights of the configurations in it, and the names of what cannot be told from it."""

    term: Term
    weights: Array
    aliases: tuple[str, ...]


def codes_of(combinations_: Sequence[Mapping[str, str]], factors: Sequence[Factor], groups: Mapping[str, tuple[str, ...]]) -> Codes:
    """Levels as numbers. A factor that is a group has the level of its first member."""
    found = np.zeros((len(combinations_), len(factors)), dtype=np.intp)
    for column, factor in enumerate(factors):
        members = groups.get(factor.name)
        numbers = {level.name: number for number, level in enumerate(factor.levels, 1)}
        for row, levels in enumerate(combinations_):
            chosen = levels.get(members[0] if members else factor.name)
            found[row, column] = 0 if chosen is None else 1 if members else numbers[chosen]
    return found


def fit(codes: Codes, factors: Sequence[Factor], *, interactions: bool, three: bool = False) -> tuple[list[Fitted], list[str]]:
    """The terms that are told apart, main effects first, and the names of main effects that are not.

    Args:
        codes: of the configurations that count.
        factors: one for each column of `codes`.
        interactions: whether those of two factors are terms; else they are what main effects may be aliased with.
        three: whether factors have a level on each side of the baseline's, so that effects are straight and curved.
    """
    mains = _three_levels(codes, factors) if three else _main_effects(codes, factors)
    # A level that is met nowhere has a constant column, and so is no term.
    pairs = _interactions(mains)
    terms = mains + pairs
    matrix = np.column_stack([np.ones(len(codes)), *(term.column for term in terms)])
    candidates = matrix if interactions else matrix[:, : 1 + len(mains)]
    kept = independent(candidates)
    others = [index for index in range(1, matrix.shape[1]) if index not in set(kept)]
    rows = weights(matrix[:, kept])
    mixed = alias_matrix(matrix[:, kept], matrix[:, others])
    fitted = [
        Fitted(terms[index - 1], rows[at] * terms[index - 1].scale, _aliases(terms, index, others, mixed[at]))
        for at, index in enumerate(kept)
        if index > 0
    ]
    lost = [term.name for index, term in enumerate(mains, 1) if index in set(others)]
    return fitted, lost


def matrix_of(codes: Codes, factors: Sequence[Factor], *, interactions: bool) -> Array:
    """The model's matrix, the constant first, for a design that is still to be chosen."""
    mains = _main_effects(codes, factors)
    terms = mains + (_interactions(mains) if interactions else [])
    return np.column_stack([np.ones(len(codes)), *(term.column for term in terms)])


def _main_effects(codes: Codes, factors: Sequence[Factor]) -> list[Term]:
    # Centred, so that an effect is an average over all levels of the other factors, each as heavy as the other.
    return [
        Term(
            ((index, number),),
            effect_name(factor, level),
            (codes[:, index] == number) - 1 / (1 + len(factor.levels)),
            1.0,
        )
        for index, factor in enumerate(factors)
        for number, level in enumerate(factor.levels, 1)
    ]


def _three_levels(codes: Codes, factors: Sequence[Factor]) -> list[Term]:
    signed = np.array([0.0, -1.0, 1.0])[codes]
    straight = [Term(((i, 2),), factor.name, signed[:, i], 2.0) for i, factor in enumerate(factors)]
    curved = [Term(((i, 0),), f"{factor.name} (curvature)", signed[:, i] ** 2, 1.0, True) for i, factor in enumerate(factors)]
    return straight + curved


def _interactions(mains: Sequence[Term]) -> list[Term]:
    """Half the difference of differences: for a coefficient of centred columns, half of it."""
    straight = [term for term in mains if not term.curved]
    return [
        Term(one.parts + other.parts, interaction_name((one.name, other.name)), one.column * other.column, 0.5)
        for one, other in combinations(straight, 2)
        if one.parts[0][0] != other.parts[0][0]
    ]


def _aliases(terms: Sequence[Term], index: int, others: Sequence[int], row: Array) -> tuple[str, ...]:
    """Names of what is in the number of a term beside itself, the largest share first."""
    shares = [
        (float(row[at]) * terms[index - 1].scale / terms[other - 1].scale, terms[other - 1].name) for at, other in enumerate(others)
    ]
    shares = sorted((share for share in shares if share[0]), key=lambda share: -abs(round(share[0], 6)))
    named = [_share(share, name) for share, name in shares[:_LISTED]]
    return (*named, f"{len(shares) - _LISTED} more") if len(shares) > _LISTED else tuple(named)


def _share(share: float, name: str) -> str:
    """ "b × c" for the whole of it, "−b × c" for the whole with its sign turned, "0.33 of b × c" for a part."""
    sign = "−" if share < 0 else ""
    return f"{sign}{name}" if abs(abs(share) - 1) < 1e-6 else f"{sign}{abs(share):.2g} of {name}"
