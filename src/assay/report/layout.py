"""Text tables for a terminal of any width: plain characters, cells broken at words, nothing that a name could use to steer the terminal."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Sequence
from typing import Literal, NamedTuple

_GAP = "  "
NARROWEST = 13
"""Columns that wrap are never made narrower than this, in characters, nor than their longest word as far as `_LONGEST_WORD`."""
_LONGEST_WORD = 26
_KEPT_TOGETHER = "\u00a0\u202f"


class Column(NamedTuple):
    """One column: what stands above it, on which side its cells stand, and whether they may be broken into lines."""

    header: str
    align: Literal["left", "right"] = "left"
    wraps: bool = False


def safe(text: str) -> str:
    r"""`text` on one line, without control characters, which could move the cursor or change colours.

    >>> safe("a\nb\x1b[31m")
    'a b\\x1b[31m'
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(
        char if char.isprintable() or char in _KEPT_TOGETHER else " " if char.isspace() else char.encode("unicode_escape").decode()
        for char in text
    )


def width_of(text: str) -> int:
    """Columns that a terminal needs for `text`: two for wide characters, none for combining ones."""
    if text.isascii():
        return len(text)
    return sum(0 if unicodedata.combining(char) else 2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text)


Style = Callable[[int, str], str]
"""A cell as it is printed (with colours), by the index of its column and its padded text."""


def unstyled(_: int, text: str) -> str:
    """The text as it is."""
    return text


def text_table(columns: Sequence[Column], rows: Sequence[Sequence[str]], width: int, style: Style = unstyled) -> str:
    """A table no wider than `width` characters, as far as its columns can give way.

    Columns that wrap give way, the widest first, down to `NARROWEST` characters; the others keep their width.
    """
    cells = [[safe(cell) for cell in row] for row in rows]
    widths = _widths(columns, cells, width)
    lines = _row([column.header for column in columns], columns, widths)
    lines.append(_GAP.join("─" * size for size in widths))
    for row in cells:
        lines += _row(row, columns, widths, style)
    return "\n".join(lines)


def fits(columns: Sequence[Column], rows: Sequence[Sequence[str]], width: int) -> bool:
    """Whether the table can be laid out within `width` without making remarks a column of single words."""
    wanted = [min(size, 28) if column.wraps else size for column, size in zip(columns, _natural(columns, rows), strict=True)]
    return sum(wanted) + len(_GAP) * (len(columns) - 1) <= width


def section(title: str, sentences: Sequence[str], width: int) -> str:
    """A title with a list of sentences below it, in lines of at most `width` columns."""
    lines = [title]
    for sentence in sentences:
        first, *rest = wrap(safe(sentence), max(width - 4, 20))
        lines += [f"  - {first}", *(f"    {line}" for line in rest)]
    return "\n".join(lines)


def wrap(text: str, width: int) -> list[str]:
    """`text` in lines of at most `width` columns, broken at spaces, and within words only where a word is longer than a line."""
    lines = [""]
    for word in text.split(" "):
        joined = f"{lines[-1]} {word}" if lines[-1] else word
        if width_of(joined) <= width:
            lines[-1] = joined
            continue
        if lines[-1]:
            lines.append("")
        *whole, rest = _pieces(word, width)
        lines[-1:] = [*whole, rest]
    return lines


def _pieces(word: str, width: int) -> list[str]:
    pieces, start, used = [], 0, 0
    for index, char in enumerate(word):
        size = width_of(char)
        if used + size > width and index > start:
            pieces.append(word[start:index])
            start, used = index, 0
        used += size
    return [*pieces, word[start:]]


def _natural(columns: Sequence[Column], rows: Sequence[Sequence[str]]) -> list[int]:
    return [max(width_of(text) for text in (column.header, *(row[i] for row in rows))) for i, column in enumerate(columns)]


def _widths(columns: Sequence[Column], rows: Sequence[Sequence[str]], width: int) -> list[int]:
    """Widths that keep words whole where that is possible, else only wide enough to be read."""
    widths = _natural(columns, rows)
    room = width - len(_GAP) * (len(columns) - 1)
    for longest in (_LONGEST_WORD, 0):
        least = [_least(column, widths[i], [row[i] for row in rows], longest) for i, column in enumerate(columns)]
        _narrow(widths, least, room)
    return widths


def _narrow(widths: list[int], least: list[int], room: int) -> None:
    """Take from the column that can give most, one character at a time, until all fit or none can give."""
    while sum(widths) > room:
        widest = max(range(len(widths)), key=lambda i: widths[i] - least[i])
        if widths[widest] <= least[widest]:
            return
        widths[widest] -= 1


def _least(column: Column, natural: int, cells: Sequence[str], longest: int) -> int:
    if not column.wraps:
        return natural
    word = max((width_of(word) for cell in (column.header, *cells) for word in cell.split(" ")), default=0)
    return min(natural, max(NARROWEST, min(word, longest)))


def _row(cells: Sequence[str], columns: Sequence[Column], widths: Sequence[int], style: Style = unstyled) -> list[str]:
    broken = [wrap(cell, size) for cell, size in zip(cells, widths, strict=True)]
    lines = []
    for number in range(max(len(part) for part in broken)):
        texts = [part[number] if number < len(part) else "" for part in broken]
        padded = [_pad(text, size, column.align) for text, size, column in zip(texts, widths, columns, strict=True)]
        padded = [style(index, text) for index, text in enumerate(padded)]
        lines.append(_GAP.join(padded).rstrip().replace("\u00a0", " "))
    return lines


def _pad(text: str, width: int, align: str) -> str:
    space = " " * max(width - width_of(text), 0)
    return space + text if align == "right" else text + space
