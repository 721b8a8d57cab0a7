"""The baseline gate carried out: the baseline under all seeds, once more, and with its hyperparameters one step away."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import msgspec

from assay.ablation.configurations import configure, plain
from assay.ablation.gates import neighbours, setting_name
from assay.errors import InvalidValue
from assay.execution.protocol import Executor, Job, Outcome
from assay.questions.study.analysis_readings import Readings
from assay.questions.study.definition import Definition
from assay.questions.study.gate_parts import around_tuning, beside_other_seeds, over_seeds, run_twice, tuning_blocks
from assay.records.effect import Effect
from assay.records.factor import MetricGoal
from assay.records.finding import Finding
from assay.records.gate import GateAsked, GateEvidence, GatePart, GateTrial
from assay.records.plan import Block, Configuration, Plan, Trial
from assay.store.store import Store

AGAIN = "baseline, again"
ELSEWHERE = "baseline, other seeds"
EVERY = GateAsked()
"""What is asked of every baseline."""


class Passage(NamedTuple):
    """A baseline that came to the gate.

    Attributes:
        evidence: what the gate found.
        outcomes: of the baseline's trials, which are those of the plan.
        ran: runs that were made now, and are none of an earlier study.
    """

    evidence: GateEvidence
    outcomes: list[Outcome]
    ran: frozenset[str]


def gate_jobs(definition: Definition, plan: Plan) -> list[Job]:
    """The trials that the gate needs: those of the baseline in the plan first, then those that it adds.

    Raises:
        InvalidStudy, UnknownParameter: as for `assay.ablation.gates.neighbours`.
    """
    asked = definition.gate or EVERY
    baseline = plan.configurations[0]
    own = [Job(trial, baseline) for trial in plan.trials if trial.configuration == baseline.name]
    # The adaptive design draws its trials: under most seeds the baseline runs for the gate alone.
    there = {job.trial.block for job in own}
    added: list[tuple[Configuration, Block, bool]] = [(baseline, one, False) for one in plan.blocks if one.index not in there]
    if asked.reproducible != "unchecked":
        added.append((_named(baseline, AGAIN), plan.blocks[0], True))
    added += [(one, block, False) for block in tuning_blocks(plan, asked) for one in neighbouring(definition, baseline)]
    if asked.other_seeds:
        first = len(plan.blocks)
        added += [
            (_named(baseline, ELSEWHERE), Block(index=first + number, seed=seed, split=plan.blocks[number].split), False)
            for number, seed in enumerate(further_seeds(plan, len(plan.blocks)))
        ]
    return own + [
        Job(Trial(index=index, configuration=one.name, block=block.index, seed=block.seed, split=block.split), one, repeats)
        for index, (one, block, repeats) in enumerate(added, start=len(plan.trials))
    ]


def neighbouring(definition: Definition, baseline: Configuration) -> list[Configuration]:
    """The baseline with its hyperparameters one step away; none where each configuration is tuned anyway."""
    asked = definition.gate or EVERY
    if asked.tuning != "none":
        return []
    return [tuned(definition, baseline, settings) for settings in neighbours(definition.baseline, asked)]


def tuned(definition: Definition, configuration: Configuration, settings: dict[str, object]) -> Configuration:
    """A configuration with hyperparameters of its own; itself where there are none."""
    if not settings:
        return configuration
    return Configuration(
        name=f"{configuration.name}, {setting_name(settings)}",
        levels=configuration.levels,
        params=plain(configure(configuration.params, settings, component="the gate")),
        of=configuration.name,
        settings=settings,
    )


def further_seeds(plan: Plan, number: int) -> list[int]:
    """Seeds that the study does not use: the smallest."""
    own = {block.seed for block in plan.blocks}
    return [seed for seed in range(number + len(own)) if seed not in own][:number]


def pass_gate(
    store: Store,
    definition: Definition,
    plan: Plan,
    executor: Executor,
    *,
    workers: int = 1,
    accept: str = "",
    report: Callable[[Outcome], None] = lambda _: None,
) -> Passage:
    """What the gate finds of a study's baseline. The study is sealed in the store before the first trial.

    Args:
        store: where runs are kept.
        definition: what is asked.
        plan: the study's.
        executor: carries the trials out.
        workers: how many at once.
        accept: a reason to go on with a baseline that fails.
        report: called with each outcome as it is known.

    Raises:
        InvalidValue: `workers` is less than 1.
        UnknownMetric: the baseline finished, and does not report a metric that the study asks about.
        KeyboardInterrupt: stopped by the user; what has finished is kept.
        AssayError: as the executor raises it.
    """
    check_workers(workers)
    study = store.studies.put(definition)
    jobs = gate_jobs(definition, plan)
    outcomes = _in_order(store, executor.carry_out(jobs, study=study, workers=workers, report=report))
    parts, findings, effects = _judge(store, definition, plan, jobs, outcomes)
    own = [outcome for outcome in outcomes if outcome.trial.index < len(plan.trials)]
    evidence = GateEvidence(
        asked=definition.gate or EVERY,
        criterion=criterion_of(definition).name,
        parts=tuple(parts),
        settings={one.name: one.settings for one in neighbouring(definition, plan.configurations[0])},
        effects=effects,
        trials=tuple(gate_trial(job, one) for job, one in zip(jobs, outcomes, strict=True) if one not in own),
        findings=tuple(findings),
    )
    if not evidence.passed:
        evidence = msgspec.structs.replace(evidence, accepted=accept.strip())
    ran = frozenset(outcome.run for outcome in outcomes if outcome.run is not None and not outcome.reused)
    return Passage(evidence, own, ran)


def check_workers(workers: int) -> None:
    """Nothing, where there is somebody to work.

    Raises:
        InvalidValue: `workers` is less than 1.
    """
    if workers < 1:
        raise InvalidValue("a study needs somebody to work", value=workers, expected="workers of at least 1")


def criterion_of(definition: Definition) -> MetricGoal:
    """The metric by which settings are compared."""
    name = definition.gate.criterion if definition.gate else ""
    return next((goal for goal in definition.goals if goal.name == name), definition.goals[0])


def gate_findings(gate: GateEvidence | None) -> list[Finding]:
    """What a reader must know of a baseline: where it failed, that it was accepted all the same, and what was found beside."""
    if gate is None:
        return []
    failed = [
        Finding(kind="gate failed", about=f"baseline, {part.name}", text=part.text) for part in gate.parts if part.state == "failed"
    ]
    text = f"It failed at the gate and was accepted all the same: “{gate.accepted}”."
    accepted = [Finding(kind="baseline accepted", about="baseline", text=text)] if failed and gate.accepted else []
    return [*failed, *accepted, *gate.findings]


def gate_trial(job: Job, outcome: Outcome) -> GateTrial:
    """The record of a trial that is none of the plan."""
    return GateTrial(
        configuration=job.configuration.name,
        seed=outcome.trial.seed,
        settings=job.configuration.settings,
        run=outcome.run,
        state=outcome.state,
        metrics=outcome.metrics,
        seconds=outcome.seconds,
        reused=outcome.reused,
    )


def _in_order(store: Store, outcomes: Sequence[Outcome]) -> list[Outcome]:
    """The outcomes with the earlier of two reused runs of the baseline as the first, so that each time the same run stands for it."""
    found = list(outcomes)
    place = next((index for index, one in enumerate(found) if one.trial.configuration == AGAIN), None)
    if place is None or found[0].run is None or found[place].run is None or not (found[0].reused and found[place].reused):
        return found
    first, again = found[0], found[place]
    if store.runs.read(str(again.run)).start.started < store.runs.read(str(first.run)).start.started:
        found[0], found[place] = again._replace(trial=first.trial), first._replace(trial=again.trial)
    return found


def _judge(
    store: Store, definition: Definition, plan: Plan, jobs: Sequence[Job], outcomes: Sequence[Outcome]
) -> tuple[list[GatePart], list[Finding], tuple[Effect, ...]]:
    asked, goals = definition.gate or EVERY, definition.goals
    by_name: dict[str, list[Outcome]] = {}
    for outcome in outcomes:
        by_name.setdefault(outcome.trial.configuration, []).append(outcome)
    baseline = by_name[plan.configurations[0].name]
    Readings(
        _alone(plan, baseline), baseline, goals
    )  # a metric that the baseline does not report is an error now, not after the ablations
    again = by_name.get(AGAIN, [])
    settings = neighbouring(definition, plan.configurations[0])
    tuning, effects = around_tuning(plan, settings, outcomes, criterion_of(definition), asked)
    found = [
        run_twice(store, asked, goals, baseline[0], again[0] if again else None),
        over_seeds(goals, baseline),
        (tuning, []),
        *([beside_other_seeds(goals, baseline, by_name[ELSEWHERE])] if asked.other_seeds else []),
    ]
    return [part for part, _ in found], [one for _, said in found for one in said], effects


def _alone(plan: Plan, baseline: Sequence[Outcome]) -> Plan:
    """The plan with the baseline's trials alone."""
    trials = tuple(one.trial for one in baseline)
    return msgspec.structs.replace(plan, configurations=plan.configurations[:1], trials=trials, named=())


def _named(configuration: Configuration, name: str) -> Configuration:
    own = {"levels": configuration.levels, "params": configuration.params, "settings": configuration.settings}
    return Configuration(name=name, of=configuration.name, **own)
