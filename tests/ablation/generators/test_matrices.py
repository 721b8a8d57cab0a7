"""Plackett-Burman and definitive screening designs: every property by looking at all pairs of columns."""

import numpy as np
import pydoe
import pytest

from assay.ablation.generators.conference import definitive_screening
from assay.ablation.generators.fractions import strength
from assay.ablation.generators.hadamard import folded, hadamard, plackett_burman


@pytest.mark.parametrize("factors", [1, 3, 7, 11, 12, 15, 19, 23, 27, 31, 35, 39, 43, 47, 51, 55, 59, 90])
def test_plackett_burman_is_balanced_and_orthogonal(factors):
    signs = 2 * np.array(plackett_burman(factors)) - 1
    assert np.array_equal(signs.T @ signs, len(signs) * np.eye(factors)) and not signs.sum(axis=0).any()
    assert (signs[0] == -1).all() and len(signs) == (96 if factors == 90 else 4 * (factors // 4 + 1))


def test_plackett_burman_of_twelve_runs_shares_a_third_of_every_interaction():
    """Of the textbook's design too, which another library makes."""
    for rows in (2 * np.array(plackett_burman(11)) - 1, np.asarray(pydoe.pbdesign(11))):
        for i in range(11):
            shares = {
                round(abs(float(rows[:, i] @ (rows[:, j] * rows[:, k]))) / 12, 6)
                for j in range(11)
                for k in range(j)
                if i not in (j, k)
            }
            assert shares == {0.333333}


def test_the_mirror_image_makes_resolution_four():
    rows = folded(plackett_burman(11))
    assert len(rows) == 24 and strength(rows, 4) == 3


def test_orders_without_a_matrix_are_said():
    assert hadamard(6) is None and hadamard(92) is None
    assert hadamard(1) == [[1]] and len(hadamard(2)) == 2


@pytest.mark.parametrize(("factors", "runs"), [(3, 9), (4, 9), (6, 13), (8, 17), (10, 21), (12, 25), (16, 33), (22, 49), (26, 53)])
def test_definitive_screening_keeps_main_effects_clear(factors, runs):
    """Of each other, of squares and of interactions of two; the runs are 2 k + 1 wherever a conference matrix exists."""
    x = np.array(definitive_screening(factors))
    assert len(x) == runs and not x[0].any()
    assert np.array_equal(x.T @ x, np.diag(np.diag(x.T @ x)))
    products = np.einsum("ni,nj->nij", x, x).reshape(len(x), -1)
    assert not (x.T @ products).any() and not x.sum(axis=0).any()
