"""Intervals beside those of effects: chances, splits, all pairs, unlike seeds, sources of variance, parts of an effect.

What a study prints is computed by the product's own functions, one study at a time where they take no more.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from math import nan, sqrt

import numpy as np
from scipy.special import gammainccinv, stdtrit

from adaptive_intervals import of_adaptive
from assay.errors import InvalidValue
from assay.stats.all_pairs import all_pairs
from assay.stats.mediation import Through, moved_by, within_pairs
from assay.stats.paired import superiority
from assay.stats.simultaneous import Array
from assay.stats.two_samples import difference_of_means
from assay.stats.variance import overlapping_splits, variance_components
from covered import Covered, Interval, holds

_TEST = 0.2
"""Share of the data that each split tests on; overlapping splits have errors with this correlation (Nadeau and Bengio 2003, section 3)."""


def _student(values: Array) -> tuple[Array, Array]:
    """Mean and half-width of Student's interval over the blocks, which are the second axis."""
    blocks = values.shape[1]
    return values.mean(axis=1), stdtrit(blocks - 1, 0.975) * values.std(axis=1, ddof=1) / np.sqrt(blocks)


def chance(true: float) -> Interval:
    """P(variant beats baseline), of differences that are moved until it is true of their distribution."""

    def covers(tables: Array) -> Covered:
        differences = tables[:, :, 1] - tables[:, :, 0]
        mean, half = _student(differences)
        wins = np.sum(differences > np.quantile(differences, 1 - true), axis=1)
        blocks = tables.shape[1]
        # Of an interval by signs alone only their number matters.
        inside = [
            low <= true <= high for _, low, high in (superiority([1.0] * n + [-1.0] * (blocks - n)) for n in range(blocks + 1))
        ]
        share = float(np.mean(np.array(inside)[wins]))
        return Covered(share, share, float((abs(mean) <= half).mean()))

    return Interval(f"P(variant beats baseline), true chance {true}", 2, covers, False, seeds=False)


def splits(tables: Array) -> Covered:
    """Mean over splits of the same data; Student's t takes them for data of their own."""
    together, alone = tables[:, :1, 0], tables[:, :, 1]
    values = sqrt(_TEST) * together + sqrt(1 - _TEST) * alone
    mean, half = _student(values)
    wider = np.array([overlapping_splits(one, _TEST / (1 - _TEST))[1] for one in values])
    inside = float((abs(mean) <= wider * stdtrit(values.shape[1] - 1, 0.975)).mean())
    return Covered(inside, inside, float((abs(mean) <= half).mean()))


def every_pair(tables: Array) -> Covered:
    """All differences of the Pareto view."""
    number = tables.shape[2]
    first, second = np.triu_indices(number, 1)
    found = [all_pairs(one) for one in tables]
    off = np.array([one.differences[first, second] for one in found])
    half = np.array([one.half[first, second] for one in found])
    differences = tables[:, :, first] - tables[:, :, second]
    return holds(off, half, _student(differences)[1])


def unlike_seeds(tables: Array) -> Covered:
    """Runs under unlike seeds: `assay reproduce` and `diff` of groups; Student's t is that of two samples."""
    found = [difference_of_means(one[:, 0], one[:, 1]) for one in tables]
    inside = float(np.mean([one.low <= 0 <= one.high for one in found]))
    mean, blocks = tables[:, :, 1].mean(axis=1) - tables[:, :, 0].mean(axis=1), tables.shape[1]
    half = stdtrit(2 * blocks - 2, 0.975) * np.sqrt(tables.var(axis=1, ddof=1).sum(axis=1) / blocks)
    return Covered(inside, inside, float((abs(mean) <= half).mean()))


def _taken_apart(tables: Array) -> tuple[Array, Array]:
    """Components of the variance of every table, and what is left of it: seeds and configurations have a normal effect of variance 1."""
    random = np.random.default_rng(3)
    sizes = tables.shape
    whole = tables + random.normal(size=(sizes[0], sizes[1], 1)) + random.normal(size=(sizes[0], 1, sizes[2]))
    found = np.array([[(one.low, one.high, one.mean_square) for one in variance_components(table)] for table in whole])
    return found[:, :-1], found[:, -1]


def variance_of_sources(tables: Array) -> Covered:
    """Of seeds and of configurations, each 1, each alone."""
    sources, _ = _taken_apart(tables)
    share = float(np.mean((sources[..., 0] <= 1) & (sources[..., 1] >= 1)))
    return Covered(share, share, nan)


def variance_left(tables: Array) -> Covered:
    """Of a single trial, beside the interval by chi-squared, as Student's t of a mean takes normal noise for granted."""
    _, left = _taken_apart(tables)
    true = (tables.shape[2] - 1 + 0.01) / tables.shape[2] if _baseline_is_quiet(tables) else 1.0
    df = (tables.shape[1] - 1) * (tables.shape[2] - 1)
    low, high = (df * left[:, 2] / (2 * gammainccinv(df / 2, tail)) for tail in (0.025, 0.975))
    share = float(np.mean((left[:, 0] <= true) & (left[:, 1] >= true)))
    return Covered(share, share, float(np.mean((low <= true) & (high >= true))))


def _baseline_is_quiet(tables: Array) -> bool:
    """Whether its noise is a tenth of the others': then differences are as skewed as the noise."""
    return bool(tables[:, :, 0].std() < 0.5 * tables[:, :, 1].std())


def part_through(tables: Array) -> Covered:
    """The part of an effect through a variable that it moves by 1, of which the outcome follows each unit by 1."""
    if tables.shape[1] < 4:
        return Covered(nan, nan, nan)
    moved = 1 + tables[:, :, 0]
    found = [within_pairs(m, m + e) for m, e in zip(moved, tables[:, :, 1], strict=True)]
    return _through(found, moved)


def part_moved(tables: Array) -> Covered:
    """The same part where another component moves the variable by 3, half as noisily; judged where it is seen to move it at all."""
    moved, outcome = 1 + tables[:, :, 0] / 2, 1 + (tables[:, :, 0] + tables[:, :, 1]) / 2
    by = 3 + tables[:, :, 2] / 2
    after = by + tables[:, :, 3] / 2
    found, kept = [], []
    for index, rows in enumerate(zip(moved, outcome, by, after, strict=True)):
        with suppress(InvalidValue):
            found.append(moved_by(*rows))
            kept.append(index)
    return _through(found, moved[kept])


def _through(found: Sequence[Through], moved: Array) -> Covered:
    """Beside Student's t of how much the variable is moved, of which the part is one for one."""
    share = float(np.mean([one.through[1] <= 1 <= one.through[2] for one in found]))
    mean, half = _student(moved)
    return Covered(share, share, float((abs(mean - 1) <= half).mean()))


def others() -> tuple[Interval, ...]:
    return (
        *(chance(true) for true in (0.5, 0.76, 0.98)),
        Interval("mean over 3, 5, 10 overlapping splits", 2, splits, True, seeds=False),
        Interval("Pareto view, all pairs of 4", 4, every_pair, False, share=0.5),
        Interval("two groups under unlike seeds (Welch)", 2, unlike_seeds, False, seeds=False),
        *of_adaptive(),
        Interval("variance of seeds and configurations, 6 configurations", 6, variance_of_sources, False, seeds=False),
        Interval("variance that is left, 6 configurations", 6, variance_left, False, seeds=False),
        Interval("part of an effect through a variable", 2, part_through, False, share=0.5, seeds=False),
        Interval("part of an effect through a variable that another moves", 4, part_moved, False, seeds=False),
    )
