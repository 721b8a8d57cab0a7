"""Numbers in reports never claim more or less than the evidence holds."""

from __future__ import annotations

import math
import statistics

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.report.numbers import decimals_for, interval, mean_and_deviation, number, p_value, spread

finite = st.floats(allow_nan=False, allow_infinity=False)


@given(finite, st.integers(0, 6))
def test_a_value_that_is_not_zero_is_never_shown_as_zero(value: float, decimals: int) -> None:
    shown = number(value, decimals)
    assert (float(shown.replace("−", "-")) == 0.0) == (value == 0.0)


@given(st.floats(), st.integers(0, 6))
def test_the_sign_that_is_shown_is_the_value_s(value: float, decimals: int) -> None:
    shown = number(value, decimals, signed=True)
    assert shown.startswith("−") == (value < 0)
    assert shown.startswith("+") == (value > 0)


def test_non_finite_values_are_named() -> None:
    assert [number(value) for value in (math.nan, math.inf, -math.inf)] == ["NaN", "∞", "−∞"]
    assert interval(-math.inf, 1.0, 1) == "[−∞,\u00a0+1.0]"


@given(st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=20))
def test_mean_and_deviation_are_those_of_the_standard_library(values: list[float]) -> None:
    mean, deviation = mean_and_deviation(values)
    assert mean == pytest.approx(statistics.fmean(values), rel=1e-9, abs=1e-9)
    assert deviation == pytest.approx(statistics.stdev(values), rel=1e-6, abs=1e-7)


def test_values_near_the_largest_float_do_not_overflow() -> None:
    assert mean_and_deviation([1.7e308, 1.7e308])[0] == pytest.approx(1.7e308)


def test_one_value_has_no_deviation_and_none_has_no_mean() -> None:
    assert math.isnan(mean_and_deviation([3.0])[1])
    assert math.isnan(mean_and_deviation([])[0])
    assert spread(3.0, math.nan, 1) == "3.0"


def test_decimals_follow_the_spread_or_else_the_values() -> None:
    assert decimals_for([0.0031, 0.0044], [0.95]) == 4
    assert decimals_for([0.0, math.nan], [0.5]) == 4
    assert decimals_for([], [12.0, 7.0]) == 0


def test_p_values_are_never_zero() -> None:
    assert p_value(0.0) == "< 0.0001"
