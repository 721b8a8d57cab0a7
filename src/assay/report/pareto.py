"""Quality against cost as a table and as a drawing: the first two metrics, each configuration with bars that meet where nothing is clear."""

from __future__ import annotations

from html import escape
from math import isfinite

from assay.records.pareto import ParetoFront, ParetoPoint
from assay.report.axis import Axis, tick_label, ticks
from assay.report.layout import Column, safe, text_table, wrap
from assay.report.numbers import number

_WIDTH, _HEIGHT = 560.0, 340.0
_LEFT, _RIGHT, _TOP, _BOTTOM = 70.0, 20.0, 16.0, 48.0
_LETTER, _LINE = 8.0, 13.0
"""Width of a digit and height of a line, in the units of the drawing."""
_BESIDE = ((9, -7, "start"), (-9, -7, "end"), (9, 15, "start"), (-9, 15, "end"), (0, -12, "middle"), (0, 21, "middle"))
_CLASSES = {"front": "good", "undecided": "open", "dominated": "bad"}
SIGNS = {"front": "on the front", "undecided": "cannot tell", "dominated": "dominated", "no value": "no value"}


def pareto_rows(front: ParetoFront) -> tuple[list[str], list[list[str]]]:
    """Header and rows: each configuration with its number in the drawing, its means, and how it stands."""
    arrows = [f"{name} ({'more' if more else 'less'} is better)" for name, more in zip(front.metrics, front.maximize, strict=True)]
    rows = [
        [
            f"{place} {point.configuration}",
            *(_mean(value) for value in point.means),
            SIGNS[point.standing] + (f" ({point.by})" if point.by else ""),
        ]
        for place, point in enumerate(front.points, 1)
    ]
    return ["configuration", *arrows, "stands"], rows


def pareto_text(front: ParetoFront, width: int) -> str:
    """The front for a terminal: the table, then a sentence for each configuration that has something to say."""
    header, rows = pareto_rows(front)
    last = len(header) - 1
    columns = [Column(text, "left" if index in (0, last) else "right", index == last) for index, text in enumerate(header)]
    said = [line for point in front.points for line in wrap(safe(f"- {point.words}"), width)]
    return "\n".join([text_table(columns, rows, width), "", *said, *wrap(pareto_note(front), width)]) + "\n"


def pareto_note(front: ParetoFront) -> str:
    """What the comparison stands on."""
    blocks = ", ".join(f"{name} {count}" for name, count in zip(front.metrics, front.blocks, strict=True))
    return (
        f"Differences paired by seed (complete seeds: {blocks}), corrected for {front.comparisons} comparisons at 95 % together; "
        "dominated only where another is clearly better in one metric and clearly not worse in any."
    )


def pareto_drawing(front: ParetoFront) -> str:
    """The first two metrics as one `<svg>` element, every text in it escaped; empty where no configuration has both.

    Configurations have the numbers of the table's rows, which leave room where names would cover each other.
    """
    numbered = enumerate(front.points, 1)
    drawn = {place: point for place, point in numbered if isfinite(point.means[0]) and isfinite(point.means[1])}
    if not drawn:
        return ""
    points = list(drawn.values())
    across, up = _axis(points, 1, _LEFT, _WIDTH - _RIGHT), _axis(points, 0, _HEIGHT - _BOTTOM, _TOP)
    quality, cost = front.metrics[0], front.metrics[1]
    parts = [
        f'<svg class="pareto" viewBox="0 0 {_WIDTH:g} {_HEIGHT:g}" role="img" aria-labelledby="pareto-t pareto-d" xmlns="http://www.w3.org/2000/svg">',
        f'<title id="pareto-t">{_text(f"{quality} against {cost}")}</title>',
        f'<desc id="pareto-d">{_text(" ".join(point.words for point in points))}</desc>',
        *_frame(across, up, quality, cost),
    ]
    for point in points:
        parts += _point(point, across, up)
    taken = [_box(across.at(point.means[1]), up.at(point.means[0]) + 5, "middle", 1) for point in points]
    for place, point in drawn.items():
        parts.append(_numbered(str(place), across.at(point.means[1]), up.at(point.means[0]), taken))
    return "\n".join([*parts, "</svg>"])


_Box = tuple[float, float, float, float]


def _numbered(text: str, x: float, y: float, taken: list[_Box]) -> str:
    """The number beside its mark, where it covers neither a mark nor another number, as far as there is such a place."""
    free = [at for at in _BESIDE if not any(_meet(_box(x + at[0], y + at[1], at[2], len(text)), one) for one in taken)]
    right, down, anchor = (free or list(_BESIDE))[0]
    taken.append(_box(x + right, y + down, anchor, len(text)))
    return _label(x + right, y + down, anchor, text)


def _box(x: float, y: float, anchor: str, letters: int) -> _Box:
    """Left, top, right and bottom of a text that stands at `y`."""
    wide = letters * _LETTER
    left = {"start": x, "end": x - wide, "middle": x - wide / 2}[anchor]
    return left, y - _LINE + 3, left + wide, y + 3


def _meet(one: _Box, other: _Box) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def _axis(points: list[ParetoPoint], metric: int, start: float, end: float) -> Axis:
    reach = [
        point.means[metric] + side * (point.bars[metric] if isfinite(point.bars[metric]) else 0.0)
        for point in points
        for side in (-1, 1)
    ]
    low, high = min(reach), max(reach)
    room = 0.08 * (high - low) or abs(high) * 0.1 or 1.0
    return Axis(low - room, high + room, start, end)


def _frame(across: Axis, up: Axis, quality: str, cost: str) -> list[str]:
    bottom = _HEIGHT - _BOTTOM
    parts = [f'<path class="axis" d="M{_LEFT:g} {_TOP:g} V{bottom:g} H{_WIDTH - _RIGHT:g}" fill="none" stroke="currentColor"/>']
    parts += [_label(across.at(value), bottom + 18, "middle", tick_label(value)) for value in _round(across)]
    parts += [_label(_LEFT - 8, up.at(value) + 4, "end", tick_label(value)) for value in _round(up)]
    return [*parts, _label((_LEFT + _WIDTH) / 2, _HEIGHT - 8, "middle", cost), _label(_LEFT + 6, _TOP + 10, "start", quality)]


def _label(x: float, y: float, anchor: str, text: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="currentColor">{_text(text)}</text>'


def _round(axis: Axis) -> list[float]:
    return [value for value in ticks(axis, 5) if axis.holds(value)]


def _point(point: ParetoPoint, across: Axis, up: Axis) -> list[str]:
    x, y = across.at(point.means[1]), up.at(point.means[0])
    kind = _CLASSES[point.standing]
    parts = [f'<g class="{kind}">', f"<title>{_text(point.words)}</title>"]
    for axis, metric in ((across, 1), (up, 0)):
        bar = point.bars[metric]
        if isfinite(bar) and bar > 0:
            low, high = axis.at(point.means[metric] - bar), axis.at(point.means[metric] + bar)
            path = f"M{low:.1f} {y:.1f} H{high:.1f}" if metric else f"M{x:.1f} {low:.1f} V{high:.1f}"
            parts.append(f'<path class="bar" d="{path}" stroke="currentColor" opacity="0.5"/>')
    marks = {
        "good": f'<rect class="mark" x="{x - 5:.1f}" y="{y - 5:.1f}" width="10" height="10"/>',
        "open": f'<circle class="mark" cx="{x:.1f}" cy="{y:.1f}" r="5"/>',
        "bad": f'<path class="mark" d="M{x:.1f} {y - 6:.1f} l6 6 l-6 6 l-6 -6 Z"/>',
    }
    return [*parts, marks[kind], "</g>"]


def _mean(value: float) -> str:
    return f"{value:.4g}".replace("-", "−") if isfinite(value) else number(value)


def _text(text: str) -> str:
    return escape(safe(text))
