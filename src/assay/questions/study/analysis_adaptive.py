"""What the trials of the adaptive design say: effects and interactions that hold at any stop, and the history of decisions. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil, isfinite, nan, prod

import numpy as np

from assay.ablation.adaptive.course import LEVEL, Course, allowed
from assay.ablation.comparisons import act
from assay.ablation.components import check_hypotheses, effect_name, merge
from assay.ablation.design import Side, interaction_name, sides_of
from assay.questions.study.adaptive import Courses
from assay.questions.study.analysis import Analysis, Question
from assay.questions.study.analysis_adaptive_named import named_effects
from assay.questions.study.analysis_readings import Readings, Row
from assay.questions.study.analysis_words import amount, amount_signed, better_by, capital, size
from assay.questions.study.former import Former
from assay.questions.study.verdicts import answer
from assay.records.effect import Effect, EffectVerdict, Interaction
from assay.records.factor import MetricGoal
from assay.records.finding import Finding
from assay.records.plan import Plan
from assay.stats.factorial_search import Belief
from assay.stats.sequential import any_time_p

METHOD = "any-time valid, by the coins of the design"
_LIKELY = 0.05
"""Interactions that the search holds less likely are not listed one by one."""


def analyse_adaptive(question: Question, plan: Plan, outcomes: Sequence[Row], courses: Courses) -> Analysis:
    """Effects of the components and of named configurations, interactions, and how it went.

    Args:
        question: components, metrics and hypotheses.
        plan: the trials that were run.
        outcomes: what came of them, in the order of the plan.
        courses: told these outcomes.

    Raises:
        UnknownMetric: trials finished, and none of them reports a metric that is asked about.
        InvalidStudy: a hypothesis is about something that the study does not have.
    """
    factors = merge(question.factors)
    check_hypotheses(question.hypotheses, factors, question.goals, plan.named)
    readings = Readings(plan, outcomes, question.goals)
    found = Analysis([], [], [one for one in readings.findings(question.goals) if not _never_meant(one, plan)], [], [])
    for goal in question.goals:
        _analyse_metric(found, goal, plan, sides_of(factors), courses.by_metric[goal.name], courses.former)
        found.effects.extend(named_effects(plan, goal, readings.table(goal.name)))
    as_they_are = [*plan.named, *(factor.name for factor in factors if factor.kind == "add")]
    found.answers.extend(answer(one, found.effects, as_they_are) for one in question.hypotheses)
    return found


def _never_meant(finding: Finding, plan: Plan) -> bool:
    """Combinations run under the seed of their batch alone, so that they did not run under others is no failure."""
    return finding.kind == "failed trials" and "did not run" in finding.text and bool(plan.trials)


def _analyse_metric(
    found: Analysis, goal: MetricGoal, plan: Plan, sides: Sequence[Side], course: Course, told: Former | None
) -> None:
    """`sides` are the alternatives of the components, which the terms stand for."""
    where = ", averaged over the other components" if len({factor.name for factor, _ in sides}) > 1 else ""
    for term, side in enumerate(sides):
        depends = [effect_name(*sides[other]) for other in _partners(course, term)]
        found.effects.append(_effect(course, term, side, goal, plan.estimand, where, depends))
    for term in range(len(sides), course.space.terms):
        if course.matters[term] or (course.belief is not None and course.belief.chance[term] > _LIKELY):
            found.interactions.append(_interaction(course, term, sides, goal))
    if course.belief is not None and course.unconfirmed.any():
        found.findings.append(
            Finding(kind="found, not confirmed", about=goal.name, text=_unconfirmed(course, course.belief, sides))
        )
    found.findings.append(Finding(kind="history", about=goal.name, text=_history(course, sides, _rest(plan, sides))))
    if told is not None:
        found.findings.append(Finding(kind="priors", about=goal.name, text=_both_ways(course, told, sides)))
    found.notes.append(_note(course, goal, len(sides)) + _about_splits(plan))


def _effect(course: Course, term: int, side: Side, goal: MetricGoal, estimand: str, where: str, depends: Sequence[str]) -> Effect:
    verdict = _verdict(course, term)
    low, high, tests = float(course.low[term]), float(course.high[term]), course.tests
    estimate = _within(0.0 if course.flat else float(tests.estimate[term]), low, high)
    bounded = isfinite(low) and isfinite(high)
    words = _effect_words(course, term, side, goal, verdict, estimate, where)
    if depends:
        words += f" It depends on {' and '.join(depends)}: see the interaction."
    return Effect(
        component=effect_name(*side),
        metric=goal.name,
        estimand=estimand,
        estimate=estimate,
        low=low if bounded else nan,
        high=high if bounded else nan,
        n=int(tests.n[term]),
        p=any_time_p(float(tests.highest[term]), int(course.family[term])) if tests.n[term] and not course.flat else nan,
        method=METHOD if bounded else "",
        verdict=verdict,
        better=better_by(estimate, goal) if verdict == "matters" else None,
        within_margin=bool(course.negligible[term]),
        margin=goal.margin,
        words=words,
    )


def _interaction(course: Course, term: int, sides: Sequence[Side], goal: MetricGoal) -> Interaction:
    pair = [sides[int(course.space.first[term])], sides[int(course.space.second[term])]]
    one, other = (effect_name(*side) for side in pair)
    (factor, level), several = pair[1], len(pair[1][0].levels) > 1
    low, high, tests = float(course.low[term]), float(course.high[term]), course.tests
    estimate = _within(float(tests.estimate[term]), low, high)
    verdict = _verdict(course, term)
    chance = nan if course.belief is None else float(course.belief.chance[term])
    about = f"{one} and {other}, {goal.name}"
    flipped = f"{factor.name} at {level.name}" if several else f"{other} flipped"
    start = f"{about}: the effect of {act(*pair[0])} with {flipped} less that with it as in the baseline"
    start += f" is twice {_signed(estimate, low, high)}"
    if not tests.n[term]:
        words = f"{about}: nothing was estimated yet; the search holds it {_percent(chance)} likely that they do not simply add up."
    elif verdict == "matters":
        words = f"{start}: they do not simply add up."
    elif verdict == "no effect":
        words = f"{start}: smaller than {goal.margin:g}, if there is one."
    elif course.unconfirmed[term]:
        words = f"{start}, found by the search (probability {_percent(chance)}) and not confirmed."
    else:
        words = f"{start}, which may be chance; the search holds it {_percent(chance)} likely that they do not simply add up."
    return Interaction(
        components=(one, other),
        metric=goal.name,
        estimand="half the difference between the effect of the one with the other changed and in the baseline, averaged over the other components",
        estimate=estimate,
        low=low if isfinite(low) else nan,
        high=high if isfinite(high) else nan,
        n=int(tests.n[term]),
        p=any_time_p(float(tests.highest[term]), int(course.family[term])),
        method=METHOD,
        verdict=verdict,
        words=words,
    )


def _verdict(course: Course, term: int) -> EffectVerdict:
    if course.flat:
        return "no-op"
    if course.matters[term]:
        return "matters"
    return "no effect" if course.negligible[term] else "cannot tell"


def _effect_words(
    course: Course, term: int, side: Side, goal: MetricGoal, verdict: EffectVerdict, estimate: float, where: str
) -> str:
    done, factor, low, high = act(*side), side[0], float(course.low[term]), float(course.high[term])
    if verdict == "no-op":
        return capital(f"{done} changes {goal.name} not at all: all {course.trials} trials gave the same value.")
    if verdict == "matters":
        move = "raises" if estimate > 0 else "lowers"
        better = better_by(estimate, goal)
        who = (
            f"{factor.name} {'hurts' if better else 'helps'}"
            if factor.kind == "remove"
            else f"that is {'better' if better else 'worse'}"
        )
        small = f", but by less than {goal.margin:g}" if course.negligible[term] else ""
        return capital(f"{done} {move} {goal.name} by {amount(estimate, low, high)}{where}: {who}{small}.")
    if verdict == "no effect":
        return capital(
            f"{done} has no effect on {goal.name} larger than {goal.margin:g}{where} (difference {_signed(estimate, low, high)})."
        )
    said = "nothing was estimated" if not course.tests.n[term] else _signed(estimate, low, high)
    if course.unconfirmed[term] and course.belief is not None:
        said += f"; the search found it (probability {_percent(float(course.belief.chance[term]))}), which is not confirmed"
    return f"Cannot tell whether {done} changes {goal.name}{where}: {said}{_would(course, term, estimate)}."


def _would(course: Course, term: int, estimate: float) -> str:
    """What would decide: to tell the estimate from 0, or to place it within the margin, by how widths shrink with trials."""
    half, trials = float(course.high[term] - course.low[term]) / 2, course.trials
    if not isfinite(half) or not half > 0:
        return "; more trials would tell (a larger budget)"
    goals = [abs(estimate)] if course.margin is None else [abs(estimate), course.margin - abs(estimate)]
    widest = max(goals)
    if not widest > 0:
        return ""
    needed = ceil(trials * (half / widest) ** 2) - trials
    smaller = f"; {size(half)} is what could still hide" if course.margin is None else ""
    if course.belief is not None and course.belief.chance[term] < LEVEL:
        smaller += f"; the search does not need it (probability {_percent(float(course.belief.chance[term]))})"
    more = f"; about {max(needed, 1)} more trials would, if it is what it seems" if needed <= 10 * trials else ""
    return smaller + more


def _partners(course: Course, factor: int) -> list[int]:
    found = []
    for term in np.flatnonzero(course.matters[course.space.factors :]) + course.space.factors:
        sides = (int(course.space.first[term]), int(course.space.second[term]))
        if factor in sides:
            found.append(sides[1] if sides[0] == factor else sides[0])
    return found


def _history(course: Course, sides: Sequence[Side], more: str) -> str:
    """When which comparison was decided, and why it ended; what brings more trials, where it is not decided."""
    if course.flat:
        return f"all {course.trials} trials gave the same value, so nothing that was flipped reaches it; no more were run for it."
    told = [f"{_name(course, one.term, sides)} after {one.trials} trials" for one in course.decisions]
    text = f"{', '.join(told)} (the evidence of each reached its bound)" if told else "no effect reached its bound"
    belief = course.deciding
    if belief is None:
        return f"{text}; {course.trials} trials gave values, too few for a look."
    still = [_name(course, term, sides) for term in np.flatnonzero(course.open).tolist()]
    unsure = [
        f"{_name(course, term, sides)} ({_percent(float(belief.chance[term]))})"
        for term in np.argsort(-np.minimum(belief.chance, 1 - belief.chance))[:4].tolist()
        if min(belief.chance[term], 1 - belief.chance[term]) > _LIKELY
    ]
    expected = f"the search expects {belief.wrong:.2g} wrong terms (it ends below {allowed(belief):.2g})"
    text += f". After {course.trials} trials {expected}"
    text += f"; least sure are {', '.join(unsure)}" if unsure else ""
    if course.decided and course.until == "found":
        return f"{text}; the search is over, and nothing more was asked for."
    if course.decided:
        return f"{text}; everything that it needs is confirmed, so it is decided."
    rest = f"still open: {', '.join(still)}" if still else "what explains the values is not clear yet"
    return f"{text}; {rest}. {more}"


def _rest(plan: Plan, sides: Sequence[Side]) -> str:
    """What brings more trials than there were."""
    whole = prod(1 + len(factor.levels) for factor in {factor.name: factor for factor, _ in sides}.values())
    drawn = {(trial.configuration, trial.block) for trial in plan.trials if trial.configuration not in plan.named}
    if len(drawn) < whole * len(plan.blocks):
        return "A larger budget goes on from here."
    return "Every combination has run under every seed: more seeds go on from here."


def _unconfirmed(course: Course, belief: Belief, sides: Sequence[Side]) -> str:
    """What the search found and the tests have not said: where to look, and no verdict."""
    said = [
        f"{_name(course, term, sides)} (probability {_percent(float(belief.chance[term]))}, effect {size(2 * float(belief.coefficients[term]))})"
        for term in np.flatnonzero(course.unconfirmed).tolist()
    ]
    return (
        f"the search explains the values by {', '.join(said)} too, which its tests have not confirmed: exploratory, without a bound on errors. "
        "More trials would confirm or drop it."
    )


def _both_ways(course: Course, told: Former, sides: Sequence[Side]) -> str:
    """How likely the search holds each term with and without former studies, where it holds either likely or they differ."""
    if not told.studies:
        return "no former study of the store has a component of this one with the same settings, so the search was told nothing."
    number = f"{len(told.studies)} former {'studies' if len(told.studies) > 1 else 'study'}"
    start = f"the search was told what {number} found ({', '.join(one[:8] for one in told.studies[:4])}); the tests were not"
    if course.belief is None or course.informed is None:
        return f"{start}."
    plain, informed = course.belief.chance, course.informed.chance
    shown = np.flatnonzero((np.maximum(plain, informed) > 0.5) | (np.abs(plain - informed) > _LIKELY)).tolist()
    said = [
        f"{_name(course, term, sides)} {_percent(float(informed[term]))} (without them {_percent(float(plain[term]))})"
        for term in shown
    ]
    ways = f"expects {course.informed.wrong:.2g} wrong terms with them and {course.belief.wrong:.2g} without"
    return f"{start}. It holds likely {', '.join(said) or 'nothing, either way'}; it {ways}, and stops by the former."


def _note(course: Course, goal: MetricGoal, factors: int) -> str:
    return (
        f"{goal.name}: components were flipped by coins, and the tests rest on these coins alone, whatever the noise: all intervals of effects and "
        f"interactions hold together at 95 % whenever the study is stopped (corrected for {factors} effects and "
        f"{course.space.terms - factors} interactions). Which terms explain the values is searched for apart, and decides only when to stop."
    )


def _about_splits(plan: Plan) -> str:
    """What the intervals are about where data splits are among the blocks: the coins decide nothing on them."""
    if plan.splits is None:
        return ""
    part = f"{plan.splits.parameter}s"
    named = f" Named configurations are compared over these {part}, as by any other design." if plan.named else ""
    return f" The intervals are about the seeds and the {len(plan.splits.names)} {part} that were run, and say nothing of other data.{named}"


def _name(course: Course, term: int, sides: Sequence[Side]) -> str:
    own = dict.fromkeys((int(course.space.first[term]), int(course.space.second[term])))
    return interaction_name([effect_name(*sides[side]) for side in own])


def _within(estimate: float, low: float, high: float) -> float:
    """Intervals are what all looks agree on; an estimate of the last look may lie just outside."""
    return estimate if not low <= high else min(max(estimate, low), high)


def _signed(estimate: float, low: float, high: float) -> str:
    return amount_signed(estimate, low, high) if isfinite(high - low) else f"{size(estimate)}, without an interval yet"


def _percent(chance: float) -> str:
    return "under 1 %" if chance < 0.01 else "over 99 %" if chance > 0.99 else f"{100 * chance:.0f} %"
