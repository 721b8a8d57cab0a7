"""Factors of several levels as terms: what a coefficient means, and that the search finds two alternatives of one factor."""

from __future__ import annotations

import numpy as np

from assay.stats.factorial_levels import centred, levelled, signs
from assay.stats.factorial_models import space
from assay.stats.factorial_search import believe

ALTERNATIVES = [3, 1, 2]


def every() -> np.ndarray:
    """All combinations of four, two and three levels."""
    return np.array([(a, b, c) for a in range(4) for b in range(2) for c in range(3)])


def test_with_two_levels_each_the_terms_are_those_of_two_level_factors() -> None:
    of, plain = levelled([1] * 6), space(6)
    for one, other in zip(of, plain, strict=True):
        assert np.array_equal(one, other)
    codes = np.random.default_rng(1).integers(0, 2, (20, 6))
    assert np.array_equal(centred(codes, [1] * 6), 2.0 * codes - 1)
    assert np.array_equal(signs(codes, [1] * 6), 2.0 * codes - 1)


def test_alternatives_of_one_factor_are_in_no_product() -> None:
    of = levelled(ALTERNATIVES)
    assert of.factors == 6
    assert of.terms == 6 + 3 * 1 + 3 * 2 + 1 * 2
    owners = np.repeat([0, 1, 2], ALTERNATIVES)
    assert all(owners[of.first[term]] != owners[of.second[term]] for term in range(of.factors, of.terms))


def test_twice_a_coefficient_is_the_averaged_change_and_of_a_product_half_the_difference() -> None:
    """Any response over all combinations is told exactly, without interactions of three."""
    rng, of, codes = np.random.default_rng(2), levelled(ALTERNATIVES), every()
    columns = of.columns(centred(codes, ALTERNATIVES))
    y = np.column_stack([np.ones(len(codes)), columns]) @ rng.normal(size=1 + of.terms)
    fitted = 2 * np.linalg.lstsq(np.column_stack([np.ones(len(codes)), columns]), y, rcond=None)[0][1:]

    def mean(**at: int) -> float:
        chosen = np.all([codes[:, "abc".index(name)] == level for name, level in at.items()], axis=0)
        return float(y[chosen].mean())

    assert np.isclose(fitted[1], mean(a=2) - mean(a=0))
    assert np.isclose(fitted[5], mean(c=2) - mean(c=0))
    pair = np.flatnonzero((of.first == 2) & (of.second == 5))[0]
    assert np.isclose(fitted[pair], (mean(a=3, c=2) - mean(a=3, c=0) - mean(a=0, c=2) + mean(a=0, c=0)) / 2)


def test_two_alternatives_of_one_factor_are_chosen_beside_each_other_and_the_third_is_not() -> None:
    rng, of = np.random.default_rng(3), levelled([3, 1, 1, 1])
    codes = np.column_stack([rng.integers(0, 1 + most, 120) for most in (3, 1, 1, 1)])
    columns = of.columns(centred(codes, [3, 1, 1, 1]))
    values = 2.0 * (codes[:, 0] == 1) - 1.5 * (codes[:, 0] == 3) + codes[:, 2] + rng.normal(0, 0.6, 120)
    found = believe(of, columns, values, np.arange(120) // 4 % 5)
    assert np.flatnonzero(found.chosen).tolist() == [0, 2, 4]
    assert found.wrong < 0.2


def test_what_is_known_from_elsewhere_is_told_of_the_terms_that_are_left() -> None:
    belief = np.arange(levelled([2, 1]).terms, dtype=float)
    plain, informed = levelled([2, 1]), levelled([2, 1], belief)
    assert np.allclose(informed.main - plain.main, belief[:3])
    assert np.allclose(informed.product - plain.product, belief)
