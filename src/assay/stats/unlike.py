"""Noise that is not alike: which configurations, or which effects, vary more between blocks than one pooled residual says.

A pooled residual is right where all configurations are equally noisy. One that is noisier has a narrower interval than it should, and makes
those of the others wider. So the noise of each is held against that of the others. Where it is larger, the comparison's interval is the
wider one of two: under the pooled residual, and under spreads of its own (`assay.stats.own_noise`). That costs no false alarm where all are
alike, since no interval becomes narrower. Where it is larger beyond doubt, it is left out of the residual of the others.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import fdtr

from assay.stats.paired import Comparison
from assay.stats.simultaneous import Array

APART = 20.0
"""Ratio of variances beyond which a configuration says nothing of the noise of the others."""

_MOST_APART = 8
_FEWEST = 3
"""Configurations without which none can be held against others: two have one difference."""


class Noise(NamedTuple):
    """What the configurations of a table say of its noise; every field but the last may have leading axes.

    Attributes:
        ratios: for each configuration its variance over that of the others in the pool; NaN for fewer than three.
        pool: whether it is in the pooled residual.
        mean_square: of the pooled residual.
        df: its degrees of freedom.
        own: for each configuration the variance over the blocks of its value minus the mean of the others in the pool.
        rest: for each configuration the residual mean square of the others in the pool; NaN for fewer than three.
        others: how many these are.
        blocks: how many there are.
    """

    ratios: Array
    pool: NDArray[np.bool_]
    mean_square: Array
    df: NDArray[np.intp]
    own: Array
    rest: Array
    others: NDArray[np.intp]
    blocks: int


def noise_of(table: ArrayLike) -> Noise:
    """The noise of every configuration, and the residual of those that are not far apart from the others.

    A ratio is the variance over the blocks of the configuration minus the mean of the others, over the residual mean square of the others.
    Under equal noise it is an F with (n - 1) and (k - 1)(n - 1) degrees of freedom, for k + 1 configurations in n blocks.

    Args:
        table: shape (..., blocks, configurations), finite, at least 2 of both.

    Source: Russell and Bradley 1958, one-way variances in a two-way classification.

    >>> noise_of([[1.0, 2.0, 3.0], [1.0, 2.5, 5.0], [2.0, 3.0, 1.0]]).ratios.round(2).tolist()
    [0.48, 0.23, 92.33]
    """
    y = np.asarray(table, dtype=np.float64)
    y = y - y.mean(axis=-2, keepdims=True)
    pool = np.ones((*y.shape[:-2], y.shape[-1]), dtype=bool)
    ratios, total = _ratios(y, pool)
    for _ in range(min(_MOST_APART, y.shape[-1] - _FEWEST)):
        among = np.where(pool & np.isfinite(ratios), ratios, 0.0)
        far = (among == among.max(axis=-1, keepdims=True)) & (among > APART)
        if not far.any():
            break
        pool &= ~far
        again, total = _ratios(y, pool)
        ratios = np.where(pool, again, ratios)
    df = (pool.sum(axis=-1) - 1) * (y.shape[-2] - 1)
    return Noise(ratios, pool, np.asarray(total / df), df, *_apart(y, pool, total), y.shape[-2])


def contrast_ratio(values: ArrayLike, *, weight: float, residual: float, contrasts: int) -> float:
    """The noise variance of one contrast over that of everything orthogonal to it; NaN where that is nothing.

    Args:
        values: the contrast in every block, shape (blocks,), finite.
        weight: how many pairs without a common column would have a mean of its variance (see `equal_pairs`).
        residual: residual sum of squares of the additive model.
        contrasts: configurations less 1, into which the residual falls.
    """
    y = np.asarray(values, dtype=np.float64)
    own = float(np.sum((y - y.mean()) ** 2)) * weight / 2
    return float(_over_rest(np.array(own), np.array(residual), np.array(contrasts)))


def is_unlike(ratios: ArrayLike, blocks: int) -> NDArray[np.bool_]:
    """Whether these ratios of variances are too large for the pooled residual: above 3, with three blocks or fewer above 2.

    Few blocks hardly tell a variance, so there it takes less. Of effects that average over many configurations, and of what is said of noise;
    single pairs have tighter bounds (`assay.stats.own_noise`).
    """
    return np.asarray(np.asarray(ratios, dtype=np.float64) > _bound(blocks))


def kept_alike(blocks: int, contrasts: int) -> float:
    """Chance that a contrast which is as noisy as the others is taken for it: its ratio is an F with n - 1 and (k - 1)(n - 1) degrees of freedom.

    Args:
        blocks: seeds, at least 2.
        contrasts: configurations less 1.

    >>> [round(kept_alike(n, 15), 2) for n in (2, 3, 4, 5, 10)]
    [0.82, 0.85, 0.96, 0.97, 1.0]
    """
    if contrasts < _FEWEST - 1:
        return 1.0
    return float(fdtr(blocks - 1, (contrasts - 1) * (blocks - 1), _bound(blocks)))


def wider(pooled: Comparison, own: Comparison) -> Comparison:
    """The comparison with the wider interval, and the larger of both p-values.

    Args:
        pooled: under the residual that all share.
        own: under spreads of its own, corrected for as many comparisons.
    """
    chosen = own if own.high - own.low > pooled.high - pooled.low else pooled
    return chosen._replace(p=max(pooled.p, own.p))


def _bound(blocks: int) -> float:
    return 2 if blocks <= 3 else 3


def _ratios(centred: Array, pool: NDArray[np.bool_]) -> tuple[Array, Array]:
    """Ratios among the configurations of the pool, and its residual sum of squares."""
    number = pool.sum(axis=-1, keepdims=True)
    inside = pool[..., None, :]
    left = (centred - np.sum(centred * inside, axis=-1, keepdims=True) / number[..., None, :]) * inside
    squares = np.sum(left * left, axis=-2)
    total = np.asarray(squares.sum(axis=-1))
    return _over_rest(squares * number / (number - 1), total[..., None], number - 1), total


def _apart(centred: Array, pool: NDArray[np.bool_], total: Array) -> tuple[Array, Array, NDArray[np.intp]]:
    """The last three arrays of `Noise`, by the pool's residual sum of squares."""
    inside = pool[..., None, :]
    others = pool.sum(axis=-1, keepdims=True) - pool
    sums = np.sum(centred * inside, axis=-1, keepdims=True) - centred * inside
    less_one = centred.shape[-2] - 1
    own = np.sum((centred - sums / others[..., None, :]) ** 2, axis=-2) / less_one
    left = np.where(pool, total[..., None] - own * less_one * others / (others + 1), total[..., None])
    with np.errstate(divide="ignore", invalid="ignore"):
        rest = np.where(others < _FEWEST - 1, np.nan, np.maximum(left, 0.0) / ((others - 1) * less_one))
    return np.asarray(own), np.asarray(rest), others


def _over_rest(own: Array, total: Array, contrasts: NDArray[np.intp]) -> Array:
    rest = total - own
    # What rounding leaves of nothing is nothing: then whatever varies at all is infinitely noisier.
    rest = np.where(rest <= 1e-12 * total, 0.0, rest)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.where(contrasts < _FEWEST - 1, np.nan, (contrasts - 1) * own / rest), dtype=np.float64)
