"""Pairs of which one side is noisier than the rest: the variance is that of its sides, and intervals hold whatever the spreads."""

import numpy as np
import pytest
from scipy import stats

from assay.stats.own_noise import pair_noise, price, under_own
from assay.stats.paired import paired_t
from assay.stats.power import detectable, seeds_needed
from assay.stats.simultaneous import critical_value
from assay.stats.unlike import noise_of


def test_a_noisy_baseline_and_the_rest_are_welchs_two_variances():
    """Variance and degrees of freedom by hand: what the baseline says, and the part of the others' residual, added as Satterthwaite does."""
    table = np.random.default_rng(1).normal(size=(6, 5)) * [5, 1, 1, 1, 1]
    noise = noise_of(table)
    found = pair_noise(noise, [1, 2], 0, shared=True)
    others = table[:, 1:]
    own = np.var(table[:, 0] - others.mean(axis=1), ddof=1)
    left = others - others.mean(axis=0)
    rest = np.sum((left - left.mean(axis=1, keepdims=True)) ** 2) / 15
    df = (own + 0.75 * rest) ** 2 / (own**2 / 5 + (0.75 * rest) ** 2 / 15)
    assert found.alone.all() and found.variance == pytest.approx(own + 0.75 * rest)
    assert found.df.tolist() == 2 * [int(2 * df) / 2]
    assert found.correlation == pytest.approx(min(0.95, (own - rest / 4) / (own + 0.75 * rest)))


def test_a_variant_stands_alone_by_itself_and_two_noisy_sides_by_both():
    table = np.random.default_rng(2).normal(size=(8, 6)) * [1, 4, 1, 1, 4, 1]
    noise = noise_of(table)
    found = pair_noise(noise, [1, 2, 4], [0, 0, 1], shared=False)
    assert found.alone.tolist() == [True, False, True]
    own = noise.own - noise.rest / noise.others
    assert found.variance[0] == pytest.approx(own[1] + noise.rest[1]) and found.variance[2] == pytest.approx(own[4] + own[1])


def test_with_three_blocks_a_shared_baseline_always_stands_alone_and_two_configurations_never():
    table = np.random.default_rng(3).normal(size=(3, 6))
    assert pair_noise(noise_of(table), np.arange(1, 6), 0, shared=True).alone.all()
    assert not pair_noise(noise_of(table[:, :2]), 1, 0, shared=False).alone


@pytest.mark.parametrize("scale", [1e-149, 1e149])
def test_no_unit_breaks_it(scale):
    table = np.random.default_rng(4).normal(size=(5, 5)) * [3, 3, 1, 1, 1]
    found, moved = (pair_noise(noise_of(each), [1, 2], 0, shared=True) for each in (table, table * scale))
    assert moved.df == pytest.approx(found.df) and moved.variance == pytest.approx(found.variance * scale**2)


def test_one_comparison_is_under_students_t():
    """With one group of one the interval is that of t with these degrees of freedom; a larger correlation never makes one wider."""
    table = np.random.default_rng(5).normal(size=(6, 5)) * [5, 1, 1, 1, 1]
    noise = pair_noise(noise_of(table), 1, 0, shared=True)
    one = under_own(0.3, 6, noise, (1,))
    half = stats.t.ppf(0.975, float(noise.df)) * np.sqrt(float(noise.variance) / 6)
    assert (one.low, one.high) == pytest.approx((0.3 - half, 0.3 + half))
    several = [under_own(0.3, 6, noise._replace(correlation=np.array(share)), (4,)).high for share in (0.0, 0.5, 0.9)]
    assert several == sorted(several, reverse=True) and several[-1] > one.high
    assert under_own(0.3, 6, noise, (4,), inflation=2.0).se == pytest.approx(2 * one.se)


def test_the_critical_value_of_correlated_comparisons_lies_between_one_and_uncorrelated_ones():
    values = [critical_value(4, (8,), 0.95, share) for share in (0.0, 0.3, 0.5, 0.8, 0.95)]
    assert values == sorted(values, reverse=True) and values[-1] > critical_value(4, (1,))
    assert values[0] == pytest.approx(critical_value(4, (1,) * 8)) and values[2] == critical_value(4, (8,))


@pytest.mark.parametrize(("blocks", "spreads"), [(3, [3, 1, 1, 1, 1]), (5, [2, 1, 1, 1, 1]), (5, [1, 3, 3, 1, 1])])
def test_no_component_matters_more_often_than_promised(blocks, spreads):
    """600 seeded studies without an effect, one baseline or two variants noisier: alarms within a 99.9 % binomial bound of 5.5 %."""
    tables = np.random.default_rng([6, blocks, *spreads]).normal(size=(600, blocks, 5)) * spreads
    alarms = 0
    for table in tables:
        noise = noise_of(table)
        pooled = critical_value(int(noise.df), (4,)) * np.sqrt(2 * float(noise.mean_square) / blocks)
        for column in range(1, 5):
            mean, own = float(np.mean(table[:, column] - table[:, 0])), pair_noise(noise, column, 0, shared=True)
            if abs(mean) > pooled and not (own.alone and (one := under_own(mean, blocks, own, (4,))).low <= 0 <= one.high):
                alarms += 1
                break
    assert alarms <= stats.binom.ppf(0.999, 600, 0.055)


def test_not_knowing_the_spreads_has_a_price_that_falls_with_the_blocks():
    prices = [price(blocks) for blocks in range(2, 40)]
    assert prices == sorted(prices, reverse=True) and prices[-1] < 1.01
    size = 2.0
    known, priced = (seeds_needed(size, groups=(6,), df_per_block=6, price=each) for each in (None, price))
    assert detectable(known, df=6 * (known - 1), groups=(6,)) <= size < detectable(known - 1, df=6 * (known - 2), groups=(6,))
    assert priced > known and detectable(priced, df=6 * (priced - 1), groups=(6,)) * price(priced) <= size


def test_two_configurations_are_students_pair():
    """One comparison has no others that could tell how noisy its sides are."""
    table = np.random.default_rng(7).normal(size=(5, 2))
    assert not pair_noise(noise_of(table), 1, 0, shared=False).alone
    assert paired_t(table[:, 1] - table[:, 0]).df == 4
