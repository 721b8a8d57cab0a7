"""What a number of seeds can show: the smallest effect that is seen, and the seeds that an effect needs. By noncentral t, no simulation."""

from __future__ import annotations

from collections.abc import Callable
from math import isfinite, sqrt

import numpy as np
from scipy.special import ndtr, ndtri

from assay.stats.simultaneous import critical_value, root, scale_nodes, t_quantile

MOST_SEEDS = 1000
"""Beyond it the answer is not a number of seeds but another experiment."""


_MANY = 1000
"""Degrees of freedom from which on a critical value is not computed anew for each number of them: a study of hundreds asks for hundreds."""


def power_of_t(ncp: float, df: float, critical: float) -> float:
    """P(|T| > critical) of a noncentral t: the power of a two-sided test.

    Args:
        ncp: noncentrality, the effect in standard errors.
        df: degrees of freedom.
        critical: critical value of |T|.

    Source: Johnson, Kotz and Balakrishnan, Continuous Univariate Distributions 2, chapter 31, by quadrature over the scale.
    """
    scale, weight = scale_nodes(df)
    return float(weight @ (ndtr(ncp - critical * scale) + ndtr(-ncp - critical * scale)))


def detectable(
    blocks: int, *, df: float, groups: tuple[int, ...], pairs: float = 1, power: float = 0.8, confidence: float = 0.95
) -> float:
    """Smallest effect that one comparison shows with the given power, in standard deviations of a single paired difference.

    Args:
        blocks: seeds, at least 2.
        df: degrees of freedom of the residual variance.
        groups: sizes of the groups of comparisons that are corrected for (see `simultaneous`).
        pairs: paired differences within a block that the effect averages over (1 in leave-one-out).

    >>> round(detectable(3, df=2, groups=(1,)), 1)
    3.3
    """
    critical = critical_value(df, groups, confidence)
    high = critical + 10
    while power_of_t(high, df, critical) < power:
        high *= 2
    ncp = root(lambda x: power_of_t(x, df, critical) - power, 0.0, high, relative=1e-9)
    return ncp / sqrt(blocks * pairs)


def seeds_needed(
    d_z: float,
    *,
    power: float = 0.8,
    confidence: float = 0.95,
    groups: tuple[int, ...] = (1,),
    df_per_block: int = 1,
    price: Callable[[int], float] | None = None,
) -> int | None:
    """Blocks with which a mean paired difference of `d_z` standard deviations is told from 0.

    Args:
        d_z: effect in standard deviations of its value in one block.
        groups: sizes of the groups of comparisons that are corrected for (see `simultaneous`); (1,) is the paired t.
        df_per_block: residual degrees of freedom that every block after the first adds: k for k variants against a baseline.
        price: by how much larger an effect has to be with so many blocks than the noise of all says.

    Returns:
        None where the effect is 0 or not finite, or more than `MOST_SEEDS` blocks would be needed.

    >>> [seeds_needed(d) for d in (0.3, 0.5, 0.8, 1, 1.5, 2)]
    [90, 34, 15, 10, 6, 5]
    """
    if not isfinite(d_z) or d_z == 0:
        return None

    def enough(blocks: int) -> bool:
        df = df_per_block * (blocks - 1)
        return (
            power_of_t(abs(d_z) / (1 if price is None else price(blocks)) * sqrt(blocks), df, _critical(df, groups, confidence))
            >= power
        )

    # With the noise known (the limit of many degrees of freedom) it would take so many; with less known, it takes no fewer.
    known = (critical_value(_MANY * 10_000, groups, confidence) + float(ndtri(power))) / abs(d_z)
    least = int(min(known**2, MOST_SEEDS)) - 1
    return first_enough(enough, least=max(2, least))


def seeds_for_equivalence(
    effect: float, margin: float, sd: float, *, power: float = 0.8, comparisons: int = 1, df_per_block: int = 1
) -> int | None:
    """Blocks with which two one-sided tests (5 % each, Bonferroni over `comparisons`) place `effect` within the margin.

    Args:
        effect, margin, sd: true difference, margin, and standard deviation of the difference in one block, in the metric's unit.
        df_per_block: residual degrees of freedom that every block after the first adds.

    Returns:
        None where the effect is not inside the margin, or more than `MOST_SEEDS` blocks would be needed.

    Source: Schuirmann 1987; the power is bounded from below by that of the two tests minus 1, which is sharp where it is high.
    """
    if not (isfinite(effect) and isfinite(sd) and sd > 0 and abs(effect) < margin):
        return None

    def enough(blocks: int) -> bool:
        df = df_per_block * (blocks - 1)
        critical = t_quantile(1 - 0.05 / comparisons, df)
        scale, weight = scale_nodes(df)
        steps = sqrt(blocks) / sd
        above, below = (margin + effect) * steps, (margin - effect) * steps
        both = float(weight @ np.maximum(ndtr(above - critical * scale) + ndtr(below - critical * scale) - 1, 0))
        return both >= power

    return first_enough(enough)


def _critical(df: int, groups: tuple[int, ...], confidence: float) -> float:
    """The critical value; with many degrees of freedom on the line in 1 / df to its limit, which errs by less than 1e-6 of it."""
    if df <= _MANY:
        return critical_value(df, groups, confidence)
    limit, begins = (critical_value(at, groups, confidence) for at in (_MANY * 10_000, _MANY))
    return limit + (begins - limit) * _MANY / df


def first_enough(enough: Callable[[int], bool], *, least: int = 2) -> int | None:
    """Smallest number of blocks, from `least` on, that is enough; power grows with the blocks, so by doubling steps and halving."""
    low, high, step = least - 1, least, 1
    while not enough(high):
        if high >= MOST_SEEDS:
            return None
        low, high, step = high, min(high + step, MOST_SEEDS), 2 * step
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high
