"""Plackett-Burman designs: every two columns balanced against each other, in a multiple of four runs."""

from __future__ import annotations

from assay.ablation.generators.residues import is_field, jacobsthal

Rows = list[tuple[int, ...]]
"""One row a run, one column a factor; 1 where the factor is flipped."""
Matrix = list[list[int]]


def plackett_burman(factors: int) -> Rows:
    """The smallest Plackett-Burman design that holds so many factors, the row without any flip first.

    Source: Plackett and Burman 1946; Paley 1933 and Sylvester 1867 for the matrices.

    >>> len(plackett_burman(11)), plackett_burman(11)[0]
    (12, (0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0))
    """
    runs = 4 * (factors // 4 + 1)
    matrix = hadamard(runs)
    while matrix is None:  # 92 is the first order for which none of the constructions here holds below the next
        runs += 4
        matrix = hadamard(runs)
    signed = [[entry * row[0] for entry in row] for row in matrix]
    first = signed[0]
    return [tuple((1 - a * b) // 2 for a, b in zip(row[1 : factors + 1], first[1 : factors + 1], strict=True)) for row in signed]


def folded(rows: Rows) -> Rows:
    """The rows, then each of them with every factor the other way: main effects are then clear of all interactions of two.

    >>> folded([(0, 0), (1, 0)])
    [(0, 0), (1, 0), (1, 1), (0, 1)]
    """
    return rows + [tuple(1 - entry for entry in row) for row in rows]


def hadamard(order: int) -> Matrix | None:
    """A square matrix of 1 and -1 whose rows are orthogonal; None where no construction here gives one."""
    if order <= 2:
        return [[1, 1], [1, -1]][:order] if order == 2 else [[1]]
    if order % 4:
        return None
    if is_field(order - 1):
        return _paley_one(order - 1)
    half = hadamard(order // 2)
    if half is not None:
        return [row + row for row in half] + [row + [-entry for entry in row] for row in half]
    return _paley_two(order // 2 - 1) if order // 2 % 4 == 2 and is_field(order // 2 - 1) else None


def _paley_one(size: int) -> Matrix:
    """I + S for the skew conference matrix S of a field with size ≡ 3 (mod 4)."""
    inner = jacobsthal(size)
    body = [[-1, *(entry + (i == j) for j, entry in enumerate(row))] for i, row in enumerate(inner)]
    return [[1] * (size + 1), *body]


def _paley_two(size: int) -> Matrix:
    """From the symmetric conference matrix of a field with size ≡ 1 (mod 4), each entry replaced by a block of two by two."""
    conference = [[0] + [1] * size, *([1, *row] for row in jacobsthal(size))]
    blocks = {0: ((1, -1), (-1, -1)), 1: ((1, 1), (1, -1)), -1: ((-1, -1), (-1, 1))}
    return [[value for entry in row for value in blocks[entry][half]] for row in conference for half in (0, 1)]
