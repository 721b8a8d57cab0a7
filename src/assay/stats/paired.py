"""Paired differences over few seeds: interval, standardised size, probability of improvement.

No bootstrap: below 20 seeds its intervals are too short.
"""

from __future__ import annotations

from math import exp, lgamma, log, nan, sqrt
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import betaincinv

from assay.errors import InvalidValue
from assay.stats.simultaneous import Array, adjusted_p, t_quantile


class Comparison(NamedTuple):
    """An estimate with its interval, in the unit of the data.

    Attributes:
        estimate: mean difference.
        low, high: interval (simultaneous, where several comparisons were made).
        p: p-value against 0 (corrected, where several comparisons were made).
        t, df, se: statistic, degrees of freedom, standard error of the estimate.
    """

    estimate: float
    low: float
    high: float
    p: float
    t: float
    df: float
    se: float


def paired_t(differences: ArrayLike, *, confidence: float = 0.95, comparisons: int = 1) -> Comparison:
    """Student's interval for the mean of paired differences.

    Args:
        differences: shape (n,), one per block, finite; n >= 2 and not all equal.
        confidence: coverage; with `comparisons` > 1, of all their intervals together (Bonferroni).
        comparisons: how many intervals hold together. The p-value is not corrected here; `holm` does that.

    Raises:
        InvalidValue: fewer than two differences, one is not finite, or all are equal (their spread is no measure of noise).

    Source: Student 1908; Bonferroni as in Dunn 1961.

    >>> round(paired_t([0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0]).high, 4)
    2.0298
    """
    values = checked(differences)
    n = len(values)
    sd = float(np.std(values, ddof=1)) if n > 1 else 0.0
    if n < 2 or sd == 0.0:
        raise InvalidValue("no interval exists", value=values.tolist(), expected="at least two differences that are not all equal")
    return comparison(float(np.mean(values)), sd / sqrt(n), n - 1, t_quantile(1 - (1 - confidence) / (2 * comparisons), n - 1))


def comparison(
    estimate: float, se: float, df: float, critical: float, groups: tuple[int, ...] = (1,), correlation: float = 0.5
) -> Comparison:
    """The estimate with `critical` standard errors on both sides, and its p-value corrected for `groups` (see `simultaneous`)."""
    t = estimate / se
    half = critical * se
    return Comparison(estimate, estimate - half, estimate + half, adjusted_p(t, df, groups, correlation), t, df, se)


def standardised(differences: ArrayLike) -> float:
    """Mean paired difference in standard deviations (ddof 1), with Hedges' correction of its small-sample bias (d_z).

    Args:
        differences: shape (n,), finite.

    Returns:
        NaN for fewer than three differences (the correction is 0 with one degree of freedom), or where all are equal.

    Source: Hedges 1981, equation 6e (exact factor), with n - 1 degrees of freedom.

    >>> round(standardised([1.0, 2.0, 3.0, 4.0]), 4)
    1.4012
    """
    values = checked(differences)
    if len(values) < 3 or np.ptp(values) == 0:
        return nan
    df = len(values) - 1
    correction = exp(lgamma(df / 2) - lgamma((df - 1) / 2) - 0.5 * log(df / 2))
    return correction * float(np.mean(values) / np.std(values, ddof=1))


def superiority(differences: ArrayLike, *, confidence: float = 0.95) -> tuple[float, float, float]:
    """Probability that a difference is above 0: the share of those seen, ties counted half, with an interval that holds whatever the noise is.

    Where differences are normal their size would tell more, but an interval from it breaks with the noise: of true chances of 0.98 it holds 95 of
    100 where it is normal, and 41 of 100 where it is skewed (10 differences). So signs alone count here, and sizes in `standardised`.

    Args:
        differences: shape (n,), finite, independent; turn the sign where less is better.
        confidence: of the interval, at least; signs come in steps, so it mostly holds more often.

    Returns:
        Share, low, high; three NaN for no difference at all.

    Source: Clopper and Pearson 1934 (the interval); Agarwal and others 2021 (the probability of improvement).

    >>> [round(x, 4) for x in superiority([1, 2, 3, 4, 5])]
    [1.0, 0.4782, 1.0]
    """
    values = checked(differences)
    n, tail = len(values), (1 - confidence) / 2
    if n == 0:
        return nan, nan, nan
    wins = float(np.sum(values > 0) + 0.5 * np.sum(values == 0))
    low = float(betaincinv(wins, n - wins + 1, tail)) if wins > 0 else 0.0
    high = float(betaincinv(wins + 1, n - wins, 1 - tail)) if wins < n else 1.0
    return wins / n, low, high


def is_constant(differences: ArrayLike, scale: float) -> bool:
    """Whether differences of numbers of size `scale` are equal up to rounding in 64 bits: exact, so without noise to speak of.

    >>> is_constant([0.93 - 0.92, 0.53 - 0.52], scale=0.93)
    True
    """
    values = checked(differences)
    return len(values) > 0 and bool(np.ptp(values) <= rounding(scale))


def rounding(scale: float) -> float:
    """Range within which differences of numbers of size `scale` are equal in 64 bits."""
    # Below 1e-150 squares underflow, so a spread could not be told from none anyway.
    return float(max(64 * np.finfo(np.float64).eps * abs(scale), 1e-150))


def checked(values: ArrayLike) -> Array:
    """The values as a vector of finite 64-bit floats.

    Raises:
        InvalidValue: another shape, or a value that is not finite; what is missing is dropped by the caller, who says so.
    """
    array = np.asarray(values, dtype=np.float64)
    if array.ndim != 1 or not np.all(np.isfinite(array)):
        raise InvalidValue("these are not paired differences", value=array.tolist(), expected="a vector of finite numbers")
    return array
