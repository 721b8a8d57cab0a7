"""Which combinations of levels a design asks for, what its effects mean, and what it cannot show. Pure: no parameter, no seed, no cost."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import combinations, product
from math import prod
from typing import NamedTuple

from assay.ablation.components import REMOVED, effect_name
from assay.errors import InvalidStudy
from assay.records.factor import Factor

LIMIT = 4096
"""Most configurations that a full factorial may have: 12 components of two levels."""

Levels = dict[str, str]
"""Levels of the factors that are not at their baseline; the baseline itself is the empty mapping."""


class Design(NamedTuple):
    """A rule that chooses combinations.

    Attributes:
        name: what the user asks for.
        estimand: what an effect of this design means, in a sentence.
        combinations: levels of each configuration, the baseline first.
        aliases: effect to the effects it cannot be told from.
        cannot_see: in sentences, what it cannot show.
    """

    name: str
    estimand: str
    combinations: Callable[[Sequence[Factor]], list[Levels]]
    aliases: Callable[[Sequence[Factor]], dict[str, tuple[str, ...]]]
    cannot_see: Callable[[Sequence[Factor]], tuple[str, ...]]


def design_named(name: str) -> Design:
    """The design of this name.

    Raises:
        InvalidStudy: there is none; the message names those that exist.
    """
    if name not in DESIGNS:
        raise InvalidStudy("no design has this name", value=name, expected=" or ".join(map(repr, DESIGNS)))
    return DESIGNS[name]


def configuration_name(levels: Levels) -> str:
    """What tables call a combination: "baseline", "without augmentation", "loss: cross entropy", "without a + b: c".

    >>> configuration_name({"a": "removed", "b": "c"})
    'without a + b: c'
    """
    parts = [f"without {factor}" if level == REMOVED else f"{factor}: {level}" for factor, level in levels.items()]
    return " + ".join(parts) or "baseline"


def interaction_name(components: Sequence[str]) -> str:
    """How an interaction is written: "a × b"."""
    return " × ".join(components)


def _one_at_a_time(factors: Sequence[Factor]) -> list[Levels]:
    return [{}, *({factor.name: level.name} for factor in factors for level in factor.levels)]


def _all_combinations(factors: Sequence[Factor]) -> list[Levels]:
    number = prod(1 + len(factor.levels) for factor in factors)
    if number > LIMIT:
        raise InvalidStudy(
            f"the full factorial of these {len(factors)} components has too many configurations",
            value=number,
            expected=f"at most {LIMIT:,}",
            next_step='Use the design "leave-one-out", or fewer components or levels.',
        )
    choices = [(None, *(level.name for level in factor.levels)) for factor in factors]
    names = [factor.name for factor in factors]
    return [{name: level for name, level in zip(names, row, strict=True) if level is not None} for row in product(*choices)]


def _effects(factors: Sequence[Factor]) -> Iterator[tuple[Factor, str]]:
    for factor in factors:
        for level in factor.levels:
            yield factor, effect_name(factor, level)


def _corner_aliases(factors: Sequence[Factor]) -> dict[str, tuple[str, ...]]:
    """An effect at one corner is the main effect and all interactions of the component in one number; those of pairs are named."""
    return {
        name: tuple(interaction_name((name, other)) for rival, other in _effects(factors) if rival.name != factor.name)
        for factor, name in _effects(factors)
        if len(factors) > 1
    }


def _corner_blind(factors: Sequence[Factor]) -> tuple[str, ...]:
    if len(factors) < 2:
        return ()
    names = _listed([factor.name for factor in factors])
    return (
        f"Interactions: each effect is measured with everything else as in the baseline, so whether {names} depend on each other is not seen.",
        f"Redundancy: where two of {names} do the same work, taking away either one alone changes nothing.",
    )


def _full_blind(factors: Sequence[Factor]) -> tuple[str, ...]:
    if len(factors) < 3:
        return ()
    return (
        "Interactions of three or more components: every combination is run, but effects are reported for single components and pairs.",
    )


def _nothing(factors: Sequence[Factor]) -> dict[str, tuple[str, ...]]:
    return {}


def _listed(names: Sequence[str]) -> str:
    shown = [f"{name!r}" for name in names[:8]]
    if len(names) > 8:
        shown.append(f"{len(names) - 8} more")
    return ", ".join(shown[:-1]) + f" and {shown[-1]}"


def pairs(factors: Sequence[Factor]) -> list[tuple[Factor, Factor]]:
    """Every two factors, in the order given."""
    return list(combinations(factors, 2))


DESIGNS = {
    design.name: design
    for design in (
        Design(
            name="leave-one-out",
            estimand="Variant minus baseline under the same seed, with everything else as in the baseline.",
            combinations=_one_at_a_time,
            aliases=_corner_aliases,
            cannot_see=_corner_blind,
        ),
        Design(
            name="full",
            estimand="Variant minus baseline level under the same seed, averaged over all combinations of the other components.",
            combinations=_all_combinations,
            aliases=_nothing,
            cannot_see=_full_blind,
        ),
    )
}
