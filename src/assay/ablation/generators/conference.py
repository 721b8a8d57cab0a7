"""Definitive screening designs: three levels, main effects clear of each other, of squares and of interactions of two."""

from __future__ import annotations

from assay.ablation.generators.residues import is_field, jacobsthal

Matrix = list[list[int]]


def definitive_screening(factors: int) -> list[tuple[int, ...]]:
    """Rows of -1, 0 and 1, the row of zeros first; then a conference matrix and its mirror image.

    Source: Jones and Nachtsheim 2011; Xiao, Lin and Bai 2012 (by conference matrices).

    >>> len(definitive_screening(6)), definitive_screening(6)[0]
    (13, (0, 0, 0, 0, 0, 0))
    """
    order = factors + factors % 2
    matrix = conference(max(order, 4))
    while matrix is None:  # 22 is the first even order of which there is none
        order += 2
        matrix = conference(order)
    rows = [tuple(row[:factors]) for row in matrix]
    return [(0,) * factors, *(row for one in rows for row in (one, tuple(-entry for entry in one)))]


def conference(order: int) -> Matrix | None:
    """A square matrix, 0 on its diagonal and 1 or -1 elsewhere, whose rows are orthogonal; None where none is known here."""
    if is_field(order - 1):
        size = order - 1
        side = 1 if size % 4 == 1 else -1
        return [[0] + [1] * size, *([side, *row] for row in jacobsthal(size))]
    if order % 8 == 0:
        return _doubled(order // 2)
    return None


def _doubled(half: int) -> Matrix | None:
    """Of twice the order, from one that is skew."""
    matrix = conference(half)
    if matrix is None or any(matrix[i][j] != -matrix[j][i] for i in range(half) for j in range(half)):
        return None
    plus = [[entry + (i == j) for j, entry in enumerate(row)] for i, row in enumerate(matrix)]
    minus = [[entry - (i == j) for j, entry in enumerate(row)] for i, row in enumerate(matrix)]
    upper = [row + more for row, more in zip(matrix, plus, strict=True)]
    return upper + [row + [-entry for entry in more] for row, more in zip(minus, matrix, strict=True)]
