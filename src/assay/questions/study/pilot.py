"""How noisy a metric is, from what earlier trials of the same function or command gave."""

from __future__ import annotations

from collections.abc import Iterable
from math import sqrt
from typing import NamedTuple

import numpy as np

from assay.errors import InvalidStudy, MissingContent
from assay.questions.study.archive import kept_evidence, studies
from assay.questions.study.definition import Definition
from assay.records.evidence import StudyEvidence
from assay.stats.blocks import additive_residual
from assay.stats.paired import is_constant
from assay.stats.simultaneous import Array
from assay.store.store import Store


class Noise(NamedTuple):
    """The noise of one metric.

    Attributes:
        deviation: standard deviation of one difference of two configurations under one seed, in the metric's unit.
        df: degrees of freedom that it is estimated with.
        study: id of the study that it is from.
        paired: it is of such differences; else of one configuration over seeds, as if the two had nothing in common, which is more.
    """

    deviation: float
    df: int
    study: str
    paired: bool


def pilot_noise(store: Store, definition: Definition) -> dict[str, Noise]:
    """The noise of each metric of a study that earlier trials tell, of the newest study with the same subject that does.

    The study itself, where it was run before, comes first. Metrics without noise, or without two finished seeds, are left out.

    Raises:
        StoreTooNew, StoreDamaged: a study of the store cannot be read.
    """
    alike = [study for study, other in studies(store) if other.subject == definition.subject]
    alike.sort(key=lambda study: study != definition.id)
    found: dict[str, Noise] = {}
    for study in alike:
        try:
            evidence = kept_evidence(store, study)
        except (InvalidStudy, MissingContent):  # begun, and never run to its end
            continue
        found = _of_study(evidence, [goal.name for goal in definition.goals]) | found
    return found


def _of_study(evidence: StudyEvidence, metrics: Iterable[str]) -> dict[str, Noise]:
    found = {metric: noise_of(_table(evidence, metric), evidence.study) for metric in metrics}
    return {metric: noise for metric, noise in found.items() if noise is not None}


def noise_of(table: Array, study: str = "") -> Noise | None:
    """The noise of a table, shape (blocks, configurations) with NaN where there is no value; None where it tells none."""
    usable = table[:, np.isfinite(table).any(axis=0)]
    complete = usable[np.isfinite(usable).all(axis=1)]
    if len(complete) < 2 or not complete.size:
        return None
    scale = float(np.abs(complete).max())
    # A configuration that equals another up to a constant repeats its noise, and would make it look smaller than it is.
    own: list[int] = []
    for column in range(complete.shape[1]):
        if not any(is_constant(complete[:, column] - complete[:, other], scale) for other in own):
            own.append(column)
    kept = complete[:, own]
    if kept.shape[1] < 2:
        spread = float(np.std(kept[:, 0], ddof=1)) * sqrt(2)
        return Noise(spread, len(kept) - 1, study, False) if spread > 0 else None
    residual = additive_residual(kept)
    return Noise(sqrt(2 * residual.mean_square), residual.df, study, True) if residual.mean_square > 0 else None


def _table(evidence: StudyEvidence, metric: str) -> Array:
    column = {configuration.name: index for index, configuration in enumerate(evidence.plan.configurations)}
    line = {block.index: index for index, block in enumerate(evidence.plan.blocks)}
    table = np.full((len(line), len(column)), np.nan)
    for row in evidence.rows:
        value = row.metrics.get(metric, np.nan)
        if row.state == "finished" and np.isfinite(value):
            table[line[row.block], column[row.configuration]] = value
    return table
