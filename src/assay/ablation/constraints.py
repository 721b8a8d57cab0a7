"""Which components go together: constraints as a user writes them, and the combinations that they allow. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from itertools import product
from math import prod

from assay.ablation.design import configuration_name
from assay.errors import InvalidStudy
from assay.records.factor import Constraint, Factor

_MOST_TRIED = 4096
"""Combinations that are looked through for contradictions; more components than these are seldom bound together."""


def requires(thing: str, *others: str) -> Constraint:
    """Where `thing` is there, each of the others must be there too.

    Args:
        thing: a component as it stands in the baseline (one that is added: where it is there), or "component: level".
        others: the same.

    Raises:
        InvalidStudy: nothing is required, or a name is empty.

    >>> requires("mixup", "augmentation").others
    ('augmentation',)
    """
    return _constraint(thing, others, "requires")


def excludes(thing: str, *others: str) -> Constraint:
    """Where `thing` is there, none of the others may be; arguments and errors as for `requires`.

    >>> excludes("loss: cross entropy", "mixup").kind
    'excludes'
    """
    return _constraint(thing, others, "excludes")


def check_constraints(constraints: Sequence[Constraint], factors: Sequence[Factor]) -> None:
    """Passes where every constraint is about things of the study, and the baseline keeps them all.

    Raises:
        InvalidStudy: one is about something else, the baseline itself breaks it, or together they leave no combination in which a component
            is at one of its levels.
    """
    known = _things(factors)
    for one in constraints:
        for name in (one.thing, *one.others):
            if name not in known:
                near = get_close_matches(name, known, n=1)
                raise InvalidStudy(
                    "a constraint is about something that the study does not have",
                    value=name,
                    expected="one of " + ", ".join(map(repr, known)),
                    next_step=f"Did you mean {near[0]!r}?" if near else "",
                )
    broken = first_broken({}, factors, constraints)
    if broken is not None:
        raise InvalidStudy(
            "the baseline itself breaks a constraint, so no combination could be compared with it",
            value=in_words(broken),
            expected="constraints that the baseline keeps",
            next_step="Correct the constraint, or make the component one that is added.",
        )
    _check_each_can_change(constraints, factors)


def feasible(levels: Mapping[str, str], factors: Sequence[Factor], constraints: Sequence[Constraint]) -> bool:
    """Whether a combination keeps all constraints.

    Args:
        levels: of the factors that are not at their baseline.
    """
    return first_broken(levels, factors, constraints) is None


def first_broken(levels: Mapping[str, str], factors: Sequence[Factor], constraints: Sequence[Constraint]) -> Constraint | None:
    """The first constraint that a combination breaks; None where it keeps them all."""
    if not constraints:
        return None
    there = {_thing_there(factor, levels.get(factor.name)) for factor in factors}
    for one in constraints:
        if one.thing in there and any((other in there) == (one.kind == "excludes") for other in one.others):
            return one
    return None


def in_words(constraint: Constraint) -> str:
    """The constraint as it is written: "mixup requires augmentation"."""
    return f"{constraint.thing} {constraint.kind} {' and '.join(constraint.others)}"


def _check_each_can_change(constraints: Sequence[Constraint], factors: Sequence[Factor]) -> None:
    names = {name for one in constraints for name in (one.thing, *one.others)}
    bound = [factor for factor in factors if names & {factor.name, *(f"{factor.name}: {level.name}" for level in factor.levels)}]
    missing = {(factor.name, level.name) for factor in bound for level in factor.levels}
    choices = [(None, *(level.name for level in factor.levels)) for factor in bound]
    if prod(map(len, choices)) > _MOST_TRIED:
        return
    for chosen in product(*choices):
        levels = {factor.name: level for factor, level in zip(bound, chosen, strict=True) if level is not None}
        if not missing.isdisjoint(levels.items()) and feasible(levels, factors, constraints):
            missing.difference_update(levels.items())
    if missing:
        first = next(
            (factor.name, level.name) for factor in bound for level in factor.levels if (factor.name, level.name) in missing
        )
        raise InvalidStudy(
            f"the constraints contradict each other: none of the combinations that keep them all is {configuration_name(dict([first]))!r}, "
            "alone or beside others",
            value=[in_words(one) for one in constraints],
            expected="constraints under which each component can be changed",
            next_step="Correct a constraint, or take the component out of the study.",
        )


def _thing_there(factor: Factor, level: str | None) -> str:
    """What of a factor is there at a level: of one that is removed, its being gone ("mixup: removed")."""
    if factor.kind == "add":
        return factor.name if level is not None else ""
    if level is None:
        return factor.name
    return f"{factor.name}: {level}"


def _things(factors: Sequence[Factor]) -> list[str]:
    levels = [f"{factor.name}: {level.name}" for factor in factors if factor.kind != "add" for level in factor.levels]
    return [factor.name for factor in factors] + levels


def _constraint(thing: str, others: Sequence[str], kind: str) -> Constraint:
    names = (thing, *others)
    if not others or not all(isinstance(name, str) and name.strip() for name in names):
        raise InvalidStudy(f"a constraint says nothing that {kind} something", value=names, expected="two names or more")
    return Constraint(thing=thing, kind="requires" if kind == "requires" else "excludes", others=tuple(others))
