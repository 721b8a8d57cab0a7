"""The largest of several |t|: against published tables, R's multcomp by way of SciPy's own tests, and independent integration."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from scipy.stats.tests.test_multicomp import TestDunnett as SciPyReference

from assay.stats.simultaneous import adjusted_p, critical_value, root, scale_nodes

SciPyReference.__test__ = False

# Dunnett 1964, two-sided 5 % points for k treatments against a control.
DUNNETT_1964 = {
    5: [2.57, 3.03, 3.29, 3.48, 3.62],
    10: [2.23, 2.57, 2.76, 2.89, 2.99],
    20: [2.09, 2.38, 2.54, 2.65, 2.73],
    60: [2.00, 2.27, 2.41, 2.51, 2.58],
}


@pytest.mark.parametrize("df", DUNNETT_1964)
def test_critical_values_are_those_of_the_published_table(df):
    assert [round(critical_value(df, (k,)), 2) for k in range(1, 6)] == DUNNETT_1964[df]


def test_p_values_agree_with_r_multcomp():
    """The one-way set with groups of one size, so that the correlation is 1/2; R integrates by quasi Monte Carlo, to 1e-3."""
    case = SciPyReference.case_3
    df = sum(map(len, case["samples"])) + len(case["control"]) - len(case["samples"]) - 1
    ours = [adjusted_p(t, df, (len(case["samples"]),)) for t in case["statistic"]]
    np.testing.assert_allclose(ours, case["pvalues"]["twosided"], atol=1e-3)


@pytest.mark.parametrize(("df", "groups"), [(4, (2,)), (12, (3,)), (7, (1, 1, 1)), (9, (2, 1)), (30, (4,))])
def test_the_tail_is_that_of_the_multivariate_t(df, groups):
    """Against SciPy's integration over the box (by another method, and another form of the same distribution)."""
    size = sum(groups)
    correlation = np.eye(size)
    start = 0
    for group in groups:
        correlation[start : start + group, start : start + group] = 0.5 + 0.5 * np.eye(group)
        start += group
    c = critical_value(df, groups)
    box = stats.multivariate_t(shape=correlation, df=df, seed=1)
    inside = box.cdf(np.full(size, c), lower_limit=np.full(size, -c), maxpts=200_000)
    assert inside == pytest.approx(0.95, abs=5e-5)


def test_one_comparison_is_student_s_t():
    assert critical_value(9, (1,)) == pytest.approx(stats.t.ppf(0.975, 9), rel=1e-12)
    assert adjusted_p(2.5, 9, (1,)) == pytest.approx(2 * stats.t.sf(2.5, 9), rel=1e-12)
    assert np.isnan(adjusted_p(float("nan"), 9, (3,)))


@pytest.mark.parametrize("df", [1, 2, 5, 40, 1000])
def test_averages_over_the_scale_have_its_moments(df):
    """The quadrature integrates the density to 1 and s² to 1 (the mean of chi-squared / df)."""
    scale, weight = scale_nodes(df)
    assert weight.sum() == pytest.approx(1, abs=1e-8)
    assert weight @ scale**2 == pytest.approx(1, abs=1e-7)


@given(st.floats(0.01, 30), st.integers(1, 60), st.integers(1, 8))
def test_corrected_p_lies_between_uncorrected_and_bonferroni(t, df, k):
    alone = adjusted_p(t, df, (1,))
    for groups in ((k,), (1,) * k):
        assert alone * (1 - 1e-6) <= adjusted_p(t, df, groups) + 1e-20 <= min(1, k * alone) * (1 + 1e-5) + 2e-20


@given(st.integers(1, 60), st.integers(2, 8))
def test_correlation_and_fewer_comparisons_ask_for_less(df, k):
    assert critical_value(df, (k - 1,)) < critical_value(df, (k,)) <= critical_value(df, (1,) * k)


@given(st.integers(2, 60), st.integers(1, 6), st.floats(0.5, 0.999))
def test_critical_value_and_p_are_inverse(df, k, confidence):
    assert adjusted_p(critical_value(df, (k,), confidence), df, (k,)) == pytest.approx(1 - confidence, abs=1e-8)


@given(st.floats(-5, 5))
def test_root_finds_the_zero(x):
    assert root(lambda y: y**3 - x**3, -6.0, 7.0) == pytest.approx(x, abs=1e-3)
    assert root(lambda y: 2 * (y - x), -6.0, 7.0) == pytest.approx(x, abs=1e-9)
