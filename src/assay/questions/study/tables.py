"""Values of a study's evidence as a table."""

from __future__ import annotations

from collections.abc import Callable
from math import isfinite, nan

import numpy as np

from assay.questions.study.analysis_readings import LARGEST
from assay.records.evidence import StudyEvidence, TrialResult
from assay.stats.simultaneous import Array


def table_of(evidence: StudyEvidence, value: Callable[[TrialResult], float]) -> Array:
    """What finished trials gave, shape (blocks, configurations); NaN where there is nothing that can be compared."""
    columns = {configuration.name: index for index, configuration in enumerate(evidence.plan.configurations)}
    lines = {block.index: line for line, block in enumerate(evidence.plan.blocks)}
    table = np.full((len(lines), len(columns)), nan)
    for row in evidence.rows:
        if row.state == "finished":
            number = value(row)
            table[lines[row.block], columns[row.configuration]] = number if isfinite(number) and abs(number) <= LARGEST else nan
    return table


def metric_table(evidence: StudyEvidence, metric: str) -> Array:
    """Values of a metric, as `table_of` gives them."""
    return table_of(evidence, lambda row: row.metrics.get(metric, nan))
