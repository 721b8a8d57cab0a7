"""Linear models of a design's configurations: which terms it tells apart, what else is in them, and the rows that tell most."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from assay.stats.simultaneous import Array

_SMALL = 1e-9
_PASSES = 8
"""Over all rows; hardly anything is gained after the third."""


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


def d_optimal(candidates: ArrayLike, runs: int, *, first: int = 0, starts: int = 3) -> list[int]:
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
    information = [_information(x, rows) for rows in found]
    return sorted(found[int(np.argmax(information))])


def _greedy(x: Array, runs: int, first: int) -> list[int]:
    chosen = [first]
    spread = _Spread(x, chosen)
    while len(chosen) < runs:
        chosen.append(spread.widest(chosen))
        spread.move(chosen[-1], 1)
    return chosen


def _exchanged(x: Array, chosen: Sequence[int], first: int) -> list[int]:
    """One row after the other exchanged for the one that tells most in its place, until nothing gains."""
    rows = list(chosen)
    for _ in range(_PASSES):
        before = list(rows)
        spread = _Spread(x, rows)  # anew in each pass, since moves leave rounding behind
        for place, old in enumerate(before):
            if old == first:
                continue
            spread.move(old, -1)
            best = spread.widest(rows[:place] + rows[place + 1 :])
            rows[place] = best if spread.gain[best] > spread.gain[old] * (1 + 1e-9) else old
            spread.move(rows[place], 1)
        if rows == before:
            break
    return rows


class _Spread:
    """Variance of the prediction at every candidate, kept while rows come and go (Sherman and Morrison 1950).

    Attributes:
        gain: shape (candidates,): what a further row there would add to the determinant, as a factor less 1.
    """

    def __init__(self, x: Array, rows: Sequence[int]) -> None:
        self._x = x
        self._inverse = np.linalg.inv(_moment(x, rows))
        self.gain = np.sum(x @ self._inverse * x, axis=1)

    def move(self, row: int, sign: int) -> None:
        """A row comes (1) or goes (-1)."""
        step = self._inverse @ self._x[row]
        along = self._x @ step
        share = sign / (1 + sign * along[row])
        self._inverse -= share * np.outer(step, step)
        self.gain = self.gain - share * along**2

    def widest(self, without: Sequence[int]) -> int:
        """The candidate that tells most, beside these."""
        gain = self.gain.copy()
        gain[list(without)] = -np.inf
        return int(np.argmax(gain))


def _moment(x: Array, rows: Sequence[int]) -> Array:
    # A little of the identity, so that fewer rows than terms have an inverse too.
    return np.asarray(x[list(rows)].T @ x[list(rows)] + 1e-6 * np.eye(x.shape[1]), dtype=np.float64)


def _information(x: Array, rows: Sequence[int]) -> float:
    return float(np.linalg.slogdet(_moment(x, rows))[1])
