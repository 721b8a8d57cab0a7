"""Quality against cost: the configurations that no other one clearly beats in all metrics at once."""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite, nan
from typing import NamedTuple

import numpy as np

from assay.errors import InvalidStudy, UnknownMetric
from assay.questions.study.analysis_words import size
from assay.questions.study.costs import COSTS
from assay.questions.study.tables import metric_table, table_of
from assay.records.evidence import StudyEvidence
from assay.records.pareto import ParetoFront, ParetoPoint, Standing
from assay.stats.all_pairs import AllPairs, all_pairs
from assay.stats.simultaneous import Array


class _Metric(NamedTuple):
    """A metric that counts: more is better where `sign` is 1; a gain above -`margin` is no loss."""

    name: str
    sign: int
    margin: float
    compared: AllPairs
    means: Array
    blocks: int


def pareto(evidence: StudyEvidence, metrics: Sequence[str] = ()) -> ParetoFront:
    """The front of a study in these metrics.

    All differences between two configurations, over all metrics, are corrected together. One is dominated only where another is clearly
    better in some metric and clearly not worse in any: its interval there leaves out a loss (or, with a margin, one larger than the margin).

    Args:
        evidence: of the study.
        metrics: at least two of the study's, or "seconds", "cpu_seconds", "peak_memory", of which less is better; by default the study's own.

    Raises:
        UnknownMetric: the study has no goal for a metric, and it is no cost that Assay measures.
        InvalidStudy: fewer than two metrics, or one comes twice.
    """
    names = list(metrics) or [goal.name for goal in evidence.goals]
    if len(names) < 2 or len(set(names)) < len(names):
        raise InvalidStudy(
            "a Pareto front needs two metrics or more",
            value=", ".join(names),
            expected="different metrics, with a comma between",
            next_step=f"Beside the study's own there are {', '.join(COSTS)}.",
        )
    found = [_metric(evidence, name, len(names)) for name in names]
    usable = [all(isfinite(one.means[index]) for one in found) for index in range(len(evidence.plan.configurations))]
    points = [_point(evidence, index, found, usable) for index in range(len(evidence.plan.configurations))]
    number = sum(usable)
    return ParetoFront(
        metrics=tuple(names),
        maximize=tuple(one.sign > 0 for one in found),
        points=tuple(points),
        blocks=tuple(one.blocks for one in found),
        comparisons=len(names) * number * (number - 1) // 2,
    )


def _metric(evidence: StudyEvidence, name: str, families: int) -> _Metric:
    goal = next((one for one in evidence.goals if one.name == name), None)
    if goal is None and name not in COSTS:
        raise UnknownMetric(
            "the study has no goal for this metric, so which way is better is not known",
            value=name,
            expected="one of " + ", ".join([*(one.name for one in evidence.goals), *COSTS]),
            next_step="Name it in the study's metrics with its goal; finished trials are reused.",
        )
    table = (
        table_of(evidence, lambda row: COSTS[name](row.seconds, row.resources)) if goal is None else metric_table(evidence, name)
    )
    usable = np.atleast_1d(np.isfinite(table).any(axis=0))
    complete = table[np.isfinite(table[:, usable]).all(axis=1)]
    means = np.full(len(usable), nan)
    differences, half = np.full((2, len(usable), len(usable)), nan)
    if len(complete):
        means[usable] = complete[:, usable].mean(axis=0)
        pairs = all_pairs(complete[:, usable], families=families)
        differences[np.ix_(usable, usable)], half[np.ix_(usable, usable)] = pairs
    margin = 0.0 if goal is None or goal.margin is None else goal.margin
    sign = 1 if goal is not None and goal.goal == "maximize" else -1
    return _Metric(name, sign, margin, AllPairs(differences, half), means, len(complete))


def _point(evidence: StudyEvidence, index: int, metrics: Sequence[_Metric], usable: Sequence[bool]) -> ParetoPoint:
    name = evidence.plan.configurations[index].name
    means = tuple(float(one.means[index]) for one in metrics)
    bars = tuple(_bar(one.compared.half, index) for one in metrics)
    if not usable[index]:
        words = f"{name}: no value in some metric, so it stands nowhere."
        return ParetoPoint(configuration=name, means=means, bars=bars, standing="no value", words=words)
    rivals = [rival for rival in range(len(usable)) if usable[rival] and rival != index]
    clear = [rival for rival in rivals if _dominates(metrics, rival, index, clearly=True)]
    maybe = [rival for rival in rivals if _dominates(metrics, rival, index, clearly=False)]
    if not (clear or maybe):
        words = f"{name} is on the front: no other configuration is as good in {_and([one.name for one in metrics])} together."
        return ParetoPoint(configuration=name, means=means, bars=bars, standing="front", words=words)
    by = max(clear or maybe, key=lambda rival: _lead(metrics, rival, index))
    other = evidence.plan.configurations[by].name
    gains = _and([_gain(one, by, index) for one in metrics])
    words = (
        f"{name} is dominated by {other}, which has {gains}."
        if clear
        else f"{name} may be dominated by {other}, which has {gains}; the seeds do not tell."
    )
    standing: Standing = "dominated" if clear else "undecided"
    return ParetoPoint(configuration=name, means=means, bars=bars, standing=standing, by=other, words=words)


def _dominates(metrics: Sequence[_Metric], one: int, other: int, *, clearly: bool) -> bool:
    gains = [metric.sign * metric.compared.differences[one, other] for metric in metrics]
    if not clearly:
        return all(gain >= 0 for gain in gains) and any(gain > 0 for gain in gains)
    halves = [metric.compared.half[one, other] for metric in metrics]
    lows = [gain - half for gain, half in zip(gains, halves, strict=True)]
    # Without a margin an exactly equal value is no loss; a mean that is as good, with an interval that reaches beyond, might be one.
    no_loss = [low >= 0 or low > -metric.margin for low, metric in zip(lows, metrics, strict=True)]
    return all(no_loss) and any(low > 0 for low in lows)


def _lead(metrics: Sequence[_Metric], one: int, other: int) -> float:
    """How far one is ahead, in half-widths, so that metrics of other units count alike."""
    total = 0.0
    for metric in metrics:
        half = metric.compared.half[one, other]
        gain = metric.sign * metric.compared.differences[one, other]
        total += float(gain / half) if 0 < half < np.inf else float(np.sign(gain))
    return total


def _gain(metric: _Metric, one: int, other: int) -> str:
    difference = float(metric.compared.differences[one, other])
    half = float(metric.compared.half[one, other])
    if difference == 0:
        return f"the same {metric.name}"
    beside = half if 0 < half < np.inf else nan
    spread = f" ± {size(half, beside=half)}" if beside == half else ""
    return f"{metric.name} {'higher' if difference > 0 else 'lower'} by {size(abs(difference), beside=beside)}{spread}"


def _bar(half: Array, index: int) -> float:
    """Half of the smallest width that pairs have, and for a noisier one what its pairs need beyond that of the others."""
    others = np.delete(half, index, axis=0)
    finite = others[np.isfinite(others) & (others > 0)] if len(others) else others
    mine = np.delete(half[index], index)
    mine = mine[np.isfinite(mine)]
    if not len(mine) or not finite.size:
        return 0.0 if len(mine) and not mine.any() else nan
    return float(max(mine.max() - finite.min() / 2, 0.0))


def _and(parts: Sequence[str]) -> str:
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"
