"""A study's own trials read again: parts of its seeds, other metrics, other values of the same series. Nothing is run."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import msgspec

from assay.errors import InvalidStudy, InvalidValue, UnknownRun
from assay.questions.study.analysis import analyse
from assay.records.effect import Effect
from assay.records.evidence import StudyEvidence, TrialResult
from assay.records.factor import Factor, Hypothesis, MetricGoal
from assay.records.finding import Finding
from assay.records.plan import Block, Splits, Trial
from assay.records.run import Failure, State
from assay.records.sensitivity import Condition
from assay.store.store import Store
from assay.tracking.asked import asked_value

_LAST = "mean of the last 3"


class _Question(NamedTuple):
    factors: Sequence[Factor]
    goals: Sequence[MetricGoal]
    hypotheses: Sequence[Hypothesis] = ()


class _Read(NamedTuple):
    """A row of the evidence as the analysis reads it."""

    trial: Trial
    state: State
    metrics: Mapping[str, float]
    failure: Failure | None = None


def parts_of_the_seeds(evidence: StudyEvidence) -> list[Condition]:
    """The study without each of its seeds, and each half of them.

    Raises:
        InvalidStudy: there is a single seed.
    """
    blocks = evidence.plan.blocks
    if len(blocks) < 2:
        raise InvalidStudy(
            "a study with one seed has no parts",
            value=[block.seed for block in blocks],
            expected="at least two seeds",
            next_step="Run it with more seeds, or ask for new ones with --more.",
        )
    seeds = [block.seed for block in blocks]
    chosen = {
        f"without seed {out.seed}" + (f" in block {out.index}" if seeds.count(out.seed) > 1 else ""): [
            block for block in blocks if block is not out
        ]
        for out in blocks
    }
    if len(blocks) > 3:  # the halves of three would be one of those above, and a single seed
        half = len(blocks) // 2
        chosen |= {f"seeds {_listed(part)}": list(part) for part in (blocks[:half], blocks[half:])}
    return [_condition(name, evidence, part) for name, part in chosen.items()]


def other_readings(
    store: Store, evidence: StudyEvidence, metrics: Sequence[MetricGoal], readings: Sequence[str]
) -> tuple[list[Condition], list[Finding]]:
    """The study judged by other metrics that its trials recorded, and by other values of the same series.

    Args:
        store: where the runs are.
        evidence: the study.
        metrics: recorded metrics in place of the study's own; beside them those that the study asks about.
        readings: "min", "mean of the last 5" …; none: the last value, the best, and the mean of the last 3.

    Raises:
        UnknownMetric: no trial reports a metric.
        InvalidValue: a series has no such value.
        StoreUnusable, StoreDamaged: what the runs left cannot be read.
    """
    found = [_by_metric(evidence, goal) for goal in _named(evidence.goals, metrics)]
    findings = _not_asked(evidence, metrics)
    for goal in evidence.goals:
        wanted = readings or ("last", "max" if goal.goal == "maximize" else "min", _LAST)
        found += [_by_reading(store, evidence, goal, at) for at in dict.fromkeys(wanted) if at != goal.at]
    told = [one for one in found if one.readings]
    if len(told) < len(found):
        names = ", ".join(one.name for one in found if not one.readings)
        text = f"These readings have the values of the study's own in every trial, so they say nothing more: {names}."
        findings.append(Finding(kind="same values", about="metrics", text=text))
    return told, findings


def reread(
    evidence: StudyEvidence, blocks: Sequence[Block], goals: Sequence[MetricGoal], rows: Sequence[TrialResult]
) -> tuple[Effect, ...]:
    """The effects that these rows show on these metrics under these blocks.

    Raises:
        UnknownMetric: no trial reports a metric.
    """
    kept = {block.index for block in blocks}
    trials = tuple(trial for trial in evidence.plan.trials if trial.block in kept)
    plan = msgspec.structs.replace(evidence.plan, blocks=tuple(blocks), trials=trials, splits=_splits(evidence, blocks))
    read = [
        _Read(Trial(index=row.index, configuration=row.configuration, block=row.block, seed=row.seed), row.state, row.metrics)
        for row in rows
        if row.block in kept
    ]
    return tuple(analyse(_Question(evidence.factors, goals), plan, read).effects)


def _splits(evidence: StudyEvidence, blocks: Sequence[Block]) -> Splits | None:
    """Those of the study's splits that these blocks have; None where a single one is left, which tells nothing of others."""
    splits = evidence.plan.splits
    names = tuple(dict.fromkeys(block.split for block in blocks if block.split is not None))
    return msgspec.structs.replace(splits, names=names) if splits is not None and len(names) > 1 else None


def _condition(name: str, evidence: StudyEvidence, blocks: Sequence[Block]) -> Condition:
    effects = reread(evidence, blocks, evidence.goals, evidence.rows)
    return Condition(name=name, seeds=tuple(block.seed for block in blocks), effects=effects)


def _listed(blocks: Sequence[Block]) -> str:
    return ", ".join(str(block.seed) for block in blocks)


def _named(own: Sequence[MetricGoal], metrics: Sequence[MetricGoal]) -> list[MetricGoal]:
    """Those that the user names; and of the study's own, where it has several, the results."""
    results = [goal for goal in own if not goal.measured]
    return [*metrics, *(goal for goal in results if len(results) > 1 and goal.name not in {one.name for one in metrics})]


def _by_metric(evidence: StudyEvidence, goal: MetricGoal) -> Condition:
    for_others = {own.name: goal for own in evidence.goals if own.name != goal.name and not own.measured}
    return _reading(f"by {goal.name}", evidence, goal, for_others, lambda _: None)


def _by_reading(store: Store, evidence: StudyEvidence, goal: MetricGoal, at: str) -> Condition:
    other = msgspec.structs.replace(goal, name=f"{goal.name}@{at}", at=at)
    values = {row.index: _value(store, row, msgspec.structs.replace(goal, at=at)) for row in evidence.rows}
    if all(value is None or value == row.metrics.get(goal.name) for row, value in zip(evidence.rows, values.values(), strict=True)):
        return Condition(name=other.name)
    return _reading(other.name, evidence, other, {goal.name: other}, lambda row: values[row.index])


def _reading(
    name: str,
    evidence: StudyEvidence,
    goal: MetricGoal,
    readings: dict[str, MetricGoal],
    value: Callable[[TrialResult], float | None],
) -> Condition:
    rows = []
    for row in evidence.rows:
        known = value(row)
        rows.append(row if known is None else msgspec.structs.replace(row, metrics={**row.metrics, goal.name: known}))
    blocks = evidence.plan.blocks
    effects = reread(evidence, blocks, [goal], rows)
    return Condition(name=name, seeds=tuple(block.seed for block in blocks), effects=effects, readings=readings)


def _value(store: Store, row: TrialResult, goal: MetricGoal) -> float | None:
    """The value of the row's run; None where it has none, or the run was removed."""
    if row.run is None or row.state != "finished":
        return None
    try:
        return asked_value(store, store.runs.read(row.run), goal)
    except UnknownRun:
        return None
    except InvalidValue as error:
        raise InvalidValue(
            "no such value of a series", value=goal.at, expected="last, min, max, mean, or mean of the last N"
        ) from error


def _not_asked(evidence: StudyEvidence, metrics: Sequence[MetricGoal]) -> list[Finding]:
    """Recorded results that nobody asked about: whether more of them is better is not known."""
    asked = {goal.name for goal in (*evidence.goals, *metrics)}
    recorded = {name for row in evidence.rows for name in row.metrics if name not in row.measured}
    left = sorted(recorded - asked)
    if not left:
        return []
    text = f"Recorded too, and not asked about, since nobody said which way is better: {', '.join(left)} (--metric {left[0]}=maximize)."
    return [Finding(kind="not asked", about="metrics", text=text)]
