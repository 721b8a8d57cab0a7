"""Metrics whose values cannot be right, or say nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from math import inf, isfinite

from assay.records.evidence import StudyEvidence, TrialResult
from assay.records.factor import MetricGoal
from assay.records.finding import Finding

_RATES = frozenset(
    ("accuracy", "acc", "precision", "recall", "f1", "auc", "auroc", "rocauc", "auprc", "iou", "dice", "sensitivity", "specificity")
)
"""Words in names of metrics that are shares: from 0 to 1, or to 100 where they are written in percent."""
_ERRORS = frozenset(("mse", "rmse", "mae", "mape", "perplexity", "ppl", "wer", "cer"))
"""Words in names of metrics that are never below 0."""


def insane(evidence: StudyEvidence) -> Iterator[Finding]:
    """Values out of a metric's range, metrics that are perfect, and metrics that are the same in every trial."""
    for goal in evidence.goals:
        values = {
            (row.configuration, _block(row)): float(row.metrics[goal.name])
            for row in evidence.rows
            if row.state == "finished" and goal.name in row.metrics and isfinite(row.metrics[goal.name])
        }
        if not values:
            continue
        low, high = limits(goal, list(values.values()))
        yield from _outside(goal, values, low, high)
        if len({configuration for configuration, _ in values}) > 1 and len(set(values.values())) == 1:
            text = (
                f"It is {next(iter(values.values())):g} in all {len(values)} trials: it tells nothing of anything that was changed."
            )
            yield Finding(kind="constant metric", about=goal.name, text=text)
        yield from _perfect(goal, evidence, values, low, high)


def limits(goal: MetricGoal, values: Sequence[float]) -> tuple[float, float]:
    """Lowest and highest value that a metric can have: as it was said, else as its name tells.

    >>> from assay.ablation.components import maximize, minimize
    >>> limits(maximize("val/accuracy"), [0.5, 0.9]), limits(maximize("accuracy"), [50.0, 91.5]), limits(minimize("loss"), [0.1])
    ((0.0, 1.0), (0.0, 100.0), (-inf, inf))
    """
    if goal.range is not None:
        return goal.range
    words = set(re.split(r"[^a-z0-9]+", goal.name.lower()))
    if words & _RATES:
        return (0.0, 100.0) if sum(value > 1 for value in values) * 2 > len(values) else (0.0, 1.0)
    return (0.0, inf) if words & _ERRORS else (-inf, inf)


def _block(row: TrialResult) -> str:
    """Under what a trial ran: of folds and splits each has a value of its own under one seed."""
    return f"seed {row.seed}" if row.split is None else f"seed {row.seed}, split {row.split}"


def _outside(goal: MetricGoal, values: dict[tuple[str, str], float], low: float, high: float) -> Iterator[Finding]:
    beyond = {place: value for place, value in values.items() if not low <= value <= high}
    if not beyond:
        return
    (configuration, block), value = next(iter(beyond.items()))
    known = "was said to lie" if goal.range is not None else "lies, by its name,"
    text = (
        f"{len(beyond)} of {len(values)} values are out of range: {value:g} of {configuration} under {block}, where it {known} "
        f"from {low:g} to {high:g}. Check how it is computed{'' if goal.range is not None else ', or say its range'}."
    )
    yield Finding(kind="out of range", about=goal.name, text=text)


def _perfect(
    goal: MetricGoal, evidence: StudyEvidence, values: dict[tuple[str, str], float], low: float, high: float
) -> Iterator[Finding]:
    """The best value that there is, under every seed: nothing can be better, and real tasks seldom allow it."""
    best = high if goal.goal == "maximize" else low
    # An error of 0 has no upper end to be written in: it is only known to be perfect where the range was said.
    if not isfinite(best) or (goal.goal == "minimize" and goal.range is None):
        return
    perfect = [
        one.name
        for one in evidence.plan.configurations
        if (own := [value for (name, _), value in values.items() if name == one.name]) and all(value == best for value in own)
    ]
    if perfect:
        shown = ", ".join(perfect[:3]) + (f" and {len(perfect) - 3} more" if len(perfect) > 3 else "")
        text = (
            f"It is perfect ({best:g}) under every seed for {shown}: nothing can be better, so a helpful component cannot be seen. "
            "Look for test data in training (`assay data leaks`), or take a harder task."
        )
        yield Finding(kind="suspiciously perfect", about=goal.name, text=text)
