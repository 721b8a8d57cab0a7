"""Intervals beside those of effects: sizes, splits, all pairs, unlike seeds, looking while it runs, sources of variance, parts of an effect.

What a study prints is computed by the product's own functions, one study at a time where they take no more.
"""

from __future__ import annotations

from math import nan, sqrt

import numpy as np
from scipy.special import ndtr, ndtri, stdtrit

from assay.stats.all_pairs import all_pairs
from assay.stats.mediation import within_pairs
from assay.stats.paired import superiority
from assay.stats.sequential import running
from assay.stats.simultaneous import Array, scale_nodes
from assay.stats.two_samples import difference_of_means
from assay.stats.variance import overlapping_splits, variance_components
from covered import Covered, Interval, holds

_TEST = 0.2
"""Share of the data that each split tests on; overlapping splits have errors with this correlation (Nadeau and Bengio 2003, section 3)."""
_SD = sqrt(2)
"""Of the difference of two configurations, in all shapes of noise that are alike."""


def _student(values: Array) -> tuple[Array, Array]:
    """Mean and half-width of Student's interval over the blocks, which are the second axis."""
    blocks = values.shape[1]
    return values.mean(axis=1), stdtrit(blocks - 1, 0.975) * values.std(axis=1, ddof=1) / np.sqrt(blocks)


def chance(effect: float) -> Interval:
    """P(variant beats baseline) for differences with this mean in standard deviations: whether Phi of it is inside.

    The interval holds a noncentrality where the statistic is within the middle 95 % of its distribution, so that is asked of many at once.
    """

    def covers(tables: Array) -> Covered:
        differences = tables[:, :, 1] - tables[:, :, 0]
        sd = sqrt(1.01) if abs(tables[:, :, 0]).max() < 0.5 * abs(tables[:, :, 1]).max() else _SD
        blocks = tables.shape[1]
        mean, half = _student(differences)
        t = (mean + effect * sd) / differences.std(axis=1, ddof=1) * np.sqrt(blocks)
        scale, weight = scale_nodes(blocks - 1)
        below = ndtr(t[:, None] * scale - effect * np.sqrt(blocks)) @ weight
        inside = (below >= 0.025) & (below <= 0.975)
        for index in range(20):
            _, low, high = superiority(differences[index] + effect * sd)
            assert bool(inside[index]) == (low <= ndtr(effect) <= high)
        share = float(inside.mean())
        return Covered(share, share, float((abs(mean) <= half).mean()))

    at = "no effect" if not effect else f"true chance {ndtr(effect):.2f}"
    return Interval(f"P(variant beats baseline), {at}", 2, covers, True, normal=effect != 0, seeds=False)


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


def at_any_stop(tables: Array) -> Covered:
    """A named configuration of an adaptive study: the interval that all looks from the second seed on agree on."""
    differences = tables[:, :, 1] - tables[:, :, 0]
    intervals = [running(one, 0.05)[1] for one in differences]
    inside = float(np.mean([low <= 0 <= high for low, high in intervals]))
    mean, half = _student(differences)
    return Covered(inside, inside, float((abs(mean) <= half).mean()))


def sources(tables: Array) -> Covered:
    """Variance of configurations, of seeds and of what is left, each 1, in a table of both; each interval alone."""
    random = np.random.default_rng(3)
    held = []
    for table in tables:
        moved = table + random.normal(size=(len(table), 1)) + random.normal(size=table.shape[1])
        held.append([one.low <= 1 <= one.high for one in variance_components(moved)])
    share = float(np.mean(held))
    return Covered(share, share, nan)


def part_through(tables: Array) -> Covered:
    """The part of an effect through a variable that it moves by 1, of which the outcome follows each unit by 1."""
    if tables.shape[1] < 4:
        return Covered(nan, nan, nan)
    moved = 1 + tables[:, :, 0]
    found = [within_pairs(m, m + e) for m, e in zip(moved, tables[:, :, 1], strict=True)]
    share = float(np.mean([one.through[1] <= 1 <= one.through[2] for one in found]))
    mean, half = _student(moved)
    return Covered(share, share, float((abs(mean - 1) <= half).mean()))


def others() -> tuple[Interval, ...]:
    return (
        chance(0.0),
        chance(float(ndtri(0.76))),
        Interval("mean over 3, 5, 10 overlapping splits", 2, splits, True, seeds=False),
        Interval("Pareto view, all pairs of 4", 4, every_pair, False, share=0.5),
        Interval("two groups under unlike seeds (Welch)", 2, unlike_seeds, False, seeds=False),
        Interval("adaptive, named configuration, at any stop", 2, at_any_stop, False, share=0.05),
        Interval("variance by source, 6 configurations", 6, sources, False, normal=True, seeds=False),
        Interval("part of an effect through a variable", 2, part_through, False, normal=True, share=0.2, seeds=False),
    )
