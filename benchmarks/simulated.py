"""Simulated studies judged by the estimators that the product uses, many at once: half-widths of the intervals of every variant.

What differs from the analysis of one study is only that tables have a leading axis; `bench_false_alarms.py` runs a few hundred through the
analysis itself and compares.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.special import stdtrit

from assay.stats.simultaneous import Array, critical_value
from assay.stats.unlike import is_unlike, noise_of


class Judged(NamedTuple):
    """Per study and variant: mean paired difference, half-width of its simultaneous 95 % interval, and that of Student's t alone."""

    mean: Array
    half: Array
    student: Array


def judge(tables: Array) -> Judged:
    """Leave-one-out studies, shape (studies, blocks, configurations), the baseline in column 0."""
    _, blocks, configurations = tables.shape
    asked = configurations - 1
    differences = tables[:, :, 1:] - tables[:, :, :1]
    errors = differences.std(axis=1, ddof=1) / np.sqrt(blocks)
    noise = noise_of(tables)
    critical = {df: critical_value(df, (asked,)) for df in np.unique(noise.df).tolist()}
    pooled = np.vectorize(critical.__getitem__)(noise.df) * np.sqrt(2 * noise.mean_square / blocks)
    unlike = is_unlike(noise.ratios, blocks)
    own = np.where(unlike[:, 1:] | unlike[:, :1], stdtrit(blocks - 1, 1 - 0.025 / asked) * errors, 0.0)
    return Judged(differences.mean(axis=1), np.maximum(pooled[:, None], own), stdtrit(blocks - 1, 0.975) * errors)
