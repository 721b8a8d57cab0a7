"""What interactions mean: redundant, only together, or one effect that depends on another component."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from math import isnan, nan
from typing import Any

import numpy as np

from assay.questions.study.analysis_contrasts import Asked
from assay.questions.study.analysis_models import Estimate
from assay.questions.study.analysis_words import aliased, amount, amount_signed, blocks_of, capital, signed, size, what_would
from assay.questions.study.pairings import Pairing, added_of, pairing
from assay.questions.study.verdicts import verdict_on
from assay.records.canonical import canonical
from assay.records.effect import Effect
from assay.records.factor import Factor, MetricGoal
from assay.records.finding import Finding
from assay.records.plan import Plan
from assay.stats.blocks import Columns
from assay.stats.simultaneous import Array

_ARE: dict[Pairing, str] = {
    "redundant": "are redundant",
    "together": "only matter together",
    "depends": "depend on each other",
}


def describe_interaction(
    one: Estimate,
    goal: MetricGoal,
    alone: Sequence[float],
    given: Sequence[float],
    noise: float,
    added: int = 0,
    needed: int | None = None,
) -> tuple[str, str]:
    """What an interaction means: ("redundant", "together", "depends" or "", the sentence).

    Args:
        one: the interaction.
        goal: the metric.
        alone: effect of each of the two with the other as in the baseline.
        given: effect of each with the other changed.
        noise: below it, an effect cannot be told from 0.
        added: how many of the two the baseline does not have.
        needed: seeds that would decide it, where it is not decided.
    """
    a, b = one.asked.components
    if one.asked.aliases:
        return "", _sum_of_several(one, goal)
    if verdict_on(one, goal) not in ("matters", "exact") or abs(one.estimate) <= (noise if one.comparison is None else 0):
        return "", _no_interaction(one, goal, needed)
    if isnan(alone[0]):
        return "depends", f"The effects of {a} and {b} on {goal.name} depend on each other (interaction {signed(one)})."
    joint = alone[0] + given[1]
    none_alone, none_given = (all(abs(value) <= noise for value in values) for values in (alone, given))
    small = "at all" if one.comparison is None else "that can be seen"
    moved = f"{'raises' if joint > 0 else 'lowers'} {goal.name} by {amount(joint)}"
    doing = "adding" if added == 2 else "changing"
    if none_alone and abs(joint) > noise:
        kind = pairing("alone", added)
        return kind, f"{a} and {b} {_ARE[kind]}: {doing} either alone does nothing {small}, {doing} both {moved}."
    if none_given and all(abs(value) > noise for value in alone):
        kind = pairing("given", added)
        return kind, f"{a} and {b} {_ARE[kind]}: {doing} either {moved}, and then the other does nothing {small}."
    return "depends", capital(
        f"{one.asked.act} changes {goal.name} by {size(alone[0])} with {b!r} as in the baseline and by {size(given[0])} with it changed"
        f" (interaction {signed(one)})."
    )


def _no_interaction(one: Estimate, goal: MetricGoal, needed: int | None) -> str:
    a, b = one.asked.components
    if one.kind in ("no-op", "exact"):
        return f"{a} and {b} do not interact on {goal.name}: exactly 0 in {blocks_of(one)}."
    if one.within:
        return f"{a} and {b} have no interaction on {goal.name} larger than {goal.margin:g} ({signed(one)})."
    if one.kind == "none":
        return f"Cannot tell whether {a} and {b} interact on {goal.name}: some combination never gave a value."
    would = "" if one.comparison is None else f"; {what_would(one, needed)}"
    return f"Cannot tell whether {a} and {b} interact on {goal.name}: {signed(one)}{would}."


def _sum_of_several(one: Estimate, goal: MetricGoal) -> str:
    a, b = one.asked.components
    moves = "is not 0" if verdict_on(one, goal) in ("matters", "exact") and one.estimate else "is not told from 0"
    return f"The sum of {a} × {b} and its aliases on {goal.name} {moves} ({signed(one)}).{aliased(one)}"


def simple_effects(
    table: Array, one: Estimate, mains: Mapping[str, float], *, two_levels: bool
) -> tuple[tuple[float, float], tuple[float, float]]:
    """For an interaction of a and b: effects of (a, b) alone, and of (a given b, b given a), over the complete blocks.

    Args:
        table: shape (blocks, configurations).
        one: the interaction.
        mains: main effects by name, of which a linear model makes them.
        two_levels: whether every component has one level beside the baseline's; of more, a linear model does not say them here: NaN.
    """
    if one.asked.contrast.weights is not None:
        a, b = (mains.get(name, nan) if two_levels else nan for name in one.asked.components)
        half = one.estimate
        return (a - half, b - half), (a + half, b + half)
    return _of_cells(table, one.asked)


def _of_cells(table: Array, asked: Asked) -> tuple[tuple[float, float], tuple[float, float]]:
    """Simple effects of the four cells of every combination."""
    plus, minus, _ = asked.contrast
    half = len(plus) // 2
    both, neither, only_b, only_a = plus[:half], plus[half:], minus[:half], minus[half:]
    rows = table[np.isfinite(table[:, np.concatenate([plus, minus])]).all(axis=1)]

    def mean(high: Columns, low: Columns) -> float:
        return float(np.mean(rows[:, high] - rows[:, low])) if len(rows) else nan

    return (mean(only_a, neither), mean(only_b, neither)), (mean(both, only_b), mean(both, only_a))


def not_additive(plan: Plan, effects: Sequence[Effect], factors: Sequence[Factor]) -> list[Finding]:
    """Named configurations whose effect is not the sum of the single effects that they combine, as far as the intervals say.

    Leave-one-out alone cannot see redundancy; beside a named combination it can. The intervals hold together, so where the sum of the
    single ones and that of the combination do not meet, the difference is no chance.

    Args:
        plan: of a design that flips one component at a time.
        effects: all effects on one metric.
        factors: components.
    """
    if not plan.named:
        return []
    # Effects come as the configurations do; those that follow are of no configuration alone.
    by_name = {one.component: one for one in effects[: len(plan.configurations) - 1]}
    singles = {name: _settings(plan, index) for index, name in enumerate(by_name, 1) if name not in plan.named}
    found = []
    for name in plan.named:
        parts = _parts(_settings(plan, [c.name for c in plan.configurations].index(name)), singles)
        if len(parts) > 1:
            found += _compare_sum(by_name[name], [by_name[part] for part in parts], added_of(parts, factors))
    return found


def _settings(plan: Plan, index: int) -> set[tuple[str, bytes]]:
    """What a configuration sets otherwise than the baseline: path and canonical value."""
    return set(_flat(plan.configurations[index].params)) - set(_flat(plan.configurations[0].params))


def _flat(node: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, bytes]]:
    for key, value in node.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{prefix}{key}.")
        else:
            yield prefix + key, canonical(value)


def _parts(combined: set[tuple[str, bytes]], singles: dict[str, set[tuple[str, bytes]]]) -> list[str]:
    """The single effects that a combination is made of; none where they do not make up the whole of it."""
    parts = [name for name, settings in singles.items() if settings and settings <= combined]
    return parts if set().union(*(singles[part] for part in parts)) == combined else []


def _compare_sum(joint: Effect, parts: Sequence[Effect], added: int) -> list[Finding]:
    bounds = [_bounds(one) for one in parts]
    low, high = sum(one[0] for one in bounds), sum(one[1] for one in bounds)
    whole = _bounds(joint)
    slack = 1e-12 * max(abs(low), abs(high), abs(joint.estimate))  # rounding of sums of exact differences
    if not (whole[0] > high + slack or whole[1] < low - slack):
        return []
    names = " and ".join(one.component for one in parts)
    kind: Pairing = "depends"
    if all(one[0] <= 0 <= one[1] for one in bounds) and added in (0, len(parts)):
        kind = "together" if added else "redundant"
    added_up = amount_signed(sum(one.estimate for one in parts), low, high)
    text = (
        f"{names} {_ARE[kind]} for {joint.metric}: one by one their effects add up to {added_up}, "
        f"together ({joint.component!r}) they make {amount_signed(joint.estimate, *whole)}."
    )
    return [
        Finding(
            kind="redundant" if kind == "redundant" else "interaction",
            about=f"{' × '.join(one.component for one in parts)}",
            text=text,
        )
    ]


def _bounds(one: Effect) -> tuple[float, float]:
    exact = one.verdict in ("exact", "no-op")
    return (one.estimate, one.estimate) if exact else (one.low, one.high)
