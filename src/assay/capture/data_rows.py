"""Rows of tables kept as text: found as the bytes that they are, so that a part of a table is made of the table's own bytes."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from typing import Final, NamedTuple

from assay.errors import InvalidValue

_DELIMITERS: Final = {".csv": ",", ".tsv": "\t"}
_LINES: Final = (".jsonl", ".ndjson", ".txt")


class Table(NamedTuple):
    """A table: its header as it stands in the file (empty where there is none), the names in it, and its rows, line ends included."""

    header: bytes
    columns: tuple[str, ...]
    rows: list[bytes]
    delimiter: str


def is_table(name: str) -> bool:
    """Whether a file of this name has rows: CSV and TSV with a header, JSON lines, lines of text."""
    return name.lower().endswith((*_DELIMITERS, *_LINES))


def suffix_of(name: str) -> str:
    """The end of a file's name that says how its rows are written."""
    return next((suffix for suffix in (*_DELIMITERS, *_LINES) if name.lower().endswith(suffix)), "")


def read_table(data: bytes, name: str) -> Table:
    """The rows of a file's content; blank lines are none.

    A quoted value may hold line ends. The file's encoding need only write the delimiter, quotes and line ends as ASCII does.

    Raises:
        InvalidValue: the file is none of the kinds that have rows.
    """
    delimiter = _DELIMITERS.get(suffix_of(name), "")
    if not is_table(name):
        raise InvalidValue(
            "this file has no rows that Assay can read", value=name, expected=f"one of {', '.join((*_DELIMITERS, *_LINES))}",
            next_step="Split a folder by its files, or convert the file.",
        )  # fmt: skip
    rows = list(_records(data, delimiter) if delimiter else _lines(data))
    header = rows.pop(0) if delimiter and rows else b""
    columns = tuple(_values(header, delimiter)) if header else ()
    return Table(header, columns, [row for row in rows if row.strip()], delimiter)


def value_of(row: bytes, column: str, table: Table) -> str:
    """What a row has in a column.

    Raises:
        InvalidValue: the table has no such column, or the row no such value.
    """
    try:
        if table.delimiter:
            return _values(row, table.delimiter)[table.columns.index(column)]
        return json.dumps(json.loads(row)[column], sort_keys=True)
    except (ValueError, IndexError, KeyError, TypeError) as error:
        raise InvalidValue(
            "this column is not in every row",
            value=column,
            expected=f"one of {', '.join(table.columns)}" if table.columns else "a key of every line",
            next_step=f"The row that has none begins with {row[:60]!r}.",
        ) from error


def _records(data: bytes, delimiter: str) -> Iterator[bytes]:
    """The bytes of each record: of several lines, where a quoted value holds line ends."""
    lines = _lines(data)
    reader = csv.reader((line.decode("latin-1") for line in lines), delimiter=delimiter)
    begin = 0
    try:
        for _ in reader:
            yield b"".join(lines[begin : reader.line_num])
            begin = reader.line_num
    except csv.Error as error:
        raise InvalidValue(
            "this table cannot be read",
            value=f"line {reader.line_num}",
            expected="CSV as RFC 4180 describes it",
            next_step=f"{error}.",
        ) from error


def _lines(data: bytes) -> list[bytes]:
    """The lines with their ends; only a line feed ends one."""
    *lines, last = data.split(b"\n")
    return [line + b"\n" for line in lines] + ([last] if last else [])


def _values(row: bytes, delimiter: str) -> list[str]:
    text = row.decode("utf-8", "backslashreplace")
    return next(csv.reader(text.splitlines(keepends=True), delimiter=delimiter), [])
