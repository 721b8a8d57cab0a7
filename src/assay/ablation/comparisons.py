"""What a design's combinations compare: for every effect and interaction, the configurations whose differences make it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import prod
from typing import NamedTuple

import numpy as np

from assay.ablation.components import effect_name
from assay.ablation.design import Design, Levels, Side, pairs, sides_of
from assay.ablation.designs_factorial import RESOLUTION, groups_of, set_levels, shapley_orders, shapley_steps
from assay.ablation.designs_stepwise import bare, in_order, ladder, switched
from assay.ablation.models import Fitted, codes_of, fit
from assay.records.factor import Factor, Level
from assay.records.plan import DesignOptions
from assay.stats.blocks import Contrast, interaction, main_effect, of_weights
from assay.stats.simultaneous import Array

_AVERAGED = "mean change from the baseline level, averaged over all combinations of the other components"
_FEASIBLE = (
    "mean change from the baseline level, averaged over those combinations of the other components that the constraints allow"
)
_MODEL = "mean change from the baseline level, averaged over the levels of the other components (of a linear model)"


class Compared(NamedTuple):
    """One comparison that a design makes.

    Attributes:
        sides: the component and level that it is about; two of them for an interaction.
        contrast: columns, which are the combinations in their order.
        estimand: what the number means, in words.
        group: comparisons of one group share their baseline cells, so their estimates have correlation 1/2; empty: none is shared.
        own: combinations in which the level is set, where each is compared with one in which it is not.
        aliases: names of what cannot be told from it.
        kind: "flip" (a level against the baseline's), "group", "line" (a first level against a second) or "curve".
    """

    sides: tuple[Side, ...]
    contrast: Contrast
    estimand: str
    group: str = ""
    own: frozenset[int] = frozenset()
    aliases: tuple[str, ...] = ()
    kind: str = "flip"

    @property
    def names(self) -> tuple[str, ...]:
        """The effect's name; two for an interaction."""
        return tuple(self._name(*side) for side in self.sides)

    def _name(self, factor: Factor, level: Level) -> str:
        if self.kind in ("line", "group"):
            return factor.name
        return f"{factor.name} (curvature)" if self.kind == "curve" else effect_name(factor, level)


class Comparisons(NamedTuple):
    """What a design compares, and what it cannot.

    Attributes:
        effects: of components.
        interactions: of every two, where it estimates them.
        lost: names of effects that the combinations do not tell.
    """

    effects: list[Compared]
    interactions: list[Compared]
    lost: list[str]


def compare(
    design: Design,
    factors: Sequence[Factor],
    combinations: Sequence[Mapping[str, str]],
    options: DesignOptions,
    *,
    replaced: bool = False,
    usable: Sequence[bool] | None = None,
) -> Comparisons:
    """The comparisons of a design.

    Args:
        design: the design.
        factors: components.
        combinations: its own configurations, the baseline first.
        options: what it was told.
        replaced: the combinations are not its own but D-optimal ones, since constraints broke it.
        usable: combinations that gave values; a linear model is fitted to those alone.
    """
    rows = [dict(levels) for levels in combinations]
    if design.way == "corner":
        return _corner(design, factors, rows)
    if design.way == "steps":
        return _steps(design, factors, rows)
    if design.way == "full":
        return _full(factors, rows)
    if design.way == "shapley":
        return _shapley(factors, rows, options)
    kept = np.flatnonzero(np.ones(len(rows), dtype=bool) if usable is None else np.asarray(usable, dtype=bool))
    return _model(design, factors, rows, options, kept.tolist(), with_interactions(design, options, replaced=replaced), replaced)


def with_interactions(design: Design, options: DesignOptions, *, replaced: bool) -> bool:
    """Whether interactions of two are terms of a design's model. Where rows are chosen to tell a model, only where it was asked for."""
    chosen = replaced or design.name == "optimal"
    standard = RESOLUTION if design.name == "fractional" else 4
    return design.interactions and (not chosen or (options.resolution or standard) >= RESOLUTION)


def _corner(design: Design, factors: Sequence[Factor], rows: list[Levels]) -> Comparisons:
    sides = sides_of(factors)
    found, lost = [], []
    for factor, level in sides:
        column = _column(rows, {factor.name: level.name})
        if column is None:
            lost.append(effect_name(factor, level))
            continue
        contrast = Contrast(np.array([column]), np.array([0]))
        estimand = "mean change from the baseline, everything else as in the baseline"
        found.append(Compared(((factor, level),), contrast, estimand, "baseline", frozenset([column])))
    together = []
    for one, other in pairs(factors) if design.interactions else []:
        for side, rival in ((a, b) for a in sides_of([one]) for b in sides_of([other])):
            first, second = {one.name: side[1].name}, {other.name: rival[1].name}
            cells = [_column(rows, levels) for levels in (first | second, second, first)]
            both, only_second, only_first = cells
            if both is not None and only_second is not None and only_first is not None:
                contrast = Contrast(np.array([both, 0]), np.array([only_second, only_first]))
                together.append(_together((side, rival), contrast, "everything else as in the baseline"))
    return Comparisons(found, together, lost)


def _steps(design: Design, factors: Sequence[Factor], rows: list[Levels]) -> Comparisons:
    found, lost = [], []
    rungs = ladder(factors)
    for index, factor in enumerate(factors):
        if design.name == "ladder":
            off, on = rungs[index], rungs[index + 1]
            beside, group = "beside the components before it", ""
        else:
            off, on = in_order(bare(factors), factors), in_order(switched(bare(factors), factor, on=True), factors)
            beside, group = "with all the others off", "bare"
        without, beside_it = _column(rows, off), _column(rows, on)
        if without is None or beside_it is None:
            lost.append(factor.name)
            continue
        plus, minus = (beside_it, without) if factor.kind == "add" else (without, beside_it)
        estimand = f"mean change from the baseline level, {beside}"
        contrast = Contrast(np.array([plus]), np.array([minus]))
        found.append(Compared(((factor, factor.levels[0]),), contrast, estimand, group, frozenset([plus])))
    return Comparisons(found, [], lost)


def _full(factors: Sequence[Factor], rows: list[Levels]) -> Comparisons:
    codes = codes_of(rows, factors, {})
    whole = len(rows) == prod(1 + len(factor.levels) for factor in factors)
    numbers = {factor.name: index for index, factor in enumerate(factors)}
    found, together, lost = [], [], []
    for index, factor in enumerate(factors):
        for number, level in enumerate(factor.levels, 1):
            contrast = main_effect(codes, index, number)
            if not len(contrast.plus):
                lost.append(effect_name(factor, level))
                continue
            own = frozenset(np.flatnonzero(codes[:, index] == number).tolist())
            # Of levels that are not compared over the same combinations, the correlation is not known: taken as none, on the safe side.
            group = f"levels of {factor.name}" if whole else ""
            found.append(Compared(((factor, level),), contrast, _AVERAGED if whole else _FEASIBLE, group, own))
    for one, other in pairs(factors):
        for i, side in enumerate(sides_of([one]), 1):
            for j, rival in enumerate(sides_of([other]), 1):
                contrast = interaction(codes, (numbers[one.name], i), (numbers[other.name], j))
                if len(contrast.plus):
                    together.append(_together((side, rival), contrast, "averaged over the other components"))
    return Comparisons(found, together, lost)


def _shapley(factors: Sequence[Factor], rows: list[Levels], options: DesignOptions) -> Comparisons:
    steps = shapley_steps(factors, options)
    orders = len(shapley_orders(factors, options))
    which = f"{orders} orders that were drawn" if orders else "all orders"
    which += " that the constraints allow" if options.constraints else ""
    columns = {frozenset(levels): index for index, levels in enumerate(rows)}
    found = []
    for index, factor in enumerate(factors):
        own = [(chosen, share) for (chosen, unit), share in steps.items() if unit == index]
        plus = [columns[frozenset(set_levels(chosen | 1 << index, factors))] for chosen, _ in own]
        minus = [columns[frozenset(set_levels(chosen, factors))] for chosen, _ in own]
        contrast = Contrast(np.array(plus), np.array(minus), np.array([share for _, share in own]))
        estimand = f"Shapley value: mean change when it is flipped, averaged over {which} of flipping the components"
        found.append(Compared(((factor, factor.levels[0]),), contrast, estimand))
    return Comparisons(found, [], [])


def _model(
    design: Design,
    factors: Sequence[Factor],
    rows: list[Levels],
    options: DesignOptions,
    kept: Sequence[int],
    interactions: bool,
    replaced: bool,
) -> Comparisons:
    grouped = design.name == "group-screening"
    players = groups_of(factors, options) if grouped else list(factors)
    three = design.way == "three levels" and not replaced
    codes = codes_of([rows[index] for index in kept], players, options.groups if grouped else {})
    fitted, lost = fit(codes, players, interactions=interactions, three=three)
    found, together = [], []
    for one in fitted:
        weights = np.zeros(len(rows))
        weights[list(kept)] = one.weights
        sides = tuple((players[index], players[index].levels[max(0, level - 1)]) for index, level in one.term.parts)
        if len(sides) == 1:
            found.append(_effect(one, sides, weights, three, players[one.term.parts[0][0]].name in options.groups and grouped))
        else:
            together.append(_sum(_together(sides, of_weights(weights), "averaged over the other components"), one))
    return Comparisons(found, together, lost)


def _effect(one: Fitted, sides: tuple[Side, ...], weights: Array, three: bool, group: bool) -> Compared:
    factor = sides[0][0]
    kind = "curve" if one.term.curved else "line" if three else "group" if group else "flip"
    estimand = {
        "curve": "mean of both levels minus the baseline level, averaged over the other components",
        "line": f"mean change from {factor.levels[0].name} to {factor.levels[-1].name}, averaged over the other components",
        "group": "mean change from none of the group's components flipped to all of them, averaged over the other groups",
    }.get(kind, _MODEL)
    if one.aliases:
        estimand += f", in one number with {_and(one.aliases)}"
    return Compared(sides, of_weights(weights), estimand, aliases=one.aliases, kind=kind)


def _sum(compared: Compared, one: Fitted) -> Compared:
    if not one.aliases:
        return compared
    return compared._replace(estimand=f"{compared.estimand}, in one number with {_and(one.aliases)}", aliases=one.aliases)


def _together(sides: tuple[Side, ...], contrast: Contrast, where: str) -> Compared:
    (one, level), (other, rival) = sides
    estimand = (
        f"half the difference between the effect of {act(one, level)} with {effect_name(other, rival)!r} changed and in the "
        f"baseline, {where}"
    )
    return Compared(sides, contrast, estimand)


def act(factor: Factor, level: Level) -> str:
    """What is done to the baseline, as a sentence's subject: "removing augmentation"."""
    if factor.kind == "remove":
        return f"removing {factor.name}"
    if factor.kind == "add":
        return f"adding {factor.name}"
    if factor.kind == "placebo":
        return f"the placebo {factor.name!r}" if factor.name != "placebo" else "the placebo"
    return f"replacing {factor.name} by {level.name}" if factor.kind == "replace" else f"setting {factor.name} to {level.name}"


def _column(rows: Sequence[Levels], levels: Levels) -> int | None:
    return next((index for index, row in enumerate(rows) if row == levels), None)


def _and(names: Sequence[str]) -> str:
    shown = list(names[:4]) + ([f"{len(names) - 4} more"] if len(names) > 4 else [])
    return " and ".join([", ".join(shown[:-1]), shown[-1]]) if len(shown) > 1 else shown[0]
