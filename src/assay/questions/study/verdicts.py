"""The verdict on each comparison and each hypothesis."""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite, nan, sqrt
from typing import Literal

from assay.questions.study.analysis_models import Estimate, Family
from assay.questions.study.analysis_words import Said, aliased, better_by, sentence
from assay.records.effect import Answer, Effect, EffectVerdict, Interaction
from assay.records.factor import Hypothesis, MetricGoal
from assay.stats.own_noise import price
from assay.stats.paired import standardised, superiority
from assay.stats.power import seeds_for_equivalence, seeds_needed

Judgement = Literal["supported", "refuted", "undecided"]

LEVEL = 0.05
"""Of all comparisons of a family together."""


def effect(
    one: Estimate, family: Family, goal: MetricGoal, *, changed: Sequence[str], where: str, partners: Sequence[str] = ()
) -> Effect:
    """The record of one comparison.

    Args:
        one: what was estimated.
        family: the comparisons that it was corrected with.
        goal: the metric.
        changed: result metrics in which the variant differs anywhere from the baseline.
        where: what of the other components it is measured beside, as the sentence goes on: ", averaged over the other components".
        partners: components on which it depends, as far as interactions were found.
    """
    verdict = verdict_on(one, goal)
    test = one.comparison
    wins, least, most = superiority(one.finite if goal.goal == "maximize" else -one.finite)
    if one.unit != "seed":  # splits of the same data are not independent
        least = most = nan
    asked = len(one.asked.contrast.plus)
    if one.pairs and one.pairs != asked:
        where = f", over the {one.pairs} of {asked} pairs of configurations that gave values"
    needed = seeds_to_decide(one, family, goal)
    within = one.within or (verdict == "exact" and goal.margin is not None and abs(one.estimate) < goal.margin)
    return Effect(
        component=one.asked.name,
        metric=goal.name,
        estimand=_estimand(one),
        estimate=one.estimate,
        low=test.low if test else nan,
        high=test.high if test else nan,
        n=len(one.finite),
        differences=tuple(one.values.tolist()),
        p=test.p if test else nan,
        method=one.method,
        verdict=verdict,
        better=better_by(one.estimate, goal) if verdict in ("matters", "exact") else None,
        within_margin=within,
        margin=goal.margin,
        d_z=standardised(one.finite) if one.kind == "tested" else nan,
        superiority=wins,
        superiority_low=least,
        superiority_high=most,
        seeds_needed=needed,
        words=sentence(Said(one, goal, verdict, within, needed, changed, where)) + _depends(partners) + aliased(one),
    )


def interaction(one: Estimate, goal: MetricGoal, words: str) -> Interaction:
    """The record of one interaction, with what it means in `words`."""
    test = one.comparison
    return Interaction(
        components=one.asked.components,
        metric=goal.name,
        estimand=_estimand(one),
        estimate=one.estimate,
        low=test.low if test else nan,
        high=test.high if test else nan,
        n=len(one.finite),
        p=test.p if test else nan,
        method=one.method,
        verdict=verdict_on(one, goal),
        words=words,
    )


def answer(hypothesis: Hypothesis, effects: Sequence[Effect], named: Sequence[str]) -> Answer:
    """Supported where the whole interval lies beyond the threshold, refuted where none of it does, else undecided.

    A component of several levels raises or lowers a metric where it does so against each of them.

    Args:
        hypothesis: that the baseline's component (or the named configuration) raises or lowers a metric.
        effects: all effects of the study.
        named: named configurations and added components, which are compared as they are, not by taking them away.
    """
    about = [one for one in effects if one.metric == hypothesis.metric and hypothesis.is_about(one.component)]
    exactly = [one for one in about if one.component == hypothesis.component]
    sign = 1 if hypothesis.component in named else -1
    sign = sign if hypothesis.direction == "raises" else -sign
    judged = [_judge(one, sign, hypothesis.by) for one in exactly or about]
    decided: Judgement = "undecided"
    if "refuted" in judged:
        decided = "refuted"
    elif judged and set(judged) == {"supported"}:
        decided = "supported"
    evidence = " ".join(one.words for one in exactly or about)
    if decided != "supported" and hypothesis.by and len(judged) == 1:
        evidence += _asked(hypothesis, *_contribution((exactly or about)[0], sign))
    return Answer(hypothesis=hypothesis, answer=decided, evidence=evidence or "Nothing was estimated.")


def verdict_on(one: Estimate, goal: MetricGoal) -> EffectVerdict:
    """The rule: an interval (or Holm's test) that excludes 0: matters; the equivalence test alone: no effect; else cannot tell."""
    if one.kind == "no-op":
        # A measurement that is equal (a peak of memory) says nothing of what the component does.
        return "exact" if goal.measured else "no-op"
    if one.kind == "exact":
        return "exact"
    test = one.comparison
    if test is None:
        return "cannot tell"
    if test.low > 0 or test.high < 0 or test.p <= LEVEL:
        return "matters"
    return "no effect" if one.within else "cannot tell"


def _depends(partners: Sequence[str]) -> str:
    return f" It depends on {' and '.join(partners)}: see the interaction." if partners else ""


def _estimand(one: Estimate) -> str:
    asked = len(one.asked.contrast.plus)
    if one.pairs == asked:
        return one.asked.estimand
    return f"{one.asked.estimand}; only the {one.pairs} of {asked} pairs of configurations that gave values"


def seeds_to_decide(one: Estimate, family: Family, goal: MetricGoal) -> int | None:
    """Blocks that would decide, at the estimate seen: to tell it from 0, or to place it within the margin, whichever needs fewer.

    Returns:
        None where it is decided, or no number of blocks would do.
    """
    test, margin = one.comparison, goal.margin
    if test is None or family.unit != "seed" or verdict_on(one, goal) != "cannot tell":  # more seeds are not more data
        return None
    sd = test.se * sqrt(len(one.finite))
    size = one.estimate / sd
    needed = [seeds_needed(size, groups=family.groups, df_per_block=family.df_per_block, price=price if family.priced else None)]
    if margin is not None:
        count = sum(family.groups)
        needed.append(seeds_for_equivalence(one.estimate, margin, sd, comparisons=count, df_per_block=family.df_per_block))
    known = [number for number in needed if number is not None]
    # What has been run did not decide, so at least one more is needed; the estimate may have been unlucky.
    return max(min(known), len(one.finite) + 1) if known else None


def _asked(hypothesis: Hypothesis, low: float, high: float) -> str:
    """The amount that a hypothesis names beside the one that was found, with digits that tell the two apart; nothing where no interval is known."""
    if not (isfinite(low) and isfinite(high)):
        return ""
    found = " to ".join(f"{value:.3g}".replace("-", "−") for value in dict.fromkeys((low, high)))
    return f" Asked is at least {hypothesis.by:g}; found is, in that direction, {found}."


def _contribution(one: Effect, sign: int) -> tuple[float, float]:
    """Interval of the component's own contribution, as far as it is known; the value twice where it is exact. `sign` turns the effect into it."""
    ends = (one.estimate, one.estimate) if one.verdict in ("exact", "no-op") else (one.low, one.high)
    low, high = sorted(sign * end for end in ends)
    return low, high


def _judge(one: Effect, sign: int, by: float) -> Judgement:
    """Where the interval of the component's own contribution lies. `sign` turns the effect of the variant into it."""
    if one.verdict in ("exact", "no-op"):
        value = sign * one.estimate
        # An exact value reaches a threshold that it equals up to rounding; without a threshold, it has to be more than nothing.
        return "supported" if value > 0 and value >= by * (1 - 1e-9) else "refuted"
    if not (isfinite(one.low) and isfinite(one.high)):
        return "undecided"
    low, high = _contribution(one, sign)
    return "supported" if low > by else "refuted" if high < by else "undecided"
