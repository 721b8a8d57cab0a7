"""The table of a study as plain cells, before it is written in any format."""

from __future__ import annotations

import math
from typing import NamedTuple

from assay.records.evidence import StudyEvidence
from assay.records.factor import MetricGoal
from assay.report.gate import gate_note
from assay.report.layout import Column
from assay.report.numbers import decimals_for, estimate, mean_and_deviation, number, spread, thousands
from assay.report.rows import DDOF_NOTE, Line, Summary, drawn_words, is_drawn, lines_of, metric_names, parameter_counts, remarks

_ROUNDING = 1e-14
"""Of a value's size: what sums of differences of such values leave of nothing."""
_ARROWS = {"maximize": "↑", "minimize": "↓"}


class Grid(NamedTuple):
    """Cells of a table in reading order."""

    columns: tuple[Column, ...]
    rows: tuple[tuple[str, ...], ...]


def grid_of(evidence: StudyEvidence, metrics: list[str]) -> Grid:
    """Configurations × these metrics, each as mean ± std with its difference to the baseline, and the remarks on them."""
    counts = parameter_counts(evidence)
    columns = [Column("configuration", wraps=True)]
    for metric in metrics:
        columns += [
            Column(metric_header(evidence, metric), "right", wraps=True),
            Column(difference_header(evidence, metric), "right", wraps=True),
        ]
    columns += [Column("parameters", "right") for _ in counts] + [Column("remarks", wraps=True)]
    lines = lines_of(evidence)
    decimals = {metric: decimals_of(evidence, lines, metric) for metric in metrics}
    results = {goal.name for goal in evidence.goals if not goal.measured}
    rows = []
    for line in lines:
        cells = [line.name]
        for metric in metrics:
            cells += [
                mean_cell(line.summaries[metric], decimals[metric]),
                difference_cell(line, lines[0], metric, decimals[metric]),
            ]
        cells += [_count_cell(line.summaries[name]) for name in counts]
        rows.append((*cells, "; ".join(remarks(line, metrics, results))))
    return Grid(tuple(columns), tuple(rows))


def goal_of(evidence: StudyEvidence, metric: str) -> MetricGoal | None:
    """What the study wants of a metric; None where it only reports it."""
    return next((goal for goal in evidence.goals if goal.name == metric), None)


def metric_header(evidence: StudyEvidence, metric: str) -> str:
    """The metric with an arrow to its better side."""
    goal = goal_of(evidence, metric)
    return f"{metric}\u00a0{_ARROWS[goal.goal]}" if goal else metric


def difference_header(evidence: StudyEvidence, metric: str) -> str:
    """What the column of differences holds, with the confidence of its intervals."""
    confidences = {effect.confidence for effect in evidence.effects if effect.metric == metric}
    return f"Δ\u00a0[{next(iter(confidences)) * 100:g}\u00a0%]" if len(confidences) == 1 else "Δ"


def decimals_of(evidence: StudyEvidence, lines: list[Line], metric: str) -> int:
    """Decimals that suit every number of a metric: taken from what is uncertain about it."""
    effects = [effect for effect in evidence.effects if effect.metric == metric]
    spreads = [line.summaries[metric].std for line in lines] + [(effect.high - effect.low) / 2 for effect in effects]
    return decimals_for(spreads, [line.summaries[metric].mean for line in lines])


def mean_cell(summary: Summary, decimals: int) -> str:
    """Mean ± std, with the count where trials are missing."""
    if summary.n == 0:
        return "—"
    short = f" ({summary.n}\u00a0of\u00a0{summary.planned})" if summary.n < summary.planned else ""
    return spread(summary.mean, summary.std, decimals) + short


def difference_cell(line: Line, baseline: Line, metric: str, decimals: int) -> str:
    """Mean paired difference to the baseline with its interval; the difference alone where the design gives none."""
    if line.is_baseline:
        return ""
    effect = line.effects.get(metric)
    if effect is not None:
        return estimate(effect.estimate, effect.low, effect.high, decimals) if effect.n else ""
    difference = paired_mean(line, baseline, metric)
    return "" if math.isnan(difference) else number(difference, decimals, signed=True)


def paired_mean(line: Line, baseline: Line, metric: str) -> float:
    """Mean difference to the baseline over the blocks that both finished, 0 where it is rounding; NaN where there is none."""
    reference = {row.block: row.metrics.get(metric, math.nan) for row in baseline.trials}
    pairs = [(row.metrics.get(metric, math.nan), reference.get(row.block, math.nan)) for row in line.trials]
    complete = [(own, other) for own, other in pairs if not math.isnan(own - other)]
    mean = mean_and_deviation([own - other for own, other in complete])[0]
    # Shares such as 71 of 72 differ by eighths of a hundredth that do not quite cancel in 64 bits.
    return 0.0 if abs(mean) <= _ROUNDING * max((abs(other) for _, other in complete), default=0.0) else mean


def _count_cell(summary: Summary) -> str:
    if summary.n == 0:
        return "—"
    return thousands(summary.mean) if not summary.std > 0 else f"{thousands(summary.mean)} ± {thousands(round(summary.std))}"


def notes_of(evidence: StudyEvidence) -> list[str]:
    """Sentences that a reader of the table needs: what its numbers are, and what the study itself has to say of its methods."""
    blocks, splits = len(evidence.plan.blocks), evidence.plan.splits
    over = f"{blocks} seed{'' if blocks == 1 else 's'}" if splits is None else f"{blocks} blocks of seed and {splits.parameter}"
    first = f"{DDOF_NOTE.capitalize()} over {over}; ↑ higher is better, ↓ lower is better."
    second = "Δ: mean of the differences to the baseline under the same seed, with the simultaneous interval where one exists."
    if is_drawn(evidence.plan):
        second = f"Δ, on average: mean change over all combinations of the other components; {drawn_words(evidence.plan)}."
    return [*gate_note(evidence), first, second, *_compared_note(evidence), *evidence.notes]


def _compared_note(evidence: StudyEvidence) -> list[str]:
    """What the lines without a mean are; nothing where there are none, or what is drawn has said it."""
    told = {effect.component for line in lines_of(evidence) if line.trials for effect in line.effects.values()}
    estimands = {one.estimand for one in evidence.effects if one.component not in told}
    if not estimands or is_drawn(evidence.plan):
        return []
    # Where each is in one number with others of its own, the page says of each what it estimates; here stands what all have in common.
    meaning = estimands.pop() if len(estimands) == 1 else evidence.plan.estimand
    return [f"Lines without a mean are effects. {meaning[:1].upper()}{meaning[1:].rstrip('.')}."]


def metric_groups(evidence: StudyEvidence, largest: int) -> list[list[str]]:
    """The metrics in groups of at most `largest`, for formats whose page is not wide; one empty group where there is no metric."""
    names = metric_names(evidence)
    return [names[start : start + largest] for start in range(0, len(names), largest)] or [[]]
