"""What commands print: JSON documents, tables and sections that suit the terminal, colours only where they are wanted."""

from __future__ import annotations

import os
import shutil
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import click

from assay.cli.streams import write_answer
from assay.report.document import to_json
from assay.report.layout import safe, wrap

F = TypeVar("F", bound=Callable[..., Any])
_NARROWEST_TERMINAL = 40
_PIPE_WIDTH = 120
_COLOURS = {"finished": "green", "running": "cyan", "failed": "red", "crashed": "red", "interrupted": "yellow"}


def json_option(function: F) -> F:
    """The option that every command but `run` has."""
    return click.option("--json", "as_json", is_flag=True, help="Print one JSON document on standard output, and nothing else.")(
        function
    )


def emit(document: object) -> None:
    """Print a JSON document on standard output."""
    write_answer(to_json(document))


def say(text: str = "") -> None:
    """Print a line on standard output."""
    write_answer(text + "\n")


def hint(text: str) -> None:
    """Print a line on standard error: progress, and what is not the answer itself."""
    encoding = sys.stderr.encoding or "utf-8"
    sys.stderr.write(text.encode(encoding, "backslashreplace").decode(encoding) + "\n")
    sys.stderr.flush()


def width() -> int:
    """Columns that tables may use: the terminal's (or the variable COLUMNS), and 120 where the output goes into a file or a pipe."""
    if not sys.stdout.isatty() and not os.environ.get("COLUMNS"):
        return _PIPE_WIDTH
    return max(shutil.get_terminal_size((80, 24)).columns, _NARROWEST_TERMINAL)


def styled(text: str, **style: Any) -> str:
    """`text` in a colour or in bold, where standard output is a terminal and NO_COLOR is not set; else `text` as it is."""
    plain = os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb" or not sys.stdout.isatty()
    return text if plain else click.style(text, **style)


def state_text(state: str) -> str:
    """A run's state in its colour; spaces around it do not matter."""
    return styled(state, fg=_COLOURS.get(state.strip()))


def title(text: str) -> None:
    """Print the heading of a section, with an empty line before it."""
    say()
    say(styled(text, bold=True))


def pairs(items: Sequence[tuple[str, str]], indent: int = 2) -> None:
    """Print names and values in two columns; long values are broken into lines below each other, below a name that is too long itself."""
    if not items:
        return
    names = [safe(name) for name, _ in items]
    column = min(max(len(name) for name in names), 28)
    for name, (_, value) in zip(names, items, strict=True):
        lines = wrap(safe(value), max(width() - indent - column - 2, 20))
        if len(name) > column:
            say(f"{' ' * indent}{name}")
        else:
            say(f"{' ' * indent}{name:<{column}}  {lines.pop(0)}".rstrip())
        for line in lines:
            say(f"{' ' * (indent + column + 2)}{line}")


def age(moment: float) -> str:
    """How long ago, in one unit.

    >>> age(time.time() - 7300)
    '2 h ago'
    """
    seconds = max(time.time() - moment, 0.0)
    for size, unit in ((86400 * 365, "y"), (86400 * 30, "mo"), (86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{int(seconds // size)} {unit} ago"
    return f"{int(seconds)} s ago"


def moment(seconds: float) -> str:
    """A time as a date in the local time zone, to the second."""
    return time.strftime("%Y-%m-%d %H:%M:%S %z", time.localtime(seconds))


def size(count: float) -> str:
    """A number of bytes in the unit that suits it.

    >>> size(512), size(3 * 2**20)
    ('512 B', '3.0 MiB')
    """
    for unit in ("B", "KiB", "MiB"):
        if count < 1024:
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1024
    return f"{count:.1f} GiB"
