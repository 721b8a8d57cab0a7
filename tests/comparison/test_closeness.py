"""Laws of sameness of two numbers."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.comparison.closeness import Tolerance, number_sameness, tolerance_for, worst
from assay.errors import InvalidValue

numbers = st.one_of(st.floats(allow_nan=True, allow_infinity=True), st.integers(-(2**70), 2**70))
bounds = st.floats(0, 10, allow_nan=False)


@given(numbers, bounds, bounds)
def test_every_number_is_identical_to_itself(number, rtol, atol):
    """NaN and the infinities included, whatever the tolerance."""
    assert number_sameness(number, number, Tolerance(rtol, atol)) == "identical"


@given(numbers, numbers, bounds, bounds)
def test_sameness_does_not_depend_on_the_order(a, b, rtol, atol):
    tolerance = Tolerance(rtol, atol)
    assert number_sameness(a, b, tolerance) == number_sameness(b, a, tolerance)


@given(numbers, numbers, bounds, bounds, bounds, bounds)
def test_a_wider_tolerance_never_makes_a_verdict_worse(a, b, rtol, atol, more_rtol, more_atol):
    narrow = number_sameness(a, b, Tolerance(rtol, atol))
    wide = number_sameness(a, b, Tolerance(rtol + more_rtol, atol + more_atol))
    assert worst([narrow, wide]) == narrow


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        (0.0, -0.0, "numerical"),
        (1.0, 1.0 + 1e-7, "numerical"),
        (1.0, 1.0 + 1e-5, "not reproduced"),
        (math.nan, 1.0, "not reproduced"),
        (math.inf, -math.inf, "not reproduced"),
        (math.inf, 1.7e308, "not reproduced"),
        (1_000_000, 1_000_001, "not reproduced"),
        (1, 1.0, "identical"),
        (10**400, 1.0, "not reproduced"),
    ],
)
def test_numbers_at_the_borders(a, b, expected):
    """The sign of zero shows, infinities and counts are exact, and an integer may be written as a float."""
    assert number_sameness(a, b, Tolerance()) == expected


@pytest.mark.parametrize("bound", [-1e-9, math.nan])
def test_a_tolerance_that_is_none_is_refused_by_name(bound):
    with pytest.raises(InvalidValue, match="--tol loss="):
        tolerance_for({"loss": (bound, 0.0)}, "loss")
