"""What the trials of a study say: effects, interactions, answers to the hypotheses, and what must be said beside them. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from math import sqrt
from typing import NamedTuple, Protocol

import numpy as np

from assay.ablation.components import check_hypotheses, merge
from assay.ablation.designs import design_of
from assay.questions.study.analysis_contrasts import Asked, asked, without_repeats
from assay.questions.study.analysis_designs import lost_effects, order_spread
from assay.questions.study.analysis_interactions import describe_interaction, not_additive, simple_effects
from assay.questions.study.analysis_models import Family, estimate_family, noisy_columns, tolerance
from assay.questions.study.analysis_noise import unlike_noise
from assay.questions.study.analysis_readings import Readings, Row
from assay.questions.study.analysis_splits import Blocking, blocking
from assay.questions.study.pairings import added_of
from assay.questions.study.verdicts import answer, effect, interaction, seeds_to_decide
from assay.records.effect import Answer, Effect, Interaction
from assay.records.factor import Factor, Hypothesis, MetricGoal
from assay.records.finding import Finding
from assay.records.plan import Plan
from assay.stats.simultaneous import Array, critical_value

_AVERAGED = ", averaged over the other components"
_WHERE = {
    "ladder": ", beside the components before it",
    "add-one-in": ", with all the others off",
    "shapley": ", averaged over the orders of flipping",
}


class Question(Protocol):
    """What the analysis reads of a study's definition."""

    @property
    def factors(self) -> Sequence[Factor]:
        """Components."""

    @property
    def goals(self) -> Sequence[MetricGoal]:
        """Metrics, in the user's order."""

    @property
    def hypotheses(self) -> Sequence[Hypothesis]:
        """What was expected."""


class Analysis(NamedTuple):
    """What the evidence says.

    Attributes:
        effects: metric by metric, in the order of the goals; within one, the design's own comparisons and then the named ones.
        interactions: of every two components, where the design runs them together.
        findings: what must be said beside them.
        answers: one for each hypothesis.
        notes: how it was estimated, in sentences.
    """

    effects: list[Effect]
    interactions: list[Interaction]
    findings: list[Finding]
    answers: list[Answer]
    notes: list[str]


class _Planned(NamedTuple):
    """What a plan asks for: components, effects, interactions, and by effect the result metrics in which any of its pairs differs."""

    factors: Sequence[Factor]
    effects: list[Asked]
    together: list[Asked]
    changed: dict[str, list[str] | None]


def analyse(question: Question, plan: Plan, outcomes: Sequence[Row]) -> Analysis:
    """Effects of the components, from paired differences under one seed.

    Per metric all comparisons are corrected together. Trials that failed or gave no finite number are left out with their pairs, and
    said. What is exactly the same in every seed has no interval and is tested by nothing.

    Args:
        question: components, metrics and hypotheses.
        plan: configurations and blocks.
        outcomes: what came of the trials, in any order; missing ones count as not run.

    Raises:
        UnknownMetric: trials finished, and none of them reports a metric that is asked about.
        InvalidStudy: a hypothesis is about something that the study does not have.
        InvalidValue: an outcome is not of this plan, or comes twice.
    """
    factors = merge(question.factors)
    check_hypotheses(question.hypotheses, factors, question.goals, plan.named)
    readings = Readings(plan, outcomes, question.goals)
    effects, together = asked(plan, factors)
    planned = _Planned(factors, effects, together, {one.name: readings.changed(one) for one in effects})
    found = Analysis([], [], readings.findings(question.goals), [], [])
    placebos = {factor.name for factor in factors if factor.kind == "placebo"}
    idle = [one for one in effects if one.name not in placebos and planned.changed[one.name] == [] and not readings.moved(one)]
    found.findings.extend(_no_ops(idle, plan))
    for goal in question.goals:
        _analyse_metric(found, goal, plan, planned, blocking(plan, readings.table(goal.name)))
    found.answers.extend(answer(one, found.effects, as_they_are(plan, factors)) for one in question.hypotheses)
    return found


def as_they_are(plan: Plan, factors: Sequence[Factor]) -> list[str]:
    """What a hypothesis is about as it is run: named configurations and what is added, not by taking it away."""
    added = [factor.name for factor in factors if factor.kind == "add" or design_of(plan).way == "three levels"]
    return [*plan.named, *added]


def _analyse_metric(found: Analysis, goal: MetricGoal, plan: Plan, planned: _Planned, blocks: Blocking) -> None:
    table = blocks.table
    design = design_of(plan)
    factors, effects, together, changed = planned
    usable = np.atleast_1d(np.isfinite(table).any(axis=0))
    if not usable.all():
        effects, together = asked(plan, factors, usable.tolist())
        found.findings.extend(lost_effects(goal, planned.effects, effects))
    effects = without_repeats(plan, table, effects)
    noisy = noisy_columns(table, effects)
    estimated = partial(
        estimate_family,
        table,
        noisy=noisy,
        margin=goal.margin,
        inflation=blocks.inflation,
        unit=blocks.unit,
        spreads=plan.options.spreads,
    )
    family = estimated(effects)
    partners: dict[str, list[str]] = {}
    if together:
        mains = {one.asked.name: one.estimate for one in family.estimates}
        two_levels = all(len(factor.levels) == 1 for factor in factors)
        interactions = estimated(together)
        simple = [simple_effects(table, one, mains, two_levels=two_levels) for one in interactions.estimates]
        partners = _say_interactions(found, goal, blocks, interactions, simple, factors)
    where = _WHERE.get(design.name, _AVERAGED if design.way != "corner" else "") if len(factors) > 1 else ""
    judged = [
        effect(
            one,
            family,
            goal,
            changed=changed.get(one.asked.name) or (),
            where="" if one.asked.name in plan.named else where,
            partners=partners.get(one.asked.name, ()),
        )
        for one in family.estimates
    ]
    found.effects.extend(judged)
    found.findings.extend(_seedless(goal, table))
    found.findings.extend(not_additive(plan, judged, factors) if plan.design == "leave-one-out" else [])
    found.findings.extend(order_spread(plan, factors, goal, table))
    _say_method(found, goal, family, "effects", blocks.words, alike=plan.options.spreads == "alike")


def _say_interactions(
    found: Analysis,
    goal: MetricGoal,
    blocks: Blocking,
    family: Family,
    simple: Sequence[tuple[Sequence[float], Sequence[float]]],
    factors: Sequence[Factor],
) -> dict[str, list[str]]:
    """Records the interactions; returns for each component those on which its effect depends."""
    partners: dict[str, list[str]] = {}
    for one, (alone, given) in zip(family.estimates, simple, strict=True):
        test = one.comparison
        noise = tolerance(blocks.table) * 1e-12
        if test is not None:
            # A simple effect averages over half as many differences as the interaction, so its error is larger by sqrt(2).
            noise = critical_value(test.df, family.groups) * test.se * sqrt(2)
        added = added_of(one.asked.components, factors)
        needed = seeds_to_decide(one, family, goal)
        kind, words = describe_interaction(one, goal, alone, given, noise, added, needed)
        found.interactions.append(interaction(one, goal, words))
        if kind:
            about = f"{one.asked.name} on {goal.name}"
            found.findings.append(Finding(kind="redundant" if kind == "redundant" else "interaction", about=about, text=words))
            first, second = one.asked.components
            partners.setdefault(first, []).append(second)
            partners.setdefault(second, []).append(first)
    _say_method(found, goal, family, "interactions", blocks.words)
    return partners


def _say_method(found: Analysis, goal: MetricGoal, family: Family, what: str, paired: str, *, alike: bool = False) -> None:
    methods = {one.method for one in family.estimates if one.method}
    number = len(family.estimates)
    for method in sorted(methods):
        taken = ", all configurations taken to be equally noisy, as the study says" if alike and number > 1 else ""
        together = f"corrected for {number} comparisons" if number > 1 else "one comparison"
        found.notes.append(
            f"{goal.name}, {what}: {method} on differences {paired}, {together}{taken}; intervals hold together at 95 %."
        )
    if family.incomplete:
        text = f"Of the {what}, some pairs are missing, so each comparison uses the {family.unit}s that it has, and {family.incomplete}."
        found.findings.append(Finding(kind="incomplete blocks", about=goal.name, text=text))
    if family.switched and methods:
        text = (
            f"Of the {what}, {family.switched}. So each is tested with its own spread (Holm over paired t) instead of a pooled one."
        )
        found.findings.append(Finding(kind="method switched", about=goal.name, text=text))
    found.findings.extend(unlike_noise(goal.name, what, family.unlike))


def _no_ops(idle: Sequence[Asked], plan: Plan) -> list[Finding]:
    """Components of which no pair of trials, whatever else was flipped, shows any difference."""
    blind = ""
    design = design_of(plan)
    if design.way in ("corner", "steps") and not design.interactions and plan.comparisons > 1:
        blind = " (or another component does the same work, which this design cannot see)"
    return [
        Finding(
            kind="no-op",
            about=one.name,
            text=f"{one.act[0].upper()}{one.act[1:]} changed nothing at all: every result metric of every pair of trials is exactly equal. "
            f"Check that the trials read what it sets{blind}.",
        )
        for one in idle
    ]


def _seedless(goal: MetricGoal, table: Array) -> list[Finding]:
    """The seed reaches nothing: every configuration gives one value under all seeds."""
    several = np.isfinite(table).sum(axis=0) > 1
    if not several.any() or np.any(np.nanmax(table[:, several], axis=0) != np.nanmin(table[:, several], axis=0)):
        return []
    text = "It is the same under every seed in all configurations: the seed reaches nothing, or there is no randomness to average over."
    return [Finding(kind="seed without effect", about=goal.name, text=text)]
