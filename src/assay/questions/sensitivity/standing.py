"""One conclusion under one condition: does it keep its sign, its verdict, its rank?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isfinite

from assay.records.effect import Effect
from assay.records.factor import MetricGoal
from assay.records.sensitivity import Condition, Standing

DECIDED = ("matters", "exact")
"""Verdicts that say that there is an effect."""
NOTHING = ("no effect", "no-op")
"""Verdicts that say that there is none to speak of."""


def goodness(effect: Effect, goal: MetricGoal) -> float:
    """The effect as a change for the better, in the metric's unit: negative where flipping costs."""
    return effect.estimate if goal.goal == "maximize" else -effect.estimate


def is_nothing(effect: Effect) -> bool:
    """Whether the verdict is that there is no effect: a difference that is exactly 0 is none either."""
    return effect.verdict in NOTHING or (effect.verdict == "exact" and effect.estimate == 0)


def has_effect(effect: Effect) -> bool:
    """Whether the verdict is that there is an effect."""
    return effect.verdict in DECIDED and effect.estimate != 0


def ranks(effects: Sequence[Effect], goal: MetricGoal) -> dict[str, int]:
    """Place of each component by what flipping it costs, from 1; those that are equal share the first of their places."""
    sizes = {effect.component: goodness(effect, goal) for effect in effects if isfinite(effect.estimate)}
    return {name: 1 + sum(other < size for other in sizes.values()) for name, size in sizes.items()}


def found_there(condition: Condition, component: str, goal: MetricGoal) -> tuple[Effect, MetricGoal] | None:
    """The effect that answers to a conclusion under a condition, with the metric it is of; None where it says nothing of it."""
    reading = condition.readings.get(goal.name, goal)
    if condition.readings and goal.name not in condition.readings:
        return None
    for effect in condition.effects:
        if effect.component == component and effect.metric == reading.name:
            return effect, reading
    return None


def standing(effect: Effect, goal: MetricGoal, rank: Mapping[str, int], condition: Condition) -> Standing | None:
    """The conclusion under the condition; None where the condition has no value for it.

    Args:
        effect: as the study found it.
        goal: its metric.
        rank: places of the components that the condition too has a value for, in the study.
        condition: what was found there.
    """
    there = found_there(condition, effect.component, goal)
    if there is None or not isfinite(there[0].estimate):
        return None
    other, reading = there
    sign = _same_sign(goodness(effect, goal), goodness(other, reading)) if isfinite(effect.estimate) else None
    place = ranks([one for one in condition.effects if one.metric == reading.name and one.component in rank], reading)
    own = place.get(effect.component)
    return Standing(
        condition=condition.name,
        estimate=other.estimate,
        low=other.low,
        high=other.high,
        n=other.n,
        verdict=other.verdict,
        same_sign=sign,
        same_verdict=_kind(other) == _kind(effect) and (sign is not False or not has_effect(effect)),
        same_rank=None if own is None or effect.component not in rank else own == rank[effect.component],
        rank=own,
        contrary=_contrary(effect, other, sign),
    )


def common_ranks(effects: Sequence[Effect], goal: MetricGoal, condition: Condition) -> dict[str, int]:
    """Places in the study of those components that the condition has a value for, so that places can be compared."""
    kept = []
    for effect in effects:
        there = found_there(condition, effect.component, goal)
        if effect.metric == goal.name and there is not None and isfinite(there[0].estimate):
            kept.append(effect)
    return ranks(kept, goal)


def _same_sign(here: float, there: float) -> bool:
    return (here > 0) - (here < 0) == (there > 0) - (there < 0)


def _kind(effect: Effect) -> str:
    """Verdicts that say the same: an effect, none, or nothing."""
    return "effect" if has_effect(effect) else "none" if is_nothing(effect) else "open"


def _contrary(effect: Effect, other: Effect, sign: bool | None) -> bool:
    if has_effect(effect):
        return sign is False or is_nothing(other)
    return is_nothing(effect) and has_effect(other)
