"""What the designs say of planted truths and of the textbook's numbers."""

from __future__ import annotations

import re
from itertools import permutations, product
from typing import NamedTuple

import numpy as np
import pytest

from assay.ablation.components import add, change, hypothesis, maximize, remove, vary
from assay.ablation.constraints import excludes, requires
from assay.ablation.plans import make_plan
from assay.execution.protocol import Outcome
from assay.questions.study.analysis import analyse
from assay.records.plan import PLAIN, DesignOptions

LETTERS = "abcdefghijklmnop"
# Montgomery, Design and Analysis of Experiments, example 6.2: the filtration rate of a 2^4, in Yates' order.
FILTRATION = (45, 71, 48, 65, 68, 60, 80, 65, 43, 100, 45, 104, 75, 86, 70, 96)


class Asked(NamedTuple):
    factors: tuple
    goals: tuple = (maximize("y"),)
    hypotheses: tuple = ()


def flips(number):
    return tuple(change(letter, "high", {letter: 1}) for letter in LETTERS[:number])


def study(
    design, factors, train, *, seeds=1, options=PLAIN, hypotheses=(), lost=lambda params, block: False, baseline=None, named=None
):
    """The plan and the analysis of a function of (params, block)."""
    baseline = baseline or dict.fromkeys(LETTERS[: len(factors)], 0)
    plan = make_plan(design, baseline, factors, seeds, named, options=options)
    params = {configuration.name: configuration.params for configuration in plan.configurations}
    outcomes = []
    for trial in plan.trials:
        gone = lost(params[trial.configuration], trial.block)
        value = {} if gone else {"y": float(train(params[trial.configuration], trial.block))}
        outcomes.append(Outcome(trial, "run", "failed" if gone else "finished", value, None, False, 1.0))
    return plan, analyse(Asked(tuple(factors), hypotheses=tuple(hypotheses)), plan, outcomes)


def estimates(analysis):
    effects = {one.component: one.estimate for one in analysis.effects}
    return effects | {"".join(one.components): one.estimate for one in analysis.interactions}


def filtration(params, block=0):
    return FILTRATION[sum(params[letter] << index for index, letter in enumerate("abcd"))]


def test_the_filtration_example_in_full():
    _, found = study("full", flips(4), filtration)
    expected = {
        "a": 21.625,
        "b": 3.125,
        "c": 9.875,
        "d": 14.625,
        "ab": 0.125,
        "ac": -18.125,
        "ad": 16.625,
        "bc": 2.375,
        "bd": -0.375,
    }
    assert estimates(found) == pytest.approx(expected | {"cd": -1.125}, abs=1e-9)


def test_the_filtration_example_in_half():
    """The half D = ABC: every effect is that of the full design plus its alias."""
    plan, found = study("fractional", flips(4), filtration, options=DesignOptions(resolution=4))
    assert len(plan.configurations) == 8
    expected = {"a": 19.0, "b": 1.5, "c": 14.0, "d": 16.5, "ab": -1.0, "ac": -18.5, "ad": 19.0}
    assert estimates(found) == pytest.approx(expected, abs=1e-9)
    assert plan.aliases == {"a × b": ("c × d",), "a × c": ("b × d",), "a × d": ("b × c",)}
    assert "Which interaction" in plan.cannot_see[0]
    assert "a × d and its aliases" in found.interactions[2].words and "cannot tell it from b × c" in found.interactions[2].words


def test_seven_factors_in_eight_runs_have_the_textbooks_aliases():
    """2^(7-4), D = AB, E = AC, F = BC, G = ABC: Montgomery, section 8.5. Here the baseline is a run, so that signs are turned."""
    lines = "A=BD=CE=FG B=AD=CF=EG C=AE=BF=DG D=AB=CG=EF E=AC=BG=DF F=AG=BC=DE G=AF=BE=CD"
    plan = make_plan("fractional", dict.fromkeys("abcdefg", 0), flips(7), 1, options=DesignOptions(resolution=3))
    assert len(plan.configurations) == 8
    # Factors carry other letters in each library; the structure is the same up to them: three pairs for each, which cover the six others.
    partners = {name: [alias.strip("−").split(" × ") for alias in aliases] for name, aliases in plan.aliases.items()}
    assert len(partners) == 7
    assert all(
        sorted(letter for pair in pairs for letter in pair) == sorted(set("abcdefg") - {name}) for name, pairs in partners.items()
    )
    triples = {frozenset((name, *pair)) for name, pairs in partners.items() for pair in pairs}
    textbook = {frozenset(word[0] + pair) for word in lines.lower().split() for pair in word[2:].split("=")}
    assert len(triples) == len(textbook) == 7
    relabelled = (
        {frozenset(names[LETTERS.index(letter)] for letter in triple) for triple in textbook} for names in permutations("abcdefg")
    )
    assert any(each == triples for each in relabelled)


def test_the_mirror_image_has_no_interaction_in_its_main_effects():
    plan = make_plan("screening", dict.fromkeys("abcdefg", 0), flips(7), 1)
    assert len(plan.configurations) == 16 and plan.aliases == {}


def interacting(params, block=0):
    return 3 * params["a"] - 2 * params["b"] + 4 * params["b"] * params["c"] + block * 10


def test_a_resolution_five_fraction_finds_an_interaction():
    _, found = study("fractional", flips(5), interacting)
    expected = {"a": 3.0, "b": 0.0, "c": 2.0, "bc": 2.0}
    assert {name: value for name, value in estimates(found).items() if abs(value) > 1e-9 or name == "b"} == pytest.approx(expected)


def test_a_third_of_an_interaction_is_in_plackett_burman_and_is_named():
    plan, found = study("plackett-burman", flips(8), interacting)
    share = estimates(found)["a"] - 3
    assert abs(share) == pytest.approx(2 / 3) and ("0.33 of b × c" in plan.aliases["a"] or "−0.33 of b × c" in plan.aliases["a"])
    assert "Main effects apart from interactions" in plan.cannot_see[0] and '"screening"' in plan.cannot_see[0]
    assert "cannot tell it from" in found.effects[0].words


def test_intervals_of_a_fraction_come_from_its_blocks():
    """By hand: the residual of configuration + block, divided among the configurations of each side."""
    noise = np.random.default_rng(0).normal(size=(4, 16))
    plan, found = study("fractional", flips(5), lambda p, b: interacting(p) + noise[b, _binary(p)], seeds=4)
    rows = [_binary(configuration.params) for configuration in plan.configurations]
    table = np.array(
        [[interacting(c.params) + noise[b, row] for c, row in zip(plan.configurations, rows, strict=True)] for b in range(4)]
    )
    left = table - table.mean(axis=0) - table.mean(axis=1, keepdims=True) + table.mean()
    error = np.sqrt((left**2).sum() / (15 * 3) * 4 / (16 * 4))
    one = found.effects[0]
    high = np.array([c.params["a"] == 1 for c in plan.configurations])
    assert one.estimate == pytest.approx(table[:, high].mean() - table[:, ~high].mean())
    assert one.verdict == "matters" and one.method == "simultaneous contrasts in blocks"
    assert (one.high - one.low) / 2 / error == pytest.approx(2.7, abs=0.15)  # the studentised maximum modulus of 5, 45 df


def _binary(params):
    return sum(params[letter] << index for index, letter in enumerate("abcd"))


def test_what_lost_configurations_take_away_is_said():
    """Of four runs for three effects each is needed: without one, an effect goes, and another holds it."""
    first = make_plan("fractional", dict.fromkeys("abc", 0), flips(3), 1, options=DesignOptions(resolution=3)).configurations[1]
    _, found = study(
        "fractional",
        flips(3),
        lambda p, b: 3 * p["a"],
        lost=lambda p, b: p == first.params,
        options=DesignOptions(resolution=3),
        seeds=2,
    )
    assert {"failed trials", "not estimable", "aliases changed"} <= {finding.kind for finding in found.findings}
    assert len(found.effects) == 2


def test_a_lost_configuration_of_a_larger_fraction_leaves_the_truth():
    """The model is fitted to the other configurations; without those that failed, what they would have balanced is no bias."""
    gone = {"a": 1, "b": 0, "c": 1, "d": 0}
    _, found = study(
        "fractional", flips(5), lambda p, b: 3 * p["a"] - p["b"], lost=lambda p, b: all(p[k] == v for k, v in gone.items()), seeds=2
    )
    assert (estimates(found)["a"], estimates(found)["b"]) == pytest.approx((3.0, -1.0))


def test_shapley_values_are_those_of_all_orders():
    values = dict(zip(product((0, 1), repeat=3), (0.0, 1, 4, 9, 2, 7, 3, 20), strict=True))
    _, found = study("shapley", flips(3), lambda p, b: values[p["a"], p["b"], p["c"]] + b)
    expected = [0.0, 0.0, 0.0]
    for order in permutations(range(3)):
        at = [0, 0, 0]
        for unit in order:
            before = values[tuple(at)]
            at[unit] = 1
            expected[unit] += (values[tuple(at)] - before) / 6
    assert [estimates(found)[letter] for letter in "abc"] == pytest.approx(expected)
    assert sum(expected) == 20


def test_redundancy_is_shared_by_shapley_and_seen_from_one_corner_only():
    """a or b is enough: leave-one-out 0 and 0, add-one-in g and g, Shapley g/2 each, interaction -g/2 (the issue's own example)."""
    factors = (remove("a", a=0), remove("b", b=0))
    baseline = {"a": 1, "b": 1}

    def redundant(params, block):
        return 5.0 * bool(params["a"] or params["b"])

    def found(design):
        return estimates(study(design, factors, redundant, baseline=baseline, seeds=2)[1])

    assert found("leave-one-out") == {"a": 0.0, "b": 0.0}
    assert found("add-one-in") == {"a": -5.0, "b": -5.0}
    assert found("shapley") == {"a": -2.5, "b": -2.5}
    assert found("pairs") == {"a": 0.0, "b": 0.0, "ab": -2.5}
    assert found("ladder") == {"a": -5.0, "b": 0.0}
    _, pairs = study("pairs", factors, redundant, baseline=baseline, seeds=2)
    assert "redundant" in {finding.kind for finding in pairs.findings}


@pytest.mark.parametrize("design", ["pairs", "full", "fractional"])
@pytest.mark.parametrize(
    ("kinds", "gain", "said"),
    [
        (
            "add add",
            lambda a, b: a and b,
            "a and b only matter together: adding either alone does nothing at all, adding both raises y by 5",
        ),
        ("add add", lambda a, b: a or b, "a and b are redundant: adding either raises y by 5.00, and then the other does nothing"),
        (
            "remove remove",
            lambda a, b: a or b,
            "a and b are redundant: changing either alone does nothing at all, changing both lowers y",
        ),
        ("remove remove", lambda a, b: a and b, "a and b only matter together: changing either lowers y by 5"),
        ("add remove", lambda a, b: a and not b, "a and b depend on each other: changing either alone does nothing at all"),
        ("add remove", lambda a, b: a or not b, "a and b depend on each other: changing either raises y by 5"),
    ],
)
def test_what_two_do_together_is_said_of_their_presence(design, kinds, gain, said):
    """Two that are put in and do nothing alone need each other; two that are taken away and do nothing alone stand in for each other."""
    make = {"add": lambda name: add(name, {name: 1}), "remove": lambda name: remove(name, {name: 0})}
    factors = tuple(make[kind](name) for kind, name in zip(kinds.split(), "ab", strict=True))
    baseline = {name: int(kind == "remove") for kind, name in zip(kinds.split(), "ab", strict=True)}
    _, found = study(design, factors, lambda p, block: 5.0 * bool(gain(p["a"], p["b"])) + block, baseline=baseline, seeds=2)
    (told,) = found.interactions
    assert told.words.startswith(said)
    assert not any(one.kind == "no-op" for one in found.findings)  # each moves something, if not alone


def test_a_named_combination_tells_additions_that_need_each_other_from_what_is_redundant():
    for factors, baseline, kind, word in (
        ((add("a", a=1), add("b", b=1)), {"a": 0, "b": 0}, "interaction", "only matter together"),
        ((remove("a", a=1), remove("b", b=1)), {"a": 0, "b": 0}, "redundant", "are redundant"),
    ):
        named = {"both": {"a": 1, "b": 1}}
        _, found = study(
            "leave-one-out", factors, lambda p, block: p["a"] * p["b"] + block, baseline=baseline, named=named, seeds=3
        )
        (told,) = (one for one in found.findings if one.about == "a × b")
        assert told.kind == kind and word in told.text


def test_a_component_that_nothing_reads_is_a_no_op_in_every_design_that_pairs_it():
    factors = (*flips(2), change("dead", "on", dead=1))
    for design in ("leave-one-out", "pairs", "full", "fractional"):
        _, found = study(design, factors, lambda p, block: p["a"] * p["b"] + block, baseline={"a": 0, "b": 0, "dead": 0}, seeds=2)
        idle = {one.about for one in found.findings if one.kind == "no-op"}
        assert idle == ({"dead"} if design != "leave-one-out" else {"dead", "a", "b"})


def test_the_noise_of_seeds_is_in_shapley_values():
    noise = np.random.default_rng(0).normal(size=(6, 8))
    _, found = study("shapley", flips(3), lambda p, b: 9 * p["a"] + noise[b, _bits(p)], seeds=6)
    first = found.effects[0]
    assert first.low < 9 < first.high and first.verdict == "matters"
    # Weights 1/3, 1/6, 1/6, 1/3 on four pairs: the variance of a mean of 2 / (2 * (1/9 + 1/36 + 1/36 + 1/9)) pairs.
    residual = np.var(noise - noise.mean(axis=1, keepdims=True) - noise.mean(axis=0) + noise.mean()) * 48 / 35
    t = (first.high - first.low) / 2 / np.sqrt(residual * 2 * (2 / 9 + 2 / 36) / 6)
    assert t == pytest.approx(2.5, abs=0.15)  # the studentised maximum modulus of 3, 35 df


def test_an_interaction_that_cannot_be_told_says_how_many_seeds_would():
    noise = np.random.default_rng(0).normal(size=(6, 8))
    _, found = study("full", flips(3), lambda p, b: 9 * p["a"] + p["a"] * p["b"] + noise[b, _bits(p)], seeds=6)
    (told,) = [one for one in found.interactions if one.components == ("a", "b")]
    assert told.verdict == "cannot tell" and re.search(r"\]; about \d+ more seeds? would \(\d+ in all", told.words)


def _bits(params):
    return params["a"] + 2 * params["b"] + 4 * params["c"]


def test_sampled_shapley_values_say_what_drawing_costs():
    def additive(params, block):
        return sum((index + 1) * params[letter] for index, letter in enumerate(LETTERS[:8]))

    plan, found = study("shapley", flips(8), additive, options=DesignOptions(budget=40))
    assert len(plan.configurations) <= 40
    assert [estimates(found)[letter] for letter in LETTERS[:8]] == pytest.approx(list(range(1, 9)))
    assert "orders" in plan.cannot_see[-2] and "sampled orders" in {finding.kind for finding in found.findings}


def test_what_is_added_helps_where_it_is_there():
    factors = (remove("a", a=0), add("mix", b=1))
    _, found = study(
        "ladder",
        factors,
        lambda p, b: 3 * p["a"] + 2 * p["b"],
        baseline={"a": 1, "b": 0},
        seeds=2,
        hypotheses=[hypothesis("mix", raises="y")],
    )
    assert estimates(found) == {"a": -3.0, "mix": 2.0}
    assert "Adding mix raises y" in found.effects[1].words and "mix helps" in found.effects[1].words
    assert found.answers[0].answer == "supported"


def test_definitive_screening_finds_straight_and_curved_effects():
    factors = [vary(letter, letter, [-1, 1]) for letter in LETTERS[:6]]
    plan, found = study(
        "definitive-screening",
        factors,
        lambda p, b: 2 * p["a"] - 3 * p["c"] + 5 * p["e"] ** 2,
        hypotheses=[hypothesis("a", raises="y", by=3)],
    )
    assert len(plan.configurations) == 13
    expected = {"a": 4.0, "c": -6.0, "e (curvature)": 5.0}
    assert {name: value for name, value in estimates(found).items() if abs(value) > 1e-9} == pytest.approx(expected)
    assert (
        "Moving a from -1 to 1" in _effect(study("definitive-screening", factors, lambda p, b: 2 * p["a"], seeds=2)[1], "a").words
    )


def _effect(analysis, name):
    return next(one for one in analysis.effects if one.component == name)


def test_groups_are_flipped_together():
    options = DesignOptions(groups={"first": ("a", "b", "c"), "second": ("d", "e")})
    plan, found = study("group-screening", flips(8), lambda p, b: 4 * p["b"] + 2 * p["g"], options=options, seeds=2)
    assert len(plan.configurations) == 16  # five groups at resolution IV
    values = estimates(found)
    assert (values["first"], values["second"], values["g"], values["f"]) == pytest.approx((4.0, 0.0, 2.0, 0.0))
    assert "flipping all of first" in _effect(found, "first").words.lower()


def test_constraints_make_a_fraction_optimal_over_what_is_left():
    options = DesignOptions(constraints=(excludes("a: high", "b: high"), requires("c: high", "d: high")), resolution=4)
    plan, found = study("fractional", flips(5), lambda p, b: 3 * p["a"] - 2 * p["b"] + p["c"] + 7 * p["e"], options=options)
    assert all(not (c.params["a"] and c.params["b"]) and (c.params["d"] or not c.params["c"]) for c in plan.configurations)
    assert plan.left_out and "D-optimal" in " ".join(plan.cannot_see) and "a: high excludes b: high" in " ".join(plan.cannot_see)
    assert [estimates(found)[letter] for letter in "abcde"] == pytest.approx([3, -2, 1, 0, 7])


def test_effects_that_constraints_take_away_are_named():
    """b never moves without a, so neither has an effect of its own in a linear model."""
    options = DesignOptions(constraints=(requires("a: high", "b: high"), requires("b: high", "a: high")))
    plan, found = study("optimal", flips(3), lambda p, b: p["a"] + p["c"], options=options)
    assert "b" in plan.aliases["a"] and any("'b'" in text and "do not tell" in text for text in plan.cannot_see)
    assert "b" not in estimates(found) and estimates(found)["c"] == pytest.approx(1.0)
    alone = make_plan("leave-one-out", dict.fromkeys("abc", 0), flips(3), 2, options=options)
    assert [c.name for c in alone.configurations] == ["baseline", "c: high"] and alone.comparisons == 1


def test_a_full_factorial_under_constraints_averages_over_what_is_allowed():
    options = DesignOptions(constraints=(excludes("a: high", "b: high"),))
    plan, found = study("full", flips(3), lambda p, b: 3 * p["a"] - p["b"] + 2 * p["a"] * p["c"], options=options, seeds=2)
    assert len(plan.configurations) == 6
    assert estimates(found) == pytest.approx({"a": 4.0, "b": -1.0, "c": 2 / 3, "ac": 1.0, "bc": 0.0})


def test_orders_that_break_a_constraint_do_not_count():
    """b only after a: one order, so that the shares are the steps of it."""
    options = DesignOptions(constraints=(requires("b: high", "a: high"),))
    _, found = study("shapley", flips(2), lambda p, b: 5 * p["a"] + 7 * p["a"] * p["b"], options=options)
    assert estimates(found) == pytest.approx({"a": 5.0, "b": 7.0})


def test_levels_beyond_two_in_an_optimal_design():
    factors = [vary("a", "a", [1, 2]), *flips(4)[1:]]
    _, found = study("optimal", factors, lambda p, b: (0, 3, 1)[p["a"]] + 2 * p["c"], options=DesignOptions(budget=12))
    assert estimates(found) == pytest.approx({"a: 1": 3.0, "a: 2": 1.0, "b": 0.0, "c": 2.0, "d": 0.0}, abs=1e-9)
