"""Designs that flip one component or two at a time: from the baseline, from the bare system, or one after the other."""

from __future__ import annotations

from collections.abc import Sequence

from assay.ablation.design import Design, Levels, listed, need_two_levels, pairs
from assay.records.factor import Factor
from assay.records.plan import DesignOptions


def bare(factors: Sequence[Factor]) -> Levels:
    """Everything off: what the baseline has is flipped, what it does not have is not added."""
    return {factor.name: factor.levels[0].name for factor in factors if factor.kind != "add"}


def switched(levels: Levels, factor: Factor, *, on: bool) -> Levels:
    """The combination with one component on (as the baseline has it, or added) or off."""
    rest = {name: level for name, level in levels.items() if name != factor.name}
    return rest if on == (factor.kind != "add") else {**rest, factor.name: factor.levels[0].name}


def in_order(levels: Levels, factors: Sequence[Factor]) -> Levels:
    """The combination with its components in the order of the study, as names list them."""
    return {factor.name: levels[factor.name] for factor in factors if factor.name in levels}


def ladder(factors: Sequence[Factor]) -> list[Levels]:
    """The bare system, then each component put on beside those before it."""
    rungs = [bare(factors)]
    for factor in factors:
        rungs.append(in_order(switched(rungs[-1], factor, on=True), factors))
    return rungs


def _one_at_a_time(factors: Sequence[Factor], options: DesignOptions) -> list[Levels]:
    return [{}, *({factor.name: level.name} for factor in factors for level in factor.levels)]


def _one_in(factors: Sequence[Factor], options: DesignOptions) -> list[Levels]:
    need_two_levels(factors, "add-one-in")
    start = bare(factors)
    return _each_once([{}, start, *(in_order(switched(start, factor, on=True), factors) for factor in factors)])


def _ladder(factors: Sequence[Factor], options: DesignOptions) -> list[Levels]:
    need_two_levels(factors, "ladder")
    return _each_once([{}, *ladder(factors)])


def _two_at_a_time(factors: Sequence[Factor], options: DesignOptions) -> list[Levels]:
    return _one_at_a_time(factors, options) + [
        {one.name: level.name, other.name: rival.name}
        for one, other in pairs(factors)
        for level in one.levels
        for rival in other.levels
    ]


def _each_once(found: list[Levels]) -> list[Levels]:
    return [levels for index, levels in enumerate(found) if levels not in found[:index]]


def _corner_blind(factors: Sequence[Factor]) -> tuple[str, ...]:
    if len(factors) < 2:
        return ()
    names = listed([factor.name for factor in factors])
    return (
        f"Interactions: each effect is measured with everything else as in the baseline, so whether {names} depend on each other is not seen.",
        f"Redundancy: where two of {names} do the same work, taking away either one alone changes nothing.",
    )


def _bare_blind(factors: Sequence[Factor]) -> tuple[str, ...]:
    if len(factors) < 2:
        return ()
    names = listed([factor.name for factor in factors])
    return (
        f"Interactions: each effect is measured with all the others off, so whether {names} depend on each other is not seen.",
        f"What works only beside another: where one of {names} needs a second one, adding it alone changes nothing.",
    )


def _ladder_blind(factors: Sequence[Factor]) -> tuple[str, ...]:
    if len(factors) < 2:
        return ()
    names = listed([factor.name for factor in factors])
    return (
        f"The order: each step is measured beside those before it, so in another order the same one of {names} may be worth more or less.",
        f"Interactions: what one of {names} does together with those before it is in its step, and with those after it in theirs.",
    )


def _pairs_blind(factors: Sequence[Factor]) -> tuple[str, ...]:
    if len(factors) < 3:
        return ()
    return ("Interactions of three or more components: never more than two are flipped at once.",)


STEPWISE = (
    Design(
        name="leave-one-out",
        way="corner",
        estimand="Variant minus baseline under the same seed, with everything else as in the baseline.",
        combinations=_one_at_a_time,
        cannot_see=_corner_blind,
        tells="each component alone, at the baseline; no interactions",
        joint=False,
    ),
    Design(
        name="add-one-in",
        way="steps",
        estimand="Component flipped minus component as in the baseline under the same seed, with all the others off.",
        combinations=_one_in,
        cannot_see=_bare_blind,
        tells="each component alone, beside none of the others; no interactions",
    ),
    Design(
        name="ladder",
        way="steps",
        estimand="Component flipped minus component as in the baseline under the same seed, beside the components before it, in the order given.",
        combinations=_ladder,
        cannot_see=_ladder_blind,
        tells="the steps from the bare system to the whole, in one order",
    ),
    Design(
        name="pairs",
        way="corner",
        estimand="Variant minus baseline under the same seed, with everything else as in the baseline.",
        combinations=_two_at_a_time,
        cannot_see=_pairs_blind,
        tells="each component alone and each two together, at the baseline",
        interactions=True,
    ),
)
