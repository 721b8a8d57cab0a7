"""A study carried out: sealed before its first trial, resumed by running it again, judged by its evidence."""

from __future__ import annotations

from collections.abc import Callable, Container, Sequence

import msgspec

from assay.ablation.adaptive.order import alternatives
from assay.ablation.components import merge
from assay.ablation.designs import ADAPTIVE
from assay.execution.protocol import Executor, Job, Outcome
from assay.questions.study.adaptive import Courses, looked, realised
from assay.questions.study.analysis import Analysis, analyse
from assay.questions.study.analysis_adaptive import analyse_adaptive
from assay.questions.study.analysis_readings import reason
from assay.questions.study.archive import keep_evidence
from assay.questions.study.definition import Definition
from assay.questions.study.exploratory import exploratory
from assay.questions.study.former import former
from assay.questions.study.gate import Passage, check_workers, gate_findings
from assay.questions.study.guards import guard, repeats
from assay.questions.study.idle import without_idle
from assay.questions.study.indices import shapley_interactions
from assay.questions.study.origins import evaluation_notes, labelled, origin_findings
from assay.questions.study.sealed_at import seal_of
from assay.questions.study.seals import as_sealed
from assay.questions.study.starts import Starts
from assay.questions.study.survival import evidence_so_far, questioned
from assay.records.environment import Environment
from assay.records.evidence import StudyEvidence, TrialResult
from assay.records.finding import Finding
from assay.records.plan import Plan
from assay.stats.factorial_levels import levelled
from assay.store.store import Store


def run_study(
    store: Store,
    definition: Definition,
    plan: Plan,
    executor: Executor,
    *,
    workers: int = 1,
    report: Callable[[Outcome], None] = lambda _: None,
    passage: Passage | None = None,
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
        passage: how the baseline came through the gate; None where it was not sent there.
        minutes: of the adaptive design alone: no batch of trials begins later than this.

    Raises:
        InvalidValue: `workers` is less than 1.
        UnknownMetric: trials finished, and none of them reported a metric that the study asks about.
        KeyboardInterrupt: stopped by the user; what has finished is kept, and is reused when the study is run again.
        AssayError: as the executor raises it.
    """
    check_workers(workers)
    study = store.studies.put(definition)
    before, starts = evidence_so_far(store, study), Starts(store)
    configurations = {configuration.name: configuration for configuration in plan.configurations}
    jobs = [
        Job(trial, one, repeats(one, definition.factors)) for trial in plan.trials for one in [configurations[trial.configuration]]
    ]

    def carried(begin: int, end: int) -> list[Outcome]:
        outcomes = executor.carry_out(jobs[begin:end], study=study, workers=workers, report=report)
        taken = {one.run for one in outcomes}
        return outcomes if passage is None else [_as_at_the_gate(store, passage, one, taken) for one in outcomes]

    def whole(evidence: StudyEvidence) -> StudyEvidence:
        gate = passage.evidence if passage else None
        findings = (*gate_findings(gate), *evidence.findings, *guard(store, definition, evidence))
        seal = seal_of(starts, evidence, before.seal if before else None)
        seen = without_idle(msgspec.structs.replace(evidence, findings=findings, gate=gate, seal=seal))
        return questioned(as_sealed(starts, definition, seen), before.sensitivity if before else ())

    if plan.design == ADAPTIVE:
        return _run_adaptive(starts, definition, plan, carried, whole, minutes, workers)
    outcomes = carried(0, len(jobs))
    evidence = whole(judge(definition, plan, outcomes, ran_in(starts, outcomes)))
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
    starts: Starts,
    definition: Definition,
    plan: Plan,
    carry_out: Callable[[int, int], list[Outcome]],
    told: Callable[[StudyEvidence], StudyEvidence],
    minutes: float | None,
    workers: int,
) -> StudyEvidence:
    """`told` adds to the evidence what is known beside the trials."""
    kept: list[StudyEvidence] = []

    def seen(outcomes: list[Outcome], courses: Courses) -> None:
        # After every batch, so that a study that is stopped or killed shows what it knows.
        ran = realised(plan, len(outcomes))
        analysis = analyse_adaptive(definition, ran, outcomes, courses)
        kept[:] = [told(_evidence(definition, ran, outcomes, analysis, ran_in(starts, outcomes)))]
        keep_evidence(starts.store, kept[0])

    of = levelled(alternatives(merge(definition.factors)))
    known = former(starts.store, definition, of) if definition.options.priors else None
    looked(definition, plan, carry_out, seen, minutes, known, workers)
    return kept[0]


def _evidence(
    definition: Definition, plan: Plan, outcomes: Sequence[Outcome], analysis: Analysis, environment: str
) -> StudyEvidence:
    evidence = msgspec.structs.replace(
        before_the_start(definition, plan),
        rows=tuple(row(definition, outcome) for outcome in outcomes),
        effects=tuple(analysis.effects),
        interactions=tuple(analysis.interactions),
        answers=labelled(analysis.answers, definition.origin),
        notes=(*analysis.notes, *evaluation_notes(definition)),
        environment=environment,
    )
    evidence = msgspec.structs.replace(evidence, interactions=evidence.interactions or shapley_interactions(evidence))
    labels = exploratory(evidence) if not definition.serves else []
    findings = (*origin_findings(definition), *labels, *analysis.findings, *_reuse(outcomes))
    return msgspec.structs.replace(evidence, findings=findings)


def _as_at_the_gate(store: Store, passage: Passage, outcome: Outcome, taken: Container[str | None]) -> Outcome:
    """The outcome with the run that stood for the trial at the gate, where any of its recipe does; what the gate ran itself is no earlier run."""
    if not outcome.reused or outcome.run is None:
        return outcome
    there = next((one for one in passage.outcomes if one.trial.index == outcome.trial.index and one.state == "finished"), None)
    # A placebo may have taken the gate's run; either of the two is the baseline's as well as the other.
    if there is not None and there.run is not None and there.run not in taken:
        recipes = {store.runs.read(run).start.recipe for run in (there.run, outcome.run)}
        # The code may have been edited since the gate: then it is another recipe, and the gate's run does not stand for it.
        return there if len(recipes) == 1 else outcome
    return outcome._replace(reused=outcome.run not in passage.ran)


def at_gate(store: Store, definition: Definition, plan: Plan, passage: Passage) -> StudyEvidence:
    """The evidence of a study that went no further than its gate: the baseline's trials, everything else queued."""
    known = {one.trial.index: row(definition, one) for one in passage.outcomes}
    queued = before_the_start(definition, plan)
    return msgspec.structs.replace(
        queued,
        rows=tuple(known.get(one.index, one) for one in queued.rows),
        environment=ran_in(Starts(store), passage.outcomes),
        findings=tuple(gate_findings(passage.evidence)),
        gate=passage.evidence,
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
            TrialResult(index=trial.index, configuration=trial.configuration, block=trial.block, seed=trial.seed, split=trial.split)
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
        split=trial.split,
        run=outcome.run,
        state=outcome.state,
        metrics=outcome.metrics,
        seconds=outcome.seconds,
        reused=outcome.reused,
        failure=reason(outcome.failure) if outcome.failure else "",
        resources=outcome.resources,
        measured=tuple(goal.name for goal in definition.goals if goal.measured),
    )


def ran_in(starts: Starts, outcomes: Sequence[Outcome]) -> str:
    """What the trials ran in, in one line; all of it, where those that were reused ran in something else. Empty where nothing is known."""
    seen: dict[str, None] = {}
    for run in dict.fromkeys(outcome.run for outcome in outcomes if outcome.run is not None):
        start = starts.of(run)
        # Where it was removed since, no study is lost for it: the line is there for readers.
        if start is not None and start.environment is not None:
            seen[start.environment] = None
    return "; ".join(dict.fromkeys(_environment(starts.store.objects.record(one, Environment)) for one in seen))


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
