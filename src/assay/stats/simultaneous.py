"""Many comparisons at once: the distribution of the largest |t| of contrasts that share one residual variance.

The contrasts come in groups. Within a group every two have one correlation, 1/2 where all configurations are equally noisy (several variants
against one baseline: Dunnett 1955); between groups they are taken as uncorrelated, which is exact for the effects of a balanced factorial and
errs on the safe side elsewhere (the Gaussian correlation inequality, Royen 2014). One group of k is Dunnett's two-sided test; k groups of one
is the studentised maximum modulus. All by Gauss-Legendre quadrature: deterministic; at the 5 % level and correlation 1/2 the error is below
1e-8 with one degree of freedom and below 1e-11 from two on.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from math import log

import numpy as np
from numpy.typing import NDArray
from scipy.special import erfc, gammainccinv, gammaincinv, gammaln, ndtr, stdtr, stdtrit

Array = NDArray[np.float64]

_NORMAL_POINTS = 48
_MORE_POINTS = 160  # the more the contrasts have in common, the steeper what is averaged
_NORMAL_REACH = 12.0  # beyond it the normal density is below 1e-31


def adjusted_p(t: float, df: float, groups: tuple[int, ...], correlation: float = 0.5) -> float:
    """P(max |T| >= |t|): the single-step p-value of a comparison, corrected for all of them.

    Args:
        t: statistic of one contrast.
        df: degrees of freedom of the residual variance that all share.
        groups: sizes of the groups of contrasts; (k,) for k variants against one baseline.
        correlation: of every two contrasts of one group, from 0 to 0.95.

    >>> round(adjusted_p(2.0, 10, (1,)), 6)
    0.073388
    """
    if np.isnan(t):
        return float("nan")
    if groups == (1,):
        return float(2 * stdtr(df, -abs(t)))
    scale, weight = scale_nodes(df)
    return min(1.0, float(weight @ _exceeds(abs(t) * scale, groups, correlation)))


@lru_cache(maxsize=4096)
def critical_value(df: float, groups: tuple[int, ...], confidence: float = 0.95, correlation: float = 0.5) -> float:
    """The c with P(max |T| <= c) = `confidence`: half-widths of simultaneous intervals are c times the standard error.

    Args:
        df: degrees of freedom of the shared residual variance.
        groups: sizes of the groups of contrasts; (k,) gives Dunnett's two-sided value.
        confidence: simultaneous coverage.
        correlation: of every two contrasts of one group, from 0 to 0.95.

    >>> round(critical_value(12, (3,)), 4)
    2.6829
    """
    alpha = 1 - confidence
    low = t_quantile(1 - alpha / 2, df)
    if sum(groups) == 1:
        return low
    high = t_quantile(1 - alpha / (2 * sum(groups)), df) * (1 + 1e-9)
    return root(lambda c: adjusted_p(c, df, groups, correlation) - alpha, low, high)


def t_quantile(probability: float, df: float) -> float:
    """Quantile of Student's t."""
    return float(stdtrit(df, probability))


@lru_cache(maxsize=512)
def scale_nodes(df: float) -> tuple[Array, Array]:
    """Points and weights to average a function of s over the distribution of s = sqrt(chi-squared / df), on an even grid of log s."""
    half = df / 2
    low = 0.5 * log(max(gammaincinv(half, 1e-20), 1e-300) / half)
    high = 0.5 * log(gammainccinv(half, 1e-20) / half)
    nodes, weights = _legendre(160 if df < 10 else 72)  # log s spans 46 units at df 1, 8 at df 10
    u = (high - low) / 2 * nodes + (high + low) / 2
    density = np.exp(log(2) + half * log(half) - gammaln(half) + df * u - half * np.exp(2 * u))
    return np.exp(u), (high - low) / 2 * weights * density


@lru_cache(maxsize=4)
def _legendre(points: int) -> tuple[Array, Array]:
    """Gauss-Legendre points and weights on [-1, 1]; NumPy solves an eigenvalue problem for them each time."""
    return np.polynomial.legendre.leggauss(points)


@lru_cache(maxsize=2)
def _normal_nodes(points: int) -> tuple[Array, Array]:
    """Points and weights to average an even function over the standard normal."""
    nodes, weights = _legendre(points)
    z = _NORMAL_REACH / 2 * (nodes + 1)
    return z, _NORMAL_REACH * weights * np.exp(-z * z / 2) / np.sqrt(2 * np.pi)


def root(function: Callable[[float], float], low: float, high: float, *, relative: float = 1e-11) -> float:
    """Where a continuous function that changes sign between `low` and `high` is zero (the Illinois form of regula falsi)."""
    at_low, at_high = function(low), function(high)
    for _ in range(200):
        if at_low == at_high or abs(high - low) <= relative * abs(high):
            break
        middle = (low * at_high - high * at_low) / (at_high - at_low)
        if not min(low, high) < middle < max(low, high):
            break
        value = function(middle)
        if value * at_high < 0:
            low, at_low = high, at_high
        else:
            at_low /= 2
        converged = abs(high - middle) <= relative * abs(middle)
        high, at_high = middle, value
        if value == 0 or converged:
            break
    return high


def _exceeds(x: Array, groups: tuple[int, ...], correlation: float) -> Array:
    """1 - product over the groups of P(all |Z| <= x), without loss of digits where it is tiny."""
    kept = np.zeros_like(x)
    for size in set(groups):
        with np.errstate(divide="ignore"):  # log1p(-1) = -inf is right: no chance that all stay below
            kept += groups.count(size) * np.log1p(-_one_group(x, size, correlation))
    result: Array = -np.expm1(kept)
    return result


def _one_group(x: Array, size: int, correlation: float) -> Array:
    """P(some |Z_i| > x) of `size` standard normals with equal correlations, by conditioning on their common part (Dunnett 1955)."""
    if size == 1:
        return np.asarray(erfc(x / np.sqrt(2)), dtype=np.float64)
    z, weight = _normal_nodes(_NORMAL_POINTS if correlation <= 0.5 else _MORE_POINTS)
    wide = x[:, None] / np.sqrt(1 - correlation)
    z = z * np.sqrt(correlation / (1 - correlation))
    outside = np.minimum(ndtr(-wide - z) + ndtr(z - wide), 1.0)
    with np.errstate(divide="ignore"):
        some = -np.expm1(size * np.log1p(-outside))
    return np.asarray(np.minimum(some @ weight, 1.0), dtype=np.float64)
