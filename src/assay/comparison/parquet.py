"""Parquet and Feather tables compared column by column."""

from __future__ import annotations

import numpy as np
import pyarrow
from pyarrow import feather
from pyarrow import parquet as tables

from assay.comparison.closeness import Yardstick
from assay.comparison.pickles import compare_read
from assay.comparison.values import Meaning


def compare_parquet(a: bytes, b: bytes, yardstick: Yardstick) -> Meaning:
    """Two Parquet files by value; how they are laid out, compressed and signed does not count. Raises ValueError where one is none."""
    return compare_read(_columns(tables.read_table, a), _columns(tables.read_table, b), yardstick)


def compare_feather(a: bytes, b: bytes, yardstick: Yardstick) -> Meaning:
    """Two Feather files by value. Raises ValueError where one is none."""
    return compare_read(_columns(feather.read_table, a), _columns(feather.read_table, b), yardstick)


def _columns(read_table, data: bytes) -> dict[str, object]:  # type: ignore[no-untyped-def]  # pyarrow has no types
    try:
        table = read_table(pyarrow.BufferReader(data))
    except (pyarrow.ArrowException, OSError) as error:
        raise ValueError(f"not a table that can be read: {error}") from error
    return {name: _values(column) for name, column in zip(table.column_names, table.columns, strict=True)}


def _values(column: pyarrow.ChunkedArray) -> object:
    """Numbers as an array; everything else, and numbers of which some are missing, as a list, in which nothing is not NaN."""
    kind = column.type
    if column.null_count == 0 and (pyarrow.types.is_integer(kind) or pyarrow.types.is_floating(kind)):
        return np.asarray(column.to_numpy())
    return column.to_pylist()
