"""Sparse models, their posterior, and the effects that are read from them."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import linregress

from assay.stats.attribution import combination, estimable, least_squares, moved, shapley_weights, smallest_mover
from assay.stats.sparse import Models, bits_of, first_models, neighbours, support, weighted
from assay.stats.sparse_posterior import Responses, columns, expected, overlap, posterior

STATES = np.arange(16)
ONE_BLOCK = np.zeros(16, dtype=np.int64)
NONE, A, B, AB = 0b00, 0b01, 0b10, 0b11


def test_montgomerys_filtration_rate():
    """Montgomery's 2^4: as differences of means, C 9.875, D 14.625, AC -18.125; here as coefficients of 0/1 products of the whole table."""
    rate = np.array([45.0, 71, 48, 65, 68, 60, 80, 65, 43, 100, 45, 104, 75, 86, 70, 96])
    everything = tuple(range(1, 16))
    fit = least_squares(Responses(STATES, rate, ONE_BLOCK), everything)
    assert fit.df == 0
    assert all(moved(fit, state) == pytest.approx(rate[state] - rate[0]) for state in range(16))
    halves = np.array([1 if state & 0b0001 else -1 for state in range(16)])
    average = np.array([moved(fit, state) for state in range(16)]) @ halves / 8
    assert average == pytest.approx(21.625)


def test_least_squares_of_one_term_is_a_difference_of_means():
    values = np.array([1.0, 2.0, 1.5, 4.0, 4.5, 5.0])
    fit = least_squares(Responses(np.array([0, 0, 0, 1, 1, 1]), values, np.zeros(6, dtype=np.int64)), (1,))
    theirs = linregress([0, 0, 0, 1, 1, 1], values)
    assert fit.values[0] == pytest.approx(theirs.slope)
    assert np.sqrt(fit.covariance[0, 0]) == pytest.approx(theirs.stderr)
    estimate, low, high = combination(fit, np.array([1.0]), confidence=0.95)
    assert low < estimate < high


def test_blocks_are_paired():
    """What is added to a whole block changes no effect and no interval."""
    states, blocks = np.array([0, 1, 0, 1, 0, 1]), np.array([0, 0, 1, 1, 2, 2])
    values = np.array([1.0, 2.1, 1.2, 2.2, 0.9, 1.9])
    before = least_squares(Responses(states, values, blocks), (1,))
    after = least_squares(Responses(states, values + 10.0 * blocks, blocks), (1,))
    assert after.values == pytest.approx(before.values)
    assert after.covariance == pytest.approx(before.covariance)


def test_what_was_never_told_apart_has_no_interval():
    fit = least_squares(Responses(np.array([0, 3, 0, 3]), np.array([0.0, 1, 0.1, 1.1]), np.zeros(4, dtype=np.int64)), (A, B))
    assert np.isnan(combination(fit, shapley_weights((A, B), 0), confidence=0.95)[1])


@given(st.lists(st.floats(-10, 10), min_size=7, max_size=7))
def test_shapley_values_add_up_and_match_the_average_over_orders(coefficients):
    """They are the mean of what a unit adds over all orders (Shapley 1953), and sum to what all units do together."""
    terms = (1, 2, 3, 4, 5, 6, 7)
    values = np.array(coefficients)
    shares = [float(shapley_weights(terms, unit) @ values) for unit in range(3)]

    def worth(units):
        return float(columns(np.array([sum(1 << unit for unit in units)]), np.array(terms))[0] @ values)

    orders = [(a, b, c) for a, b, c in product(range(3), repeat=3) if len({a, b, c}) == 3]
    for unit in range(3):
        added = [worth(order[: order.index(unit) + 1]) - worth(order[: order.index(unit)]) for order in orders]
        assert shares[unit] == pytest.approx(np.mean(added), abs=1e-9)
    assert sum(shares) == pytest.approx(worth((0, 1, 2)), abs=1e-9)


def test_the_smallest_set_that_moves_the_response():
    states = np.arange(4)

    def mover(values):
        fit = least_squares(Responses(states, np.array(values), np.zeros(4, dtype=np.int64)), (A, B, AB))
        return smallest_mover(fit, values[3] - values[0], 0.05)

    assert mover([0.0, 1, 0, 1]) == A
    assert mover([0.0, 0, 0, 1]) == AB
    assert mover([0.0, -1, -1, -1]) in (A, B)
    assert mover([0.0, 0.7, 0.3, 1]) == AB


def test_effects_that_are_told_apart():
    assert estimable([[False, False, False], [True, True, True], [True, False, False]]) == [True, False, False]
    assert estimable([[False, False], [True, True], [True, False], [False, True]]) == [True, True]


@given(st.integers(1, 6))
def test_models_are_different_and_their_prior_is_finite(units):
    models = first_models((1.0,) * units)
    rows = [tuple(row) for row in models.terms.tolist()]
    assert len(set(rows)) == len(rows)
    assert np.all(np.isfinite(models.log_prior))
    assert all(support(row) < 1 << units for row in rows)


def test_neighbours_differ_in_one_term():
    for model in neighbours((A, AB), 4):
        assert len({A, AB} ^ set(model)) in (1, 2)
        assert len(set(model)) == len(model) > 0
    assert all(term.bit_count() == 1 for model in neighbours((A, B), 4, products=False) for term in model)


@settings(max_examples=30, deadline=None)
@given(st.floats(-1e6, 1e6), st.floats(1e-3, 1e3), st.integers(0, 2**31))
def test_the_posterior_moves_with_the_unit(shift, unit, seed):
    """Another zero and another unit of the metric change no probability."""
    rng = np.random.default_rng(seed)
    states, blocks = rng.integers(0, 16, size=12), np.repeat([0, 1, 2], 4)
    values = 1.0 * (states & 1) + 0.3 * rng.normal(size=12)
    models = first_models((1.0,) * 4)
    before = posterior(Responses(states, values, blocks), models, scale=0.6, noise=0.3).probability
    after = posterior(Responses(states, shift + unit * values, blocks), models, scale=0.6 * unit, noise=0.3 * unit).probability
    assert after == pytest.approx(before, abs=1e-3)


def test_the_posterior_finds_what_is_there():
    rng = np.random.default_rng(4)
    states = rng.integers(0, 32, size=40)
    values = ((states & AB) == AB) + 0.2 * rng.normal(size=40)
    models = first_models((1.0,) * 5)
    fitted = posterior(Responses(states, values, np.zeros(40, dtype=np.int64)), models, scale=0.6, noise=0.2)
    best = int(np.argmax(fitted.probability))
    assert [term for term in models.terms[best].tolist() if term] == [AB]
    assert fitted.probability[best] > 0.9
    one = Models(models.terms[best : best + 1], models.log_prior[best : best + 1])
    mean, sd = expected(
        posterior(Responses(states, values, np.zeros(40, dtype=np.int64)), one, scale=0.6, noise=0.2), one, np.array([0, AB])
    )
    assert mean[:, 0] == pytest.approx([0, 1], abs=0.15)
    assert sd[:, 0] == pytest.approx([0.2, 0.2], abs=0.08)


def test_overlap_is_one_for_the_same_and_nil_for_what_is_far():
    same = overlap(np.array([[0.0, 0.0, 100.0]]), np.array([[1.0, 1.0, 1.0]]))[0]
    assert same[0, 1] == pytest.approx(1)
    assert same[0, 2] < 1e-9


def test_heavier_units_are_likelier():
    light, heavy = (weighted([(A,)], weights).log_prior[0] for weights in ((1.0, 1.0), (3.0, 1.0)))
    assert heavy - light == pytest.approx(np.log(3))
    assert bits_of(0b1010) == [1, 3]
