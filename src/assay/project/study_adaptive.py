"""The adaptive design's plan in words: when it stops, what it costs at most, what it will see."""

from __future__ import annotations

from collections.abc import Mapping
from math import sqrt

from assay.ablation.adaptive.course import CLEAR, FEWEST, MOST, UNSURE, WRONG
from assay.ablation.adaptive.order import BATCH, alternatives
from assay.ablation.adaptive.plans import first_stop
from assay.ablation.components import merge
from assay.ablation.designs import ADAPTIVE
from assay.questions.study.definition import Definition
from assay.questions.study.pilot import Noise
from assay.records.plan import Plan

_SEEN = 5.2
"""Standard errors of an effect whose evidence reaches its bound in four studies of five, with a dozen components (simulated)."""


def cost_in_words(definition: Definition, plan: Plan) -> str:
    """Fewest and most trials."""
    first, most = first_stop(plan, sum(alternatives(definition.factors))), len(plan.trials)
    seeds = len({block.seed for block in plan.blocks})
    unit, turns = "seed", f"{seeds} seeds"
    if plan.splits is not None:
        unit, turns = f"seed and {plan.splits.parameter}", f"{turns} x {len(plan.splits.names)} {plan.splits.parameter}s"
    return f"{first} at least, {most} at most (the budget), {BATCH} in turn under one {unit}; {turns} take turns"


def configurations_in_words(plan: Plan) -> list[str]:
    """Names of configurations; of the adaptive design those alone that nobody draws."""
    if plan.design != ADAPTIVE:
        return [one.name for one in plan.configurations]
    own = [one.name for one in plan.configurations[:1] if any(trial.configuration == one.name for trial in plan.trials)]
    return [*own, *plan.named, "combinations of all components, drawn by coins"]


def rule_in_words(definition: Definition) -> str:
    """When no more trials are run."""
    bounds = f"{UNSURE * WRONG * FEWEST**2:.2g} to {CLEAR * WRONG * MOST**2:.2g}"
    over = (
        f"when a search expects hardly a wrong term ({bounds}, by how many it has chosen to explain a metric, how clear they are, and "
        "whether seeds vary much)"
    )
    ends = (
        "or at the budget, or by --minutes, or by you. Errors are bounded at any stop: a false statement in 5 % of metrics at most"
    )
    if definition.options.until == "found":
        return f"{over}, confirmed or not; {ends}, and what is found and not confirmed is no statement"
    margin = any(goal.margin is not None for goal in definition.goals)
    within = ", and every other component's lies within the margin" if margin else ""
    return f"{over}, and each that it has chosen is confirmed{within}; {ends}"


def sees_in_words(definition: Definition, plan: Plan, noise: Mapping[str, Noise]) -> str:
    """Effects that are confirmed with 80 % power when the budget is used up; of the component with the most levels too, if it has several."""
    most = max(merge(definition.factors), key=lambda factor: len(factor.levels))
    several = len(most.levels) > 1
    least, widest = (smallest(len(plan.trials), count) for count in (1, len(most.levels)))
    known = [f"{metric} {widest * one.deviation / sqrt(2):.2g}" for metric, one in noise.items()]
    said = f"with all {len(plan.trials)} trials effects from {least:.2g} standard deviations of a trial on"
    said += f" (from {widest:.2g} on, of each level of {most.name})" if several else ""
    said += ", with about 80 % power; larger ones sooner"
    return f"{said}; at the noise of earlier trials: {', '.join(known)}" if known else said


def smallest(trials: int, alternatives: int) -> float:
    """Smallest effect that so many trials confirm, in standard deviations of a trial.

    Args:
        trials: all that are run.
        alternatives: levels beside the baseline's; a comparison has the trials at two of a component's levels.
    """
    return _SEEN * 2 / sqrt(trials * 2 / (1 + alternatives))
