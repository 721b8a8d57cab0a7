"""Tables of docs/statistics.md that benchmarks write, each between its two markers."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

PAGE = Path(__file__).parents[1] / "docs" / "statistics.md"


def put(name: str, lines: Sequence[str]) -> None:
    """The table of this name on the page is made of these lines."""
    begin, end = f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
    before, _, rest = PAGE.read_text().partition(begin)
    PAGE.write_text(before + "\n".join([begin, "", *lines, "", end]) + rest.partition(end)[2])
