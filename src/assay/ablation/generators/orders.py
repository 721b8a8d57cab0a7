"""Orders in which units may join, one by one: what Shapley values average over. Sets of units are bits."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from functools import lru_cache

Step = tuple[int, int]
"""A set without a unit, and the unit that joins it."""


def exact_weights(units: int, allowed: Callable[[int], bool]) -> dict[Step, float]:
    """For every step the share of all orders that take it; only orders all of whose sets are allowed are counted.

    Where everything is allowed these are the weights of the Shapley value. Empty where no order is allowed.

    Source: Shapley 1953; Faigle and Kern 1992 (orders under constraints).

    >>> exact_weights(2, lambda chosen: True)[(0b01, 1)]
    0.5
    """
    whole = (1 << units) - 1
    usable = [allowed(chosen) for chosen in range(whole + 1)]
    before = [0] * (whole + 1)  # orders that lead to a set, and below: those that lead from it to the whole
    after = [0] * (whole + 1)
    before[0], after[whole] = int(usable[0]), int(usable[whole])
    for chosen in range(1, whole + 1):
        if usable[chosen]:
            before[chosen] = sum(before[chosen ^ 1 << unit] for unit in range(units) if chosen >> unit & 1)
    for chosen in range(whole - 1, -1, -1):
        if usable[chosen]:
            after[chosen] = sum(after[chosen | 1 << unit] for unit in range(units) if not chosen >> unit & 1)
    total = before[whole]
    steps = ((chosen, unit) for chosen in range(whole) for unit in range(units) if not chosen >> unit & 1)
    return {
        (chosen, unit): before[chosen] * after[chosen | 1 << unit] / total
        for chosen, unit in steps
        if total and before[chosen] and after[chosen | 1 << unit]
    }


@lru_cache(maxsize=16)
def sampled_orders(units: int, budget: int, allowed: Callable[[int], bool]) -> tuple[tuple[int, ...], ...]:
    """Orders drawn at random, each followed by its reverse where that is allowed, as many as `budget` sets can hold.

    The same question always draws the same orders.

    Args:
        budget: most sets that may be needed, the empty one included.
        allowed: what may be met.

    Source: Castro, Gómez and Tejada 2009 (sampling); Mitchell et al. 2022 (antithetic pairs).
    """
    chance = random.Random(units)
    found: list[tuple[int, ...]] = []
    seen: set[int] = set()
    for _ in range(50 * budget):
        drawn = chance.sample(range(units), units)
        pair = [order for order in (tuple(drawn), tuple(reversed(drawn))) if all(map(allowed, sets_of(order)))]
        if not pair:
            continue
        needed = seen.union(*map(sets_of, pair))
        if len(needed) > budget or len(found) + len(pair) > 4 * budget:
            break
        seen = needed
        found += pair
    return tuple(found)


def sets_of(order: tuple[int, ...]) -> list[int]:
    """The sets that an order meets, from none to all of its units.

    >>> sets_of((1, 0))
    [0, 2, 3]
    """
    met = [0]
    for unit in order:
        met.append(met[-1] | 1 << unit)
    return met


def step_weights(orders: tuple[tuple[int, ...], ...]) -> Mapping[Step, float]:
    """For every step the share of these orders that take it."""
    found: dict[Step, float] = {}
    for order in orders:
        for chosen, unit in zip(sets_of(order), order, strict=False):
            found[chosen, unit] = found.get((chosen, unit), 0.0) + 1 / len(orders)
    return found
