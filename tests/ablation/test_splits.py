"""Splits and folds as a user says them, and the blocks that they make with the seeds."""

from __future__ import annotations

from typing import Any

import pytest

from assay.ablation.components import remove
from assay.ablation.plans import make_plan
from assay.ablation.splits import make_splits
from assay.errors import InvalidStudy


def test_each_seed_meets_each_fold_and_every_configuration_runs_in_each_block() -> None:
    plan = make_plan("leave-one-out", {"a": 1}, [remove("a", a=0)], [3, 7], splits=make_splits(folds=3))
    assert [(block.seed, block.split) for block in plan.blocks] == [(seed, fold) for seed in (3, 7) for fold in (0, 1, 2)]
    assert len(plan.trials) == 12
    assert {(trial.seed, trial.split) for trial in plan.trials if trial.block == 4} == {(7, 1)}


def test_seeds_alone_give_the_blocks_that_they_gave() -> None:
    plan = make_plan("leave-one-out", {"a": 1}, [remove("a", a=0)], 2)
    assert plan.splits is None and [block.split for block in plan.blocks] == [None, None]


def test_splits_are_named_counted_or_share_their_data() -> None:
    assert make_splits() is None
    named = make_splits(splits=["english", "german"])
    assert named is not None and (named.names, named.parameter, named.test) == (("english", "german"), "split", None)
    drawn = make_splits(splits={"count": 4, "test": 0.25, "parameter": "draw"})
    assert drawn is not None and (drawn.names, drawn.parameter, drawn.test) == ((0, 1, 2, 3), "draw", 0.25)


@pytest.mark.parametrize(
    "said",
    [
        {"folds": 1},
        {"folds": True},
        {"folds": 2.5},
        {"folds": "five"},
        {"folds": [0]},
        {"folds": ["a", "a"]},
        {"folds": {"count": 3, "test": 0.5}},
        {"folds": {"count": 3, "parameter": "seed"}},
        {"folds": {"count": 3, "parameter": "no name"}},
        {"splits": {"count": 3, "names": ["a", "b"]}},
        {"splits": {"count": 3, "test": 1.5}},
        {"splits": {"many": 3}},
        {"folds": 2, "splits": 2},
    ],
)
def test_what_makes_no_blocks_is_refused(said: dict[str, Any]) -> None:
    with pytest.raises(InvalidStudy):
        make_splits(**said)


def test_a_parameter_of_the_configuration_is_not_taken_for_the_fold() -> None:
    with pytest.raises(InvalidStudy, match="fold"):
        make_plan("leave-one-out", {"fold": 1}, [remove("a", fold=0)], 2, splits=make_splits(folds=2))
