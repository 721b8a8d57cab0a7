"""Configurations over blocks: the additive model, and contrasts of configurations compared under the residual variance of that model.

A table has shape (blocks, configurations). A contrast is written as two aligned lists of columns, `plus` and `minus`; its value in a block
is the mean of the paired differences. So the effect in leave-one-out is one pair, a factorial main effect is one pair for each combination
of the other factors, and an interaction is half the difference of the differences. Differences are taken before means, so that what is
exactly equal is exactly 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import sqrt
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from assay.errors import InvalidValue
from assay.stats.multiplicity import holm
from assay.stats.paired import Comparison, comparison, paired_t
from assay.stats.simultaneous import Array, critical_value

Columns = NDArray[np.intp]


class Contrast(NamedTuple):
    """Aligned columns of a table: the value in a block is the mean of `plus` minus `minus`, or with `weights` their weighted sum."""

    plus: Columns
    minus: Columns
    weights: Array | None = None


class Residual(NamedTuple):
    """Residual mean square of an additive model, and its degrees of freedom."""

    mean_square: float
    df: int


def additive_residual(table: ArrayLike) -> Residual:
    """Residual of the additive model, configuration + block.

    Args:
        table: shape (blocks, configurations), both at least 2, finite.

    Raises:
        InvalidValue: the table is smaller, or a value is not finite.

    Source: Montgomery, Design and Analysis of Experiments, randomised complete blocks.
    """
    y = np.asarray(table, dtype=np.float64)
    if y.ndim != 2 or min(y.shape) < 2 or not np.all(np.isfinite(y)):
        raise InvalidValue(
            "no additive model fits this table", value=y.shape, expected="finite values, at least two blocks and two configurations"
        )
    left = y - y.mean(axis=0, keepdims=True)
    left = left - left.mean(axis=1, keepdims=True)
    df = (y.shape[0] - 1) * (y.shape[1] - 1)
    return Residual(float(np.sum(left * left) / df), df)


def contrast_values(table: ArrayLike, contrast: Contrast) -> Array:
    """Value of a contrast in every block, shape (blocks,); NaN where one of its values is."""
    y = np.asarray(table, dtype=np.float64)
    differences = y[:, contrast.plus] - y[:, contrast.minus]
    values = np.mean(differences, axis=1) if contrast.weights is None else differences @ contrast.weights
    return np.asarray(values, dtype=np.float64)


def of_weights(weights: Array) -> Contrast:
    """The contrast that gives every column its weight, as differences: what is taken from columns goes to others in their order.

    Args:
        weights: shape (configurations,), with sum 0 up to rounding.

    >>> of_weights(np.array([-1.0, 0.25, 0.75])).weights.tolist()
    [0.25, 0.75]
    """
    left = weights.astype(np.float64)
    high, low = np.flatnonzero(left > 0).tolist(), np.flatnonzero(left < 0).tolist()
    plus, minus, moved = [], [], []
    rounding = 1e-12 * float(np.abs(left).max(initial=0.0))
    while high and low:
        amount = min(left[high[0]], -left[low[0]])
        plus.append(high[0])
        minus.append(low[0])
        moved.append(float(amount))
        left[high[0]] -= amount
        left[low[0]] += amount
        high = high[1:] if left[high[0]] <= rounding else high
        low = low[1:] if -left[low[0]] <= rounding else low
    return Contrast(np.array(plus, dtype=np.intp), np.array(minus, dtype=np.intp), np.array(moved))


def equal_pairs(contrast: Contrast) -> float:
    """How many pairs without a common column, each as heavy as the other, would have a mean of the same variance."""
    share = np.full(len(contrast.plus), 1 / max(1, len(contrast.plus))) if contrast.weights is None else contrast.weights
    columns = np.concatenate([contrast.plus, contrast.minus])
    total = np.bincount(columns, np.concatenate([share, -share])) if len(columns) else np.zeros(1)
    return 2 / float(total @ total) if np.any(total) else 0.0


def main_effect(levels: ArrayLike, factor: int, level: int) -> Contrast:
    """Level minus baseline level (0) of a factor, averaged over all combinations of the others.

    Args:
        levels: shape (configurations, factors), integers; each combination once. Those without a counterpart are left out.
        factor: column of `levels`.
        level: 1 or more.

    Source: Montgomery, Design and Analysis of Experiments, chapter 6 (for two levels).
    """
    rows = {tuple(row): index for index, row in enumerate(np.asarray(levels).tolist())}
    counterparts = ((row, (*row[:factor], level, *row[factor + 1 :])) for row in rows if row[factor] == 0)
    met = [(rows[high], rows[low]) for low, high in counterparts if high in rows]
    plus, minus = ([pair[side] for pair in met] for side in (0, 1))
    return Contrast(np.array(plus, dtype=np.intp), np.array(minus, dtype=np.intp))


def interaction(levels: ArrayLike, first: tuple[int, int], second: tuple[int, int]) -> Contrast:
    """Half the difference between the effect of one factor with the other changed, and with it at its baseline level.

    Averaged over all combinations of the remaining factors. The four cells of combination i are pairs i and i + K, where K is the number
    of combinations: (both - only the second) and (neither - only the first). For two levels it is the textbook's interaction.

    Args:
        levels: shape (configurations, factors), integers; each combination once. Cells of which one is missing are left out.
        first, second: (column, level), level 1 or more.

    Source: Montgomery, Design and Analysis of Experiments, chapter 6 (for two levels).
    """
    (a, la), (b, lb) = first, second
    rows = {tuple(row): index for index, row in enumerate(np.asarray(levels).tolist())}

    def cell(row: tuple[int, ...], *, at_a: int, at_b: int) -> int | None:
        return rows.get(tuple(at_a if i == a else at_b if i == b else x for i, x in enumerate(row)))

    cells = [
        (index, cell(row, at_a=la, at_b=0), cell(row, at_a=0, at_b=lb), cell(row, at_a=la, at_b=lb))
        for row, index in rows.items()
        if row[a] == 0 and row[b] == 0
    ]
    met = np.array([each for each in cells if None not in each], dtype=np.intp).reshape(-1, 4)
    neither, only_a, only_b, both = met.T
    return Contrast(np.concatenate([both, neither]), np.concatenate([only_b, only_a]))


def blocked_dunnett(table: ArrayLike, *, baseline: int = 0, confidence: float = 0.95) -> list[Comparison]:
    """Every other configuration minus the baseline, with simultaneous intervals and adjusted p-values, in the order of the columns.

    Args:
        table: shape (blocks, configurations), finite; the residual of the additive model must not be 0.
        baseline: its column.
        confidence: of all intervals together.

    Raises:
        InvalidValue: the table is too small, not finite, or without any residual noise.

    Source: Dunnett 1955, with the residual mean square of randomised blocks.

    >>> rows = [[92.1, 91.8, 90.9, 92.0], [93.4, 93.0, 92.1, 93.6], [91.0, 90.9, 89.7, 91.2], [92.8, 92.2, 91.6, 92.7], [93.9, 93.7, 92.5, 94.1]]
    >>> [round(c.p, 3) for c in blocked_dunnett(rows)]
    [0.007, 0.0, 0.676]
    """
    y = np.asarray(table, dtype=np.float64)
    residual = additive_residual(y)
    others = [column for column in range(y.shape[1]) if column != baseline]
    estimates = [float(np.mean(y[:, column] - y[:, baseline])) for column in others]
    errors = [sqrt(2 * residual.mean_square / len(y))] * len(others)
    return pooled(estimates, errors, residual.df, (len(others),), confidence=confidence)


def pooled(
    estimates: Sequence[float], errors: Sequence[float], df: int, groups: tuple[int, ...], *, confidence: float = 0.95
) -> list[Comparison]:
    """Contrasts with standard errors from one residual variance: simultaneous intervals, adjusted p-values.

    Args:
        estimates, errors: one per contrast.
        df: degrees of freedom of the residual variance.
        groups: how the contrasts that were asked are correlated (see `simultaneous`); may count more than are given.

    Raises:
        InvalidValue: a standard error is 0: the differences are exact, and there is nothing to test.
    """
    if any(error <= 0 for error in errors):
        raise InvalidValue("there is no residual noise", value=list(errors), expected="standard errors above 0")
    critical = critical_value(df, groups, confidence)
    return [comparison(estimate, error, df, critical, groups) for estimate, error in zip(estimates, errors, strict=True)]


def separate(values: Sequence[Array], *, asked: int, confidence: float = 0.95) -> list[Comparison]:
    """Contrasts each under the spread of its own values: Bonferroni intervals that hold together, p-values by Holm.

    Args:
        values: for each contrast its finite values over the blocks, at least two and not all equal.
        asked: how many comparisons are corrected for, at least as many as given.

    Raises:
        InvalidValue: a contrast has fewer than two values, or no spread.
    """
    alone = [paired_t(each, confidence=confidence, comparisons=asked) for each in values]
    return [one._replace(p=p) for one, p in zip(alone, holm([one.p for one in alone], asked=asked), strict=True)]
