"""A study carried out: sealed before its first trial, resumed by running it again, judged by its evidence."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec

from assay.ablation.components import merge
from assay.ablation.designs import ADAPTIVE
from assay.errors import InvalidValue, UnknownRun
from assay.execution.protocol import Executor, Job, Outcome
from assay.questions.study.adaptive import Courses, looked, realised
from assay.questions.study.analysis import Analysis, analyse
from assay.questions.study.analysis_adaptive import analyse_adaptive
from assay.questions.study.analysis_readings import reason
from assay.questions.study.archive import keep_evidence
from assay.questions.study.definition import Definition
from assay.questions.study.former import former
from assay.records.environment import Environment
from assay.records.evidence import StudyEvidence, TrialResult
from assay.records.finding import Finding
from assay.records.plan import Plan
from assay.stats.factorial_models import space
from assay.store.store import Store


def run_study(
    store: Store,
    definition: Definition,
    plan: Plan,
    executor: Executor,
    *,
    workers: int = 1,
    report: Callable[[Outcome], None] = lambda _: None,
    minutes: float | None = None,
) -> StudyEvidence:
    """The evidence of a study, all of whose trials have been carried out or reused. It is in the store afterwards.

    Args:
        store: where definition, runs and evidence are kept.
        definition: what is asked; sealed in the store before the first trial.
        plan: the trials.
        executor: carries them out.
        workers: how many at once; the results do not depend on it.
        report: called with each outcome as it is known.
        minutes: of the adaptive design alone: no batch of trials begins later than this.

    Raises:
        InvalidValue: `workers` is less than 1.
        UnknownMetric: trials finished, and none of them reported a metric that the study asks about.
        KeyboardInterrupt: stopped by the user; what has finished is kept, and is reused when the study is run again.
        AssayError: as the executor raises it.
    """
    if workers < 1:
        raise InvalidValue("a study needs somebody to work", value=workers, expected="workers of at least 1")
    study = store.studies.put(definition)
    configurations = {configuration.name: configuration for configuration in plan.configurations}
    jobs = [Job(trial, configurations[trial.configuration]) for trial in plan.trials]
    if plan.design == ADAPTIVE:
        return _run_adaptive(
            store,
            definition,
            plan,
            lambda begin, end: executor.carry_out(jobs[begin:end], study=study, workers=workers, report=report),
            minutes,
        )
    outcomes = executor.carry_out(jobs, study=study, workers=workers, report=report)
    evidence = judge(definition, plan, outcomes, ran_in(store, outcomes))
    keep_evidence(store, evidence)
    return evidence


def judge(definition: Definition, plan: Plan, outcomes: Sequence[Outcome], environment: str = "") -> StudyEvidence:
    """What the outcomes say.

    Raises:
        UnknownMetric: trials finished, and none of them reported a metric that the study asks about.
    """
    if plan.design == ADAPTIVE:
        courses = Courses(definition, plan)
        courses.tell(outcomes)
        return _evidence(definition, plan, outcomes, analyse_adaptive(definition, plan, outcomes, courses), environment)
    return _evidence(definition, plan, outcomes, analyse(definition, plan, outcomes), environment)


def _run_adaptive(
    store: Store, definition: Definition, plan: Plan, carry_out: Callable[[int, int], list[Outcome]], minutes: float | None
) -> StudyEvidence:
    kept: list[StudyEvidence] = []

    def seen(outcomes: list[Outcome], courses: Courses) -> None:
        # After every batch, so that a study that is stopped or killed shows what it knows.
        ran = realised(plan, len(outcomes))
        analysis = analyse_adaptive(definition, ran, outcomes, courses)
        kept[:] = [_evidence(definition, ran, outcomes, analysis, ran_in(store, outcomes))]
        keep_evidence(store, kept[0])

    of = space(len(merge(definition.factors)))
    told = former(store, definition, of) if definition.options.priors else None
    looked(definition, plan, carry_out, seen, minutes, told)
    return kept[0]


def _evidence(
    definition: Definition, plan: Plan, outcomes: Sequence[Outcome], analysis: Analysis, environment: str
) -> StudyEvidence:
    return msgspec.structs.replace(
        before_the_start(definition, plan),
        rows=tuple(row(definition, outcome) for outcome in outcomes),
        effects=tuple(analysis.effects),
        interactions=tuple(analysis.interactions),
        answers=tuple(analysis.answers),
        findings=(*analysis.findings, *_reuse(outcomes)),
        notes=tuple(analysis.notes),
        environment=environment,
    )


def before_the_start(definition: Definition, plan: Plan) -> StudyEvidence:
    """The evidence of a study of which no trial has run: every trial is queued, and nothing follows."""
    return StudyEvidence(
        study=definition.id,
        name=definition.name,
        baseline=definition.baseline,
        factors=definition.factors,
        goals=definition.goals,
        hypotheses=definition.hypotheses,
        plan=plan,
        rows=tuple(
            TrialResult(index=trial.index, configuration=trial.configuration, block=trial.block, seed=trial.seed)
            for trial in plan.trials
        ),
    )


def row(definition: Definition, outcome: Outcome) -> TrialResult:
    """The outcome as a row of the evidence."""
    trial = outcome.trial
    return TrialResult(
        index=trial.index,
        configuration=trial.configuration,
        block=trial.block,
        seed=trial.seed,
        run=outcome.run,
        state=outcome.state,
        metrics=outcome.metrics,
        seconds=outcome.seconds,
        reused=outcome.reused,
        failure=reason(outcome.failure) if outcome.failure else "",
        resources=outcome.resources,
        measured=tuple(goal.name for goal in definition.goals if goal.measured),
    )


def ran_in(store: Store, outcomes: Sequence[Outcome]) -> str:
    """What the trials ran in, in one line; all of it, where those that were reused ran in something else. Empty where nothing is known."""
    seen: dict[str, None] = {}
    for run in dict.fromkeys(outcome.run for outcome in outcomes if outcome.run is not None):
        try:
            environment = store.runs.read(run).start.environment
        except UnknownRun:  # removed since; the line is there for readers, and no study is lost for it
            continue
        if environment is not None:
            seen[environment] = None
    return "; ".join(dict.fromkeys(_environment(store.objects.record(one, Environment)) for one in seen))


def _environment(one: Environment) -> str:
    machine = one.hardware
    parts = [one.python or "", f"{machine.cpus or machine.cores} cores", *(gpu.name for gpu in machine.gpus), one.os]
    return ", ".join(part for part in parts if part)


def _reuse(outcomes: Sequence[Outcome]) -> list[Finding]:
    reused = sum(outcome.reused for outcome in outcomes)
    if not reused:
        return []
    text = f"Reused {reused} of {len(outcomes)} trials: earlier runs with the same recipe, whose observed inputs are unchanged."
    return [Finding(kind="reused", about="trials", text=text)]
