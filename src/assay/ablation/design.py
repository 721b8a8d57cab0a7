"""What a design is: a rule that chooses combinations of levels, and how combinations and effects are called."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import combinations
from typing import Literal, NamedTuple

from assay.ablation.components import ADDED, PLACEBO, REMOVED, effect_name
from assay.errors import InvalidStudy
from assay.records.factor import Factor, Level
from assay.records.plan import DesignOptions

LIMIT = 4096
"""Most configurations that a design of all combinations may have: 12 components of two levels."""

Levels = dict[str, str]
"""Levels of the factors that are not at their baseline; the baseline itself is the empty mapping."""

Side = tuple[Factor, Level]
"""A component at one of its levels."""

Way = Literal["corner", "steps", "full", "model", "three levels", "shapley"]
"""How effects come of the combinations: of pairs at one corner, of steps from one to the next, of all pairs, of a linear model (of two or
of three levels), or of all orders."""


class Design(NamedTuple):
    """A rule that chooses combinations.

    Attributes:
        name: what the user asks for.
        way: how effects are estimated.
        estimand: what an effect of this design means, in a sentence.
        combinations: levels of each configuration, the baseline first; they may break constraints.
        cannot_see: in sentences, what it cannot show, beside what its aliases and constraints take from it.
        joint: whether it sets several components at once, so that they have to set different parameters.
        interactions: whether those of two components are estimated.
        tells: what it is good for, in a clause.
    """

    name: str
    way: Way
    estimand: str
    combinations: Callable[[Sequence[Factor], DesignOptions], list[Levels]]
    cannot_see: Callable[[Sequence[Factor]], tuple[str, ...]]
    tells: str
    joint: bool = True
    interactions: bool = False


def configuration_name(levels: Mapping[str, str]) -> str:
    """What tables call a combination: "baseline", "without augmentation", "loss: cross entropy", "without a + b: c", "with mixup".

    >>> configuration_name({"a": "removed", "b": "c"})
    'without a + b: c'
    """
    parts = [_part(factor, level) for factor, level in levels.items()]
    return " + ".join(parts) or "baseline"


def interaction_name(components: Sequence[str]) -> str:
    """How an interaction is written: "a × b"."""
    return " × ".join(components)


def pairs(factors: Sequence[Factor]) -> list[tuple[Factor, Factor]]:
    """Every two factors, in the order given."""
    return list(combinations(factors, 2))


def sides_of(factors: Sequence[Factor]) -> list[Side]:
    """Every factor with each of its levels, in the order given."""
    return [(factor, level) for factor in factors for level in factor.levels]


def named_effects(factors: Sequence[Factor]) -> list[tuple[Factor, str]]:
    """Every factor with the names of its effects, one for each level."""
    return [(factor, effect_name(factor, level)) for factor, level in sides_of(factors)]


def listed(names: Sequence[str]) -> str:
    """Names as a sentence lists them, only the first of many.

    >>> listed(["a", "b"])
    "'a' and 'b'"
    """
    shown = [f"{name!r}" for name in names[:8]]
    if len(names) > 8:
        shown.append(f"{len(names) - 8} more")
    return ", ".join(shown[:-1]) + f" and {shown[-1]}" if len(shown) > 1 else "".join(shown)


def levels_of(row: Sequence[int], factors: Sequence[Factor]) -> Levels:
    """The combination that a row of numbers stands for: 0 the baseline, 1 the first level."""
    return {factor.name: factor.levels[code - 1].name for code, factor in zip(row, factors, strict=True) if code}


def need_components(factors: Sequence[Factor], design: str) -> None:
    """Passes where there is something to combine.

    Raises:
        InvalidStudy: there is no component.
    """
    if not factors:
        raise InvalidStudy(f"the design {design!r} has nothing to combine", value=[], expected="at least one component")


def need_two_levels(factors: Sequence[Factor], design: str) -> None:
    """Passes where every component is flipped to one level.

    Raises:
        InvalidStudy: one has several, or there is no component.
    """
    need_components(factors, design)
    for factor in factors:
        if len(factor.levels) > 1:
            raise InvalidStudy(
                f"the design {design!r} flips each component to one level, and {factor.name!r} has several",
                value=[level.name for level in factor.levels],
                expected="one level for each component",
                next_step='Leave one of them, or use the design "leave-one-out", "pairs", "full", "optimal" or "adaptive".',
            )


def need_at_most(number: int, design: str, instead: str) -> None:
    """Passes where a design has not too many configurations.

    Raises:
        InvalidStudy: it has.
    """
    if number > LIMIT:
        raise InvalidStudy(
            f"the design {design!r} of these components has too many configurations",
            value=number,
            expected=f"at most {LIMIT:,}",
            next_step=instead,
        )


def _part(factor: str, level: str) -> str:
    return f"without {factor}" if level == REMOVED else f"with {factor}" if level in (ADDED, PLACEBO) else f"{factor}: {level}"
