"""What a design confounds is named in its plan, by the components that it is about."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import pytest

from assay.ablation.adaptive.plans import adaptive_plan
from assay.ablation.components import remove, vary
from assay.ablation.designs import ADAPTIVE, DESIGNS
from assay.ablation.plans import make_plan
from assay.records.plan import DesignOptions, Plan

NAMES = "abcdef"
BASELINE = dict.fromkeys(NAMES, 1)
FLIPS = tuple(remove(name, {name: 0}) for name in NAMES)
THREE = tuple(vary(name, name, [0, 2]) for name in NAMES)
GROUPS = {"front": ("a", "b"), "middle": ("c", "d"), "back": ("e", "f")}
PAIRS = {" × ".join(pair) for pair in combinations(NAMES, 2)}

CASES: list[tuple[str, dict[str, Any], list[str]]] = [
    ("leave-one-out", {}, ["Interactions", "Redundancy", "'e' and 'f'"]),
    ("add-one-in", {}, ["Interactions", "works only beside another", "'e' and 'f'"]),
    ("ladder", {}, ["The order", "Interactions", "'e' and 'f'"]),
    ("pairs", {}, ["three or more"]),
    ("full", {}, ["three or more"]),
    ("fractional", {"resolution": 3}, ["Main effects apart from", "Which interaction", "three or more"]),
    ("fractional", {"resolution": 4}, ["Which interaction", "three or more"]),
    ("fractional", {"resolution": 5}, ["three or more"]),
    ("plackett-burman", {}, ["Main effects apart from", "Interactions of two of 'a'", "none is estimated", "three or more"]),
    ("screening", {}, ["Interactions of two of 'a'", "none is estimated", "three or more"]),
    ("definitive-screening", {}, ["Curvatures apart from", "Interactions of two of 'a'", "three or more"]),
    ("group-screening", {"groups": GROUPS}, ["Which of 'a' and 'b' it is", "'front'", "'e' and 'f'"]),
    ("group-screening", {"groups": GROUPS, "resolution": 3}, ["front holds −middle × back", "Which of 'a' and 'b'"]),
    ("optimal", {}, ["Main effects apart from", "larger budget", "three or more"]),
    ("optimal", {"budget": 5}, ["The effect of 'e' and 'f'"]),
    ("shapley", {}, ["shared evenly", "those of two"]),
    ("shapley", {"budget": 20}, ["Other orders"]),
    ("adaptive", {}, ["three components and more", "Small effects beside large ones"]),
]


def planned(design: str, options: dict[str, Any]) -> Plan:
    asked = DesignOptions(**options)
    if design == ADAPTIVE:
        return adaptive_plan(BASELINE, FLIPS, [0, 1, 2], {}, asked)
    return make_plan(design, BASELINE, THREE if design == "definitive-screening" else FLIPS, 3, options=asked)


def test_no_design_is_left_out() -> None:
    assert {design for design, _, _ in CASES} == {*DESIGNS, ADAPTIVE}


@pytest.mark.parametrize(("design", "options", "said"), CASES)
def test_what_a_design_cannot_tell_is_named(design: str, options: dict[str, Any], said: list[str]) -> None:
    text = " ".join(planned(design, options).cannot_see)
    assert [one for one in said if one not in text] == []


@pytest.mark.parametrize("resolution", [3, 4, 5])
def test_a_fractions_interactions_that_always_change_together_are_aliases(resolution: int) -> None:
    """By looking at every two of them, and at every main effect, over the rows that are run."""
    plan = planned("fractional", {"resolution": resolution})
    rows = [one.levels for one in plan.configurations]
    single = {name: [(-1) ** (name in row) for row in rows] for name in NAMES}
    double = {pair: [x * y for x, y in zip(single[pair[0]], single[pair[-1]], strict=True)] for pair in PAIRS}
    told = {frozenset((name, alias.lstrip("−"))) for name, held in plan.aliases.items() for alias in held}
    together = {frozenset(two) for two in combinations(single | double, 2) if abs(_product(single | double, two)) == len(rows)}
    heads = {name for name in plan.aliases if " × " in name} | set(NAMES)
    assert told == {two for two in together if two & heads}
    assert bool(told) == (resolution < 5)


def _product(columns: dict[str, list[int]], two: tuple[str, str]) -> int:
    return sum(x * y for x, y in zip(columns[two[0]], columns[two[1]], strict=True))
