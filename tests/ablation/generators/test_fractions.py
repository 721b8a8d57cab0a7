"""Fractions: their resolution by looking at every set of columns, their sizes against the textbook's."""

from itertools import combinations

import pytest

from assay.ablation.generators.fractions import fraction, generators, nordstrom_robinson, strength, words

# Runs of the smallest regular fraction: Montgomery, Design and Analysis of Experiments, table 8.14 (and Nordstrom-Robinson at 12 to 15).
SIZES = {
    3: {3: 4, 4: 8, 5: 8, 6: 8, 7: 8, 8: 16, 11: 16, 15: 16},
    4: {4: 8, 5: 16, 6: 16, 7: 16, 8: 16, 9: 32, 11: 32, 15: 32},
    5: {5: 16, 6: 32, 7: 64, 8: 64, 9: 128, 10: 128, 11: 128, 12: 128, 15: 128},
}


@pytest.mark.parametrize(("resolution", "factors", "runs"), [(r, k, n) for r, sizes in SIZES.items() for k, n in sizes.items()])
def test_a_fraction_has_its_resolution_and_the_textbooks_size(resolution, factors, runs):
    rows = fraction(factors, resolution)
    assert len(rows) == runs and len(set(rows)) == runs and not any(rows[0])
    assert strength(rows, resolution - 1) == resolution - 1


@pytest.mark.parametrize(
    ("factors", "resolution", "shortest"),
    [(6, 4, (0, 0, 0, 3)), (7, 4, (0, 0, 0, 7)), (8, 4, (0, 0, 0, 14)), (7, 5, (0, 0, 0, 0, 0, 0, 1)), (6, 5, (0, 0, 0, 0, 0, 1))],
)
def test_words_are_as_few_and_as_long_as_the_tables_have_them(factors, resolution, shortest):
    """Fries and Hunter 1980; the half fractions of six and seven factors are of resolution VI and VII."""
    assert words(generators(factors, resolution), len(shortest)) == shortest


def test_a_fraction_of_all_is_all():
    assert len(fraction(3, 5)) == 8 and len(fraction(1, 3)) == 2 and len(fraction(4, 9)) == 16


def test_the_nordstrom_robinson_array_is_no_regular_fraction():
    """128 rows of strength 4 in 15 columns; a regular fraction of resolution V has at most 11 factors in 128 runs."""
    rows = nordstrom_robinson()
    assert len(set(rows)) == 128 and strength(rows) == 4
    assert any(tuple(a ^ b for a, b in zip(one, other, strict=True)) not in set(rows) for one, other in combinations(rows, 2))


def test_the_same_question_has_the_same_fraction():
    generators.cache_clear()
    first = fraction(9, 4)
    generators.cache_clear()
    assert fraction(9, 4) == first
