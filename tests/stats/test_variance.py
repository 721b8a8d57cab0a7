"""Variance by source: textbook tables, values worked by hand, and the coverage of the intervals."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import chi2

from assay.errors import InvalidValue
from assay.stats.variance import overlapping_splits, variance_components

# Montgomery, Design and Analysis of Experiments, the measurement systems capability study: 20 parts, 3 operators, 2 measurements.
GAUGE = """
21 20 20 20 19 21; 24 23 24 24 23 24; 20 21 19 21 20 22; 27 27 28 26 27 28; 19 18 19 18 18 21; 23 21 24 21 23 22; 22 21 22 24 22 20;
19 17 18 20 19 18; 24 23 25 23 24 24; 25 23 26 25 24 25; 21 20 20 20 21 20; 18 19 17 19 18 19; 23 25 25 25 25 25; 24 24 23 25 24 25;
29 30 30 28 31 30; 26 26 25 26 25 27; 20 20 19 20 20 20; 19 21 19 19 21 23; 25 26 25 24 25 25; 19 19 18 17 19 17"""


def gauge() -> np.ndarray:
    return np.array([[float(word) for word in row.split()] for row in GAUGE.split(";")]).reshape(20, 3, 2)


def test_the_gauge_study_has_the_textbooks_mean_squares_and_components() -> None:
    part, operator, both, error = variance_components(gauge(), repeated=True)
    assert [round(one.mean_square, 2) for one in (part, operator, both, error)] == [62.39, 1.31, 0.71, 0.99]
    assert [one.df for one in (part, operator, both, error)] == [19, 2, 38, 60]
    # Printed as 10.28, 0.0149, -0.14 and 0.99.
    assert [round(one.estimate, 2) for one in (part, operator, both, error)] == [10.28, 0.01, -0.14, 0.99]
    assert both.low == 0 and operator.low == 0 < operator.high
    # Were the error normal: 60 * 0.9917 over the quantiles 83.30 and 40.48 of chi-squared; the interval has at least that.
    assert error.low <= 59.5 / 83.298 * 1.0001 and error.high >= 59.5 / 40.482 * 0.9999


def test_three_crossed_sources_as_worked_by_hand() -> None:
    # a: 0, 2; b: 0, 4; c: 0, 6; without interaction, so each component is half the squared difference.
    a, b, c = np.meshgrid([0.0, 2.0], [0.0, 4.0], [0.0, 6.0], indexing="ij")
    found = {one.axes: one.estimate for one in variance_components(a + b + c)}
    assert found == pytest.approx({(0,): 2, (1,): 8, (2,): 18, (0, 1): 0, (0, 2): 0, (1, 2): 0, (0, 1, 2): 0}, abs=1e-12)


def test_the_sum_of_squares_is_that_of_the_table() -> None:
    table = np.random.default_rng(1).normal(size=(3, 4, 5))
    found = variance_components(table)
    assert sum(one.mean_square * one.df for one in found) == pytest.approx(float(np.sum((table - table.mean()) ** 2)))
    assert sum(one.df for one in found) == 59


def test_intervals_hold_what_they_promise() -> None:
    draw, shape, deviations = np.random.default_rng(7), (4, 5, 6), (1.0, 0.7, 0.5)
    inside = np.zeros(3)
    for _ in range(400):
        table = draw.normal(0, 0.4, shape)
        for axis, deviation in enumerate(deviations):
            size = [1, 1, 1]
            size[axis] = shape[axis]
            table = table + draw.normal(0, deviation, size)
        found = variance_components(table)
        inside += [one.low <= deviation**2 <= one.high for one, deviation in zip(found, deviations, strict=False)]
    # 400 repetitions: two standard errors are 2 points.
    assert np.all(inside / 400 >= 0.93)


def test_what_is_left_need_not_be_normal() -> None:
    """Exponential noise in 6 configurations under 10 seeds: an interval by chi-squared holds its variance in 74 of 100 tables."""
    draw = np.random.default_rng(5)
    lasts = [variance_components(draw.exponential(size=(10, 6)))[-1] for _ in range(400)]
    assert np.mean([one.low <= 1 <= one.high for one in lasts]) >= 0.93  # 96 of 100; two standard errors are 2 points
    assert all(one.low <= 45 * one.mean_square / chi2.isf(0.025, 45) * (1 + 1e-9) for one in lasts)


def test_one_level_that_makes_all_of_what_is_left_leaves_it_open_above() -> None:
    table = np.add.outer(np.arange(3.0), np.arange(3.0))
    table[0, 0] += 1
    left = variance_components(table)[-1]
    assert (left.low, left.high) == (0, np.inf)
    additive = variance_components(np.add.outer(np.arange(3.0), np.arange(3.0) / 7))[-1]
    assert additive.high < 1e-25


def test_overlapping_splits_are_wider_than_independent_ones() -> None:
    mean, error, df = overlapping_splits([0.9, 0.92, 0.88, 0.91, 0.89], 0.25)
    assert (mean, df) == (pytest.approx(0.9), 4)
    assert error == pytest.approx(np.sqrt((0.2 + 0.25) * 0.00025))


@pytest.mark.parametrize("table", [[[1.0, 2.0]], [1.0, 2.0], [[1.0, np.nan], [2.0, 3.0]]])
def test_a_table_that_cannot_be_taken_apart_is_refused(table: list[list[float]]) -> None:
    with pytest.raises(InvalidValue, match="no analysis of variance"):
        variance_components(table)
