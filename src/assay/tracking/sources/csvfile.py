"""Metrics in a table with a header: comma, semicolon or tab separated."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator

_SEPARATORS = ",;\t"


def read_table(text: str) -> Iterator[dict[str, float]]:
    """The rows of a table, each with its numbers by column; empty cells and words are left out, NaN is kept.

    Nothing where the first line is no header: a cell of it is empty, a number, or there twice. A last row without an end of line is
    read only where it has all its cells.
    """
    first, _, body = text.lstrip("﻿").partition("\n")
    first = first.rstrip("\r")
    separator = max(_SEPARATORS, key=first.count)
    header = [cell.strip() for cell in next(csv.reader([first], delimiter=separator), [])]
    if not _is_header(header):
        return
    last = body[body.rfind("\n") + 1 :]
    whole = body if last.count(separator) >= len(header) - 1 else body.removesuffix(last)
    try:
        for cells in csv.reader(io.StringIO(whole, newline=""), delimiter=separator):
            yield dict(_numbers(header, cells))
    except csv.Error:
        return


def _is_header(cells: list[str]) -> bool:
    # pandas writes its index under an empty first name.
    named = cells[1:] if cells[:1] == [""] and len(cells) > 1 else cells
    return bool(named) and len(set(cells)) == len(cells) and all(cell and cell_value(cell) is None for cell in named)


def _numbers(header: list[str], cells: list[str]) -> Iterator[tuple[str, float]]:
    for name, cell in zip(header, cells, strict=False):
        value = cell_value(cell)
        if name and value is not None:
            yield name, value


def cell_value(cell: str) -> float | None:
    """The number in a cell, a percent sign dropped; None where it holds something else."""
    text = cell.strip().removesuffix("%")
    if "_" in text:  # float() reads 1_000, no table means it
        return None
    try:
        return float(text)
    except ValueError:
        return None
