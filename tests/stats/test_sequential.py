"""Tests that hold at any stop: their formulas, and how often they are wrong."""

from __future__ import annotations

from math import exp, log

import numpy as np
import pytest

from assay.stats.sequential import Signs, any_time_p, fewest, running, t_interval, t_log_e


def test_the_t_e_value_is_its_formula() -> None:
    """Two values whose t is 3, by hand: n = 2, one degree of freedom, g = 1."""
    values = np.array([1.0, 2.0])
    assert exp(t_log_e(values)) == pytest.approx(3**-0.5 * ((1 + 9) / (1 + 9 / 3)), rel=1e-12)


def test_nothing_is_told_by_one_value_or_by_equal_ones() -> None:
    assert t_log_e([3.0]) == 0.0
    assert t_interval([2.0, 2.0], 0.05) == (-np.inf, np.inf)


def test_the_interval_ends_where_the_evidence_reaches_its_bound() -> None:
    values = np.random.default_rng(1).normal(1, 1, 30)
    for edge in t_interval(values, 0.05):
        assert t_log_e(values, edge) == pytest.approx(log(20), abs=1e-4)
    signs = Signs(1)
    for value in values:
        signs.add(np.array([value]), 1.0, np.array([True]))
    for edge in signs.interval(np.array([0.05])):
        assert float(signs.log_e(edge)[0]) == pytest.approx(log(20), abs=1e-4)


def test_looking_after_every_value_keeps_the_error_of_the_t_process() -> None:
    rng = np.random.default_rng(2)
    drawn = rng.normal(0, 1, (200, 20))
    false = sum(max(t_log_e(values[:n]) for n in range(2, 21)) >= log(20) for values in drawn)
    assert false <= 0.05 * 200
    assert running(drawn[0], 0.05)[0] == max(0.0, *(t_log_e(drawn[0][:n]) for n in range(2, 21)))


@pytest.mark.parametrize("noise", ["all or nothing", "heavy", "growing"])
def test_looking_after_every_sign_keeps_the_error_whatever_the_noise(noise: str) -> None:
    rng, times, n = np.random.default_rng(3), 2000, 200
    sizes = {"all or nothing": np.ones(n), "heavy": np.abs(rng.standard_cauchy(n)), "growing": np.arange(1.0, n + 1)}[noise]
    signs = Signs(times)
    for size in sizes:
        signs.add(size * rng.choice([-1.0, 1.0], times), 1.0, np.ones(times, dtype=bool))
    assert (signs.highest >= log(20)).mean() <= 0.05


def test_an_effect_is_found_and_its_interval_holds_it() -> None:
    rng, signs = np.random.default_rng(4), Signs(300)
    for _ in range(60):
        signs.add(rng.normal(1, 1, 300), 1.0, np.ones(300, dtype=bool))
    low, high = signs.interval(np.full(300, 0.05))
    assert (signs.highest >= log(20)).mean() > 0.95
    assert ((low <= 1) & (high >= 1)).mean() >= 0.95


def test_where_nothing_was_added_nothing_is_known() -> None:
    signs = Signs(2)
    signs.add(np.array([1.0, 1.0]), 1.0, np.array([True, False]))
    low, high = signs.interval(np.array([0.05, 0.05]))
    assert (low[1], high[1]) == (-np.inf, np.inf)
    assert np.isnan(signs.estimate[1])
    assert any_time_p(float(signs.highest[1]), 2) == 1.0


def test_fewer_signs_than_the_fewest_never_reach_the_level() -> None:
    level = 0.05 / 8
    n = fewest(level)
    for number, reached in ((n - 1, False), (n, True)):
        # Of the size that tells most, all equal.
        signs, size = Signs(1), np.sqrt(3 * (number - 1) / number)
        for _ in range(number):
            signs.add(np.array([size]), 1.0, np.array([True]))
        assert bool(signs.highest[0] >= -log(level)) == reached
