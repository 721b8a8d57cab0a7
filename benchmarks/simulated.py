"""Simulated studies judged by the estimators that the product uses, many at once: half-widths of the intervals of every variant.

What differs from the analysis of one study is only that tables have a leading axis; `bench_false_alarms.py` runs a few hundred through the
analysis itself and compares.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np
from scipy.interpolate import RegularGridInterpolator
from scipy.special import stdtrit

from assay.stats.own_noise import pair_noise
from assay.stats.simultaneous import Array, critical_value
from assay.stats.unlike import noise_of

_SHARES = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.93, 0.95)
_INVERSES = (*np.linspace(0.0005, 0.25, 24), *np.linspace(0.275, 1, 30))


class Judged(NamedTuple):
    """Per study and variant: mean paired difference, half-width of its simultaneous 95 % interval, and that of Student's t alone."""

    mean: Array
    half: Array
    student: Array


@lru_cache
def _criticals(asked: int) -> RegularGridInterpolator:
    """Logarithms of the critical values of so many comparisons, by their correlation and the inverse of the degrees of freedom."""
    values = [[np.log(critical_value(1 / each, (asked,), 0.95, share)) for each in _INVERSES] for share in _SHARES]
    return RegularGridInterpolator((_SHARES, _INVERSES), values)


def judge(tables: Array, spreads: str = "unknown") -> Judged:
    """Leave-one-out studies, shape (studies, blocks, configurations), the baseline in column 0; spreads are "unknown" or "alike"."""
    _, blocks, configurations = tables.shape
    asked = configurations - 1
    differences = tables[:, :, 1:] - tables[:, :, :1]
    student = stdtrit(blocks - 1, 0.975) * differences.std(axis=1, ddof=1) / np.sqrt(blocks)
    if spreads == "alike":
        df = asked * (blocks - 1)
        left = tables - tables.mean(axis=1, keepdims=True)
        square = np.sum((left - left.mean(axis=2, keepdims=True)) ** 2, axis=(1, 2)) / df
        alike = critical_value(df, (asked,)) * np.sqrt(2 * square / blocks)
        return Judged(differences.mean(axis=1), np.broadcast_to(alike[:, None], student.shape), student)
    noise = noise_of(tables)
    critical = {df: critical_value(df, (asked,)) for df in np.unique(noise.df).tolist()}
    pooled = np.vectorize(critical.__getitem__)(noise.df) * np.sqrt(2 * noise.mean_square / blocks)
    half = np.broadcast_to(pooled[:, None], student.shape)
    pair = pair_noise(noise, np.arange(1, configurations), 0, shared=asked > 1)
    if pair.alone.any():
        where = np.clip(1 / pair.df, _INVERSES[0], 1)
        own = np.exp(_criticals(asked)(np.stack([pair.correlation, where], axis=-1))) * np.sqrt(pair.variance / blocks)
        half = np.where(pair.alone, np.maximum(half, own), half)
    return Judged(differences.mean(axis=1), half, student)
