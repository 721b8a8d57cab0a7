"""Named configurations of an adaptive study: compared with the baseline block by block, by tests that hold at any stop where seeds are the blocks."""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite, nan, sqrt
from typing import NamedTuple

import numpy as np

from assay.questions.study.analysis_splits import blocking
from assay.questions.study.analysis_words import amount, amount_signed, better_by, capital, size
from assay.records.effect import Effect, EffectVerdict
from assay.records.factor import MetricGoal
from assay.records.plan import Plan
from assay.stats.bounded import bounded_running
from assay.stats.paired import comparison, is_constant
from assay.stats.sequential import any_time_p, running
from assay.stats.simultaneous import Array, t_quantile

_LEVEL = 0.05
_NORMAL = "any-time valid t"


class _Test(NamedTuple):
    """What a test says: its corrected p-value, its interval, and what it is called."""

    p: float
    low: float
    high: float
    method: str


_NONE = _Test(nan, nan, nan, "")


def named_effects(plan: Plan, goal: MetricGoal, table: Array) -> list[Effect]:
    """One effect for each named configuration of a plan.

    Over seeds, a metric whose range was declared has a test that rests on that range alone; else differences are taken for normal. Over splits of
    the data, trials of one split are no more evidence than one of them: differences are averaged over its seeds, their number is fixed
    by the plan, and the interval is the one of other designs.

    Args:
        plan: the trials that were run.
        goal: the metric.
        table: its values, shape (blocks, configurations), NaN where there is none.
    """
    column = {configuration.name: index for index, configuration in enumerate(plan.configurations)}
    compared = blocking(plan, table[:, [column["baseline"], *(column[name] for name in plan.named)]])
    values = compared.table
    asked = len(plan.named)
    found = []
    for number, name in enumerate(plan.named, 1):
        differences = values[:, number] - values[:, 0]
        finite = differences[np.isfinite(differences)]
        exact = len(finite) > 1 and is_constant(finite, float(np.nanmax(np.abs(values), initial=0.0)))
        if exact or len(finite) < 2:
            test = _NONE
        elif plan.splits is not None:
            test = _over_splits(finite, asked, compared.inflation)
        else:
            test = _over_seeds(finite, asked, _range(goal, values))
        found.append(_effect(goal, name, differences, exact, test, compared.unit, asked))
    return found


def _over_seeds(values: Array, asked: int, width: float | None) -> _Test:
    """`width` is that of the metric's range; None where it has none, or values lie outside it."""
    if width is None:
        highest, (low, high) = running(values, _LEVEL / asked)
        return _Test(any_time_p(highest, asked), low, high, _NORMAL)
    highest, (low, high) = bounded_running(values / width, _LEVEL / asked)
    return _Test(any_time_p(highest, asked), low * width, high * width, "any-time valid, by bets within the metric's range")


def _over_splits(values: Array, asked: int, inflation: float) -> _Test:
    se = float(np.std(values, ddof=1)) / sqrt(len(values)) * inflation
    test = comparison(float(values.mean()), se, len(values) - 1, t_quantile(1 - _LEVEL / (2 * asked), len(values) - 1))
    return _Test(min(1.0, asked * test.p), test.low, test.high, "paired t over splits, Bonferroni")


def _range(goal: MetricGoal, values: Array) -> float | None:
    if goal.range is None or not all(map(isfinite, goal.range)):
        return None
    low, high = goal.range
    seen = values[np.isfinite(values)]
    return high - low if ((low <= seen) & (seen <= high)).all() else None


def _effect(goal: MetricGoal, name: str, differences: Array, exact: bool, test: _Test, unit: str, asked: int) -> Effect:
    values = differences[np.isfinite(differences)]
    estimate = float(values.mean()) if len(values) else nan
    verdict = _verdict(values, exact, test, goal.margin)
    bounded = isfinite(test.low) and isfinite(test.high)
    words = _words(name, goal, verdict, estimate, test, unit) + _if_normal(values, verdict, test, asked)
    return Effect(
        component=name,
        metric=goal.name,
        estimand="mean change from the baseline to this named configuration",
        estimate=estimate,
        low=test.low if bounded else nan,
        high=test.high if bounded else nan,
        n=len(values),
        differences=tuple(differences.tolist()),
        p=test.p,
        method=test.method if bounded else "",
        verdict=verdict,
        better=better_by(estimate, goal) if verdict in ("matters", "exact") else None,
        within_margin=verdict == "no effect",
        margin=goal.margin,
        words=words,
    )


def _verdict(values: Array, exact: bool, test: _Test, margin: float | None) -> EffectVerdict:
    if len(values) and not values.any():
        return "no-op"
    if exact:
        return "exact"
    if test.p <= _LEVEL:
        return "matters"
    inside = margin is not None and -margin < test.low and test.high < margin
    return "no effect" if inside else "cannot tell"


def _words(name: str, goal: MetricGoal, verdict: EffectVerdict, estimate: float, test: _Test, unit: str) -> str:
    subject, low, high = f"the configuration {name!r}", test.low, test.high
    if verdict == "no-op":
        return capital(f"{subject} changes {goal.name} not at all under any {unit} that was run.")
    if verdict == "cannot tell":
        said = amount_signed(estimate, low, high) if isfinite(high - low) else f"{size(estimate)}, without an interval yet"
        more = "; more seeds would tell" if unit == "seed" else ""
        return f"Cannot tell whether {subject} changes {goal.name}: {said}{more}."
    if verdict == "no effect":
        return capital(f"{subject} has no effect on {goal.name} larger than {goal.margin:g}.")
    moved = amount(estimate, low, high) if verdict == "matters" else f"exactly {amount(estimate)}"
    better = "better" if better_by(estimate, goal) else "worse"
    return capital(f"{subject} {'raises' if estimate > 0 else 'lowers'} {goal.name} by {moved}: it is {better} than the baseline.")


def _if_normal(values: Sequence[float] | Array, verdict: EffectVerdict, test: _Test, asked: int) -> str:
    """What the test that takes differences for normal would say, where the one that rests on the range alone cannot tell."""
    if verdict != "cannot tell" or test.method in ("", _NORMAL) or test.method.startswith("paired"):
        return ""
    highest, (low, high) = running(values, _LEVEL / asked)
    if any_time_p(highest, asked) > _LEVEL:
        return ""
    return f" If the differences are normal, which the metric's range does not tell, it does: between {size(low)} and {size(high)}."
