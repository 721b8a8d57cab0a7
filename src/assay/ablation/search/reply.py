"""From what is believed to an answer: effects with intervals, what was ruled out and how, what stays open."""

from __future__ import annotations

from collections.abc import Sequence
from math import isnan
from typing import NamedTuple

import numpy as np

from assay.ablation.search.belief import Belief
from assay.ablation.search.records import Answer, Cause, Interval, Noise, Observation, RuledOut, Together, Verdict
from assay.ablation.search.units import Unit, members
from assay.stats.attribution import Coefficients, combination, estimable, least_squares, moved, shapley_weights, smallest_mover
from assay.stats.sparse import bits_of, support
from assay.stats.sparse_posterior import Responses

# Probabilities at which a factor is a cause, and is none, where the search was not decided.
_IS, _IS_NOT = 0.95, 0.05


class Known(NamedTuple):
    """What an answer is made of beside the belief: see `Answer` for the names that both have."""

    factors: tuple[str, ...]
    values: Sequence[Observation]
    broken: tuple[frozenset[str], ...]
    runs: int
    margin: float
    confidence: float


def reply(known: Known, gap: Interval, noise: Noise, verdict: Verdict, belief: Belief | None) -> Answer:
    """The answer; without a belief nothing was searched, and every factor is untested."""
    blank = Answer(
        verdict, gap, noise, known.margin, (), (), (), (), known.factors, frozenset(), False, 0.0, known.runs, known.broken
    )
    if belief is None:
        return blank
    named = _named(belief, verdict)
    model = tuple(term for term in belief.best_model(belief.best_support()[0]) if term & ~named == 0)
    fit = least_squares(Responses(belief.states, belief.values, belief.blocks), model)
    exact = noise.sd == 0
    causes = {unit: _cause(belief.setting.units[unit], fit, unit, gap, known, exact) for unit in bits_of(support(model))}
    kept = {
        unit: cause
        for unit, cause in causes.items()
        if abs(cause.effect.estimate) >= known.margin or _modifies(fit, unit, known.margin)
    }
    open_, aside = _open(known, belief, verdict, kept)
    minimal = (
        smallest_mover(fit, gap.estimate, max(0.1 * abs(gap.estimate), 2 * noise.sd / max(noise.blocks, 1) ** 0.5)) if model else 0
    )
    chosen = members(belief.setting.units, minimal)
    return blank._replace(
        causes=tuple(sorted(kept.values(), key=lambda cause: -abs(cause.effect.estimate))),
        interactions=_interactions(belief.setting.units, fit, kept, known, exact),
        ruled_out=aside,
        undecided=tuple(factor for factor in open_ if factor not in (untested := _untested(known))),
        untested=tuple(factor for factor in open_ if factor in untested),
        minimal=chosen,
        minimal_seen=any(each.point.bad == chosen for each in known.values),
        sure=_sure(belief, named),
    )


def _named(belief: Belief, verdict: Verdict) -> int:
    if verdict == "decided":
        return belief.best_support()[0]
    return sum(1 << unit for unit, chance in enumerate(belief.matters()) if chance >= _IS)


def _sure(belief: Belief, named: int) -> float:
    return float(np.sum(belief.fitted.probability[belief.supports == named]))


def _cause(names: Unit, fit: Coefficients, unit: int, gap: Interval, known: Known, exact: bool) -> Cause:
    effect = Interval(*combination(fit, shapley_weights(fit.terms, unit), confidence=known.confidence, exact=exact))
    return Cause(names, effect, effect.estimate / gap.estimate)


def _modifies(fit: Coefficients, unit: int, margin: float) -> bool:
    """Whether some change of this unit moves the response by the margin, though its average over the others does not."""
    rest = support(fit.terms) & ~(1 << unit)
    return any(abs(moved(fit, state | 1 << unit) - moved(fit, state)) >= margin for state in (0, rest))


def _interactions(
    units: Sequence[Unit], fit: Coefficients, kept: dict[int, Cause], known: Known, exact: bool
) -> tuple[Together, ...]:
    found = []
    for at, term in enumerate(fit.terms):
        if term.bit_count() > 1 and set(bits_of(term)) <= set(kept):
            weights = np.eye(len(fit.terms))[at]
            effect = Interval(*combination(fit, weights, confidence=known.confidence, exact=exact))
            # Without an interval the evaluations do not tell it from the effects of its factors apart.
            if isnan(effect.low):
                continue
            found.append(Together(tuple(factor for unit in bits_of(term) for factor in units[unit]), effect))
    return tuple(sorted(found, key=lambda each: -abs(each.effect.estimate)))


def _open(known: Known, belief: Belief, verdict: Verdict, kept: dict[int, Cause]) -> tuple[list[str], tuple[RuledOut, ...]]:
    """The factors that may still be causes, and those that are none."""
    named = {factor for cause in kept.values() for factor in cause.factors}
    chances = belief.matters()
    doubtful = {
        factor
        for unit, chance in enumerate(chances)
        for factor in belief.setting.units[unit]
        if verdict != "decided" and chance > _IS_NOT and factor not in named
    }
    told = dict(
        zip(
            known.factors, estimable([[factor in each.point.bad for factor in known.factors] for each in known.values]), strict=True
        )
    )
    out = [factor for factor in known.factors if factor not in named and factor not in doubtful]
    return (
        [factor for factor in known.factors if factor in doubtful],
        tuple(RuledOut(factor, "individually" if told[factor] else "jointly") for factor in out),
    )


def _untested(known: Known) -> frozenset[str]:
    """Factors whose level was the same in all evaluations between the ends, or in other words never set apart from one of them."""
    between = [each.point.bad for each in known.values if 0 < len(each.point.bad) < len(known.factors)]
    return frozenset(factor for factor in known.factors if len({factor in bad for bad in between}) < 2 and not between)
