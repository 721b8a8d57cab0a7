"""Two configurations of which one is noisier than the rest: the variance of their difference by what each of them says of it.

The noise of a pair is that of its two sides. A side that stands alone has the spread of its own value around the mean of the others; the other
side has that of the rest. Such a variance is a sum of two estimates, so its degrees of freedom are fewer (Satterthwaite 1946), and comparisons
with one noisy baseline have more in common than 1/2: both go into the critical value. Of two groups with unlike variances this is Welch's
test, for several comparisons that of Hasler and Hothorn 2008.

Fewer alarms cost power. Of all rules that look at the ratio of the baseline's noise and at the pooled t, none that keeps 5.5 % for every ratio
sees more than 65 of 100 effects where the pooled test sees 72 (5 seeds, 6 components: docs/decisions/006); this one sees 58.
"""

from __future__ import annotations

from math import floor, sqrt
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from assay.stats.paired import Comparison, comparison
from assay.stats.simultaneous import Array, critical_value
from assay.stats.unlike import Noise

_FEW = 3
"""Blocks with which a variance can hardly be told, so that it takes less to stand alone."""
_SHARED = {True: 0.0, False: 1.3}
_SINGLE = {True: 2.0, False: 2.5}
_MOST_COMMON = 0.95


class PairNoise(NamedTuple):
    """What pairs of configurations say of the noise of their difference; every field may have leading axes.

    Attributes:
        alone: whether a side of the pair is noisier than the rest; the other fields mean nothing where none is.
        variance: of the difference in one block.
        df: its degrees of freedom, a multiple of 1/2.
        correlation: of two comparisons with the same second side: that side's share of the variance.
    """

    alone: NDArray[np.bool_]
    variance: Array
    df: Array
    correlation: Array


def pair_noise(noise: Noise, plus: ArrayLike, minus: ArrayLike, *, shared: bool) -> PairNoise:
    """The noise of pairs, `plus` minus `minus`.

    A side stands alone where the ratio of its variance to that of the others is above 2.5 (2 with three blocks or fewer); one that all pairs
    share, above 1.3 (with three blocks, always), since its noise is in every comparison. With these bounds the family-wise error of 8
    comparisons stays below 5.5 % for one, two or half of the variants, or the baseline, with up to 20 times the spread of the others
    (simulated: docs/statistics.md).

    Args:
        noise: of the table.
        plus, minus: columns of the pairs, aligned; one stands for all.
        shared: all pairs have the same `minus`.

    Source: Satterthwaite 1946; Hasler and Hothorn 2008.
    """
    few = noise.blocks <= _FEW
    first_column, second_column = np.broadcast_arrays(np.asarray(plus, dtype=np.intp), np.asarray(minus, dtype=np.intp))
    one = _Side.of(noise, first_column, _SINGLE[few])
    other = _Side.of(noise, second_column, (_SHARED if shared else _SINGLE)[few])
    first = np.where(one.alone, one.variance, other.rest)
    second = np.where(other.alone, other.variance, one.rest)
    variance = np.maximum(first + second, np.finfo(np.float64).tiny)
    # Shares before squares, since the metric may have any unit. Rounded down to halves: the sum of two estimates is not quite what it is taken for.
    with np.errstate(divide="ignore", invalid="ignore"):
        own = _inverse_df(np.where(one.alone, one.own, other.own) / variance, noise.blocks - 1)
        rest = np.where(one.alone, one.rest_part, other.rest_part) / variance
        rest = _inverse_df(rest, np.where(one.alone, one.rest_df, other.rest_df))
        rest = np.where(one.alone & other.alone, _inverse_df(other.own / variance, noise.blocks - 1), rest)
        df = np.maximum(np.floor(2 * np.nan_to_num(1 / (own + rest), nan=1.0, posinf=1.0)) / 2, 1.0)
    return PairNoise(one.alone | other.alone, variance, df, np.clip(second / variance, 0.0, _MOST_COMMON))


def under_own(
    estimate: float, blocks: int, noise: PairNoise, groups: tuple[int, ...], *, inflation: float = 1.0, confidence: float = 0.95
) -> Comparison:
    """The comparison of one pair under spreads of its own, its interval and p-value corrected for `groups` (see `simultaneous`).

    Args:
        estimate: mean difference.
        blocks: over so many.
        noise: of this pair alone.
        groups: sizes of the groups of comparisons.
        inflation: by how much the standard error is larger than that of independent blocks.
        confidence: of all intervals together.
    """
    # Rounded down, which is on the safe side; equal values are looked up.
    correlation, df = floor(100 * float(noise.correlation)) / 100, float(noise.df)
    critical = critical_value(df, groups, confidence, correlation)
    return comparison(estimate, inflation * sqrt(float(noise.variance) / blocks), df, critical, groups, correlation)


def _inverse_df(share: Array, df: int | NDArray[np.intp]) -> Array:
    """What an estimate that is such a share of a sum adds to the inverse of its degrees of freedom."""
    return np.asarray(share**2 / df)


def price(blocks: int) -> float:
    """By how much larger an effect has to be, to be seen as often, than where all configurations are known to be equally noisy.

    Of variants against one baseline, as `pair_noise` widens their intervals. Fitted to simulations with 2 to 16 variants and 2 to 30 blocks,
    which agree within 3 % of it from three blocks on (with two, 4 to 16 variants): it depends on the blocks alone.

    >>> [round(price(n), 2) for n in (3, 5, 10, 20)]
    [1.78, 1.17, 1.06, 1.02]
    """
    few = {2: 4.0, 3: 1.78}
    return few[blocks] if blocks in few else float(1 + 0.245 * (3 / (blocks - 1)) ** 1.35)


class _Side(NamedTuple):
    """One side of the pairs: whether it stands alone, its variance, what that stands on, and what the others say.

    Attributes:
        rest_part: what the others say adds to the variance of a pair beyond what is in `own`.
        rest_df: its degrees of freedom.
    """

    alone: NDArray[np.bool_]
    variance: Array
    own: Array
    rest: Array
    rest_part: Array
    rest_df: NDArray[np.intp]

    @classmethod
    def of(cls, noise: Noise, columns: NDArray[np.intp], bound: float) -> _Side:
        ratio, own, rest = (each[..., columns] for each in (noise.ratios, noise.own, noise.rest))
        others = noise.others[..., columns]
        df = np.maximum((others - 1) * (noise.blocks - 1), 1)
        return cls(np.asarray(ratio > bound), own - rest / others, own, rest, (1 - 1 / others) * rest, df)
