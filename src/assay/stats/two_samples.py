"""Two independent samples: the difference of their means, and the runs that an equivalence of them needs."""

from __future__ import annotations

from math import isfinite, sqrt
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtr

from assay.errors import InvalidValue
from assay.stats.paired import Comparison, checked, comparison
from assay.stats.power import first_enough
from assay.stats.simultaneous import scale_nodes, t_quantile


class Scatter(NamedTuple):
    """Standard deviation (ddof 1) and size of one sample."""

    sd: float
    n: int


def difference_of_means(a: ArrayLike, b: ArrayLike, *, confidence: float = 0.95) -> Comparison:
    """Mean of `b` minus mean of `a`, with its interval: Welch's, and where one side has a single value, that of the pooled t.

    The pooled t takes it that both sides scatter alike, as nothing else can be said of a side with one value.

    Args:
        a, b: shape (n,), finite; together at least three values, which scatter.
        confidence: coverage of the interval.

    Raises:
        InvalidValue: there are fewer values, one is not finite, or neither side scatters.

    Source: Welch 1947, with Satterthwaite's degrees of freedom; for a single value, Crawford and Howell 1998.

    >>> sleep = [0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0], [1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4]
    >>> round(difference_of_means(*sleep).p, 4)
    0.0794
    """
    one, other = checked(a), checked(b)
    se, df = standard_error(*(_scatter(values) for values in (one, other)))
    if not se > 0:
        raise InvalidValue(
            "no interval exists",
            value=[one.tolist(), other.tolist()],
            expected="at least three values on the two sides together, which are not all equal",
        )
    return comparison(float(np.mean(other) - np.mean(one)), se, df, t_quantile((1 + confidence) / 2, df))


def _scatter(values: np.ndarray) -> Scatter:
    return Scatter(float(np.std(values, ddof=1)) if len(values) > 1 else 0.0, len(values))


def standard_error(a: Scatter, b: Scatter) -> tuple[float, float]:
    """Standard error of the difference of two means, and its degrees of freedom; both 0 where nothing scatters."""
    if min(a.n, b.n) < 1 or a.n + b.n < 3:
        return 0.0, 0.0
    if min(a.n, b.n) == 1:
        sd = max(a, b, key=lambda side: side.n).sd
        return sd * sqrt(1 / a.n + 1 / b.n), a.n + b.n - 2
    parts = a.sd**2 / a.n, b.sd**2 / b.n
    weight = parts[0] ** 2 / (a.n - 1) + parts[1] ** 2 / (b.n - 1)
    return (sqrt(sum(parts)), sum(parts) ** 2 / weight) if weight else (0.0, 0.0)


def runs_for_equivalence(effect: float, margin: float, a: Scatter, b: Scatter, *, power: float = 0.8) -> int | None:
    """Size of the second sample with which two one-sided tests (5 % each) place `effect` within the margin, the first staying as it is.

    Args:
        effect, margin: true difference of the means, and the margin, in the metric's unit.
        a, b: how the two sides scatter; of `b` only its standard deviation counts.
        power: probability of deciding so.

    Returns:
        None where the effect is not inside the margin, or no number up to `assay.stats.power.MOST_SEEDS` would be enough: the first
        sample is then too small.

    Source: Schuirmann 1987; the power is bounded from below by that of the two tests minus 1, which is sharp where it is high.
    """
    if not (isfinite(effect) and abs(effect) < margin):
        return None

    def enough(size: int) -> bool:
        se, df = standard_error(a, Scatter(b.sd, size))
        if not se > 0:
            return False
        critical = t_quantile(0.95, df)
        scale, weight = scale_nodes(df)
        above, below = (margin + effect) / se, (margin - effect) / se
        both = float(weight @ np.maximum(ndtr(above - critical * scale) + ndtr(below - critical * scale) - 1, 0))
        return both >= power

    return first_enough(enough)
