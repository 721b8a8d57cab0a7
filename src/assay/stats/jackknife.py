"""How far a variance lies from what a table says of it, without normal noise: by leaving out each level of each factor in turn."""

from __future__ import annotations

from collections.abc import Callable
from math import exp, inf, log

import numpy as np

from assay.stats.paired import rounding
from assay.stats.simultaneous import Array, t_quantile


def without_each_level(
    table: Array, factors: int, mean_square: Callable[[Array], float], fewest: int
) -> tuple[float, float] | None:
    """Ends of a 95 % interval of a mean square: its logarithm, give or take what its jackknife over any one factor allows, whichever is most.

    A chi-squared interval takes normal noise for granted, and is far too short where tails are heavier. Each level left out shows what single
    values do.

    Args:
        table: its first `factors` axes are crossed.
        factors: how many.
        mean_square: of a table of this kind.
        fewest: levels that a factor must keep for a mean square.

    Returns:
        None where no factor has a level to spare, or the mean square is rounding alone; infinite above where nothing is left without one of
        the levels.

    Source: Tukey 1958; Miller 1968, Jackknifing variances (the logarithm); Arvesen and Layard 1975 (levels of crossed factors).
    """
    whole = mean_square(table)
    if whole <= rounding(float(np.abs(table).max())) ** 2:
        return None
    halves = [_half(table, axis, whole, mean_square) for axis in range(factors) if table.shape[axis] > fewest]
    if not halves:
        return None
    half = max(halves)
    return (whole * exp(-half), whole * exp(half)) if half < 500 else (0.0, inf)


def _half(table: Array, axis: int, whole: float, mean_square: Callable[[Array], float]) -> float:
    """Half-width of the interval of the logarithm, by the levels of one factor."""
    size = table.shape[axis]
    left = np.array([mean_square(np.delete(table, level, axis)) for level in range(size)])
    if left.min() <= 1e-12 * whole:  # all of it was one level's, up to rounding
        return inf
    pseudo = size * log(whole) - (size - 1) * np.log(left)
    return t_quantile(0.975, size - 1) * float(np.std(pseudo, ddof=1)) / float(np.sqrt(size))
