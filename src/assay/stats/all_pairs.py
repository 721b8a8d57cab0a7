"""Every two configurations of a table against each other, with intervals that hold together."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from assay.stats.paired import rounding
from assay.stats.simultaneous import Array, critical_value, t_quantile
from assay.stats.unlike import is_unlike, noise_of


class AllPairs(NamedTuple):
    """Mean of row minus column, and the half-width of its interval, shape (configurations, configurations).

    A half-width is 0 where the difference is the same in every block, and infinite where one block alone tells it.
    """

    differences: Array
    half: Array


def all_pairs(table: ArrayLike, *, families: int = 1, confidence: float = 0.95) -> AllPairs:
    """All paired differences, corrected for their number: blocked pairs under the pooled residual, wider where noise is not alike.

    Args:
        table: shape (blocks, configurations), finite, at least one of each.
        families: how many such tables share the error (Bonferroni).
        confidence: of all intervals of all families together.

    Source: the studentised maximum modulus, which is on the safe side of Tukey 1953.
    """
    y = np.asarray(table, dtype=np.float64)
    blocks, number = y.shape
    means = y.mean(axis=0)
    differences = np.asarray(means[:, None] - means[None, :])
    if blocks < 2 or number < 2:
        return AllPairs(differences, np.where(np.eye(number) > 0, 0.0, np.inf))
    pairs = number * (number - 1) // 2
    within = 1 - (1 - confidence) / families
    spread = np.stack([(y - y[:, [column]]).std(axis=0, ddof=1) for column in range(number)])
    exact = np.stack([np.ptp(y - y[:, [column]], axis=0) for column in range(number)]) <= rounding(float(np.abs(y).max()))
    half = t_quantile(1 - (1 - within) / (2 * pairs), blocks - 1) * spread / np.sqrt(blocks)
    # One that repeats another's noise tells nothing about the residual.
    own = [column for column in range(number) if not exact[column, :column].any()]
    if len(own) > 1:
        noise = noise_of(y[:, own])
        pooled = critical_value(int(noise.df), (1,) * pairs, within) * np.sqrt(2 * float(noise.mean_square) / blocks)
        ratios = np.full(number, np.inf)
        ratios[own] = np.nan_to_num(noise.ratios, nan=0.0)
        for column in set(range(number)) - set(own):
            ratios[column] = ratios[own][[exact[column, other] for other in own].index(True)]
        unlike = is_unlike(ratios, blocks)
        half = np.where(unlike[:, None] | unlike[None, :], np.maximum(half, pooled), pooled)
    return AllPairs(differences, np.where(exact, 0.0, half))
