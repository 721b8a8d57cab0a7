"""Named configurations of an adaptive study: compared with the baseline seed by seed, by a test that holds at any stop."""

from __future__ import annotations

from math import isfinite, log, nan

import numpy as np

from assay.questions.study.analysis_words import amount, amount_signed, better_by, capital, size
from assay.records.effect import Effect, EffectVerdict
from assay.records.factor import MetricGoal
from assay.records.plan import Plan
from assay.stats.paired import is_constant
from assay.stats.sequential import any_time_p, running
from assay.stats.simultaneous import Array

_LEVEL = 0.05


def named_effects(plan: Plan, goal: MetricGoal, table: Array) -> list[Effect]:
    """One effect for each named configuration of a plan.

    Args:
        plan: the trials that were run.
        goal: the metric.
        table: its values, shape (blocks, configurations), NaN where there is none.
    """
    column = {configuration.name: index for index, configuration in enumerate(plan.configurations)}
    return [_effect(plan, goal, name, table[:, column[name]] - table[:, column["baseline"]], table) for name in plan.named]


def _effect(plan: Plan, goal: MetricGoal, name: str, differences: Array, table: Array) -> Effect:
    values = differences[np.isfinite(differences)]
    estimate = float(values.mean()) if len(values) else nan
    exact = len(values) > 1 and is_constant(values, float(np.nanmax(np.abs(table), initial=0.0)))
    highest, (low, high) = (0.0, (nan, nan)) if exact else running(values, _LEVEL / len(plan.named))
    verdict = _verdict(values, exact, highest, len(plan.named), (low, high), goal.margin)
    bounded = isfinite(low) and isfinite(high)
    return Effect(
        component=name,
        metric=goal.name,
        estimand="mean change from the baseline to this named configuration",
        estimate=estimate,
        low=low if bounded else nan,
        high=high if bounded else nan,
        n=len(values),
        differences=tuple(differences.tolist()),
        p=any_time_p(highest, len(plan.named)) if len(values) > 1 and not exact else nan,
        method="any-time valid t" if bounded else "",
        verdict=verdict,
        better=better_by(estimate, goal) if verdict in ("matters", "exact") else None,
        within_margin=verdict == "no effect",
        margin=goal.margin,
        words=_words(name, goal, verdict, estimate, low, high),
    )


def _verdict(
    values: Array, exact: bool, highest: float, asked: int, interval: tuple[float, float], margin: float | None
) -> EffectVerdict:
    if len(values) and not values.any():
        return "no-op"
    if exact:
        return "exact"
    if highest >= log(asked / _LEVEL):
        return "matters"
    inside = margin is not None and -margin < interval[0] and interval[1] < margin
    return "no effect" if inside else "cannot tell"


def _words(name: str, goal: MetricGoal, verdict: EffectVerdict, estimate: float, low: float, high: float) -> str:
    subject = f"the configuration {name!r}"
    if verdict == "no-op":
        return capital(f"{subject} changes {goal.name} not at all under any seed that was run.")
    if verdict == "cannot tell":
        said = amount_signed(estimate, low, high) if isfinite(high - low) else f"{size(estimate)}, without an interval yet"
        return f"Cannot tell whether {subject} changes {goal.name}: {said}; more seeds would tell."
    if verdict == "no effect":
        return capital(f"{subject} has no effect on {goal.name} larger than {goal.margin:g}.")
    moved = amount(estimate, low, high) if verdict == "matters" else f"exactly {amount(estimate)}"
    better = "better" if better_by(estimate, goal) else "worse"
    return capital(f"{subject} {'raises' if estimate > 0 else 'lowers'} {goal.name} by {moved}: it is {better} than the baseline.")
