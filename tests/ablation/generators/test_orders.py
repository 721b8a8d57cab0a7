"""Orders in which units join."""

from itertools import permutations

import pytest

from assay.ablation.generators.orders import exact_weights, sampled_orders, sets_of, step_weights


@pytest.mark.parametrize("allowed", [lambda chosen: True, lambda chosen: not (chosen & 1 and not chosen & 2)])
def test_weights_are_those_of_all_orders_that_are_allowed(allowed):
    """Without constraints they are Shapley's; with them, those of the orders that keep them, found here one by one."""
    orders = tuple(order for order in permutations(range(4)) if all(map(allowed, sets_of(order))))
    assert exact_weights(4, allowed) == pytest.approx(dict(step_weights(orders)))


def test_no_allowed_order_has_no_weights():
    assert exact_weights(2, lambda chosen: chosen in (0, 3)) == {}


def always(chosen):
    return True


def test_drawn_orders_come_with_their_reverse_and_fit_the_budget():
    orders = sampled_orders(8, 60, always)
    assert len(orders) >= 8 and all(tuple(reversed(order)) in orders for order in orders)
    assert len({chosen for order in orders for chosen in sets_of(order)}) <= 60
    sampled_orders.cache_clear()
    assert sampled_orders(8, 60, always) == orders


def test_too_small_a_budget_draws_nothing():
    assert sampled_orders(6, 5, always) == ()
