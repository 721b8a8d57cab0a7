"""Studies over folds: the fold is the unit, and its intervals allow for the data that folds share."""

from __future__ import annotations

import math
from math import sqrt

import numpy as np
import pytest
from scipy import stats

from assay.ablation.components import maximize, remove
from assay.ablation.plans import make_plan
from assay.ablation.splits import make_splits
from assay.execution.protocol import Outcome
from assay.questions.study.analysis import Analysis, analyse
from assay.records.factor import Factor, Hypothesis, MetricGoal

FOLDS = [0.010, 0.014, 0.006, 0.012, 0.018]
"""What the component adds to each fold."""


class Asked:
    factors: tuple[Factor, ...] = (remove("a", a=0),)
    goals: tuple[MetricGoal, ...] = (maximize("acc", margin=0.05),)
    hypotheses: tuple[Hypothesis, ...] = ()


def analysed(seeds: int, *, lost: tuple[int, int] | None = None, **said: object) -> Analysis:
    """The component adds the same to a fold under every seed, but for a part of the seed's own that averages out."""
    plan = make_plan("leave-one-out", {"a": 1}, Asked.factors, seeds, splits=make_splits(**said))  # type: ignore[arg-type]
    outcomes = []
    for trial in plan.trials:
        fold = list(plan.splits.names).index(trial.split) if plan.splits else 0
        own = 0.001 * (trial.seed - (seeds - 1) / 2)
        value = 0.9 + 0.01 * fold + (FOLDS[fold] + own if trial.configuration == "baseline" else 0.0)
        failed = lost == (trial.seed, fold) and trial.configuration != "baseline"
        outcomes.append(
            Outcome(trial, None, "failed" if failed else "finished", {} if failed else {"acc": value}, None, False, 1.0)
        )
    return analyse(Asked(), plan, outcomes)


@pytest.mark.parametrize("seeds", [1, 4])
def test_the_interval_over_folds_is_the_corrected_one_by_hand(seeds: int) -> None:
    (effect,) = analysed(seeds, folds=5).effects
    error = float(np.std(FOLDS, ddof=1)) * sqrt(1 / 5 + 1 / 4)
    half = float(stats.t.ppf(0.975, 4)) * error
    assert effect.estimate == pytest.approx(-np.mean(FOLDS))
    assert (effect.low, effect.high) == (pytest.approx(effect.estimate - half), pytest.approx(effect.estimate + half))
    assert effect.n == 5 and effect.differences == pytest.approx([-value for value in FOLDS])


def test_splits_of_data_of_their_own_need_no_correction() -> None:
    (effect,) = analysed(2, splits=["a", "b", "c", "d", "e"]).effects
    half = float(stats.t.ppf(0.975, 4)) * float(np.std(FOLDS, ddof=1)) / sqrt(5)
    assert effect.high - effect.low == pytest.approx(2 * half)


def test_the_method_is_said_with_its_source() -> None:
    notes = " ".join(analysed(2, folds=5).notes)
    assert "Nadeau and Bengio 2003" in notes and "averaged over the 2 seeds of each fold" in notes
    assert "data of its own" in " ".join(analysed(2, splits=["a", "b", "c", "d", "e"]).notes)


def test_more_seeds_are_not_said_to_decide_what_more_data_would() -> None:
    assert all(effect.seeds_needed is None for effect in analysed(2, folds=5).effects)


def test_a_trial_that_failed_takes_its_seed_out_of_its_fold_and_no_fold_away() -> None:
    (effect,) = analysed(2, lost=(1, 3), folds=5).effects
    assert effect.n == 5
    assert effect.differences[3] == pytest.approx(-(FOLDS[3] - 0.0005))
    (alone,) = analysed(1, lost=(0, 3), folds=5).effects
    assert alone.n == 4 and math.isnan(alone.differences[3])
