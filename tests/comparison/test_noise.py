"""Tolerances learned from equal runs."""

import math

import numpy as np
import pytest

from assay.comparison.curves import Curve
from assay.comparison.noise import learned
from assay.comparison.verdict import compare


def run(*values, name="loss", steps=None):
    return {name: Curve(tuple(steps or range(len(values))), tuple(map(float, values)))}


def test_the_tolerance_is_the_repeatability_limit_of_the_noisiest_point():
    """ISO 5725-6 with Student's t: 4.3027 (2 degrees of freedom) times the square root of 2 times the standard deviation."""
    found = learned([[run(1, 10), run(1, 11), run(1, 12)]])["loss"]
    assert found.runs == 3
    assert found.atol == pytest.approx(4.302653 * math.sqrt(2), rel=1e-6)


def test_what_lies_between_two_groups_is_no_noise():
    """Runs of now that are shifted against runs of then: the shift is what is to be judged."""
    then, now = [run(1.0), run(1.1)], [run(9.0), run(9.1)]
    assert learned([then, now])["loss"].atol < 0.7
    assert "loss" in learned([[*then, run(1.05)], []])


def test_too_few_or_unlike_runs_teach_nothing():
    assert learned([[run(1.0), run(2.0)]]) == {}
    assert learned([[run(1.0)], [run(2.0)], [run(3.0)]]) == {}
    assert learned([[run(1, 2), run(1, 2), run(1, 2, steps=(0, 5))]]) == {}
    assert learned([[run(1.0), run(math.nan), run(1.0)]]) == {}


def test_nan_equals_nan_and_runs_without_noise_keep_the_default():
    found = learned([[run(math.nan, 1.0)] * 3])["loss"]
    assert found.atol == 0.0
    assert found.tolerance == (1e-6, 1e-9)


def test_two_equal_runs_lie_within_it_nineteen_times_in_twenty():
    """By simulation, over runs of one point."""
    rng = np.random.default_rng(3)
    inside = 0
    for _ in range(500):
        *others, a, b = rng.normal(5, 1, 6)
        inside += abs(a - b) <= learned([[run(value) for value in others]])["loss"].atol
    assert 0.92 < inside / 500 < 0.98


def test_a_given_tolerance_wins_over_a_learned_one(bench):
    a, b = bench.run({"loss": [1.0], "acc": [1.0]}), bench.run({"loss": [1.1], "acc": [1.1]})
    limits = learned([[run(1.0) | run(1.0, name="acc"), run(1.1) | run(1.1, name="acc"), run(1.2) | run(1.2, name="acc")]])
    verdict = compare(bench.store, a, b, learned=limits)
    assert verdict.verdict == "numerical"
    assert [metric.learned for metric in verdict.metrics] == [3, 3]
    strict = compare(bench.store, a, b, learned=limits, tolerances={"loss": (0.0, 1e-3)})
    assert {metric.name: (metric.sameness, metric.learned) for metric in strict.metrics} == {
        "acc": ("numerical", 3),
        "loss": ("not reproduced", 0),
    }
