"""Interaction indices: games with known answers, by formula and through a study."""

import re
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.ablation.components import add, change, maximize
from assay.ablation.plans import make_plan
from assay.errors import InvalidStudy, InvalidValue, UnknownMetric
from assay.project.study_result import StudyResult
from assay.questions.study.guards import alike
from assay.records.evidence import StudyEvidence, TrialResult
from assay.records.plan import PLAIN, DesignOptions
from assay.stats.indices import INDICES, index_weights
from assay.store.store import Store

GLOVES = np.array([0.0, 0, 0, 1, 0, 1, 0, 1])
"""One left glove (player 0), two right ones: a pair is worth 1. Shapley values 2/3, 1/6, 1/6 (Shapley and Shubik 1969)."""


def on(name):
    return change(name, "on", {name: 1})


def put_in(name):
    return add(name, {name: 1})


def evidence(game, *, players=3, design="shapley", sd=0.0, seeds=4, options=PLAIN, made=on):
    """A study whose metric is the worth of the components that are flipped, with noise."""
    names = "abcd"[:players]
    factors = tuple(made(name) for name in names)
    plan = make_plan(design, dict.fromkeys(names, 0), factors, seeds, options=options)
    random = np.random.default_rng(5)
    rows = []
    for trial in plan.trials:
        levels = next(one.levels for one in plan.configurations if one.name == trial.configuration)
        worth = game[sum(1 << names.index(name) for name in levels)] + 10 * trial.block + sd * random.normal()
        place = {"index": trial.index, "configuration": trial.configuration, "block": trial.block, "seed": trial.seed}
        rows.append(TrialResult(**place, state="finished", metrics={"m": float(worth)}))
    return StudyEvidence(study="5f" * 32, plan=plan, rows=tuple(rows), goals=(maximize("m"),), factors=factors)


def values(found):
    return {"".join(one.components): pytest.approx(one.estimate) for one in found}


def test_shapley_values_of_the_glove_game():
    assert [index_weights(3, 1 << player) @ GLOVES for player in range(3)] == pytest.approx([2 / 3, 1 / 6, 1 / 6])


def test_interactions_of_the_glove_game():
    """By hand: a left and a right glove, delta 1 without the other right one and 0 with it; two right ones 0 without the left, -1 with it."""
    for index, expected in (
        ("shapley", (0.5, 0.5, -0.5)),
        ("banzhaf", (0.5, 0.5, -0.5)),
        ("shapley-taylor", (2 / 3, 2 / 3, -1 / 3)),
    ):
        assert [index_weights(3, pair, index) @ GLOVES for pair in (0b011, 0b101, 0b110)] == pytest.approx(expected)
        assert index_weights(3, 0b111, index) @ GLOVES == pytest.approx(-1)


def test_the_airport_game():
    """Littlechild and Owen 1973: a runway for the longest; costs 1, 2, 3 are shared as 1/3, 1/3 + 1/2, 1/3 + 1/2 + 1."""
    cost = np.array([0.0, 1, 2, 2, 3, 3, 3, 3])
    assert [index_weights(3, 1 << player) @ cost for player in range(3)] == pytest.approx([1 / 3, 5 / 6, 11 / 6])


def test_unanimity_games_are_shared_as_the_literature_says():
    """Grabisch and Roubens 1999: of a unanimity game of t players, a set of s in it gets 1 / (t - s + 1) (Shapley), 2^(s - t) (Banzhaf)."""
    game = np.array([float(state & 0b0111 == 0b0111) for state in range(16)])
    for size in (1, 2, 3):
        chosen = (1 << size) - 1
        assert index_weights(4, chosen) @ game == pytest.approx(1 / (3 - size + 1))
        assert index_weights(4, chosen, "banzhaf") @ game == pytest.approx(2.0 ** (size - 3))


@given(st.lists(st.floats(-10, 10), min_size=16, max_size=16))
def test_shapley_taylor_indices_are_efficient(game):
    """Those of order 2, with the single gains, make up the whole change (Sundararajan and others 2020)."""
    game = np.array(game) - game[0]
    pairs = sum(index_weights(4, 1 << a | 1 << b, "shapley-taylor") @ game for a, b in combinations(range(4), 2))
    assert pairs + sum(game[1 << player] for player in range(4)) == pytest.approx(game[15], abs=1e-9)


@given(st.integers(1, 15), st.sampled_from(INDICES))
def test_a_constant_game_has_no_index(chosen, index):
    assert index_weights(4, chosen, index).sum() == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize("chosen", [0, 8, -1])
def test_a_set_of_nobody_is_refused(chosen):
    with pytest.raises(InvalidValue):
        index_weights(3, chosen)


@pytest.mark.parametrize("design", ["shapley", "full"])
def test_a_study_gives_the_indices_of_its_game(design):
    result = StudyResult(evidence(GLOVES, design=design))
    assert values(result.interaction_indices()) == {"ab": 0.5, "ac": 0.5, "bc": -0.5}
    assert values(result.interaction_indices("m", index="shapley-taylor")) == {"ab": 2 / 3, "ac": 2 / 3, "bc": -1 / 3}
    (three,) = result.interaction_indices(order=3)
    assert three.estimate == pytest.approx(-1) and "a, b and c interact on m" in three.words.lower()


def test_seed_noise_is_in_the_intervals_and_the_words_say_what_it_means():
    both, either = np.array([0.0, 0, 0, 1]), np.array([0.0, 1, 1, 1])
    (together,) = StudyResult(evidence(either, players=2, sd=0.02)).interaction_indices()
    (redundant,) = StudyResult(evidence(both, players=2, sd=0.02)).interaction_indices()
    assert together.low < -1 < together.high < 0 and "these two only matter together" in together.words
    assert redundant.verdict == "matters" and "they are redundant" in redundant.words
    (needed,) = StudyResult(evidence(both, players=2, sd=0.02, made=put_in)).interaction_indices()
    assert "these two only matter together, flipping either alone does nothing" in needed.words
    (nothing,) = StudyResult(evidence(np.array([0.0, 1, 1, 2]), players=2, sd=0.02)).interaction_indices()
    assert nothing.low < 0 < nothing.high and nothing.words.startswith("Cannot tell whether a and b interact")
    assert re.search(r"more seeds? would|not even .* seeds would", nothing.words)


def test_what_cannot_be_had_is_refused_by_name():
    corner = StudyResult(evidence(GLOVES, design="leave-one-out"))
    with pytest.raises(InvalidStudy, match="every combination"):
        corner.interaction_indices()
    drawn = StudyResult(evidence(np.arange(16.0), players=4, options=DesignOptions(budget=10)))
    with pytest.raises(InvalidStudy, match="every combination"):
        drawn.interaction_indices()
    whole = StudyResult(evidence(GLOVES))
    for wrong in ({"index": "myerson"}, {"order": 1}, {"order": 4}):
        with pytest.raises(InvalidValue):
            whole.interaction_indices(**wrong)
    with pytest.raises(UnknownMetric):
        whole.interaction_indices("loss")


def test_configurations_that_are_alike_because_two_are_redundant_are_no_finding_beside_that(tmp_path):
    """Where either of a and b does all that both do, "a + b" behaves as "a": that is their interaction. "a" and "b" alone are alike."""
    found = list(alike(Store.open(tmp_path), evidence(np.array([0.0, 1, 1, 1, 3, 4, 4, 4]), design="full")))
    assert [set(one.about.split(" and ")) for one in found] == [{"a: on", "b: on"}, {"a: on + c: on", "b: on + c: on"}]
