"""Designs that average over the other components: all combinations, fractions, screening, and all orders."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache, partial
from itertools import product
from math import prod

from assay.ablation.constraints import feasible
from assay.ablation.design import Design, Levels, levels_of, listed, need_at_most, need_two_levels
from assay.ablation.generators.conference import definitive_screening
from assay.ablation.generators.fractions import fraction
from assay.ablation.generators.hadamard import folded, plackett_burman
from assay.ablation.generators.orders import Step, exact_weights, sampled_orders, step_weights
from assay.errors import InvalidStudy
from assay.records.factor import Constraint, Factor, Level
from assay.records.plan import DesignOptions

RESOLUTION = 5
"""Of a fraction, where none is asked for: main effects and interactions of two clear of each other."""
MOST_FACTORS = 31
"""Of a fraction; its generators are searched for, which takes too long beyond."""
FLIPPED = "flipped"
"""Name of the one level of a group."""


def groups_of(factors: Sequence[Factor], options: DesignOptions) -> list[Factor]:
    """Groups as factors of one level; a component that is in none is a group of its own.

    Raises:
        InvalidStudy: a group is about what the study does not have, a component is in two, or a group is called like a component.
    """
    known = {factor.name for factor in factors}
    member: dict[str, str] = {}
    for group, names in options.groups.items():
        for name in names:
            if name not in known:
                raise InvalidStudy(
                    f"the group {group!r} has a component that the study does not have",
                    value=name,
                    expected="one of " + ", ".join(map(repr, sorted(known))),
                )
            if name in member:
                raise InvalidStudy("a component is in two groups", value=name, expected="each component in one group")
            member[name] = group
        if group in known or not names:
            raise InvalidStudy(
                "a group has the name of a component, or is empty", value=group, expected="a name of its own, and members"
            )
    order = list(dict.fromkeys(member.get(factor.name, factor.name) for factor in factors))
    own = {factor.name: factor for factor in factors}
    return [own.get(name) or Factor(name=name, kind="change", levels=(Level(name=FLIPPED),)) for name in order]


def of_groups(flipped: Levels, factors: Sequence[Factor], options: DesignOptions) -> Levels:
    """The combination in which all components of some groups are flipped."""
    own = {name for group in flipped for name in options.groups.get(group, (group,))}
    return {factor.name: factor.levels[0].name for factor in factors if factor.name in own}


def shapley_steps(factors: Sequence[Factor], options: DesignOptions) -> dict[Step, float]:
    """The steps of all orders in which components are flipped, each with its share; of drawn orders where the budget is smaller.

    Raises:
        InvalidStudy: no order keeps the constraints, or the budget holds not even one.
    """
    allowed = _allowed(tuple(factors), options.constraints)
    if options.budget is None or 2 ** len(factors) <= options.budget:
        steps: dict[Step, float] = exact_weights(len(factors), allowed)
        problem, what = "no order of flipping the components keeps the constraints", "constraints that one order keeps"
    else:
        steps = dict(step_weights(sampled_orders(len(factors), options.budget, allowed)))
        problem, what = "the budget holds not one order of flipping the components", f"at least {2 * len(factors)} configurations"
    if not steps:
        raise InvalidStudy(problem, value=options.budget, expected=what, next_step='Or use the design "optimal".')
    return steps


def shapley_orders(factors: Sequence[Factor], options: DesignOptions) -> tuple[tuple[int, ...], ...]:
    """The orders that were drawn; none where all of them count."""
    if options.budget is None or 2 ** len(factors) <= options.budget:
        return ()
    return sampled_orders(len(factors), options.budget, _allowed(tuple(factors), options.constraints))


def set_levels(chosen: int, factors: Sequence[Factor]) -> Levels:
    """The combination in which the components of a set, as bits, are flipped."""
    return levels_of([chosen >> index & 1 for index in range(len(factors))], factors)


@lru_cache(maxsize=8)
def _allowed_of(names: tuple[tuple[str, str, str], ...], constraints: tuple[Constraint, ...]) -> Callable[[int], bool]:
    # Kept by what it depends on, so that the orders drawn for a plan are those that its analysis finds again without drawing.
    factors = [Factor(name=name, kind=kind, levels=(Level(name=level),)) for name, kind, level in names]  # type: ignore[arg-type]
    return lambda chosen: feasible(set_levels(chosen, factors), factors, constraints)


def _allowed(factors: tuple[Factor, ...], constraints: tuple[Constraint, ...]) -> Callable[[int], bool]:
    return _allowed_of(tuple((factor.name, factor.kind, factor.levels[0].name) for factor in factors), constraints)


def all_combinations(factors: Sequence[Factor]) -> list[Levels]:
    """Every combination, the baseline first."""
    return [levels_of(row, factors) for row in product(*(range(1 + len(factor.levels)) for factor in factors))]


def _full(factors: Sequence[Factor], options: DesignOptions) -> list[Levels]:
    number = prod(1 + len(factor.levels) for factor in factors)
    need_at_most(number, "full", 'Use the design "fractional", or fewer components or levels.')
    return all_combinations(factors)


def _fraction(factors: Sequence[Factor], options: DesignOptions) -> list[Levels]:
    need_two_levels(factors, "fractional")
    resolution = RESOLUTION if options.resolution is None else options.resolution
    if isinstance(resolution, bool) or not isinstance(resolution, int) or resolution < 3:
        raise InvalidStudy("no fraction has this resolution", value=resolution, expected="a whole number of at least 3")
    if len(factors) > MOST_FACTORS:
        raise InvalidStudy(
            "a fraction of so many components is not looked for",
            value=len(factors),
            expected=f"at most {MOST_FACTORS} components",
            next_step='Use the design "screening", or group the components.',
        )
    rows = fraction(len(factors), resolution)
    need_at_most(len(rows), "fractional", "Ask for a lower resolution.")
    return [levels_of(row, factors) for row in rows]


def _plackett_burman(factors: Sequence[Factor], options: DesignOptions) -> list[Levels]:
    need_two_levels(factors, "plackett-burman")
    return [levels_of(row, factors) for row in plackett_burman(len(factors))]


def _screening(factors: Sequence[Factor], options: DesignOptions) -> list[Levels]:
    need_two_levels(factors, "screening")
    return [levels_of(row, factors) for row in folded(plackett_burman(len(factors)))]


def _definitive(factors: Sequence[Factor], options: DesignOptions) -> list[Levels]:
    for factor in factors:
        if len(factor.levels) != 2:
            raise InvalidStudy(
                f"definitive screening needs a level on each side of the baseline's, and {factor.name!r} has others",
                value=[level.name for level in factor.levels],
                expected="two levels for each component, the lower first",
                next_step='Use assay.vary(NAME, PATH, [LOW, HIGH]), or the design "screening" for components of one level.',
            )
    need_at_most(len(factors) * 4, "definitive-screening", "Group the components.")
    return (
        [levels_of([(0, 2, 1)[code] for code in row], factors) for row in definitive_screening(len(factors))] if factors else [{}]
    )


def _groups(factors: Sequence[Factor], options: DesignOptions) -> list[Levels]:
    need_two_levels(factors, "group-screening")
    if not options.groups:
        raise InvalidStudy(
            "the design 'group-screening' is told no groups",
            value=dict(options.groups),
            expected="groups of components, such as groups={'regularisation': ['dropout', 'decay']}",
            next_step='Name the groups, or use the design "screening", which flips each component by itself.',
        )
    groups = groups_of(factors, options)
    rows = fraction(len(groups), options.resolution or 4)
    return [of_groups(levels_of(row, groups), factors, options) for row in rows]


def _shapley(factors: Sequence[Factor], options: DesignOptions) -> list[Levels]:
    need_two_levels(factors, "shapley")
    if options.budget is None:
        instead = "Give a budget of configurations: orders are then drawn at random."
        need_at_most(2 ** len(factors), "shapley", instead)
    steps = shapley_steps(factors, options)
    sets = {0}.union(*({chosen, chosen | 1 << unit} for chosen, unit in steps))
    return [set_levels(chosen, factors) for chosen in sorted(sets, key=lambda one: (one.bit_count(), one))]


def _optimal(factors: Sequence[Factor], options: DesignOptions) -> list[Levels]:
    """Nothing of its own: the plan takes the rows that tell most (see `assay.ablation.optimal`)."""
    return [{}]


def _nothing(factors: Sequence[Factor]) -> tuple[str, ...]:
    return ()


def _higher(factors: Sequence[Factor], text: str = "") -> tuple[str, ...]:
    if len(factors) < 3:
        return ()
    return (f"Interactions of three or more components: {text}",)


def _no_pairs(factors: Sequence[Factor], text: str) -> tuple[str, ...]:
    if len(factors) < 2:
        return ()
    names = listed([factor.name for factor in factors])
    return (f"Interactions of two of {names}: {text}", *_TAKEN(factors))


_AVERAGE = "Variant minus baseline level under the same seed, averaged over the combinations of the other components"
_TAKEN = partial(_higher, text="they are taken to be nil, and would be in the numbers of others.")

FACTORIAL = (
    Design(
        name="full",
        way="full",
        estimand="Variant minus baseline level under the same seed, averaged over all combinations of the other components.",
        combinations=_full,
        cannot_see=partial(_higher, text="every combination is run, but effects are reported for single components and pairs."),
        tells="main effects and interactions, whatever they are",
        interactions=True,
    ),
    Design(
        name="fractional",
        way="model",
        estimand=f"{_AVERAGE} that the fraction has.",
        combinations=_fraction,
        cannot_see=_TAKEN,
        tells="main effects, and interactions of two as far as its resolution goes",
        interactions=True,
    ),
    Design(
        name="plackett-burman",
        way="model",
        estimand=f"{_AVERAGE} that the design has, as far as nothing interacts.",
        combinations=_plackett_burman,
        cannot_see=partial(
            _no_pairs, text="none is estimated; each is in the numbers of others, by the shares that its aliases name."
        ),
        tells="main effects in the fewest runs, each with a share of interactions",
    ),
    Design(
        name="screening",
        way="model",
        estimand=f"{_AVERAGE} that the design has (Plackett-Burman with its mirror image).",
        combinations=_screening,
        cannot_see=partial(_no_pairs, text="they are kept out of the main effects, and none is estimated."),
        tells="main effects clear of interactions of two",
    ),
    Design(
        name="definitive-screening",
        way="three levels",
        estimand="Change from a component's first level to its second under the same seed, averaged over the others; and its curvature.",
        combinations=_definitive,
        cannot_see=partial(_no_pairs, text="they are kept out of the straight effects, and none is estimated."),
        tells="straight and curved effects of three levels",
    ),
    Design(
        name="group-screening",
        way="model",
        estimand="All components of a group flipped minus none under the same seed, averaged over the other groups.",
        combinations=_groups,
        cannot_see=_nothing,
        tells="which groups of components matter",
        interactions=True,
    ),
    Design(
        name="optimal",
        way="model",
        estimand=f"{_AVERAGE} that were chosen to tell most.",
        combinations=_optimal,
        cannot_see=_TAKEN,
        tells="main effects (and interactions of two, at resolution 5) in as many runs as there are, under any constraints",
        interactions=True,
    ),
    Design(
        name="shapley",
        way="shapley",
        estimand="Change when a component is flipped under the same seed, averaged over the orders in which the components are flipped.",
        combinations=_shapley,
        cannot_see=partial(_higher, text="they are shared evenly among their components, as those of two are in its shares."),
        tells="a fair share of the whole change for each component",
    ),
)
