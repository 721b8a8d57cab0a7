"""The table in GitHub's Markdown, with every character of a name that Markdown would read as markup escaped."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from assay.report.grid import Grid
from assay.report.layout import safe

_MARKUP = re.compile(r"([\\`*_{}\[\]<>|#~])")
_RULES = {"left": ":---", "right": "---:"}


def markdown_table(grid: Grid, notes: Sequence[str]) -> str:
    """The grid as a table, followed by its notes, a paragraph each."""
    lines = [
        _row(column.header for column in grid.columns),
        "| " + " | ".join(_RULES[column.align] for column in grid.columns) + " |",
        *(_row(row) for row in grid.rows),
    ]
    return "\n".join([*lines, "", *("\n" + escape(note) if i else escape(note) for i, note in enumerate(notes))]) + "\n"


def _row(cells: Iterable[str]) -> str:
    return "| " + " | ".join(escape(cell) for cell in cells) + " |"


def escape(text: str) -> str:
    r"""`text` so that Markdown shows it as it is.

    >>> escape("a|b <script>")
    'a\\|b \\<script\\>'
    """
    return _MARKUP.sub(r"\\\1", safe(text).replace("\u00a0", " "))
