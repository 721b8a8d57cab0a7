"""Seeds that an effect needs: the table of the field, and an independent noncentral t."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy import stats

from assay.stats.power import detectable, power_of_t, seeds_for_equivalence, seeds_needed
from assay.stats.simultaneous import critical_value

TABLE = {0.3: (90, 119), 0.5: (34, 44), 0.8: (15, 19), 1: (10, 13), 1.5: (6, 7), 2: (5, 5)}


@pytest.mark.parametrize("d_z", TABLE)
def test_seeds_for_a_paired_t(d_z):
    assert (seeds_needed(d_z), seeds_needed(-d_z, power=0.9)) == TABLE[d_z]


def test_three_seeds_see_only_large_effects():
    assert detectable(3, df=2, groups=(1,)) == pytest.approx(3.3, abs=0.05)
    assert detectable(3, df=2, groups=(1,), power=0.9) == pytest.approx(4, abs=0.1)


@given(st.floats(0, 8), st.integers(2, 100), st.floats(1, 6))
def test_power_is_that_of_the_noncentral_t(ncp, df, critical):
    reference = stats.nct.sf(critical, df, ncp) + stats.nct.cdf(-critical, df, ncp)
    assume(not np.isnan(reference))  # SciPy's own has holes
    assert power_of_t(ncp, df, critical) == pytest.approx(reference, abs=1e-6)


@settings(deadline=None, max_examples=30)
@given(st.integers(2, 12), st.integers(1, 6))
def test_detectable_and_needed_agree(blocks, k):
    """What `blocks` seeds just detect needs no more than these seeds."""
    effect = detectable(blocks, df=k * (blocks - 1), groups=(k,))
    assert seeds_needed(effect * 1.0001, groups=(k,), df_per_block=k) == blocks


@pytest.mark.parametrize("d_z", [0.0, float("nan"), float("inf"), 1e-6])
def test_some_effects_need_no_number_of_seeds(d_z):
    assert seeds_needed(d_z) is None


def test_power_of_a_planted_effect():
    """Statistics, item 3: at n = 5, k = 6 and half the variance in the seed, blocked Dunnett sees what it should: simulated here."""
    rng = np.random.default_rng(7)
    k, n, repetitions = 6, 5, 2000
    delta = detectable(n, df=k * (n - 1), groups=(k,)) * np.sqrt(2)
    y = rng.normal(size=(repetitions, n, k + 1))
    left = y - y.mean(1, keepdims=True)
    left -= left.mean(2, keepdims=True)
    error = np.sqrt(2 * (left**2).sum((1, 2)) / (k * (n - 1)) / n)
    t = (y[:, :, 1].mean(1) - y[:, :, 0].mean(1) + delta) / error
    seen = np.mean(np.abs(t) > critical_value(k * (n - 1), (k,)))
    low, high = stats.binom.interval(0.9999, repetitions, 0.8)
    assert low <= seen * repetitions <= high


def test_seeds_for_equivalence():
    """A nil effect is placed within a margin of one standard deviation by 11 pairs (Chow, Shao and Wang: about 2 * 8.56 / 2 + small n)."""
    n = seeds_for_equivalence(0.0, 1.0, 1.0)
    rng = np.random.default_rng(3)
    for blocks, enough in ((n, True), (n - 2, False)):
        y = rng.normal(size=(4000, blocks))
        half = stats.t.ppf(0.95, blocks - 1) * y.std(1, ddof=1) / np.sqrt(blocks)
        assert (np.mean(np.abs(y.mean(1)) + half < 1) >= 0.78) == enough
    assert seeds_for_equivalence(0.5, 1.0, 1.0) > n
    assert seeds_for_equivalence(1.5, 1.0, 1.0) is None and seeds_for_equivalence(0.0, 1.0, 0.0) is None
