"""Conditional effects: what a component does where another one stands, and where that is flipped."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from assay.ablation.comparisons import Compared
from assay.ablation.components import PLACEBO, effect_name
from assay.questions.causal.readings import Readings, finite, in_words, together
from assay.records.causal import Conditional, Estimated
from assay.records.factor import Factor, Level
from assay.records.finding import Finding
from assay.stats.blocks import Contrast, contrast_values
from assay.stats.simultaneous import Array

_DIRECT = "configurations that differ in it alone"
_MODEL = "the design's model"


class _One(NamedTuple):
    side: tuple[Factor, Level]
    given: Factor
    state: str
    values: Array
    basis: str
    aliases: tuple[str, ...]


def conditional_effects(read: Readings) -> tuple[list[Conditional], list[Finding]]:
    """Of every component under each state of every other one, for each metric; and which the design cannot give.

    What is known of one state alone, the baseline's, is the effect itself and not repeated: it conditions on nothing.
    """
    found: list[Conditional] = []
    lost: dict[str, None] = {}
    for goal in read.evidence.goals:
        table = read.table(goal.name)
        chosen = []
        for factor, level in read.sides:
            for other in read.factors:
                if other is not factor:
                    some = list(_given(read, table, (factor, level), other))
                    if any(one.state != "as in the baseline" for one in some):
                        chosen += [one for one in some if len(finite(one.values))]
                    else:
                        lost[f"{effect_name(factor, level)} given {other.name}"] = None
        values = together([one.values for one in chosen])
        found += [_record(one, goal.name, value) for one, value in zip(chosen, values, strict=True)]
    return found, _lost(read, list(lost), none=not found)


def _given(read: Readings, table: Array, side: tuple[Factor, Level], other: Factor) -> Iterator[_One]:
    """The effect where the other component stands, and for each level of it."""
    for state in ("", *(level.name for level in other.levels)):
        name = state or "as in the baseline"
        plus, minus = _alone(read, side, other, state)
        if plus:
            yield _One(side, other, name, _means(table, plus, minus), _DIRECT, ())
            continue
        modelled = _modelled(read, table, side, other, state)
        if modelled is not None:
            yield _One(side, other, name, modelled[0], _MODEL, modelled[1])


def _means(table: Array, plus: list[int], minus: list[int]) -> Array:
    return contrast_values(table, Contrast(np.array(plus, dtype=np.intp), np.array(minus, dtype=np.intp)))


def _alone(read: Readings, side: tuple[Factor, Level], other: Factor, state: str) -> tuple[list[int], list[int]]:
    """Columns with the component flipped, and those that differ from them in nothing else."""
    factor, level = side
    plus, minus = [], []
    for index, levels in enumerate(read.levels):
        if levels is not None and factor.name not in levels and levels.get(other.name, "") == state:
            flipped = read.column({**levels, factor.name: level.name})
            if flipped is not None:
                plus.append(flipped)
                minus.append(index)
    return plus, minus


def _modelled(
    read: Readings, table: Array, side: tuple[Factor, Level], other: Factor, state: str
) -> tuple[Array, tuple[str, ...]] | None:
    """Main effect minus or plus the interaction, which is half the difference of the two conditional effects."""
    if len(other.levels) > 1:
        return None
    main, given = read.effect(effect_name(*side)), effect_name(other, other.levels[0])
    both = next((one for one in read.compared.interactions if set(one.names) == {effect_name(*side), given}), None)
    if main is None or both is None:
        return None
    sign = 1 if state else -1
    values = contrast_values(table, main.contrast) + sign * contrast_values(table, both.contrast)
    return values, _aliases(main, both)


def _aliases(main: Compared, both: Compared) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*main.aliases, *both.aliases)))


def _record(one: _One, metric: str, value: Estimated) -> Conditional:
    name = effect_name(*one.side)
    where = f"where {one.given.name} {one.state if one.state == PLACEBO else f'is {one.state}'}"
    alias = f"; the design cannot tell it from {', '.join(one.aliases[:4])}" if one.aliases else ""
    return Conditional(
        component=name,
        metric=metric,
        given=one.given.name,
        state=one.state,
        value=value,
        n=int(np.isfinite(one.values).sum()),
        basis=one.basis,
        aliases=one.aliases,
        words=f"{name} on {metric} {where}: {in_words(value)}{alias}.",
    )


def _lost(read: Readings, lost: list[str], *, none: bool) -> list[Finding]:
    if not lost:
        return []
    design = f"The design {read.evidence.plan.design!r}"
    if none:
        said = f"{design} flips no two components together, so no conditional effect is identified: what one does beside another flip, nobody saw."
    else:
        shown = ", ".join(lost[:6]) + (f" and {len(lost) - 6} more" if len(lost) > 6 else "")
        said = f"{design} does not flip these two together, so the conditional effect is not identified: {shown}."
    text = f'{said} The designs "pairs", "full" and "fractional" at resolution V give it.'
    return [Finding(kind="not identified", about="conditional effects", text=text)]
