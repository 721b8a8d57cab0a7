"""Evidence of a study: what was asked, what was run, what came of every trial, and what follows from it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from assay.records.canonical import Record
from assay.records.effect import Answer, Effect, Interaction
from assay.records.factor import Factor, Hypothesis, MetricGoal
from assay.records.finding import Finding
from assay.records.gate import GateEvidence
from assay.records.plan import Plan, SplitName
from assay.records.run import Resources, State
from assay.records.seal import Seal
from assay.records.sensitivity import Sensitivity

PARAMETER_COUNTS = ("parameters", "params", "n_parameters", "num_parameters")
"""Metrics that count a model's parameters."""


class TrialResult(Record, frozen=True, kw_only=True):
    """What came of one trial of the plan.

    Attributes:
        index: number of the trial in `plan.trials`.
        configuration: name of its configuration.
        block: index of its block.
        seed: seed it was given.
        split: split or fold it was given; None where the study has none.
        run: id of the run; None where the trial could not become a run at all, or was never started.
        state: state of the run; "queued" where the study ended before the trial.
        metrics: last values by name, NaN and infinities kept; empty where it failed.
        seconds: wall time of the run (of the earlier run, where it was reused).
        reused: an earlier run with the same recipe and the same observed inputs was taken instead of running it again.
        failure: why it failed, in a sentence; empty where it did not.
        resources: what its run used; None where no run ended.
        measured: names of metrics that are measurements (times, memory).
    """

    index: int
    configuration: str
    block: int
    seed: int
    run: str | None = None
    state: State = "queued"
    metrics: dict[str, float] = {}
    seconds: float = 0.0
    reused: bool = False
    failure: str = ""
    resources: Resources | None = None
    measured: tuple[str, ...] = ()
    split: SplitName | None = None

    LATER: ClassVar[Mapping[str, object]] = {"split": None}


class StudyEvidence(Record, frozen=True, kw_only=True, tag_field="assay", tag="evidence/1"):
    """Everything that a reader needs to judge a study, on its own: reports are made of this and nothing else.

    Attributes:
        study: id of the study (of its definition).
        name: what the user called it; empty where not at all.
        baseline: parameters of the baseline configuration.
        factors: components with their levels.
        goals: metrics asked for, in the user's order.
        hypotheses: as they were sealed before the first trial.
        plan: configurations, blocks, trials, estimand, what it cannot see.
        rows: one per trial of the plan, in its order.
        effects: one per comparison and metric.
        interactions: of two or more factors, where the design can estimate them.
        answers: one per hypothesis.
        findings: no-ops, failed trials, NaN, reuse …
        notes: sentences that belong below the table (methods, corrections, what was switched and why).
        environment: what the trials ran in, in one line ("CPython 3.11.7, 2 cores, Linux 6.1"); empty where it is not known.
        gate: whether the baseline can be believed; None where nobody looked.
        sensitivity: whether its conclusions survive, the last answer to each question of `assay sensitivity`.
        seal: when it was asked, and when its first trial began; None where that is not known.
    """

    study: str
    name: str = ""
    baseline: dict[str, Any] = {}
    factors: tuple[Factor, ...] = ()
    goals: tuple[MetricGoal, ...] = ()
    hypotheses: tuple[Hypothesis, ...] = ()
    plan: Plan
    rows: tuple[TrialResult, ...] = ()
    effects: tuple[Effect, ...] = ()
    interactions: tuple[Interaction, ...] = ()
    answers: tuple[Answer, ...] = ()
    findings: tuple[Finding, ...] = ()
    notes: tuple[str, ...] = ()
    environment: str = ""
    gate: GateEvidence | None = None
    sensitivity: tuple[Sensitivity, ...] = ()
    seal: Seal | None = None

    LATER: ClassVar[Mapping[str, object]] = {"gate": None, "sensitivity": (), "seal": None}

    @property
    def stopped(self) -> bool:
        """The baseline failed at the gate, and nobody has accepted that: no ablation was run."""
        return self.gate is not None and self.gate.stops
