"""Blocks of seeds and splits: what the unit of evidence is, and by how much splits of the same data widen its intervals. Pure."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from assay.records.plan import Plan, Splits
from assay.stats.resampling import overlap_inflation
from assay.stats.simultaneous import Array


class Blocking(NamedTuple):
    """What the values of a metric are compared over.

    Attributes:
        table: shape (units, configurations), NaN where there is no value.
        unit: what one line is, in a word for tables and sentences.
        inflation: by how much standard errors are larger than those of independent lines.
        words: how the lines came about, as the sentence on the method goes on.
    """

    table: Array
    unit: str = "seed"
    inflation: float = 1.0
    words: str = "paired by seed"


def blocking(plan: Plan, table: Array) -> Blocking:
    """The table of a metric by seeds; by splits, averaged over the seeds, where the study has splits.

    Trials of one split share its data under every seed, so they are no more evidence on other data than one of them: the split is the
    unit. Of a split, the seeds count under which every configuration that ever gave a value gave one.
    """
    splits = plan.splits
    if splits is None:
        return Blocking(table)
    usable = np.isfinite(table).any(axis=0)
    complete = np.isfinite(table[:, usable]).all(axis=1)
    lines = np.full((len(splits.names), table.shape[1]), np.nan)
    for number, name in enumerate(splits.names):
        own = np.array([block.split == name for block in plan.blocks])
        chosen = own & complete if (own & complete).any() else own
        lines[number] = table[chosen].mean(axis=0)
    return Blocking(lines, splits.parameter, _inflation(splits), _words(plan, splits))


def _inflation(splits: Splits) -> float:
    return 1.0 if splits.test is None else overlap_inflation(len(splits.names), splits.test)


def _words(plan: Plan, splits: Splits) -> str:
    seeds = len(plan.blocks) // len(splits.names)
    averaged = f" and averaged over the {seeds} seeds of each {splits.parameter}" if seeds > 1 else ""
    if splits.test is None:
        return f"paired by seed and {splits.parameter}{averaged} (each {splits.parameter} is taken as data of its own)"
    return (
        f"paired by seed and {splits.parameter}{averaged}, with the variance (1/n + n_test/n_train) s² for n = {len(splits.names)} "
        f"splits of the same data, n_test/n_train = {splits.test / (1 - splits.test):.3g} (Nadeau and Bengio 2003)"
    )
