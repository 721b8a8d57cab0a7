"""Which components go together."""

import pytest

from assay.ablation.adaptive.plans import adaptive_plan
from assay.ablation.components import add, change, remove, replace
from assay.ablation.constraints import check_constraints, excludes, feasible, first_broken, in_words, requires
from assay.ablation.plans import make_plan
from assay.errors import InvalidStudy
from assay.records.plan import DesignOptions

AUG, MIX = remove("aug", aug=False), add("mix", mix=0.2)
LOSS = replace("loss", "ce", loss="ce")
FACTORS = (AUG, MIX, LOSS)


@pytest.mark.parametrize(
    ("constraint", "levels", "kept"),
    [
        (requires("mix", "aug"), {"mix": "added"}, True),
        (requires("mix", "aug"), {"mix": "added", "aug": "removed"}, False),
        (requires("mix", "aug"), {"aug": "removed"}, True),
        (excludes("loss: ce", "mix"), {"loss": "ce"}, True),
        (excludes("loss: ce", "mix"), {"loss": "ce", "mix": "added"}, False),
        (excludes("mix", "loss"), {"mix": "added"}, False),
        (excludes("mix", "loss"), {"mix": "added", "loss": "ce"}, True),
        (requires("loss: ce", "mix", "aug"), {"loss": "ce", "mix": "added", "aug": "removed"}, False),
    ],
)
def test_a_thing_is_there_as_it_stands_or_where_it_was_put(constraint, levels, kept):
    """A component that is removed or replaced is there at the baseline; one that is added is there when it was added."""
    assert feasible(levels, FACTORS, [constraint]) is kept
    assert (first_broken(levels, FACTORS, [constraint]) is None) is kept


def test_a_constraint_on_something_else_names_the_nearest():
    check_constraints([requires("loss: ce", "mix")], FACTORS)
    with pytest.raises(InvalidStudy, match="Did you mean 'aug'"):
        check_constraints([requires("mix", "agu")], FACTORS)
    with pytest.raises(InvalidStudy, match="does not have"):
        check_constraints([requires("mix: added", "aug")], FACTORS)


def test_a_baseline_that_breaks_a_constraint_is_refused():
    with pytest.raises(InvalidStudy, match="aug excludes loss"):
        check_constraints([excludes("aug", "loss")], FACTORS)


@pytest.mark.parametrize(
    "wrong", [lambda: requires("a"), lambda: requires("", "b"), lambda: excludes("a", " "), lambda: requires("a", 3)]
)
def test_a_constraint_has_names(wrong):
    with pytest.raises(InvalidStudy):
        wrong()


def test_a_constraint_is_written_as_it_is_read():
    assert in_words(requires("mix", "aug", "loss")) == "mix requires aug and loss"


@pytest.mark.parametrize("design", ["pairs", "full"])
def test_every_constraint_that_broke_a_design_is_named_and_every_interaction_that_it_takes(design):
    factors = tuple(change(letter, "on", {letter: 1}) for letter in "abcd")
    both = (excludes("a: on", "b: on"), requires("c: on", "d"))
    plan = make_plan(design, dict.fromkeys("abcd", 0), factors, 2, options=DesignOptions(constraints=both))
    said = " ".join(plan.cannot_see)
    assert "a: on excludes b: on" in said and "c: on requires d" in said
    assert "The interaction of 'a × b' and 'c × d': a combination that it needs is not allowed." in said


def test_the_adaptive_design_says_where_constraints_leave_too_few_coins():
    """Where one of two components forces the other, few trials are coins of both; with more seeds there are more."""
    factors = tuple(change(letter, "on", {letter: 1}) for letter in "abc")
    options = DesignOptions(constraints=(excludes("a: on", "b: on", "c: on"),))

    def said(seeds):
        return " ".join(adaptive_plan(dict.fromkeys("abc", 0), factors, range(seeds), {}, options).cannot_see)

    assert "The effect of 'a'" in said(3) and "to a coin in" in said(3)
    assert "to a coin in" not in said(60)


def test_constraints_that_leave_nothing_are_refused():
    factors = (change("a", "on", a=1), change("b", "on", b=1))
    nothing = DesignOptions(constraints=(requires("a: on", "b: on"), requires("b: on", "a: on"), excludes("a: on", "b: on")))
    for design in ("optimal", "leave-one-out", "shapley"):
        with pytest.raises(InvalidStudy, match=r"contradict each other.*'a: on'"):
            make_plan(design, {"a": 0, "b": 0}, factors, 2, options=nothing)
    together = DesignOptions(constraints=(requires("a: on", "b: on"), requires("b: on", "a: on")))
    with pytest.raises(InvalidStudy, match="no order"):
        make_plan("shapley", {"a": 0, "b": 0}, factors, 2, options=together)


@pytest.mark.parametrize(
    ("constraints", "stuck"),
    [
        ([requires("mix", "aug"), excludes("mix", "aug")], "with mix"),
        ([excludes("mix", "mix")], "with mix"),
        ([requires("loss: ce", "mix"), excludes("mix", "loss: ce")], "loss: ce"),
    ],
)
def test_a_component_that_no_combination_can_change_is_named(constraints, stuck):
    with pytest.raises(InvalidStudy, match=rf"contradict each other.*{stuck}") as said:
        check_constraints(constraints, FACTORS)
    assert said.value.value == [in_words(one) for one in constraints] and said.value.next_step


def test_groups_stay_together_where_constraints_break_their_screening():
    """What is run in its place are feasible combinations of groups, so that the numbers are still those of groups."""
    factors = [AUG, MIX, LOSS, change("depth", "one", depth=1)]
    groups = {"data": ("aug", "depth"), "alone": ("mix",)}
    options = DesignOptions(groups=groups, constraints=(excludes("loss: ce", "mix"),))
    baseline = {"aug": True, "mix": 0, "loss": "l2", "depth": 3}
    plan = make_plan("group-screening", baseline, factors, 2, options=options)
    assert plan.left_out and plan.comparisons == 3 and set(plan.aliases) <= {"data", "alone", "loss"}
    for one in plan.configurations:
        assert ("aug" in one.levels) == ("depth" in one.levels) and not {"mix", "loss"} <= set(one.levels)
    assert any("Which of 'aug' and 'depth' it is" in sentence for sentence in plan.cannot_see)
