"""The forest plot draws everything it is given, whatever the numbers are."""

from __future__ import annotations

import math
from collections.abc import Callable
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.records.effect import Effect
from assay.report.axis import axis_for, ticks
from assay.report.forest import NARROW, WIDE, Panel, Shape, draw, shorten

anything = st.floats(width=64)
SVG = "{http://www.w3.org/2000/svg}"

Effects = Callable[..., Effect]


def parsed(effects: list[Effect], shape: Shape = WIDE) -> ElementTree.Element:
    return ElementTree.fromstring(draw(Panel("metric <&>", tuple(effects), 0.1, True), shape, 0))


@given(st.lists(st.tuples(anything, anything, anything), min_size=1, max_size=6), st.sampled_from([WIDE, NARROW]))
def test_any_numbers_give_a_well_formed_drawing_within_its_frame(
    effect: Effects, numbers: list[tuple[float, float, float]], shape: Shape
) -> None:
    effects = [effect("<x>", "m", [d, e], h, "cannot tell") for d, e, h in numbers]
    root = parsed(effects, shape)
    places = [float(value) for node in root.iter() for key, value in node.attrib.items() if key in ("x", "x1", "x2", "cx")]
    assert all(0 <= place <= shape.width for place in places)
    assert len(list(root.iter(f"{SVG}g"))) == len(effects)


@pytest.mark.parametrize("shape", [WIDE, NARROW])
def test_every_finite_seed_difference_is_a_dot(effect: Effects, shape: Shape) -> None:
    root = parsed(
        [effect("a", "m", [0.1, math.nan, 0.3], 0.1, "matters"), effect("b", "m", [0.0, 0.0, 0.0], math.nan, "no-op")], shape
    )
    assert len([node for node in root.iter(f"{SVG}circle") if node.get("class") == "seed"]) == 5


def test_a_drawing_says_in_words_what_it_shows(effect: Effects) -> None:
    root = parsed([effect("augmentation", "m", [-0.1, -0.3], 0.05, "matters", better=False)])
    description = root.findtext(f"{SVG}desc") or ""
    assert "augmentation: −0.200 [−0.250,\u00a0−0.150], matters, worse" in description


def test_a_row_far_wider_than_the_others_does_not_squeeze_them(effect: Effects) -> None:
    """It leaves the drawing with an arrow; the others keep their width."""
    axis = axis_for([[0.1], [0.2], [0.3], [1e6]], 0, 100)
    assert axis.at(0.3) > 90
    root = parsed(
        [
            effect("a", "m", [0.1], 0.05, "matters"),
            effect("b", "m", [0.2], 0.05, "matters"),
            effect("c", "m", [1e6], 1e5, "matters"),
        ]
    )
    assert len([node for node in root.iter(f"{SVG}path") if node.get("class") == "beyond"]) == 1


def test_an_interval_that_goes_on_beyond_the_edge_has_an_arrow_there(effect: Effects) -> None:
    endless = effect("a", "m", [0.1], 0.05, "cannot tell", low=-math.inf)
    root = parsed([endless, effect("b", "m", [0.2], 0.05, "matters")])
    assert len([node for node in root.iter(f"{SVG}path") if node.get("class") == "beyond"]) == 1


def test_an_effect_thirty_times_the_others_is_drawn_where_it_is(effect: Effects) -> None:
    axis = axis_for([[0.03], [0.02], [1.0]], 0, 100)
    assert axis.holds(1.0)


@given(st.lists(st.lists(anything, max_size=4), max_size=5))
def test_the_axis_holds_zero_and_its_ticks(rows: list[list[float]]) -> None:
    axis = axis_for(rows, 0, 100)
    assert axis.low <= 0 <= axis.high and axis.low < axis.high
    assert all(axis.holds(tick) for tick in ticks(axis, 5))


def test_long_names_lose_their_middle() -> None:
    short = shorten("first" + "-" * 100 + "last", 200)
    assert short.startswith("first") and short.endswith("last") and "…" in short and len(short) < 26
    assert shorten("short", 200) == "short"
