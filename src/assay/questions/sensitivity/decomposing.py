"""Variance of a metric by source: seed, split, hyperparameter, component."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from assay.errors import InvalidValue
from assay.records.evidence import StudyEvidence
from assay.records.finding import Finding
from assay.records.sensitivity import Decomposition, Source
from assay.stats.simultaneous import Array
from assay.stats.variance import variance_components


class Cell(NamedTuple):
    """A study that was run under one level of each varied parameter; `levels` names them in the order of the axes."""

    levels: tuple[str, ...]
    evidence: StudyEvidence


def decompose(cells: Sequence[Cell], axes: Sequence[str]) -> tuple[list[Decomposition], list[Finding]]:
    """Variance by source, for each metric of which every trial of the crossed table gave a value.

    Args:
        cells: every combination of the levels once, with the same seeds; a single one without levels decomposes the study itself.
        axes: names of the varied parameters.

    Returns:
        The decompositions, and what keeps a metric from having one.
    """
    names = [name for name in _configurations(cells[0]) if all(name in _configurations(cell) for cell in cells)]
    found: list[Decomposition] = []
    findings: list[Finding] = []
    for goal in cells[0].evidence.goals:
        table, labels = _by_block(cells[0], _table(cells, axes, names, goal.name), axes)
        try:
            sources = variance_components(table)
        except InvalidValue:
            text = "Its variance cannot be taken apart, since trials are missing or a factor has a single level."
            findings.append(Finding(kind="no decomposition", about=goal.name, text=text))
            continue
        total = sum(max(0.0, one.estimate) for one in sources)
        found.append(
            Decomposition(
                metric=goal.name,
                sizes=dict(zip(labels, table.shape, strict=True)),
                sources=tuple(
                    Source(
                        of=tuple(labels[axis] for axis in one.axes),
                        variance=max(0.0, one.estimate),
                        share=max(0.0, one.estimate) / total if total else 0.0,
                        low=one.low,
                        high=one.high,
                        found=one.estimate,
                        df=one.df,
                    )
                    for one in sources
                ),
            )
        )
    return found, findings


def _configurations(cell: Cell) -> list[str]:
    return [configuration.name for configuration in cell.evidence.plan.configurations]


def _table(cells: Sequence[Cell], axes: Sequence[str], names: Sequence[str], metric: str) -> Array:
    """Axes, then seeds, then configurations; NaN where a trial gave no value."""
    levels = [list(dict.fromkeys(cell.levels[axis] for cell in cells)) for axis in range(len(axes))]
    blocks = len(cells[0].evidence.plan.blocks)
    table = np.full((*map(len, levels), blocks, len(names)), np.nan)
    for cell in cells:
        place = tuple(known.index(level) for known, level in zip(levels, cell.levels, strict=True))
        values = _values(cell.evidence, metric)
        for line, block in enumerate(cell.evidence.plan.blocks[:blocks]):
            for column, name in enumerate(names):
                table[(*place, line, column)] = values.get((block.index, name), np.nan)
    return table


def _by_block(cell: Cell, table: Array, axes: Sequence[str]) -> tuple[Array, list[str]]:
    """The table with seeds and splits apart, where blocks are made of both; of an axis with a single level nothing is left."""
    splits = cell.evidence.plan.splits
    if splits is None:
        return table, [*axes, "seed", "component"]
    blocks = cell.evidence.plan.blocks
    seeds = list(dict.fromkeys(block.seed for block in blocks))
    crossed = np.full((*table.shape[:-2], len(seeds), len(splits.names), table.shape[-1]), np.nan)
    for line, block in enumerate(blocks):
        if block.split is not None:
            crossed[..., seeds.index(block.seed), splits.names.index(block.split), :] = table[..., line, :]
    labels = [*axes, "seed", splits.parameter, "component"]
    if len(seeds) > 1:
        return crossed, labels
    return crossed[..., 0, :, :], [label for label in labels if label != "seed"]


def _values(evidence: StudyEvidence, metric: str) -> Mapping[tuple[int, str], float]:
    return {(row.block, row.configuration): row.metrics.get(metric, np.nan) for row in evidence.rows if row.state == "finished"}
