"""A study carried out for a user: tuned where that is asked, its baseline through the gate, then its ablations."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from assay.ablation.designs import ADAPTIVE
from assay.errors import InvalidValue
from assay.execution.protocol import Executor, Outcome
from assay.project.progress import progress
from assay.project.sensitivity_studies import AnyStudy
from assay.project.study_plan import PlanView
from assay.project.study_result import StudyResult
from assay.questions.study.archive import keep_evidence
from assay.questions.study.costs import costed
from assay.questions.study.gate import Passage, gate_jobs, pass_gate
from assay.questions.study.running import at_gate, run_study
from assay.questions.study.tuning import Tuned, tune, tuning_jobs
from assay.questions.study.working import at_work
from assay.records.finding import Finding
from assay.store.store import Store


def carry_out(
    store: Store,
    view: PlanView,
    executor: Executor,
    workers: int,
    *,
    accept: str = "",
    source: AnyStudy | None = None,
    minutes: float | None = None,
) -> StudyResult:
    """Run the trials of a plan with progress on standard error; those of the ablations only where the baseline passes, or is accepted.

    Raises:
        InvalidValue: `minutes` is given to a design that runs all of its trials, or is not above 0.
        AssayError: as `assay.questions.study.running.run_study` raises it.
    """
    if minutes is not None and (view.design != ADAPTIVE or not minutes > 0):
        raise InvalidValue(
            "this study cannot be limited in time", value=minutes, expected='minutes above 0, and the design "adaptive"'
        )
    executor = costed(executor, view.definition.goals)
    if view.definition.serves:  # its conditions are other baselines than the one that is to be believed
        with progress(len(view), workers) as told, at_work(store, store.studies.put(view.definition)):
            evidence = run_study(store, view.definition, view.plan, executor, workers=workers, report=told, minutes=minutes)
        return StudyResult(evidence, source, store.root)
    baseline = view.plan.configurations[0].name
    total = len(view) + added(view)
    with progress(total, workers) as told, at_work(store, store.studies.put(view.definition)):
        tuned, passage = _through_gate(store, view, executor, workers, accept, told)
        if passage.evidence.stops:
            # Its trials are reused when it is accepted or mended, so nothing is lost with the evidence that stood there.
            stopped = at_gate(store, view.definition, tuned.plan, passage)
            keep_evidence(store, stopped)
            return StudyResult(stopped, source, store.root)

        def unsaid(outcome: Outcome) -> None:
            if outcome.trial.configuration != baseline:  # its trials were told of at the gate
                told(outcome)

        evidence = run_study(
            store,
            view.definition,
            tuned.plan,
            executor,
            workers=workers,
            report=unsaid,
            passage=passage,
            minutes=minutes,
        )
    return StudyResult(evidence, source, store.root)


def check_baseline(store: Store, view: PlanView, executor: Executor, workers: int) -> StudyResult:
    """The gate alone, with progress on standard error: of the study, only the baseline's trials are there. Evidence in the store stays.

    Raises:
        AssayError: as `assay.questions.study.gate.pass_gate` raises it.
    """
    own = sum(trial.configuration == view.plan.configurations[0].name for trial in view.trials)
    executor = costed(executor, view.definition.goals)
    with progress(own + added(view), workers) as told, at_work(store, store.studies.put(view.definition)):
        tuned, passage = _through_gate(store, view, executor, workers, "", told)
    return StudyResult(at_gate(store, view.definition, tuned.plan, passage))


def added(view: PlanView) -> int:
    """Trials that the gate and the tuning need beside those of the plan."""
    own = sum(trial.configuration == view.plan.configurations[0].name for trial in view.trials)
    return len(gate_jobs(view.definition, view.plan)) - own + len(tuning_jobs(view.definition, view.plan))


def _through_gate(
    store: Store, view: PlanView, executor: Executor, workers: int, accept: str, told: Callable[[Outcome], None]
) -> tuple[Tuned, Passage]:
    definition = view.definition
    tuned = tune(store, definition, view.plan, executor, workers=workers, report=told)
    passage = pass_gate(store, definition, tuned.plan, executor, workers=workers, accept=accept, report=told)
    lost = tuple(
        Finding(
            kind="not tuned",
            about=one.configuration,
            text="No setting gave a value under every tuning seed: it has the baseline's.",
        )
        for one in tuned.chosen
        if not one.tried
    )
    gate = passage.evidence
    changed = msgspec.structs.replace(gate, tuned=tuned.chosen, tuning_seeds=tuned.seeds, findings=(*gate.findings, *lost))
    return tuned, passage._replace(evidence=changed)
