"""Designs: which combinations, and what is refused."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.ablation.alternatives import alternatives
from assay.ablation.components import add, between, change, merge, remove, vary
from assay.ablation.constraints import excludes, requires
from assay.ablation.designs import DESIGNS
from assay.ablation.models import codes_of, matrix_of
from assay.ablation.optimal import optimal
from assay.ablation.plans import make_plan
from assay.errors import InvalidStudy
from assay.records.canonical import canonical, decode
from assay.records.plan import PLAIN, DesignOptions, Plan

BASELINE = dict.fromkeys("abcdefgh", 0) | {"mix": 0}
FLIPS = tuple(remove(letter, {letter: 1}) for letter in "abcdefgh")
MIX = add("mix", mix=1)


def names(design, factors, **options):
    plan = make_plan(design, BASELINE, factors, 1, options=DesignOptions(**options))
    return [configuration.name for configuration in plan.configurations]


def test_add_one_in_begins_with_everything_off():
    assert names("add-one-in", (*FLIPS[:2], MIX)) == [
        *("baseline", "without a + without b", "without b", "without a", "without a + without b + with mix")
    ]


def test_a_ladder_goes_from_the_bare_system_to_the_whole():
    assert names("ladder", (*FLIPS[:2], MIX)) == ["baseline", "without a + without b", "without b", "with mix"]


def test_pairs_flip_one_and_two():
    found = names("pairs", FLIPS[:4])
    assert len(found) == 1 + 4 + 6 and "without a + without d" in found


@pytest.mark.parametrize("design", [name for name in DESIGNS if name != "definitive-screening"])
def test_every_design_begins_with_the_baseline_and_survives_its_canonical_form(design):
    plan = make_plan(design, BASELINE, FLIPS[:4], 2, {"n": {"a": 1, "mix": 1}}, options=DesignOptions(groups={"g": ("a", "b")}))
    assert plan.configurations[0].name == "baseline" and plan.configurations[-1].name == "n"
    assert len({configuration.name for configuration in plan.configurations}) == len(plan.configurations)
    assert canonical(decode(canonical(plan), Plan)) == canonical(plan)
    assert plan.detectable is not None and plan.estimand.endswith(".")


@pytest.mark.parametrize(
    ("design", "factors", "options", "said"),
    [
        ("fractional", (vary("a", "a", [1, 2]),), {}, "several"),
        ("screening", (), {}, "nothing to combine"),
        ("fractional", FLIPS, {"resolution": 2}, "at least 3"),
        ("full", FLIPS[:2], {"resolution": 5}, "no resolution"),
        ("leave-one-out", FLIPS[:2], {"budget": 5}, "no budget"),
        ("shapley", FLIPS, {"budget": 5}, "not one order"),
        ("definitive-screening", FLIPS[:2], {}, "a level on each side"),
        ("group-screening", FLIPS[:2], {"groups": {"g": ("z",)}}, "does not have"),
        ("group-screening", FLIPS[:2], {"groups": {"g": ("a",), "h": ("a",)}}, "two groups"),
        ("group-screening", FLIPS[:2], {"groups": {"b": ("a",)}}, "name of a component"),
        ("group-screening", FLIPS[:2], {}, "no groups"),
        ("leave-one-out", FLIPS[:2], {"groups": {"g": ("z",)}}, "does not have"),
        ("optimal", FLIPS[:2], {"budget": 1}, "at least 2"),
        ("leave-one-out", (remove("x", a=1), vary("y", "a", [2, 1])), {}, "'x' and 'y: 1' are the same change"),
    ],
)
def test_what_a_design_cannot_do_is_said(design, factors, options, said):
    with pytest.raises(InvalidStudy, match=said) as refused:
        make_plan(design, BASELINE, factors, 2, options=DesignOptions(**options))
    assert refused.value.exit_code == 2


def test_a_design_larger_than_all_bounds_is_refused_with_its_number():
    many = tuple(remove(f"f{i}", {f"p{i}": 1}) for i in range(40))
    baseline = {f"p{i}": 0 for i in range(40)}
    for design in ("full", "fractional", "shapley"):
        with pytest.raises(InvalidStudy, match="at most"):
            make_plan(design, baseline, many, 1)
    assert len(make_plan("screening", baseline, many, 1).configurations) == 88


@pytest.mark.parametrize(("factors", "runs", "interactions"), [(7, 8, False), (3, 4, False), (5, 16, True)])
def test_d_optimal_rows_are_orthogonal_where_an_orthogonal_array_exists(factors, runs, interactions):
    """Its determinant is the largest there is, which Hadamard's bound gives."""
    rows = optimal(FLIPS[:factors], PLAIN, interactions=interactions, runs=runs)
    matrix = matrix_of(codes_of(rows, FLIPS[:factors], {}), FLIPS[:factors], interactions=interactions)
    moment = matrix.T @ matrix
    assert rows[0] == {} and np.allclose(moment, np.diag(np.diag(moment)))


@given(
    st.lists(st.tuples(st.sampled_from("abcde"), st.booleans(), st.sampled_from("abcde")), max_size=4),
    st.sampled_from(list(DESIGNS)),
)
def test_no_plan_has_a_combination_that_a_constraint_forbids(said, design):
    """Whatever is asked for: left out and named, or refused."""
    constraints = tuple((requires if needs else excludes)(f"{a}: on", f"{b}: on") for a, needs, b in said if a != b)
    factors = tuple(change(letter, "on", {letter: 1}) for letter in "abcde")
    try:
        plan = make_plan(design, BASELINE, factors, 1, options=DesignOptions(constraints=constraints))
    except InvalidStudy:
        return
    for configuration in plan.configurations:
        on = {f"{letter}: on" for letter in configuration.levels}
        for one in constraints:
            if one.thing in on:
                assert not on & set(one.others) if one.kind == "excludes" else set(one.others) <= on
    assert bool(plan.left_out) <= any("constraint" in text for text in plan.cannot_see)


def test_alternatives_are_cheaper_and_stronger_designs():
    found = {one.design: one for one in alternatives(FLIPS[:5], PLAIN, named=1)}
    assert found["fractional, resolution 5"].configurations == 17 and found["leave-one-out"].configurations == 7
    assert found["full"].detectable(3) < found["fractional, resolution 5"].detectable(3) < found["leave-one-out"].detectable(3)
    needed = found["leave-one-out"].blocks_needed(1.0)
    assert found["leave-one-out"].detectable(needed) <= 1.0 < found["leave-one-out"].detectable(needed - 1)
    assert "definitive-screening" not in found and "group-screening" not in found
    assert found["fractional, resolution 3"].tells != found["fractional, resolution 5"].tells


def test_power_counts_what_it_costs_not_to_know_the_spreads():
    """Each design sees less where chance may make a comparison look noisier than the others, at few seeds above all."""
    alike = {one.design: one for one in alternatives(FLIPS[:4], DesignOptions(spreads="alike"))}
    for one in alternatives(FLIPS[:4], PLAIN):
        more = [one.detectable(seeds) / alike[one.design].detectable(seeds) for seeds in (3, 4, 10)]
        assert more == sorted(more, reverse=True) and more[0] > 1.1 and more[-1] < 1.08, one.design


def test_ranges_are_levels_and_their_names_are_values():
    factor = vary("dropout", "p", between(0.0, 0.5, 3))
    assert [level.name for level in factor.levels] == ["0", "0.25", "0.5"] and factor.levels[1].settings == {"p": 0.25}
    assert [*map(repr, between(2, 12, 3))] == ["2", "7", "12"] and between(0, 1, 3) == [0, 0.5, 1]
    assert [level.name for level in vary("x", "x", ["adam", True, None]).levels] == ["adam", "True", "None"]
    with pytest.raises(InvalidStudy, match="change nothing"):
        make_plan("full", {"p": 0.25}, [factor], 1)
    for wrong in (lambda: vary("x", "x", []), lambda: vary("x", "x", "abc"), lambda: vary("x", "x", [1, 1])):
        with pytest.raises(InvalidStudy):
            wrong()
    for ends in ((1, 0), (0, 0), (0, float("inf")), ("a", 1)):
        with pytest.raises(InvalidStudy, match="range"):
            between(*ends)
    with pytest.raises(InvalidStudy, match="above 0"):
        between(0, 1, log=True)
    with pytest.raises(InvalidStudy, match="levels"):
        between(0, 1, 1)
    with pytest.raises(InvalidStudy, match="add"):
        merge([add("a", x=1), add("a", x=2)])
