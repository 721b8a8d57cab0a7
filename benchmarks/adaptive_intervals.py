"""Intervals of the adaptive design, which hold at whatever trial one stops: of components by their coins, of a named configuration by its t."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from scipy.special import stdtrit

from assay.ablation.adaptive.course import Course
from assay.ablation.adaptive.order import first_look, looks
from assay.stats.factorial_models import space
from assay.stats.sequential import running
from assay.stats.simultaneous import Array
from covered import Covered, Interval

_FACTORS, _TRIALS = 6, 16
"""Components, and trials under each seed."""
_MAINS, _PAIR = (0.6, -0.8), 0.5
"""Coefficients of the first two components and of their interaction; nothing else acts."""


def named(tables: Array) -> Covered:
    """A named configuration of an adaptive study: the interval that all looks from the second seed on agree on."""
    differences = tables[:, :, 1] - tables[:, :, 0]
    intervals = [running(one, 0.05)[1] for one in differences]
    inside = float(np.mean([low <= 0 <= high for low, high in intervals]))
    blocks = differences.shape[1]
    half = stdtrit(blocks - 1, 0.975) * differences.std(axis=1, ddof=1) / np.sqrt(blocks)
    return Covered(inside, inside, float((abs(differences.mean(axis=1)) <= half).mean()))


def terms(tables: Array) -> Covered:
    """Effects of all components and of every two of them, by their coins, at the last of all looks; every trial is the noise of one cell.

    Student's t of the same thing is that of two groups, those trials in which the component is changed and those in which it is not.
    """
    random, of = np.random.default_rng(4), space(_FACTORS)
    true = np.zeros(of.terms)
    true[:2] = _MAINS
    product = (of.first == 0) & (of.second == 1)
    true[np.flatnonzero(product)[-1]] = _PAIR
    together, alone, student = [], [], []
    for table in tables:
        sides = random.choice([-1.0, 1.0], (table.size, _FACTORS))
        columns, blocks = of.columns(sides), np.repeat(np.arange(len(table)), _TRIALS)
        values = columns @ true + table.ravel()
        course = _told(Course(of), columns, values, blocks)
        inside = (course.low <= 2 * true) & (2 * true <= course.high)
        together.append(inside.all())
        alone.append(inside.mean())
        student.append(
            np.mean([_of_two_groups(values, side, effect) for side, effect in zip(sides.T, 2 * true[:_FACTORS], strict=True)])
        )
    return Covered(float(np.mean(together)), float(np.mean(alone)), float(np.mean(student)))


def _told(course: Course, columns: Array, values: Array, blocks: Array) -> Course:
    """After all looks that a study takes until then."""
    coins = np.ones(columns.shape, dtype=bool)
    for begin, end in pairwise([0, *looks(first_look(_FACTORS), len(values))]):
        course.tell(columns[begin:end], values[begin:end], blocks[begin:end], coins[begin:end])
    return course


def _of_two_groups(values: Array, side: Array, effect: float) -> bool:
    changed, kept = values[side > 0], values[side < 0]
    df = len(values) - 2
    pooled = (((changed - changed.mean()) ** 2).sum() + ((kept - kept.mean()) ** 2).sum()) / df
    half = stdtrit(df, 0.975) * np.sqrt(pooled * (1 / len(changed) + 1 / len(kept)))
    return bool(abs(changed.mean() - kept.mean() - effect) <= half)


def of_adaptive() -> tuple[Interval, ...]:
    return (
        Interval("adaptive, named configuration, at any stop", 2, named, False, share=0.1),
        Interval("adaptive, all terms of 6 components, at any stop", _TRIALS, terms, False, share=0.02),
    )
