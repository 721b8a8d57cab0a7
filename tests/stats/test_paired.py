"""Paired differences: textbook values, and the laws that an estimate must obey."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from assay.errors import InvalidValue
from assay.stats.equivalence import tost
from assay.stats.multiplicity import holm
from assay.stats.paired import is_constant, paired_t, standardised, superiority

# Student 1908: hours of sleep gained with two drugs (R's `sleep`).
SLEEP = np.array([0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0]) - np.array(
    [1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4]
)
differences = st.lists(st.floats(-100, 100).map(lambda x: round(x, 3)), min_size=2, max_size=20).filter(lambda d: np.ptp(d) > 0.01)


def test_students_sleep_data():
    result = paired_t(SLEEP)
    assert (round(result.t, 4), round(result.p, 6)) == (-4.0621, 0.002833)
    assert (round(result.low, 4), round(result.high, 4)) == (-2.4599, -0.7001)


@given(differences)
def test_agrees_with_scipy(values):
    ours, theirs = paired_t(values), stats.ttest_1samp(values, 0)
    assert ours.p == pytest.approx(theirs.pvalue, rel=1e-9)
    assert (ours.low, ours.high) == pytest.approx(tuple(theirs.confidence_interval()), rel=1e-9, abs=1e-9)


@given(differences, st.floats(-50, 50), st.floats(0.01, 100))
def test_shift_and_scale(values, shift, scale):
    """The interval moves with the data and stretches with its unit; sizes without unit stay."""
    before, after = paired_t(values), paired_t(np.array(values) * scale + shift)
    assert after.low == pytest.approx(before.low * scale + shift, rel=1e-6, abs=1e-6)
    assert after.se == pytest.approx(before.se * scale, rel=1e-6)
    assert standardised(np.array(values) * scale) == pytest.approx(standardised(values), rel=1e-9, nan_ok=True)
    assert superiority(np.array(values) * scale) == pytest.approx(superiority(values), abs=1e-7)


@given(differences)
def test_order_and_sign(values):
    one, mirrored = paired_t(values), paired_t([-value for value in reversed(values)])
    assert (mirrored.low, mirrored.high) == pytest.approx((-one.high, -one.low))
    chance, low, high = superiority(values)
    assert superiority([-value for value in values]) == pytest.approx((1 - chance, 1 - high, 1 - low), abs=1e-7)


@pytest.mark.parametrize("values", [[], [1.0], [2.0, 2.0, 2.0]])
def test_no_interval_without_noise(values):
    with pytest.raises(InvalidValue, match="no interval"):
        paired_t(values)


@pytest.mark.parametrize("values", [[1.0, math.nan], [math.inf, 1.0], [[1.0, 2.0]]])
def test_what_is_missing_is_never_averaged_away(values):
    for function in (paired_t, standardised, superiority):
        with pytest.raises(InvalidValue):
            function(values)


@pytest.mark.parametrize(("n", "factor"), [(3, 0.5642), (5, 0.7979), (10, 0.9139), (20, 0.9599)])
def test_hedges_factor(n, factor):
    """Hedges 1981, table 2: the exact factor for n - 1 degrees of freedom."""
    values = np.arange(n, dtype=float)
    assert standardised(values) == pytest.approx(factor * values.mean() / values.std(ddof=1), rel=1e-3)


def test_standardised_size_is_undefined_without_noise_or_degrees_of_freedom():
    assert math.isnan(standardised([1.0, 2.0])) and math.isnan(standardised([2.0, 2.0, 2.0]))


@given(differences)
def test_superiority_is_the_share_of_wins_with_clopper_and_pearsons_interval(values):
    values = [value or 1.0 for value in values]  # a tie is half a win, which no binomial has
    exact = stats.binomtest(sum(value > 0 for value in values), len(values)).proportion_ci(method="exact")
    assert superiority(values) == pytest.approx((np.mean(np.array(values) > 0), exact.low, exact.high))


def test_a_tie_is_half_a_win_and_nothing_has_no_share():
    assert superiority([0.0, 0.0, 0.0])[0] == 0.5
    assert superiority([0.0, 1.0])[0] == 0.75
    assert all(map(math.isnan, superiority([])))


@pytest.mark.parametrize("chance", [0.5, 0.76, 0.98])
def test_superiority_holds_in_95_of_100_studies_of_skewed_differences(chance):
    """1,500 seeded studies of 10 exponential differences; an interval from their sizes holds 41 of 100 of the last."""
    drawn = np.random.default_rng(9).exponential(size=(1500, 10)) + math.log(chance)
    held = sum(low <= chance <= high for _, low, high in map(superiority, drawn))
    assert held >= stats.binom.ppf(0.0005, 1500, 0.95)


def test_constant_up_to_rounding_and_no_further():
    assert is_constant([0.93 - 0.92, 0.81 - 0.80, 0.55 - 0.54], scale=1)
    assert not is_constant([0.01, 0.01 + 1e-9], scale=1)
    assert is_constant([0.0, 0.0], scale=0) and not is_constant([], scale=1)


def test_holm_textbook_example():
    """Holm 1979: the smallest is compared with alpha / m, the next with alpha / (m - 1), and none passes its predecessor."""
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.5, 0.9]) == [1.0, 1.0]


def test_holm_counts_what_was_asked():
    adjusted = holm([0.01, math.nan], asked=4)
    assert adjusted[0] == pytest.approx(0.04) and math.isnan(adjusted[1])


@given(st.lists(st.floats(0, 1), max_size=8))
def test_holm_lies_between_uncorrected_and_bonferroni(p_values):
    for alone, corrected in zip(p_values, holm(p_values), strict=True):
        assert alone <= corrected <= min(1, len(p_values) * alone) + 1e-15


def test_equivalence_is_two_one_sided_tests():
    values = np.array([0.1, -0.2, 0.3, 0.05, -0.1, 0.2])
    one = paired_t(values)
    lower = stats.ttest_1samp(values, -0.5, alternative="greater").pvalue
    upper = stats.ttest_1samp(values, 0.5, alternative="less").pvalue
    assert tost(one.estimate, one.se, one.df, 0.5) == pytest.approx(max(lower, upper))


@given(differences, st.floats(0.1, 100))
def test_equivalence_at_five_percent_is_the_ninety_percent_interval_within_the_margin(values, margin):
    interval = paired_t(values, confidence=0.9)
    inside = max(abs(interval.low), abs(interval.high)) < margin
    p = tost(interval.estimate, interval.se, interval.df, margin)
    assert (p < 0.05) == inside or p == pytest.approx(0.05, abs=1e-9)


@pytest.mark.parametrize(("se", "margin"), [(0.0, 1.0), (1.0, 0.0), (math.nan, 1.0)])
def test_equivalence_needs_a_margin_and_noise(se, margin):
    with pytest.raises(InvalidValue):
        tost(0.0, se, 4, margin)
