"""Every configuration tuned with the same budget: the same settings, under seeds that the study does not report on."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import isfinite, nan
from statistics import fmean
from typing import Any, NamedTuple

import msgspec

from assay.ablation.gates import neighbours
from assay.execution.protocol import Executor, Job, Outcome
from assay.questions.study.analysis_readings import LARGEST
from assay.questions.study.definition import Definition
from assay.questions.study.gate import check_workers, criterion_of, further_seeds, tuned
from assay.questions.study.guards import repeats
from assay.records.factor import MetricGoal
from assay.records.gate import TunedSetting
from assay.records.plan import Block, Configuration, Plan, Trial
from assay.store.store import Store


class Tuned(NamedTuple):
    """What tuning gave.

    Attributes:
        plan: the study's, each configuration with the hyperparameters that were chosen for it.
        chosen: what was chosen, in the order of the configurations.
        seeds: that it was chosen under.
    """

    plan: Plan
    chosen: tuple[TunedSetting, ...]
    seeds: tuple[int, ...]


def tuning_jobs(definition: Definition, plan: Plan) -> list[Job]:
    """The trials by which configurations are tuned, seed by seed; none where they are not.

    Raises:
        InvalidStudy, UnknownParameter: as for `assay.ablation.gates.neighbours`.
    """
    if definition.gate is None or definition.gate.tuning == "none":
        return []
    configurations = [
        (tuned(definition, one, settings), repeats(one, definition.factors))
        for one in plan.configurations
        for settings in _settings(definition)
    ]
    seeds = tuning_seeds(definition, plan)
    blocks = [
        # Where there are splits, they are gone through in turn.
        Block(index=index, seed=seed, split=plan.blocks[index % len(plan.blocks)].split)
        for index, seed in enumerate(seeds, start=2 * len(plan.blocks))
    ]
    rows = [(block, *each) for block in blocks for each in configurations]
    return [
        Job(Trial(index=index, configuration=one.name, block=block.index, seed=block.seed, split=block.split), one, repeating)
        for index, (block, one, repeating) in enumerate(rows, start=len(plan.trials))
    ]


def tuning_seeds(definition: Definition, plan: Plan) -> list[int]:
    """Seeds that neither the study nor its A/A pair uses; none where nothing is tuned."""
    if definition.gate is None or definition.gate.tuning == "none":
        return []
    apart = len(plan.blocks)
    return further_seeds(plan, apart + definition.gate.tuning_seeds)[apart:]


def tune(
    store: Store,
    definition: Definition,
    plan: Plan,
    executor: Executor,
    *,
    workers: int = 1,
    report: Callable[[Outcome], None] = lambda _: None,
) -> Tuned:
    """The plan with every configuration at the best of the same settings: as it is where the study tunes nothing.

    The best is the best mean of the criterion over all tuning seeds; a setting that did not give a value under one of them is out, and
    where two are equal the baseline's stays.

    Args:
        store: where runs are kept.
        definition: what is asked; sealed before the first trial.
        plan: the study's.
        executor: carries the trials out.
        workers: how many at once.
        report: called with each outcome as it is known.

    Raises:
        InvalidValue: `workers` is less than 1.
        KeyboardInterrupt: stopped by the user; what has finished is kept.
        AssayError: as the executor raises it.
    """
    jobs = tuning_jobs(definition, plan)
    check_workers(workers)
    if not jobs:
        return Tuned(plan, (), ())
    outcomes = executor.carry_out(jobs, study=store.studies.put(definition), workers=workers, report=report)
    scores = _scores(outcomes, criterion_of(definition))
    chosen = [_best(definition, one, scores) for one in plan.configurations]
    configurations = tuple(
        msgspec.structs.replace(one, params=tuned(definition, one, each.settings).params, settings=each.settings)
        for one, each in zip(plan.configurations, chosen, strict=True)
    )
    changed = msgspec.structs.replace(plan, configurations=configurations)
    return Tuned(changed, tuple(chosen), tuple(tuning_seeds(definition, plan)))


def _settings(definition: Definition) -> list[dict[str, Any]]:
    """The baseline's own setting, then those around it."""
    return [{}, *neighbours(definition.baseline, definition.gate)] if definition.gate is not None else [{}]


def _scores(outcomes: Sequence[Outcome], criterion: MetricGoal) -> dict[str, float]:
    """Mean of the criterion by configuration; NaN where a trial gave no usable value."""
    values: dict[str, list[float]] = {}
    for outcome in outcomes:
        value = float(outcome.metrics.get(criterion.name, nan)) if outcome.state == "finished" else nan
        values.setdefault(outcome.trial.configuration, []).append(value if abs(value) <= LARGEST else nan)
    # Turned, so that more is better.
    sign = 1 if criterion.goal == "maximize" else -1
    return {name: sign * fmean(each) for name, each in values.items()}


def _best(definition: Definition, one: Configuration, scores: Mapping[str, float]) -> TunedSetting:
    sign = 1 if criterion_of(definition).goal == "maximize" else -1
    found = [(scores[tuned(definition, one, settings).name], settings) for settings in _settings(definition)]
    usable = [each for each in found if isfinite(each[0])]
    if not usable:
        return TunedSetting(configuration=one.name)
    score, settings = max(usable, key=lambda each: each[0])
    return TunedSetting(configuration=one.name, settings=settings, score=sign * score, tried=len(usable))
