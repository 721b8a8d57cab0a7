"""Text tables keep to the width they are given and to one line per line."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from assay.report.layout import Column, safe, text_table, width_of, wrap

COLUMNS = (Column("name", wraps=True), Column("value", "right"), Column("remarks", wraps=True))
rows = st.lists(st.tuples(st.text(max_size=60), st.text("0123456789.", max_size=9), st.text(max_size=200)), max_size=5)


@given(rows, st.integers(60, 200))
def test_a_table_is_no_wider_than_it_may_be(cells: list[tuple[str, str, str]], width: int) -> None:
    assert all(width_of(line) <= width for line in text_table(COLUMNS, cells, width).split("\n"))


@given(rows)
def test_no_character_of_a_cell_is_lost(cells: list[tuple[str, str, str]]) -> None:
    table = text_table(COLUMNS, cells, 60)
    for row in cells:
        for cell in row:
            assert not set(safe(cell).replace("\u00a0", "").replace(" ", "")) - set(table)


@given(st.text(), st.integers(2, 40))
def test_wrapping_keeps_the_words_and_the_width(text: str, width: int) -> None:
    lines = wrap(safe(text), width)
    assert "".join(lines).replace(" ", "") == safe(text).replace(" ", "")
    assert all(width_of(line) <= width for line in lines)


@given(st.text())
def test_nothing_in_a_name_can_steer_a_terminal(text: str) -> None:
    assert all(char.isprintable() or char in "\u00a0\u202f" for char in safe(text))


def test_wide_characters_count_twice() -> None:
    assert width_of("日本") == 4
