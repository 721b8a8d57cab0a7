"""Noise that is not alike: the ratio has its distribution, and no interval becomes narrower by looking."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from assay.stats.blocks import additive_residual
from assay.stats.paired import comparison, paired_t
from assay.stats.unlike import APART, contrast_ratio, is_unlike, kept_alike, noise_of, wider

tables = st.integers(0, 2**32 - 1).map(lambda seed: np.random.default_rng(seed).normal(size=(4, 5)))


def test_the_ratio_is_the_quotient_of_two_independent_variances():
    table = np.random.default_rng(1).normal(size=(6, 4))
    others = np.delete(table, 2, axis=1)
    own = np.var(table[:, 2] - others.mean(axis=1), ddof=1) / (1 + 1 / 3)
    assert noise_of(table).ratios[2] == pytest.approx(own / additive_residual(others).mean_square)


def test_under_equal_noise_the_ratio_is_an_f():
    """4,000 seeded tables of 5 configurations and 4 blocks: Kolmogorov and Smirnov see no other distribution than F(3, 9)."""
    ratios = noise_of(np.random.default_rng(2).normal(size=(4000, 4, 5))).ratios[:, 1]
    assert stats.kstest(ratios, stats.f(3, 9).cdf).pvalue > 0.01


@pytest.mark.parametrize(("blocks", "configurations"), [(2, 8), (3, 8), (4, 8), (2, 4)])
def test_effects_of_equal_noise_are_taken_for_unlike_as_often_as_said(blocks, configurations):
    """4,000 seeded tables, and the effect that averages over half of the configurations against the other half."""
    y = np.random.default_rng(4).normal(size=(4000, blocks, configurations))
    left = y - y.mean(axis=1, keepdims=True) - y.mean(axis=2, keepdims=True) + y.mean(axis=(1, 2), keepdims=True)
    half = configurations // 2
    values, residuals = y[..., :half].mean(axis=2) - y[..., half:].mean(axis=2), (left**2).sum(axis=(1, 2))
    ratios = [
        contrast_ratio(own, weight=half, residual=residual, contrasts=configurations - 1)
        for own, residual in zip(values, residuals, strict=True)
    ]
    assert float(is_unlike(ratios, blocks).mean()) == pytest.approx(1 - kept_alike(blocks, configurations - 1), abs=0.025)


@given(tables, st.floats(-100, 100), st.floats(0.01, 100))
def test_blocks_and_units_drop_out(table, shift, scale):
    moved = table * scale + shift * np.arange(4)[:, None] + np.arange(5)
    assert noise_of(moved).ratios == pytest.approx(noise_of(table).ratios, rel=1e-6)


def test_what_is_far_noisier_leaves_the_pool_of_the_others():
    table = np.random.default_rng(3).normal(size=(6, 5))
    table[:, [1, 3]] *= [1000, 30]
    noise = noise_of(table)
    assert noise.pool.tolist() == [True, False, True, False, True]
    assert noise.mean_square == pytest.approx(additive_residual(table[:, [0, 2, 4]]).mean_square) and noise.df == 10
    assert all(noise.ratios[[1, 3]] > APART)


def test_three_configurations_are_the_fewest_that_can_be_held_against_each_other():
    table = np.random.default_rng(4).normal(size=(5, 3)) * [1, 1, 1000]
    assert noise_of(table).pool.all() and noise_of(table).ratios[2] > APART
    assert np.isnan(noise_of(table[:, :2]).ratios).all()
    assert not is_unlike(noise_of(table[:, :2]).ratios, 5).any()


def test_many_tables_at_once_are_judged_as_one_by_one():
    tables = np.random.default_rng(5).standard_t(2, size=(50, 4, 6)) ** 3
    together = noise_of(tables)
    for index, table in enumerate(tables):
        alone = noise_of(table)
        assert together.ratios[index] == pytest.approx(alone.ratios) and together.mean_square[index] == pytest.approx(
            alone.mean_square
        )
        assert together.pool[index].tolist() == alone.pool.tolist()


def test_few_blocks_take_less():
    assert is_unlike([2.5, 3.5], 3).tolist() == [True, True] and is_unlike([2.5, 3.5], 4).tolist() == [False, True]


def test_a_contrast_is_held_against_what_is_orthogonal_to_it():
    table = np.random.default_rng(6).normal(size=(5, 4))
    values = table[:, [1, 3]].mean(axis=1) - table[:, [0, 2]].mean(axis=1)
    residual = additive_residual(table)
    total = residual.mean_square * residual.df
    own = np.var(values, ddof=1)
    expected = own / ((total - 4 * own) / (residual.df - 4))
    assert contrast_ratio(values, weight=2, residual=total, contrasts=3) == pytest.approx(expected)


def test_the_wider_interval_and_the_larger_p():
    values = np.array([0.3, 0.5, 0.1, 0.6])
    own, pooled = paired_t(values, comparisons=3), comparison(float(values.mean()), 0.01, 12, 2.7, (3,))
    assert wider(pooled, own) == own
    assert wider(pooled._replace(low=-9.0, high=9.0, p=0.9), own)[1:4] == (-9.0, 9.0, 0.9)
