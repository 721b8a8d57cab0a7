"""Tests and intervals of the mean of bounded differences that hold whenever one stops to look, whatever the differences are like otherwise.

A gambler bets on each difference before it is seen, at odds that are fair where the mean is m. So the capital is an e-process against that mean:
it reaches 1/level with at most probability `level`, however often one looks (Ville 1939). Means against which it did so are ruled out.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from assay.stats.simultaneous import Array

_MOST = 0.75
"""Share of what could be lost at once that is bet at most."""
_GRID, _HALVINGS = 401, 40


def log_capital(differences: ArrayLike, means: ArrayLike, level: float) -> Array:
    """Log of the hedged capital after each difference: half is bet on a larger mean, half on a smaller one, and the better half counts.

    Args:
        differences: shape (…, n), each within -1 and 1, and each with the same mean given those before.
        means: shape (…), within -1 and 1: what is bet against.
        level: at which the bets tell most; any other is valid too.

    Source: Waudby-Smith and Ramdas 2024 (Estimating means of bounded random variables by betting, theorem 3 and equation 26), with truncation
    at 3/4.

    >>> bool(log_capital([0.5] * 20, 0.0, 0.05)[-1] > np.log(20))
    True
    """
    x = (1 + np.asarray(differences, dtype=np.float64)) / 2
    m = np.clip((1 + np.asarray(means, dtype=np.float64)) / 2, 1e-12, 1 - 1e-12)[..., None]
    t = np.arange(1, x.shape[-1] + 1)
    centre = (0.5 + np.cumsum(x, axis=-1)) / (t + 1)
    variance = (0.25 + np.cumsum((x - centre) ** 2, axis=-1)) / (t + 1)
    known = np.concatenate([np.full_like(x[..., :1], 0.25), variance[..., :-1]], axis=-1)
    bet = np.sqrt(2 * np.log(2 / level) / (known * t * np.log1p(t)))
    larger = np.cumsum(np.log1p(np.minimum(bet, _MOST / m) * (x - m)), axis=-1)
    smaller = np.cumsum(np.log1p(-np.minimum(bet, _MOST / (1 - m)) * (x - m)), axis=-1)
    return np.asarray(np.maximum(larger, smaller) - np.log(2))


def bounded_running(differences: ArrayLike, level: float) -> tuple[float, tuple[float, float]]:
    """The highest log e-value against a mean of 0 after any of the differences, and the means that were never ruled out.

    Args:
        differences: shape (n,), each within -1 and 1.
        level: chance that the interval ever leaves the mean out.
    """
    values = np.asarray(differences, dtype=np.float64)
    if not len(values):
        return 0.0, (-1.0, 1.0)

    def highest(means: Array) -> Array:
        return np.asarray(log_capital(values, means, level).max(axis=-1))

    grid = np.linspace(-1, 1, _GRID)
    inside = float(grid[np.argmin(highest(grid))])
    bound = -np.log(level)
    # What the capital rules out lies on either side of the mean that it speaks against least.
    edges = np.array([-1.0, 1.0])
    within = np.full(2, inside)
    ruled_out = highest(edges) >= bound
    for _ in range(_HALVINGS):
        middle = (within + edges) / 2
        out = highest(middle) >= bound
        within, edges = np.where(out, within, middle), np.where(out, middle, edges)
    low, high = np.where(ruled_out, edges, [-1.0, 1.0])
    return max(0.0, float(highest(np.zeros(1))[0])), (float(low), float(high))
