"""Configurations over blocks: reference values to every digit given, and the laws of contrasts."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from assay.errors import InvalidValue
from assay.stats.blocks import (
    additive_residual,
    blocked_dunnett,
    contrast_values,
    interaction,
    main_effect,
    pooled,
    separate,
)

SEEDS = np.array(
    [
        [92.1, 91.8, 90.9, 92.0],
        [93.4, 93.0, 92.1, 93.6],
        [91.0, 90.9, 89.7, 91.2],
        [92.8, 92.2, 91.6, 92.7],
        [93.9, 93.7, 92.5, 94.1],
    ]
)
# Montgomery, Design and Analysis of Experiments, pilot plant filtration rate: 2^4 in the order of Yates.
FILTRATION = np.array([45, 71, 48, 65, 68, 60, 80, 65, 43, 100, 45, 104, 75, 86, 70, 96.0])
YATES = np.array([row[::-1] for row in itertools.product((0, 1), repeat=4)])


def test_blocked_dunnett_reference():
    results = blocked_dunnett(SEEDS)
    assert [round(one.estimate, 2) for one in results] == [-0.32, -1.28, 0.08]
    assert round(additive_residual(SEEDS).mean_square, 7) == 0.0180833 and additive_residual(SEEDS).df == 12
    assert [f"{one.p:.3g}" for one in results] == ["0.00717", "1.06e-08", "0.676"]
    assert [round((one.high - one.low) / 2, 5) for one in results] == [0.22818] * 3


def test_vascular_grafts():
    """Montgomery, table 4.3 (vascular graft experiment, four pressures in six batches): SS error 109.89 on 15 df."""
    table = np.array(
        [
            [90.3, 89.2, 98.2, 93.9, 87.4, 97.9],
            [92.5, 89.5, 90.6, 94.7, 87.0, 95.8],
            [85.5, 90.8, 89.6, 86.2, 88.0, 93.4],
            [82.5, 89.5, 85.6, 87.4, 78.9, 90.7],
        ]
    ).T
    residual = additive_residual(table)
    assert residual.df == 15 and round(residual.mean_square * residual.df, 2) == 109.89


@pytest.mark.parametrize(("factor", "effect"), list(enumerate([21.625, 3.125, 9.875, 14.625])))
def test_filtration_main_effects(factor, effect):
    assert contrast_values(FILTRATION[None], main_effect(YATES, factor, 1)) == pytest.approx([effect])


@pytest.mark.parametrize(
    ("a", "b", "effect"), [(0, 1, 0.125), (0, 2, -18.125), (0, 3, 16.625), (1, 2, 2.375), (1, 3, -0.375), (2, 3, -1.125)]
)
def test_filtration_interactions(a, b, effect):
    assert contrast_values(FILTRATION[None], interaction(YATES, (a, 1), (b, 1))) == pytest.approx([effect])


def test_redundancy_is_an_interaction_of_minus_half_the_gain():
    """a OR b with gain g (statistics, designs): the interaction is -g/2, seen from either corner."""
    levels = np.array(list(itertools.product((0, 1), repeat=2)))
    for present in (levels, 1 - levels):
        y = 1.0 * (present.any(axis=1))
        assert contrast_values(y[None], interaction(levels, (0, 1), (1, 1))) == pytest.approx([-0.5])


def test_multi_level_contrasts_compare_with_the_baseline_level():
    levels = np.array(list(itertools.product(range(3), range(2))))
    y = np.array([[10 * a + (5 if b else 0) * (a == 2) for a, b in levels]])
    assert contrast_values(y, main_effect(levels, 0, 2)) == pytest.approx([22.5])
    assert contrast_values(y, interaction(levels, (0, 2), (1, 1))) == pytest.approx([2.5])
    assert contrast_values(y, interaction(levels, (0, 1), (1, 1))) == pytest.approx([0])


def test_two_configurations_are_a_paired_t():
    [one] = blocked_dunnett(SEEDS[:, :2])
    theirs = stats.ttest_rel(SEEDS[:, 1], SEEDS[:, 0])
    assert (one.t, one.p) == pytest.approx((theirs.statistic, theirs.pvalue))


tables = st.integers(0, 2**32 - 1).map(lambda seed: np.random.default_rng(seed).normal(size=(4, 4)))


@settings(deadline=None, max_examples=25)
@given(tables, st.floats(-100, 100), st.floats(0.01, 100), st.permutations(range(4)), st.permutations(range(1, 4)))
def test_dunnett_laws(table, shift, scale, blocks, others):
    """Block effects and units drop out; the order of blocks and of configurations does not matter."""
    before = blocked_dunnett(table)
    moved = (table * scale + shift + np.arange(4)[:, None] * 10)[list(blocks)][:, [0, *others]]
    after = blocked_dunnett(moved)
    for position, column in enumerate(others):
        one = before[column - 1]
        assert after[position].p == pytest.approx(one.p, rel=1e-5, abs=1e-9)
        assert after[position].low == pytest.approx(one.low * scale, rel=1e-6, abs=1e-6 * scale)


@pytest.mark.parametrize("table", [np.zeros((1, 3)), np.zeros((3, 1)), np.zeros(3), np.array([[1.0, np.nan], [1.0, 2.0]])])
def test_a_table_without_noise_to_estimate_is_refused(table):
    with pytest.raises(InvalidValue):
        additive_residual(table)


def test_exact_differences_are_refused_not_divided_by():
    with pytest.raises(InvalidValue, match="no residual noise"):
        blocked_dunnett(np.add.outer([1.0, 2.0, 3.0], [0.0, 0.5]))
    with pytest.raises(InvalidValue, match="no residual noise"):
        pooled([1.0], [0.0], 4, (1,))


def test_coverage_of_blocked_dunnett():
    """Simultaneous coverage of 95 %: 1,500 seeded studies of 4 configurations and 4 blocks, within a 99.99 % binomial bound."""
    rng = np.random.default_rng(11)
    repetitions = 1500
    truth = np.array([0.0, 0.5, -1.0, 2.0])
    held = 0
    for _ in range(repetitions):
        y = truth + rng.normal(size=(4, 1)) * 3 + rng.normal(size=(4, 4))
        held += all(one.low <= true <= one.high for one, true in zip(blocked_dunnett(y), truth[1:], strict=True))
    low, high = stats.binom.interval(0.9999, repetitions, 0.95)
    assert low <= held <= high


def test_coverage_of_separate_intervals_under_unlike_spreads():
    """Bonferroni intervals over paired t hold together although the spreads differ by 10."""
    rng = np.random.default_rng(12)
    repetitions = 2000
    spread = np.array([1.0, 1.0, 10.0])
    held = 0
    for _ in range(repetitions):
        d = rng.normal(size=(4, 3)) * spread
        held += all(one.low <= 0 <= one.high for one in separate(list(d.T), asked=3))
    assert held >= stats.binom.ppf(0.0001, repetitions, 0.95)


def test_separate_tests_are_holms():
    values = [np.array([1.0, 1.2, 0.9, 1.1]), np.array([0.1, -0.2, 0.3, 0.1])]
    one, other = separate(values, asked=2)
    assert one.p == pytest.approx(2 * stats.ttest_1samp(values[0], 0).pvalue)
    assert other.p == pytest.approx(stats.ttest_1samp(values[1], 0).pvalue)
