"""The tables of docs/statistics.md are those that the benchmarks write: their form is checked here, their numbers by running them."""

from pathlib import Path

import pytest

PAGE = Path(__file__).parents[2] / "docs" / "statistics.md"


@pytest.mark.parametrize(
    ("name", "first", "rows"), [("coverage", "interval", 110), ("false alarms", "noise", 42), ("power", "seeds", 3)]
)
def test_each_table_is_whole(name, first, rows):
    begin, end = f"<!-- {name}: begin -->\n", f"<!-- {name}: end -->\n"
    text = PAGE.read_text()
    assert text.count(begin) == text.count(end) == 1
    header, _, *lines = text.partition(begin)[2].partition(end)[0].strip().splitlines()
    cells = [line.strip("| ").split(" | ") for line in (header, *lines)]
    assert cells[0][0] == first and len(lines) == rows
    assert {len(row) for row in cells} == {len(cells[0])}
    figures = [
        float(part)
        for row in cells[1:]
        for cell in row[1:]
        for part in cell.replace(",", "").replace("/", "").split()
        if part[0].isdigit()
    ]
    assert all(0 <= figure <= 100 for figure in figures) and len(figures) >= 2 * rows
