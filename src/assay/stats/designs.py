"""Linear models of a design's configurations: which terms it tells apart, what else is in them, and the rows that tell most."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from assay.stats.simultaneous import Array

_SMALL = 1e-9


def independent(columns: ArrayLike) -> list[int]:
    """Columns that are no combination of those before them, by orthogonalising one after the other.

    Args:
        columns: shape (rows, columns).

    >>> independent([[1, 0, 1], [1, 1, 0], [1, 1, 0]])
    [0, 1]
    """
    x = np.asarray(columns, dtype=np.float64)
    basis = np.zeros((x.shape[0], 0))
    kept = []
    for index in range(x.shape[1]):
        left = x[:, index] - basis @ (basis.T @ x[:, index])
        left -= basis @ (basis.T @ left)  # once more, since one pass leaves rounding behind
        size = float(np.linalg.norm(left))
        if size > _SMALL * max(1.0, float(np.linalg.norm(x[:, index]))):
            basis = np.column_stack([basis, left / size])
            kept.append(index)
    return kept


def weights(columns: ArrayLike) -> Array:
    """For every column the weights of the rows' values that make its least-squares coefficient, shape (columns, rows).

    Args:
        columns: shape (rows, columns), independent.
    """
    found = np.linalg.pinv(np.asarray(columns, dtype=np.float64))
    found[np.abs(found) < _SMALL * np.abs(found).max(initial=0.0)] = 0.0
    return np.asarray(found, dtype=np.float64)


def alias_matrix(columns: ArrayLike, others: ArrayLike) -> Array:
    """How much of each other term is in each coefficient of a model that leaves it out, shape (columns, others).

    Source: Box and Wilson 1951 (the alias matrix).
    """
    found = weights(columns) @ np.asarray(others, dtype=np.float64)
    found[np.abs(found) < _SMALL] = 0.0
    return np.asarray(found, dtype=np.float64)


def d_optimal(candidates: ArrayLike, runs: int, *, first: int = 0, starts: int = 4) -> list[int]:
    """Rows of the candidates, in order, among which the determinant of a model's information is largest as far as exchanges find.

    Where the candidates together cannot tell all terms, those that they can are what counts.

    Args:
        candidates: shape (rows, terms), the model's columns.
        runs: how many rows are chosen, each at most once.
        first: a row that is always among them.
        starts: beginnings that are tried; the first is greedy, the others are random but the same each time.

    Source: Fedorov 1972 (exchange); Cook and Nachtsheim 1980.
    """
    x = np.asarray(candidates, dtype=np.float64)
    x = x[:, independent(x)]
    runs = min(runs, len(x))
    random = np.random.Generator(np.random.PCG64(len(x)))
    found = [_exchanged(x, _greedy(x, runs, first), first)]
    for _ in range(starts - 1):
        others = random.permutation([row for row in range(len(x)) if row != first])
        found.append(_exchanged(x, [first, *others[: runs - 1].tolist()], first))
    return sorted(max(found, key=lambda rows: _information(x, rows)))


def _greedy(x: Array, runs: int, first: int) -> list[int]:
    chosen = [first]
    inverse = np.linalg.inv(_moment(x, chosen))
    while len(chosen) < runs:
        gain = np.einsum("ij,jk,ik->i", x, inverse, x)
        gain[chosen] = -1.0
        chosen.append(int(np.argmax(gain)))
        inverse = np.linalg.inv(_moment(x, chosen))
    return chosen


def _exchanged(x: Array, chosen: Sequence[int], first: int) -> list[int]:
    """One row after the other exchanged for the one that tells most in its place, until nothing gains."""
    rows = list(chosen)
    for _ in range(20):
        before = list(rows)
        for place, old in enumerate(rows):
            if old == first:
                continue
            rest = rows[:place] + rows[place + 1 :]
            inverse = np.linalg.inv(_moment(x, rest))
            gain = np.einsum("ij,jk,ik->i", x, inverse, x)
            gain[rest] = -1.0
            best = int(np.argmax(gain))
            if gain[best] > gain[old] * (1 + 1e-9):
                rows[place] = best
        if rows == before:
            break
    return rows


def _moment(x: Array, rows: Sequence[int]) -> Array:
    # A little of the identity, so that fewer rows than terms have an inverse too.
    return np.asarray(x[list(rows)].T @ x[list(rows)] + 1e-6 * np.eye(x.shape[1]), dtype=np.float64)


def _information(x: Array, rows: Sequence[int]) -> float:
    return float(np.linalg.slogdet(_moment(x, rows))[1])
