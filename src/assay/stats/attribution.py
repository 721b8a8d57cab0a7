"""Effects of the terms of one model, by least squares within blocks, and each unit's Shapley value."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from math import inf, nan, sqrt
from typing import NamedTuple

import numpy as np

from assay.stats.simultaneous import Array, t_quantile
from assay.stats.sparse import Model, bits_of, support
from assay.stats.sparse_posterior import Responses, columns


class Coefficients(NamedTuple):
    """Least squares of a model.

    Attributes:
        terms: as in the model.
        values: shape (terms,).
        covariance: shape (terms, terms), with the residual mean square.
        df: residual degrees of freedom; 0 where every response was needed for the fit.
    """

    terms: Model
    values: Array
    covariance: Array
    df: int


def least_squares(responses: Responses, model: Model) -> Coefficients:
    """Coefficients of the terms, with an intercept for every block.

    What the responses cannot tell apart gets the solution of least norm, and infinite variance.

    Source: Searle 1971, Linear Models, chapter 5 (estimability, generalised inverse).
    """
    own = np.equal.outer(responses.blocks, np.unique(responses.blocks)).astype(np.float64)
    x = np.column_stack([columns(responses.states, np.array(model, dtype=np.int64)), own])
    inverse = np.linalg.pinv(x)
    solution, rank = inverse @ responses.values, int(np.linalg.matrix_rank(x))
    df = len(responses.values) - rank
    left = responses.values - x @ solution
    square = float(left @ left) / df if df else 0.0
    covariance = square * (inverse @ inverse.T)[: len(model), : len(model)]
    told = np.linalg.matrix_rank(np.vstack([x, np.eye(x.shape[1])[: len(model)]])) == rank
    return Coefficients(model, solution[: len(model)], covariance if told else np.full_like(covariance, inf), df)


def shapley_weights(model: Model, unit: int) -> Array:
    """The Shapley value of a unit as a combination of a model's coefficients: a term is shared evenly by its units.

    Source: Shapley 1953 (the value of a unanimity game is shared evenly by its carrier; the value is linear).

    >>> shapley_weights((0b01, 0b10, 0b11), 0).tolist()
    [1.0, 0.0, 0.5]
    """
    return np.array([1 / term.bit_count() if term >> unit & 1 else 0.0 for term in model])


def combination(fit: Coefficients, weights: Array, *, confidence: float, exact: bool = False) -> tuple[float, float, float]:
    """A weighted sum of coefficients: estimate, and Student's interval for it.

    Args:
        fit: the coefficients.
        weights: shape (terms,).
        confidence: coverage of the interval.
        exact: there is no noise: where nothing is left to judge the fit by, the estimate itself is the interval.

    Returns:
        low and high are NaN where noise cannot be told (no degree of freedom), or the responses do not determine the sum.
    """
    estimate = float(fit.values @ weights)
    variance = float(weights @ fit.covariance @ weights) if np.all(np.isfinite(fit.covariance)) else inf
    if variance == inf or (fit.df == 0 and not exact):
        return estimate, nan, nan
    half = t_quantile(0.5 + confidence / 2, fit.df) * sqrt(max(variance, 0.0)) if fit.df else 0.0
    return estimate, estimate - half, estimate + half


def smallest_mover(fit: Coefficients, gap: float, slack: float) -> int:
    """The smallest set of units, as bits, that alone moves the response by the gap, up to `slack`; 0 where none does.

    Of several of one size, the one that moves it furthest.
    """
    units = bits_of(support(fit.terms))
    for number in range(1, len(units) + 1):
        sets = [sum(1 << unit for unit in each) for each in combinations(units, number)]
        moves = [moved(fit, each) * (1 if gap > 0 else -1) for each in sets]
        if max(moves) >= abs(gap) - slack:
            return sets[int(np.argmax(moves))]
    return 0


def moved(fit: Coefficients, state: int) -> float:
    """How far the units of a state together move the response from where none of them is set."""
    return float(columns(np.array([state]), np.array(fit.terms, dtype=np.int64))[0] @ fit.values)


def estimable(states: Sequence[Sequence[bool]]) -> list[bool]:
    """For each unit whether its main effect is told apart from those of all others: its column is no combination of theirs and 1.

    Args:
        states: one row a response, one column a unit.
    """
    x = np.asarray(states, dtype=np.float64)
    full = np.column_stack([np.ones(len(x)), x])
    # A column is no combination of the others exactly where the null space never touches it.
    _, singular, right = np.linalg.svd(full)
    rank = int(np.sum(singular > 1e-9 * max(float(singular[0]), 1.0)))
    return [bool(np.all(np.abs(right[rank:, at + 1]) < 1e-9)) for at in range(x.shape[1])]
