"""The horizontal axis of a forest plot: which values it spans, its ticks, and where a value stands on it."""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence
from statistics import median
from typing import NamedTuple

# A row this many times wider than the median row would squeeze the others into a point; it is drawn to the edge, with an arrow.
_OUTLIER = 60.0
_LARGEST = sys.float_info.max


class Axis(NamedTuple):
    """A linear scale from `low` to `high` (in the metric's unit) onto `left` … `right` (in drawing units)."""

    low: float
    high: float
    left: float
    right: float

    def at(self, value: float) -> float:
        """Where `value` stands, held within the drawing."""
        return self.left + self.part(value) * (self.right - self.left)

    def part(self, value: float) -> float:
        """`value` as a part of the span, 0 at its low end and 1 at its high one, held between them."""
        # Halved before they are subtracted: the span of two large floats of opposite sign is not a float.
        span = self.high / 2 - self.low / 2
        return min(max((value / 2 - self.low / 2) / span, 0.0), 1.0)

    def holds(self, value: float) -> bool:
        """Whether `value` lies within the span."""
        return self.low <= value <= self.high


def axis_for(rows: Sequence[Sequence[float]], left: float, right: float) -> Axis:
    """An axis that shows zero and every row's finite values, but not those of rows far wider than the median row."""
    reaches = [max((abs(value) for value in row if math.isfinite(value)), default=0.0) for row in rows]
    typical = median([reach for reach in reaches if reach > 0] or [1.0])
    limit = typical * _OUTLIER
    values = [value for row in rows for value in row if math.isfinite(value) and abs(value) <= limit]
    low, high = min([0.0, *values]), max([0.0, *values])
    if low == high:
        low, high = -1.0, 1.0
    margin = 0.06 * (high / 2 - low / 2) * 2
    return Axis(max(low - margin, -_LARGEST), min(high + margin, _LARGEST), left, right)


def ticks(axis: Axis, wanted: int) -> list[float]:
    """About `wanted` round values within the axis (steps of 1, 2 or 5 times a power of ten), zero among them."""
    span = axis.high / 2 - axis.low / 2
    step = _round_step(span / max(wanted, 1) * 2)
    if not math.isfinite(step) or step <= 0 or not math.isfinite(axis.high - axis.low):
        return [0.0]
    first, last = math.ceil(axis.low / step), math.floor(axis.high / step)
    return [number * step for number in range(first, last + 1)]


def tick_label(value: float) -> str:
    """A tick's value as short as it can be written."""
    return f"{value:.4g}".replace("-", "−") if value else "0"


def _round_step(rough: float) -> float:
    if not math.isfinite(rough) or rough <= 0:
        return rough
    power = 10.0 ** math.floor(math.log10(rough))
    if power == 0:
        return rough
    return next((power * factor for factor in (1, 2, 5) if power * factor >= rough * 0.999), power * 10)
