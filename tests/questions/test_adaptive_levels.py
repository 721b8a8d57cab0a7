"""The adaptive design with components of several levels, over folds, and with metrics of a declared range."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.questions.test_adaptive import Arithmetic, result_of, verdicts

from assay.ablation.adaptive.course import Course
from assay.ablation.adaptive.order import alternatives, coins
from assay.ablation.components import hypothesis, maximize, merge, remove, replace
from assay.ablation.constraints import excludes
from assay.ablation.models import codes_of
from assay.ablation.splits import make_splits
from assay.execution.protocol import Job
from assay.questions.study.adaptive import Courses
from assay.questions.study.analysis_adaptive_named import named_effects
from assay.questions.study.definition import Definition, define, plan_study
from assay.questions.study.former import former
from assay.questions.study.winner import winner
from assay.records.plan import DesignOptions
from assay.stats.factorial_levels import centred, levelled, signs
from assay.stats.paired import paired_t
from assay.store.store import Store

OPTIMIZER = [replace("optimizer", name, optimizer=name) for name in ("adam", "rmsprop", "lion")]
FLAGS = [remove(name, {name: False}) for name in "abc"]


def accuracy(params: dict[str, Any], seed: int) -> float:
    """Adam helps by 2; lion helps by 3 without a alone; removing a hurts by 1; nothing else does anything."""
    rng = np.random.default_rng([seed, *repr(sorted(params.items())).encode()])
    gain = {"sgd": 0.0, "adam": 2.0, "rmsprop": 0.0, "lion": 3.0 * (not params["a"])}[params["optimizer"]]
    return gain + params["a"] + seed % 3 + float(rng.normal(0, 0.3))


def asked(**changes: Any) -> Definition:
    given: dict[str, Any] = {
        "name": "levels",
        "subject": "toy:train",
        "baseline": {"optimizer": "sgd"} | dict.fromkeys("abc", True),
        "components": [*OPTIMIZER, *FLAGS],
        "metrics": [maximize("y")],
        "seeds": list(range(10)),
        "design": "adaptive",
        "configurations": {},
        "hypotheses": [],
    }
    return define(**(given | changes))


def test_each_alternative_has_an_effect_and_interactions_of_its_own(project: Path) -> None:
    expected = [hypothesis("optimizer: adam", lowers="y"), hypothesis("optimizer", lowers="y")]
    evidence = result_of(project, Arithmetic(accuracy), asked(hypotheses=expected))
    effects = {one.component: one for one in evidence.effects}
    assert list(effects) == ["optimizer: adam", "optimizer: rmsprop", "optimizer: lion", "a", "b", "c"]
    assert effects["optimizer: adam"].verdict == effects["optimizer: lion"].verdict == "matters"
    assert not any(effects[name].verdict == "matters" for name in ("optimizer: rmsprop", "b", "c"))
    assert effects["optimizer: adam"].low <= 2 <= effects["optimizer: adam"].high
    assert effects["optimizer: lion"].low <= 1.5 <= effects["optimizer: lion"].high
    assert "Replacing optimizer by adam raises y" in effects["optimizer: adam"].words
    (pair,) = [one for one in evidence.interactions if one.verdict == "matters"]
    assert pair.components == ("optimizer: lion", "a")
    assert pair.low <= 1.5 <= pair.high
    assert "It depends on a" in effects["optimizer: lion"].words
    assert [one.answer for one in evidence.answers] == ["supported", "undecided"]


def test_levels_are_drawn_alike_and_a_budget_grows_with_them() -> None:
    plan = plan_study(asked())
    drawn = [one.levels for trial in plan.trials for one in plan.configurations if one.name == trial.configuration]
    shares = [np.mean([levels.get("optimizer") == name for levels in drawn]) for name in (None, "adam", "rmsprop", "lion")]
    assert np.allclose(shares, 0.25, atol=0.06)
    assert len(plan.trials) == (120 + 4 * 6) * 2
    assert plan.comparisons == 6
    assert any("Two alternatives" in one for one in plan.cannot_see)
    assert not any("coins here" in one for one in plan.cannot_see)
    few = plan_study(asked(seeds=[0, 1], components=[*OPTIMIZER, FLAGS[0]]))
    assert any("at most 4 coins here" in one for one in few.cannot_see)


def test_a_level_is_a_coin_only_against_the_baselines_and_where_both_were_possible() -> None:
    """Every combination of three levels and a flag in one block: what was free is counted by hand."""
    factors = merge([*OPTIMIZER[:2], FLAGS[0]])
    of = levelled(alternatives(factors))
    codes = np.array([[0, 0], [1, 0], [2, 1], [0, 1], [1, 1], [2, 0]])
    free = coins(of, codes, [0] * 6, factors, ())
    expected = [  # adam, rmsprop, a, adam × a, rmsprop × a
        [0, 0, 0, 0, 0],  # the baseline is not drawn
        [0, 0, 1, 0, 0],  # adam: sgd has run; of a, the other has not
        [0, 1, 1, 0, 0],  # rmsprop without a: of all four with sgd, one has run
        [1, 0, 0, 0, 0],  # sgd without a: with a it has run, and so has rmsprop
        [0, 0, 0, 0, 0],
        [0, 0, 0, 0, 0],
    ]
    assert free.astype(int).tolist() == expected
    bound = coins(of, codes[[0, 2, 4]], [0] * 3, factors, (excludes("optimizer: rmsprop", "a"),))
    assert not bound[:, [2, 4]][1].any()  # rmsprop never stands beside a, so neither was a coin


def test_without_any_effect_hardly_a_course_claims_one() -> None:
    """30 courses of heavy noise that is three times as large at one alternative: 5 % may be wrong, more than 5 hardly ever are."""
    most, wrong = [3, 2, 1, 1], 0
    of = levelled(most)
    for course_seed in range(30):
        rng = np.random.default_rng([8, course_seed])
        codes = np.column_stack([rng.integers(0, 1 + count, 72) for count in most])
        columns, sides = of.columns(centred(codes, most)), of.columns(signs(codes, most))
        values = rng.standard_t(2, 72) * np.where(codes[:, 0] == 1, 3, 1)
        course = Course(of)
        for begin, end in itertools.pairwise((0, 24, 48, 72)):
            part = slice(begin, end)
            course.tell(columns[part], values[part], np.arange(72)[part] // 4 % 4, sides[part] != 0, sides[part])
        wrong += bool(course.decisions)
    assert wrong <= 5


def test_a_third_level_tells_nothing_of_a_comparison() -> None:
    definition = asked()
    plan = plan_study(definition)
    courses = Courses(definition, plan)
    kept = [one.levels for trial in plan.trials[:60] for one in plan.configurations if one.name == trial.configuration]
    codes = codes_of(kept, merge(definition.factors), {})
    configurations = {one.name: one for one in plan.configurations}
    jobs = [Job(trial, configurations[trial.configuration]) for trial in plan.trials[:60]]
    courses.tell(Arithmetic(accuracy).carry_out(jobs, study="", workers=1, report=lambda _: None))
    counted = courses.by_metric["y"].tests.n
    for level in (1, 2, 3):
        assert counted[level - 1] <= np.isin(codes[1:, 0], [0, level]).sum()
    assert counted[:3].sum() < counted[3:6].sum()


def test_what_was_found_of_a_level_informs_a_study_with_more_of_them(project: Path) -> None:
    first = asked(components=[OPTIMIZER[0], *FLAGS], seeds=list(range(6)))
    result_of(project, Arithmetic(accuracy), first)
    more = asked(options=DesignOptions(priors=True))
    belief = former(Store.open(project), more, levelled([3, 1, 1, 1])).belief["y"]
    assert belief[0] > 0  # adam, called "optimizer" where it was the only alternative
    assert belief[1] == belief[2] == 0
    evidence = result_of(project, Arithmetic(accuracy), more)
    assert any("optimizer: adam" in one.text for one in evidence.findings if one.kind == "priors")


def test_where_every_combination_has_run_more_seeds_are_asked_for(project: Path) -> None:
    definition = asked(seeds=[0, 1], components=[*OPTIMIZER, FLAGS[0]])
    evidence = result_of(project, Arithmetic(accuracy), definition)
    assert len(evidence.rows) == 16
    assert any("more seeds go on from here" in one.text for one in evidence.findings if one.kind == "history")


def test_the_winner_is_the_level_that_helps_most(project: Path) -> None:
    evidence = result_of(project, Arithmetic(accuracy), asked(components=[*OPTIMIZER[:2], *FLAGS]))
    assert winner(evidence).levels == {"optimizer": "adam"}


def test_folds_take_turns_with_seeds(project: Path) -> None:
    definition = asked(seeds=[0, 1, 2], splits=make_splits(folds=4), configurations={"plain": {"a": False, "optimizer": "adam"}})
    plan = plan_study(definition)
    assert len(plan.blocks) == 12
    assert {(trial.seed, trial.split) for trial in plan.trials} == {(seed, fold) for seed in range(3) for fold in range(4)}
    evidence = result_of(project, Arithmetic(accuracy), definition)
    found = verdicts(evidence)
    assert found["optimizer: adam"] == "matters"
    (plain,) = [one for one in evidence.effects if one.component == "plain"]
    assert plain.n == 4  # the fold is the unit, and has its seeds averaged
    assert plain.verdict == "exact"  # this response knows nothing of folds
    assert any("4 folds that were run" in one for one in evidence.notes)
    assert any("these 4 folds" in one for one in evidence.plan.cannot_see)


def test_a_named_configuration_over_folds_has_the_interval_of_other_designs() -> None:
    named = {"plain": {"a": False}, "bare": {"b": False}}
    plan = plan_study(asked(seeds=[0, 1], splits=make_splits(folds=5), configurations=named))
    values = np.random.default_rng(4).normal(size=(10, len(plan.configurations)))
    columns = [[one.name for one in plan.configurations].index(name) for name in ("plain", "baseline")]
    differences = (values[:5] + values[5:])[:, columns] @ [0.5, -0.5]  # blocks are seed by seed, fold by fold
    found = named_effects(plan, maximize("y"), values)[0]
    alone = paired_t(differences, comparisons=2)
    half = 1.5 * (alone.high - alone.low) / 2  # five folds of the same data: 1 + 5 / 4 times the variance
    assert np.allclose(found.differences, differences)
    assert found.low == pytest.approx(alone.estimate - half) and found.high == pytest.approx(alone.estimate + half)
    assert found.method == "paired t over splits, Bonferroni"
    assert found.p >= alone.p


def test_a_declared_range_bets_and_says_what_normal_differences_would_tell(project: Path) -> None:
    def bounded(params: dict[str, Any], seed: int) -> float:
        return 0.5 + 0.1 * accuracy(params, 0) / 2 + 0.001 * (accuracy(params, seed) - seed % 3)

    both = {"a": False, "optimizer": "adam"}
    changes: dict[str, Any] = {"configurations": {"plain": both}, "options": DesignOptions(budget=24)}
    ranged = result_of(project, Arithmetic(bounded), asked(metrics=[maximize("y", range=(0, 1))], **changes))
    free = result_of(project, Arithmetic(bounded), asked(**changes))
    bets, normal = (next(one for one in evidence.effects if one.component == "plain") for evidence in (ranged, free))
    assert normal.verdict == "matters"
    assert bets.verdict == "cannot tell" and "If the differences are normal" in bets.words
    assert "bets" in bets.method
    assert bets.low < normal.low < normal.high < bets.high
    wrong = result_of(project, Arithmetic(bounded), asked(metrics=[maximize("y", range=(0, 0.4))], **changes))
    assert next(one for one in wrong.effects if one.component == "plain").method == normal.method


def test_a_large_effect_within_its_range_is_told_by_bets(project: Path) -> None:
    changes: dict[str, Any] = {
        "configurations": {"plain": {"a": False}},
        "options": DesignOptions(budget=16),
        "seeds": list(range(24)),
    }
    share = Arithmetic(lambda params, seed: 0.1 + 0.7 * params["a"] + 0.01 * (seed % 5) * params["a"])
    evidence = result_of(project, share, asked(metrics=[maximize("y", range=(0, 1))], **changes))
    (plain,) = [one for one in evidence.effects if one.component == "plain"]
    assert plain.verdict == "matters"
    assert plain.low < -0.7 < plain.high < 0


@pytest.mark.parametrize("folds", [None, 3])
def test_the_same_plan_is_made_each_time(folds: int | None) -> None:
    definition = asked(splits=make_splits(folds=folds))
    assert plan_study(definition) == plan_study(definition)
