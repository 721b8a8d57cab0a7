"""What a plan's combinations are, and what they can and cannot tell."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from typing import NamedTuple

from assay.ablation.comparisons import Compared, Comparisons, with_interactions
from assay.ablation.constraints import feasible, first_broken, in_words
from assay.ablation.design import Design, Levels, configuration_name, interaction_name, listed, named_effects
from assay.ablation.designs_factorial import groups_of, shapley_orders
from assay.ablation.optimal import optimal
from assay.errors import InvalidStudy
from assay.records.factor import Factor
from assay.records.plan import DesignOptions, Spreads
from assay.stats.blocks import equal_pairs
from assay.stats.own_noise import price
from assay.stats.power import detectable
from assay.stats.unlike import kept_alike

_SURE = 0.999

_TAKES = {
    "resolution": ("fractional", "group-screening", "optimal"),
    "budget": ("shapley", "optimal", "adaptive"),
    "groups": ("group-screening",),
}


class Rows(NamedTuple):
    """The combinations of a plan.

    Attributes:
        combinations: the baseline first.
        left_out: names of those that the design has and the constraints do not allow.
        replaced: they are D-optimal ones in place of the design's own.
        why: the constraints that broke the design, in words; empty where none did.
        orders: how many orders were drawn; 0 where all of them count.
    """

    combinations: list[Levels]
    left_out: tuple[str, ...] = ()
    replaced: bool = False
    why: str = ""
    orders: int = 0


def check_options(options: DesignOptions, design: Design) -> None:
    """Passes where the design takes what it is told. Groups are a study's own, and no design is asked to use them.

    Raises:
        InvalidStudy: it has no such option, or the value is none.
    """
    if options.priors:
        raise InvalidStudy(
            f"the design {design.name!r} is not told what former studies found",
            value=True,
            expected="'adaptive'",
            next_step="Leave priors out, or ask for this design.",
        )
    if options.until != "confirmed":
        raise InvalidStudy(
            f"the design {design.name!r} runs all that it plans",
            value=options.until,
            expected="'adaptive'",
            next_step="Leave until out, or ask for this design.",
        )
    for option, takers in _TAKES.items():
        value = getattr(options, option)
        if value is None or option == "groups":
            continue
        if design.name not in takers:
            raise InvalidStudy(
                f"the design {design.name!r} has no {option}",
                value=value,
                expected=" or ".join(map(repr, takers)),
                next_step=f"Leave the {option} out, or ask for one of these designs.",
            )
        if isinstance(value, bool) or not isinstance(value, int) or value < 2:
            raise InvalidStudy(f"this {option} cannot be had", value=value, expected="a whole number of at least 2")


def choose(design: Design, factors: Sequence[Factor], options: DesignOptions) -> Rows:
    """The combinations of a design that the constraints allow.

    A design of a linear model is balanced or nothing: where one of its combinations is not allowed, as many D-optimal ones take its place.

    Raises:
        InvalidStudy: as the design says it, or nothing beside the baseline is feasible.
    """
    if design.name == "optimal":
        return Rows(optimal(factors, options, interactions=with_interactions(design, options, replaced=True)))
    own = design.combinations(factors, options)
    orders = len(shapley_orders(factors, options)) if design.way == "shapley" else 0
    broken = [levels for levels in own if not feasible(levels, factors, options.constraints)]
    if not broken:
        return Rows(own, orders=orders)
    reasons = [first_broken(levels, factors, options.constraints) for levels in broken]
    why = "; ".join(dict.fromkeys(in_words(one) for one in reasons if one is not None))
    names = tuple(configuration_name(levels) for levels in broken)
    if design.way in ("model", "three levels"):
        interactions = with_interactions(design, options, replaced=True)
        grouped = design.name == "group-screening"
        return Rows(optimal(factors, options, interactions=interactions, runs=len(own), grouped=grouped), names, True, why)
    return Rows([levels for levels in own if levels not in broken], names, False, why, orders)


def aliases_of(design: Design, factors: Sequence[Factor], compared: Comparisons) -> dict[str, tuple[str, ...]]:
    """Effect to what it cannot be told from, by name.

    An effect at one corner is the main effect and all interactions of the component in one number; those of pairs are named.
    """
    if design.way in ("corner", "steps") and not design.interactions:
        names = named_effects(factors)
        return {
            name: tuple(interaction_name((name, other)) for rival, other in names if rival.name != factor.name)
            for factor, name in names
            if len(factors) > 1 and name not in compared.lost
        }
    return {interaction_name(one.names): one.aliases for one in (*compared.effects, *compared.interactions) if one.aliases}


def blind_spots(
    design: Design, factors: Sequence[Factor], compared: Comparisons, rows: Rows, options: DesignOptions
) -> tuple[str, ...]:
    """In sentences, what the plan cannot show."""
    found = list(design.cannot_see(factors))
    mains = [one for one in compared.effects if one.aliases and one.kind != "curve"]
    curves = [one for one in compared.effects if one.aliases and one.kind == "curve"]
    sums = [one for one in compared.interactions if one.aliases]
    if design.name == "group-screening":
        found += _within_groups(options)
    if curves:
        found.insert(0, f"Curvatures apart from interactions of two: {_example(curves)}.")
    if mains:
        found.insert(0, f"Main effects apart from interactions of two: {_example(mains)}. {_stronger(design)}")
    if sums:
        found.insert(0, f"Which interaction of two it is, where several come as one sum: {_example(sums)}. {_stronger(design)}")
    if rows.replaced:
        found.append(
            f"What the design itself would tell: {len(rows.left_out)} of its combinations break a constraint ({rows.why}), "
            "so as many feasible ones were chosen that tell most (D-optimal)."
        )
    elif rows.left_out:
        found.append(f"Combinations that the constraints do not allow: {listed(rows.left_out)} ({rows.why}).")
    if compared.lost:
        found.append(f"The effect of {listed(compared.lost)}: the combinations that are feasible do not tell it from others.")
    apart = _untold(design, factors, compared) if rows.left_out and not rows.replaced else []
    if apart:
        found.append(f"The interaction of {listed(apart)}: a combination that it needs is not allowed.")
    if rows.orders:
        found.append(f"Other orders than the {rows.orders} that were drawn: with all of them the shares may be others.")
    return tuple(found)


def _untold(design: Design, factors: Sequence[Factor], compared: Comparisons) -> list[str]:
    """Interactions of two that the design would estimate if no combination were left out."""
    told = {one.names for one in compared.interactions}
    wanted = [
        (name, other)
        for (one, name), (rival, other) in combinations(named_effects(factors), 2)
        if design.interactions and one.name != rival.name
    ]
    return [interaction_name(names) for names in wanted if names not in told]


def smallest_seen(
    compared: Comparisons, configurations: int, blocks: int, named: int, *, spreads: Spreads = "unknown", power: float = 0.8
) -> float | None:
    """Smallest effect that is seen with this power, in standard deviations of one paired difference.

    The largest over the effects, since one may be averaged over fewer pairs than another; None where no interval exists.
    """
    if blocks < 2 or configurations < 2 or len(compared.effects) + named == 0:
        return None
    groups = group_sizes(compared.effects, named)
    heaviest = min((equal_pairs(one.contrast) for one in compared.effects), default=1.0)
    if spreads == "unlike" and sum(groups) > 1:
        return detectable(blocks, df=blocks - 1, groups=(1,) * sum(groups), pairs=heaviest, power=power)
    averaged = all(len(one.contrast.plus) > 1 or one.contrast.weights is not None for one in compared.effects)
    if spreads == "unknown" and averaged:
        # One that chance makes look noisier has the interval of its own spread, which at few seeds shows hardly anything.
        power = min(power / kept_alike(blocks, configurations - 1), _SURE)
    seen = detectable(blocks, df=(configurations - 1) * (blocks - 1), groups=groups, pairs=heaviest, power=power)
    # Of single pairs, whether the noise of either side is that of all has its price.
    return seen * price(blocks) if spreads == "unknown" and not averaged and sum(groups) > 1 else seen


def group_sizes(effects: Sequence[Compared], named: int) -> tuple[int, ...]:
    """How the comparisons are correlated, named configurations being compared with the baseline."""
    shared = [one.group for one in effects if one.group] + ["baseline"] * named
    alone = sum(not one.group for one in effects)
    return tuple(shared.count(group) for group in dict.fromkeys(shared)) + (1,) * alone


def group_names(factors: Sequence[Factor], options: DesignOptions) -> list[str]:
    """What group screening compares.

    Raises:
        InvalidStudy: as `groups_of`.
    """
    return [group.name for group in groups_of(factors, options)]


def _within_groups(options: DesignOptions) -> list[str]:
    return [
        f"Which of {listed(names)} it is, where the group {group!r} matters: they are flipped together, and two that cancel each other show nothing."
        for group, names in options.groups.items()
        if len(names) > 1
    ]


def _example(effects: Sequence[Compared]) -> str:
    first = effects[0]
    more = f" and {len(first.aliases) - 3} more" if len(first.aliases) > 3 else ""
    others = f", and so on for {len(effects) - 1} other{'s' * (len(effects) > 2)}" if len(effects) > 1 else ""
    return f"the number of {interaction_name(first.names)} holds {', '.join(first.aliases[:3])}{more} too{others}"


def _stronger(design: Design) -> str:
    stronger = {
        "plackett-burman": 'The design "screening" tells them apart.',
        "group-screening": "A higher resolution tells them apart.",
        "optimal": "A larger budget tells more of them apart, or resolution 5 all.",
    }
    return stronger.get(design.name, "A higher resolution tells them apart." if design.name == "fractional" else "").strip()
