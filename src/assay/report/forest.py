"""The forest plot: one panel per metric, each effect with its simultaneous interval, its raw differences, zero and the margin.

Drawn as SVG text without a library. Colour is never the only sign: each verdict has a marker of its own shape and is written out.
The colours (blue, vermilion, grey) are those of Okabe and Ito's palette, which colour-blind people can tell apart.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape
from typing import NamedTuple

from assay.records.effect import Effect
from assay.report.axis import Axis, axis_for, tick_label, ticks
from assay.report.layout import safe
from assay.report.numbers import decimals_for, estimate
from assay.report.rows import verdict_words


class Shape(NamedTuple):
    """Sizes of a drawing, in its own units (CSS pixels where it is shown at its width).

    Attributes:
        name: "wide" or "narrow", also its CSS class.
        width: of the whole drawing.
        left, right: where the axis begins and ends.
        row: height of an effect.
        stacked: names and numbers stand above their interval, not beside it.
        ticks: how many are wanted.
    """

    name: str
    width: float
    left: float
    right: float
    row: float
    stacked: bool
    ticks: int


WIDE = Shape("wide", 980, 260, 680, 42, False, 7)
NARROW = Shape("narrow", 360, 10, 350, 102, True, 5)
_TOP = 26.0
_BOTTOM = 44.0
_FONT = 13.0
# Widths of characters in parts of the font's size, on the safe side for the fonts of a system; all others are taken as square.
_CHARACTER = 0.63
# The narrow layout's names are bold, and so wider.
_BOLD = 0.85
_NARROW_LETTERS = frozenset("abcdefghijklnopqrstuvxyz0123456789 .,:;!|'\"()[]{}/\\_+-−*=<>~…·\u00a0LFIJ")


class Panel(NamedTuple):
    """One metric's effects, ready to be drawn; `higher_is_better` is None where nobody said."""

    metric: str
    effects: tuple[Effect, ...]
    margin: float | None
    higher_is_better: bool | None


def draw(panel: Panel, shape: Shape, number_in_page: int) -> str:
    """The panel as one `<svg>` element with title and description, every text in it escaped."""
    height = _TOP + shape.row * len(panel.effects) + _BOTTOM
    axis = axis_for([_values(effect) for effect in panel.effects], shape.left, shape.right)
    decimals = decimals_for([(e.high - e.low) / 2 for e in panel.effects], [e.estimate for e in panel.effects])
    key = f"forest-{number_in_page}-{shape.name}"
    parts = [
        f'<svg class="forest {shape.name}" viewBox="0 0 {shape.width:g} {height:g}" role="img" aria-labelledby="{key}-t {key}-d" '
        f'xmlns="http://www.w3.org/2000/svg">',
        f'<title id="{key}-t">{_text(f"Effects on {panel.metric}")}</title>',
        f'<desc id="{key}-d">{_text(_description(panel, decimals))}</desc>',
        *_background(panel, axis, shape, height - _BOTTOM),
    ]
    for index, effect in enumerate(panel.effects):
        parts += _effect(effect, axis, shape, _TOP + shape.row * index, decimals)
    return "\n".join([*parts, *_scale(panel, axis, shape, height - _BOTTOM), "</svg>"])


def _values(effect: Effect) -> list[float]:
    return [effect.estimate, effect.low, effect.high, *effect.differences]


def _description(panel: Panel, decimals: int) -> str:
    """What the drawing shows, for those who do not see it."""
    said = [
        f"{effect.component}: {estimate(effect.estimate, effect.low, effect.high, decimals)}, {verdict_words(effect)}"
        for effect in panel.effects
    ]
    return f"Difference to the baseline in {panel.metric}. " + "; ".join(said) + "."


def _background(panel: Panel, axis: Axis, shape: Shape, bottom: float) -> list[str]:
    """Margin band, grid and zero line; where names stand above their interval, only behind the intervals."""
    if not shape.stacked:
        return _lines(panel, axis, shape, _TOP - 6, bottom)
    parts = []
    for index in range(len(panel.effects)):
        middle = _middle(shape, _TOP + shape.row * index)
        parts += _lines(panel, axis, shape, middle - 14, middle + 14)
    return parts


def _lines(panel: Panel, axis: Axis, shape: Shape, top: float, bottom: float) -> list[str]:
    parts = []
    if panel.margin:
        low, high = axis.at(-panel.margin), axis.at(panel.margin)
        parts.append(f'<rect class="margin" x="{low:.1f}" y="{top:.1f}" width="{high - low:.1f}" height="{bottom - top:.1f}"/>')
    for value in ticks(axis, shape.ticks):
        kind = "zero" if value == 0 else "grid"
        parts.append(f'<line class="{kind}" x1="{axis.at(value):.1f}" x2="{axis.at(value):.1f}" y1="{top:.1f}" y2="{bottom:.1f}"/>')
    return parts


def _middle(shape: Shape, top: float) -> float:
    """The height at which the interval of a row that begins at `top` stands."""
    return top + (shape.row - 22 if shape.stacked else shape.row / 2)


def _scale(panel: Panel, axis: Axis, shape: Shape, bottom: float) -> list[str]:
    parts = []
    end = -math.inf
    for value in ticks(axis, shape.ticks):
        label = tick_label(value)
        half = len(label) * _FONT * _CHARACTER / 2
        x = min(max(axis.at(value), half), shape.width - half)
        if x - half < end + 4:
            continue  # Labels that would run into each other are left out; the line is there.
        end = x + half
        parts.append(f'<text class="tick" x="{x:.1f}" y="{bottom + 16:.1f}" text-anchor="middle">{_text(label)}</text>')
    if panel.higher_is_better is not None:
        left, right = ("← worse", "better →") if panel.higher_is_better else ("← better", "worse →")
        parts.append(f'<text class="side" x="{axis.left:.1f}" y="{bottom + 36:.1f}">{left}</text>')
        parts.append(f'<text class="side" x="{axis.right:.1f}" y="{bottom + 36:.1f}" text-anchor="end">{right}</text>')
    return parts


def _effect(effect: Effect, axis: Axis, shape: Shape, top: float, decimals: int) -> list[str]:
    middle = _middle(shape, top)
    kind = kind_of(effect)
    parts = [f'<g class="effect {kind}"><title>{_text(effect.component + ": " + effect.words)}</title>']
    parts += _labels(effect, shape, top, middle, decimals)
    parts += [_dot(value, axis, middle + 9) for value in effect.differences if math.isfinite(value)]
    if not math.isnan(effect.low) and not math.isnan(effect.high):
        parts += _whisker(effect.low, effect.high, axis, middle - 3)
    if not math.isnan(effect.estimate):
        parts.append(_marker(kind, axis, effect.estimate, middle - 3))
    return [*parts, "</g>"]


def kind_of(effect: Effect) -> str:
    """The CSS class of an effect: which side a decided one lies on, and that an undecided one is undecided."""
    if effect.verdict == "exact" and effect.estimate == 0:
        return "noop"
    if effect.verdict in ("matters", "exact"):
        return {True: "good", False: "bad", None: "differs"}[effect.better]
    return {"no effect": "none", "no-op": "noop", "cannot tell": "open"}[effect.verdict]


def _labels(effect: Effect, shape: Shape, top: float, middle: float, decimals: int) -> list[str]:
    value = estimate(effect.estimate, effect.low, effect.high, decimals)
    words = verdict_words(effect)
    if shape.stacked:
        room = shape.width - 20
        return [
            _label("name", 10, top + 18, effect.component, room * _BOLD),
            _label("value", 10, top + 34, value, room),
            _label("words", 10, top + 50, words, room),
        ]
    room = shape.width - shape.right - 18
    return [
        _label("name", shape.left - 14, middle + 4, effect.component, shape.left - 18, anchor="end"),
        _label("value", shape.right + 14, middle - 3, value, room),
        _label("words", shape.right + 14, middle + 12, words, room),
    ]


def _label(kind: str, x: float, y: float, text: str, room: float, anchor: str = "start") -> str:
    return f'<text class="{kind}" x="{x:g}" y="{y:.1f}" text-anchor="{anchor}">{_text(shorten(text, room))}</text>'


def shorten(text: str, room: float) -> str:
    """`text` with its middle left out where it would be wider than `room` (its whole is in the effect's title and in the table)."""
    text = safe(text)
    if _drawn_width(text) <= room:
        return text
    kept = len(text)
    while kept > 2:
        kept -= 1
        short = text[: kept - kept // 3] + "…" + text[len(text) - kept // 3 :]
        if _drawn_width(short) <= room:
            return short
    return "…"


def _drawn_width(text: str) -> float:
    """Width of `text` at most, in drawing units, whatever the font of the reader's system is."""
    return _FONT * sum(_CHARACTER if char in _NARROW_LETTERS else 1.06 for char in text)


def _whisker(low: float, high: float, axis: Axis, y: float) -> list[str]:
    """The interval; an end beyond the edge is an arrow, and an interval that lies beyond it as a whole is the marker's arrow alone."""
    if high < axis.low or low > axis.high:
        return []
    left, right = axis.at(low), axis.at(high)
    parts = [f'<line class="interval" x1="{left:.1f}" x2="{right:.1f}" y1="{y:.1f}" y2="{y:.1f}"/>']
    for value, x, way in ((low, left, -1), (high, right, 1)):
        parts.append(_cap(x, y) if axis.holds(value) else _arrow(x, y, way))
    return parts


def _cap(x: float, y: float) -> str:
    return f'<line class="interval" x1="{x:.1f}" x2="{x:.1f}" y1="{y - 4:.1f}" y2="{y + 4:.1f}"/>'


def _arrow(x: float, y: float, way: int) -> str:
    """It goes on beyond the edge of the drawing."""
    return f'<path class="beyond" d="M{x - way * 8:.1f} {y - 5:.1f} L{x:.1f} {y:.1f} L{x - way * 8:.1f} {y + 5:.1f} Z"/>'


def _dot(value: float, axis: Axis, y: float) -> str:
    return f'<circle class="seed" cx="{axis.at(value):.1f}" cy="{y:.1f}" r="2.6"/>'


def _marker(kind: str, axis: Axis, estimate: float, y: float) -> str:
    if not axis.holds(estimate):
        return _arrow(axis.at(estimate), y, 1 if estimate > 0 else -1)
    x = axis.at(estimate)
    if kind == "noop":
        return f'<path class="mark" d="M{x - 5:.1f} {y - 5:.1f} L{x + 5:.1f} {y + 5:.1f} M{x - 5:.1f} {y + 5:.1f} L{x + 5:.1f} {y - 5:.1f}"/>'
    if kind == "bad":
        return f'<path class="mark" d="M{x:.1f} {y - 6:.1f} L{x + 6:.1f} {y:.1f} L{x:.1f} {y + 6:.1f} L{x - 6:.1f} {y:.1f} Z"/>'
    if kind in ("none", "open"):
        return f'<circle class="mark" cx="{x:.1f}" cy="{y:.1f}" r="5"/>'
    return f'<rect class="mark" x="{x - 5:.1f}" y="{y - 5:.1f}" width="10" height="10"/>'


def _text(text: str) -> str:
    return escape(safe(text))


def panels(all_effects: Sequence[Effect], sides: dict[str, bool]) -> list[Panel]:
    """One panel per metric, in the order of the effects; `sides` says of which metrics more is better (True) or worse (False)."""
    found: list[Panel] = []
    for metric in dict.fromkeys(effect.metric for effect in all_effects):
        effects = tuple(effect for effect in all_effects if effect.metric == metric)
        margin = next((effect.margin for effect in effects if effect.margin), None)
        found.append(Panel(metric, effects, margin, sides.get(metric)))
    return found
