"""Means of two independent samples, against published values and simulation."""

import numpy as np
import pytest

from assay.errors import InvalidValue
from assay.stats.equivalence import tost
from assay.stats.two_samples import Scatter, difference_of_means, runs_for_equivalence, standard_error

SLEEP = [0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0], [1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4]


def test_students_sleep_data_by_welch():
    """The values that R's t.test prints in its own documentation."""
    found = difference_of_means(*SLEEP)
    assert (found.t, found.df, found.p) == pytest.approx((1.8608, 17.776, 0.07939), rel=1e-4)
    assert (found.low, found.high) == pytest.approx((-0.2054832, 3.3654832), rel=1e-6)


def test_a_single_value_is_compared_by_the_scatter_of_the_other_side():
    """Crawford and Howell 1998: (x - mean) / (sd sqrt(1 + 1/n)), with n - 1 degrees of freedom; from either side."""
    values = [50.0, 52.0, 47.0, 51.0, 49.0, 53.0]
    expected = (45.0 - np.mean(values)) / (np.std(values, ddof=1) * np.sqrt(1 + 1 / 6))
    found, mirrored = difference_of_means(values, [45.0]), difference_of_means([45.0], values)
    assert (found.t, found.df) == pytest.approx((expected, 5))
    assert mirrored.t == pytest.approx(-expected)


@pytest.mark.parametrize(("a", "b"), [([1.0], [2.0]), ([1.0, 1.0], [2.0, 2.0]), ([1.0, float("nan")], [1.0, 2.0])])
def test_what_has_no_interval_is_refused(a, b):
    with pytest.raises(InvalidValue):
        difference_of_means(a, b)


def test_the_runs_needed_give_the_power_promised():
    """By simulation: with that many runs the claim is made at least four times in five, and not much more often."""
    recorded = Scatter(1.0, 12)
    needed = runs_for_equivalence(0.2, 1.2, recorded, Scatter(1.0, 2))
    assert needed is not None
    rng = np.random.default_rng(1)
    claimed = 0
    for _ in range(400):
        a, b = rng.normal(0, 1, recorded.n), rng.normal(0.2, 1, needed)
        se, df = standard_error(Scatter(a.std(ddof=1), len(a)), Scatter(b.std(ddof=1), len(b)))
        claimed += tost(b.mean() - a.mean(), se, df, 1.2) <= 0.05
    assert 0.72 < claimed / 400 < 0.92


def test_where_the_recorded_side_is_too_small_no_number_is_named():
    assert runs_for_equivalence(0.0, 1.0, Scatter(0.0, 1), Scatter(1.0, 5)) is None
    assert runs_for_equivalence(2.0, 1.0, Scatter(1.0, 50), Scatter(1.0, 5)) is None
    assert runs_for_equivalence(0.0, 5.0, Scatter(0.0, 1), Scatter(1.0, 5)) is not None
