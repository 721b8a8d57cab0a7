"""`assay log`: the series of a run's metrics, drawn small, or point by point."""

from __future__ import annotations

import math
from collections.abc import Sequence

import click

from assay.cli.commands.ls import value_text
from assay.cli.output import emit, hint, json_option, moment, say, width
from assay.project import documents
from assay.project.project import Project
from assay.report.layout import Column, text_table
from assay.tracking.series import Series

_BARS = "▁▂▃▄▅▆▇█"
_NARROWEST, _WIDEST = 8, 60


@click.command(name="log")
@click.argument("run")
@click.argument("metrics", nargs=-1, metavar="[METRIC]...")
@json_option
def command(run: str, metrics: tuple[str, ...], as_json: bool) -> int:
    """Show the series of RUN: each as a small curve, or every point of the METRICs that are named."""
    found = Project.open().log(run, metrics or None)
    if as_json:
        emit(documents.log(found))
    elif not found:
        hint("assay: this run reported no metrics.")
    elif metrics:
        say(_points(found))
    else:
        say(_curves(found))
    return 0


def _points(found: dict[str, Series]) -> str:
    columns = [Column("metric"), Column("step", "right"), Column("value", "right"), Column("time")]
    rows = [
        (name, "" if step is None else str(step), value_text(value), moment(when))
        for name, points in found.items()
        for step, value, when in zip(points.steps, points.values, points.times, strict=True)
    ]
    return text_table(columns, rows, width())


def _curves(found: dict[str, Series]) -> str:
    columns = [
        Column("metric"),
        Column("points", "right"),
        *(Column(name, "right") for name in ("first", "last", "min", "max")),
        Column("curve"),
    ]
    rows = [(name, str(len(points.values)), *_summary(points.values)) for name, points in found.items()]
    used = len(text_table(columns, [(*row, "") for row in rows], 10_000).split("\n")[1].rstrip())
    room = min(max(width() - used, _NARROWEST), _WIDEST)
    return text_table(
        columns, [(*row, sparkline(points.values, room)) for row, points in zip(rows, found.values(), strict=True)], width()
    )


def _summary(values: Sequence[float]) -> list[str]:
    numbers = [value for value in values if not math.isnan(value)] or [math.nan]
    return [value_text(value) for value in (values[0], values[-1], min(numbers), max(numbers))]


def sparkline(values: Sequence[float], room: int) -> str:
    """The course of `values` in at most `room` characters; NaN is a space, infinities are at the edge.

    Of several values that share a character the last stands, as it does for a metric.

    >>> sparkline([0, 1, 2, 3, 4, 5, 6, 7], 8), sparkline([1.0, float("nan"), 1.0], 8)
    ('▁▂▃▄▅▆▇█', '▁ ▁')
    """
    shown = list(values)
    if len(shown) > room:
        shown = [values[(index + 1) * len(values) // room - 1] for index in range(room)]
    numbers = [value for value in shown if math.isfinite(value)]
    low, high = min(numbers, default=0.0), max(numbers, default=0.0)
    return "".join(_bar(value, low, high) for value in shown)


def _bar(value: float, low: float, high: float) -> str:
    if math.isnan(value):
        return " "
    if math.isinf(value):
        return _BARS[-1] if value > 0 else _BARS[0]
    # Halved, since the span of two large floats is not a float.
    span = high / 2 - low / 2
    return _BARS[min(int((value / 2 - low / 2) / span * len(_BARS)), len(_BARS) - 1)] if span > 0 else _BARS[0]
