"""Tests and intervals that hold whenever one stops to look, however often that is.

An e-process is evidence against a hypothesis under which it grows from 1 by no more than chance: that it ever reaches 1/level has at most
probability `level` (Ville 1939). Of m comparisons together, each has to reach m/level.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from math import exp, inf, log, log1p

import numpy as np
from numpy.typing import ArrayLike, NDArray

from assay.stats.simultaneous import Array

_PRIOR = 3.0
"""Increments after which the mixture of `Signs` tells most: those of a test of a dozen comparisons."""
_DOUBLINGS = 40
_HALVINGS = 30


class Signs:
    """Evidence on several means, each from increments of which each, less its share of the mean, is as likely as its negative.

    Of increment z with scale s (known before it), z/s counts, so that what is noisy counts less. Nothing else is assumed of the distribution:
    where the sign is a coin that was thrown to choose what is run, this holds by that coin alone.

    Args:
        count: how many means.

    Attributes:
        n: shape (count,), increments so far.
        highest: shape (count,), the largest log e-value against a mean of 0 after any increment.

    Source: de la Peña 1999 (symmetric increments); Robbins 1970 (normal mixture).

    >>> signs = Signs(1)
    >>> for value in [2.0] * 20:
    ...     signs.add(np.array([value]), 1.0, np.array([True]))
    >>> round(float(signs.estimate[0]), 1), bool(signs.highest[0] > log(20))
    (2.0, True)
    """

    def __init__(self, count: int) -> None:
        self.n = np.zeros(count, dtype=np.intp)
        self.highest = np.zeros(count)
        self._s, self._w, self._zz, self._zw, self._ww = (np.zeros(count) for _ in range(5))

    def add(self, values: Array, scale: float, at: NDArray[np.bool_]) -> None:
        """One increment more for some of the means.

        Args:
            values: shape (count,), finite.
            scale: > 0, chosen without a look at the signs of `values`.
            at: shape (count,), the means that have one.
        """
        z, w = np.where(at, values / scale, 0.0), np.where(at, 1 / scale, 0.0)
        self.n += at
        self._s += z
        self._w += w
        self._zz += z * z
        self._zw += z * w
        self._ww += w * w
        self.highest = np.maximum(self.highest, self.log_e(np.zeros(len(z))))

    @property
    def estimate(self) -> Array:
        """Means of the increments, those with a smaller scale counting more; NaN where there is none."""
        return np.asarray(np.divide(self._zw, self._ww, out=np.full(len(self.n), np.nan), where=self._ww > 0))

    def log_e(self, means: Array) -> Array:
        """Log of the e-values against these means, as they stand."""
        total = self._s - means * self._w
        square = np.maximum(self._zz - 2 * means * self._zw + means**2 * self._ww, 0.0)
        return np.asarray(total**2 / (2 * (square + _PRIOR)) - 0.5 * np.log1p(square / _PRIOR))

    def interval(self, level: Array) -> tuple[Array, Array]:
        """Lowest and highest means that the increments do not contradict at these levels; infinite where they tell too little."""
        known = self.n > 0
        unit = np.divide(1.0, np.sqrt(self._ww), out=np.ones(len(self.n)), where=known)
        centre = np.where(known, self.estimate, 0.0)
        low, high = (_edges(self.log_e, centre, side * unit, -np.log(level)) for side in (-1, 1))
        return np.where(known, low, -inf), np.where(known, high, inf)


def fewest(level: float) -> int:
    """How many increments `Signs` needs at least to reach a level: all of one sign and equal, of the size that tells most.

    With n of them the evidence is largest where their squares add up to 3 (n - 1) scales, and then has the logarithm (n - 1 - log n) / 2.

    >>> fewest(0.05)
    10
    """
    return next(n for n in count(1) if (n - 1 - log(n)) / 2 >= -log(level))


def t_log_e(values: ArrayLike, mean: float = 0.0) -> float:
    """Log of the right-Haar t e-value against a mean, of independent normal values of unknown spread; valid at any stop.

    Args:
        values: shape (n,), finite. Fewer than two, or a spread of 0, tell nothing: 0.

    Source: Pérez-Ortiz, Lardy, de Heide and Grünwald 2024 (E-statistics, group invariance and anytime-valid testing), with g = 1.
    """
    x = np.asarray(values, dtype=np.float64) - mean
    n = len(x)
    if n < 2 or np.ptp(x) == 0:
        return 0.0
    t_square = float(n * x.mean() ** 2 / x.var(ddof=1))
    degrees = n - 1
    grown = log1p(t_square / degrees) - log1p(t_square / (degrees * (1 + n)))
    return -0.5 * log(1 + n) + 0.5 * (degrees + 1) * grown


def t_interval(values: ArrayLike, level: float) -> tuple[float, float]:
    """Means that the values do not contradict by `t_log_e`; infinite where they tell too little."""
    x = np.asarray(values, dtype=np.float64)
    if len(x) < 2 or np.ptp(x) == 0:
        return -inf, inf

    def log_e(means: Array) -> Array:
        return np.array([t_log_e(x, float(mean)) for mean in means])

    low, high = (_edges(log_e, np.array([x.mean()]), np.array([side * np.ptp(x)]), np.array([-log(level)])) for side in (-1, 1))
    return float(low[0]), float(high[0])


def running(values: ArrayLike, level: float) -> tuple[float, tuple[float, float]]:
    """The highest log e-value after any of the values, and the intersection of the intervals after each."""
    x: Array = np.asarray(values, dtype=np.float64)
    highest, low, high = 0.0, -inf, inf
    for n in range(2, len(x) + 1):
        highest = max(highest, t_log_e(x[:n]))
        below, above = t_interval(x[:n], level)
        low, high = max(low, below), min(high, above)
    return highest, (low, high)


def any_time_p(log_e: float, comparisons: int) -> float:
    """The p-value that an e-value gives, corrected for the comparisons; valid at any stop."""
    return min(1.0, comparisons * exp(-max(log_e, 0.0)))


def _edges(log_e: Callable[[Array], Array], centre: Array, unit: Array, bound: Array) -> Array:
    """Where the evidence reaches the bound on one side, a little outside."""
    inner, step = centre.copy(), unit * 1e-3
    outer, open_ = centre + step, np.ones(len(centre), dtype=bool)
    for _ in range(_DOUBLINGS):
        open_ = log_e(outer) < bound
        if not open_.any():
            break
        inner, step = np.where(open_, outer, inner), np.where(open_, step * 2, step)
        outer = np.where(open_, centre + step, outer)
    for _ in range(_HALVINGS):
        middle = (inner + outer) / 2
        beyond = log_e(middle) >= bound
        inner, outer = np.where(beyond, inner, middle), np.where(beyond, middle, outer)
    return np.where(open_, np.sign(unit) * inf, outer)
