"""Component × condition: does an effect differ between the study and a condition by more than noise?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from assay.records.effect import Effect
from assay.stats.multiplicity import holm
from assay.stats.paired import Comparison, comparison, is_constant, paired_t
from assay.stats.simultaneous import Array, t_quantile
from assay.stats.two_samples import difference_of_means

LEVEL = 0.05


class Pair(NamedTuple):
    """One effect in the study and under a condition, each with the seeds of its blocks."""

    here: Effect
    seeds: Sequence[int]
    there: Effect
    seeds_there: Sequence[int]


class Shift(NamedTuple):
    """Effect there minus effect in the study: simultaneous interval, corrected p (NaN where it is exact), and whether it is more than noise."""

    estimate: float
    low: float
    high: float
    p: float
    depends: bool


def shifts(pairs: Sequence[Pair]) -> list[Shift | None]:
    """The shifts of one metric, corrected together: Bonferroni intervals, p by Holm; None where none can be tested.

    Under the same seeds they are paired; under others the two samples are compared by Welch's test.
    """
    asked = len(pairs)
    tested = [_compare(pair, asked) for pair in pairs]
    adjusted = holm([one.p if isinstance(one, Comparison) else float("nan") for one in tested], asked=asked)
    return [_shift(one, p) for one, p in zip(tested, adjusted, strict=True)]


def _compare(pair: Pair, asked: int) -> Comparison | float | None:
    """The comparison; its value alone where it is exact; None where there is too little."""
    here, there = np.array(pair.here.differences, dtype=np.float64), np.array(pair.there.differences, dtype=np.float64)
    scale = float(np.nanmax(np.abs(np.concatenate([here, there])), initial=0.0))
    if tuple(pair.seeds) != tuple(pair.seeds_there):
        return _unpaired(_finite(here), _finite(there), asked)
    if len(here) != len(there):
        return None
    differences = _finite(there - here)
    if len(differences) < 2:
        return None
    if is_constant(differences, scale):
        value = float(np.mean(differences))
        return 0.0 if is_constant([0.0, value], scale) else value
    return paired_t(differences, comparisons=asked)


def _unpaired(here: Array, there: Array, asked: int) -> Comparison | None:
    if min(len(here), len(there)) < 1 or len(here) + len(there) < 3 or not (np.ptp(here) or np.ptp(there)):
        return None
    alone = difference_of_means(here, there)
    return comparison(alone.estimate, alone.se, alone.df, t_quantile(1 - LEVEL / (2 * asked), alone.df))


def _finite(values: Array) -> Array:
    return values[np.isfinite(values)]


def _shift(one: Comparison | float | None, p: float) -> Shift | None:
    if one is None:
        return None
    if isinstance(one, Comparison):
        return Shift(one.estimate, one.low, one.high, p, p <= LEVEL)
    return Shift(one, float("nan"), float("nan"), float("nan"), one != 0)
