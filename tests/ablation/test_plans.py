"""Plans: which trials, in which order, with what they can and cannot tell."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.ablation.components import change, remove, replace
from assay.ablation.configurations import configure, plain, settings_of
from assay.ablation.plans import make_blocks, make_plan
from assay.errors import InvalidStudy, UnknownParameter
from assay.records.canonical import canonical, decode
from assay.records.plan import DesignOptions, Plan

BASELINE = {"a": True, "b": "x", "c": 0, "d": 1}
A = remove("a", a=False)
B = replace("b", "y", b="y")
C1, C2 = change("c", "one", c=1), change("c", "two", c=2)


def names(plan):
    return [configuration.name for configuration in plan.configurations]


def test_leave_one_out_flips_one_level_at_a_time():
    plan = make_plan("leave-one-out", BASELINE, [A, B, C1, C2], 2, {"plain": {"a": False, "b": "y"}})
    assert names(plan) == ["baseline", "without a", "b: y", "c: one", "c: two", "plain"]
    assert [configuration.levels for configuration in plan.configurations[:4]] == [{}, {"a": "removed"}, {"b": "y"}, {"c": "one"}]
    assert plan.configurations[-1].params == {"a": False, "b": "y", "c": 0, "d": 1}
    assert plan.comparisons == 5 and plan.named == ("plain",)


def test_full_runs_every_combination_of_every_level():
    plan = make_plan("full", BASELINE, [A, B, C1, C2], 1)
    assert len(set(names(plan))) == 2 * 2 * 3
    assert names(plan)[0] == "baseline" and "without a + b: y" in names(plan) and "without a + b: y + c: two" in names(plan)
    params = [tuple(configuration.params.values()) for configuration in plan.configurations]
    assert len(set(params)) == 12


def test_trials_come_block_by_block():
    """What is interrupted leaves whole blocks."""
    plan = make_plan("leave-one-out", BASELINE, [A, B], [7, 3])
    assert [(trial.block, trial.seed, trial.configuration) for trial in plan.trials] == [
        (block, seed, name) for block, seed in ((0, 7), (1, 3)) for name in names(plan)
    ]
    assert [trial.index for trial in plan.trials] == list(range(6))


def test_seeds_are_the_integers_from_the_base_on():
    assert [block.seed for block in make_blocks(5)] == [0, 1, 2, 3, 4]
    assert [block.seed for block in make_blocks(3, base=42)] == [42, 43, 44]


@pytest.mark.parametrize("seeds", [0, -1, [], [1, 1], [0.5], [True], True, "01", [-1], [2**32], None, 1.5, range(0)])
def test_seeds_that_cannot_be_used_are_refused(seeds):
    with pytest.raises(InvalidStudy, match="seed"):
        make_blocks(seeds)


def test_an_unknown_design_names_those_that_exist():
    with pytest.raises(InvalidStudy, match=r"'leave-one-out', .* 'shapley' or 'adaptive'\. Did you mean 'leave-one-out'"):
        make_plan("leave-two-out", BASELINE, [A], 1)


def test_too_large_a_factorial_is_refused_with_its_number():
    baseline = {f"p{i}": 0 for i in range(13)}
    factors = [remove(f"f{i}", {f"p{i}": 1}) for i in range(13)]
    with pytest.raises(InvalidStudy, match="8192"):
        make_plan("full", baseline, factors, 1)
    assert len(make_plan("full", baseline, factors[:6], 1).configurations) == 64


def test_components_that_set_the_same_parameter_cannot_be_combined():
    with pytest.raises(InvalidStudy, match="cannot be combined"):
        make_plan("full", BASELINE, [B, replace("e", "z", b="z")], 1)
    make_plan("leave-one-out", BASELINE, [B, replace("e", "z", b="z")], 1)


@pytest.mark.parametrize(
    "named", [{"baseline": {"a": False}}, {"without a": {"b": "y"}}, {"same": {"a": True}}, {"": {"a": False}}, {"a": {"b": "y"}}]
)
def test_named_configurations_have_names_and_contents_of_their_own(named):
    with pytest.raises(InvalidStudy):
        make_plan("leave-one-out", BASELINE, [A], 1, named)


def test_unknown_keys_are_found_before_anything_runs():
    with pytest.raises(UnknownParameter, match="'oops'"):
        make_plan("leave-one-out", BASELINE, [A], 1, {"n": {"oops": 1}})
    with pytest.raises(UnknownParameter, match="'augment'"):
        make_plan("full", BASELINE, [remove("aug", augment=False)], 1)


def test_leave_one_out_names_what_it_cannot_see():
    plan = make_plan("leave-one-out", BASELINE, [A, B, C1, C2], 1)
    text = " ".join(plan.cannot_see)
    assert "Interactions" in text and "Redundancy" in text and "'a', 'b' and 'c'" in text and "one seed" in text
    assert plan.aliases["a"] == ("a × b", "a × c: one", "a × c: two")
    assert plan.detectable is None


def test_full_confounds_nothing():
    plan = make_plan("full", BASELINE, [A, B], 3)
    assert plan.aliases == {} and plan.cannot_see == ()
    assert "three or more" in " ".join(make_plan("full", BASELINE, [A, B, C1], 3).cannot_see)


def test_a_plan_of_the_baseline_alone_says_that_it_compares_nothing():
    plan = make_plan("leave-one-out", BASELINE, [], 3)
    assert plan.comparisons == 0 and "nothing is compared" in plan.cannot_see[0] and plan.detectable is None


def test_detectable_effects():
    """One comparison of three seeds sees d_z 3.3 and more (statistics: item 5); more seeds and more pairs see less.

    Where spreads are known to be alike, two comparisons see less than one, as they know more of the noise.
    """
    one = make_plan("leave-one-out", BASELINE, [A], 3).detectable
    assert one == pytest.approx(3.264, abs=1e-3)
    assert make_plan("leave-one-out", BASELINE, [A], 10).detectable == pytest.approx(0.996, abs=1e-3)
    alike = DesignOptions(spreads="alike")
    two = make_plan("leave-one-out", BASELINE, [A, B], 3, options=alike).detectable
    assert (
        make_plan("full", BASELINE, [A, B], 3, options=alike).detectable
        < two
        < one
        < make_plan("leave-one-out", BASELINE, [A, B], 3).detectable
    )
    unlike = make_plan("leave-one-out", BASELINE, [A, B], 3, options=DesignOptions(spreads="unlike")).detectable
    assert unlike > two


def test_a_plan_survives_its_canonical_form():
    plan = make_plan("full", BASELINE, [A, C1, C2], 2, {"n": {"a": False, "d": 5}})
    assert canonical(decode(canonical(plan), Plan)) == canonical(plan)


def test_the_settings_of_a_configuration_rebuild_it():
    named = {"n": {"a": False, "d": 5}}
    factors = [A, C1, C2]
    plan = make_plan("full", BASELINE, factors, 2, named)
    for configuration in plan.configurations:
        assert plain(configure(BASELINE, settings_of(configuration, factors, named))) == configuration.params


@given(st.lists(st.integers(1, 3), min_size=1, max_size=4), st.integers(1, 3))
def test_full_factorials_are_balanced(levels, seeds):
    """Every level of every factor stands beside every level of every other equally often, and every configuration runs once a block."""
    factors = [change(f"f{i}", str(j), {f"p{i}": j}) for i, number in enumerate(levels) for j in range(1, number + 1)]
    plan = make_plan("full", {f"p{i}": 0 for i in range(len(levels))}, factors, seeds)
    cells = math.prod(number + 1 for number in levels)
    assert len(plan.configurations) == cells and len(plan.trials) == cells * seeds
    for i in range(len(levels)):
        for j in range(i):
            met = [(c.params[f"p{i}"], c.params[f"p{j}"]) for c in plan.configurations]
            assert {met.count(pair) for pair in met} == {cells // ((levels[i] + 1) * (levels[j] + 1))}
