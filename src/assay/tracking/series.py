"""Series of metrics, of a run that goes on or has ended, and one value chosen from them."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import NamedTuple

from assay.errors import InvalidValue, UnknownMetric
from assay.records.journal import Point
from assay.records.run import Metric
from assay.store.store import Store
from assay.tracking.so_far import entries_so_far
from assay.tracking.summary import rank

_LAST_N = re.compile(r"mean of the last (\d+)")
_AT = ("last", "min", "max", "mean")


class Series(NamedTuple):
    """The points of one metric in the order they were logged: steps (None where none was given), values, seconds since 1970."""

    steps: tuple[int | None, ...]
    values: tuple[float, ...]
    times: tuple[float, ...]
    measured: bool = False
    source: str = "log"


class _Growing:
    def __init__(self, source: str) -> None:
        self.source = source
        self.measured = False
        self.steps: list[int | None] = []
        self.values: list[float] = []
        self.times: list[float] = []


def series(store: Store, run_id: str, *, source: str | None = None) -> dict[str, Series]:
    """The series of a run, while it runs or after; of one without a result, those in what it has printed too.

    Args:
        store: where the run is.
        run_id: its id.
        source: only what this source reported ("output", "tensorboard", "jsonl", "csv:log.csv" …); without it, of a name that several
            report, what `Result.metrics` has: the source that stands first.

    Raises:
        UnknownRun: there is no such run.
        StoreUnusable: its journals cannot be read.
    """
    found: dict[tuple[str, str], _Growing] = {}
    for entry in entries_so_far(store, run_id):
        if isinstance(entry, Point) and (source is None or _is_from(entry.source, source)):
            for name, value in entry.values.items():
                key = (entry.source, name)
                growing = found.get(key)
                if growing is None:
                    growing = found[key] = _Growing(entry.source)
                growing.steps.append(entry.step)
                growing.values.append(value)
                growing.times.append(entry.time)
                growing.measured |= entry.measured
    chosen: dict[str, Series] = {}
    for (_, name), growing in sorted(found.items(), key=lambda item: rank(item[0][0])):
        if name not in chosen:
            chosen[name] = Series(
                tuple(growing.steps), tuple(growing.values), tuple(growing.times), growing.measured, growing.source
            )
    return chosen


def _is_from(source: str, wanted: str) -> bool:
    return source == wanted or source.partition(":")[0] == wanted


def choose(metrics: Mapping[str, Metric], selector: str) -> float:
    """The value that a selector names: `loss`, `loss@last`, `loss@min`, `loss@max`, `loss@mean`.

    Raises:
        UnknownMetric: no metric has this name.
        InvalidValue: what follows "@" is none of these.

    >>> choose({"loss": Metric(last=0.5, minimum=0.2, maximum=1.0, mean=0.6)}, "loss@min")
    0.2
    """
    if selector in metrics:  # a name may itself hold "@" (precision@10)
        return metrics[selector].last
    name, _, at = selector.rpartition("@")
    if not name or (name not in metrics and at not in _AT):
        raise _unknown(selector, metrics)
    if name not in metrics:
        raise _unknown(name, metrics)
    metric = metrics[name]
    values = {"last": metric.last, "min": metric.minimum, "max": metric.maximum, "mean": metric.mean}
    if at not in values:
        raise InvalidValue("a metric has no such value", value=at, expected="@last, @min, @max or @mean")
    return values[at]


def value_at(values: tuple[float, ...], at: str) -> float:
    """One value of a series: its "last", "min", "max", "mean", or "mean of the last N" (of all, where it has fewer).

    Minimum and maximum pass over NaN, as `Metric` does; means do not.

    Raises:
        InvalidValue: `at` is none of these, or the series is empty.
    """
    several = _LAST_N.fullmatch(at)
    if not values or (at not in _AT and not (several and int(several[1]))):
        raise InvalidValue(
            "no such value of a series",
            value=at,
            expected=f"{', '.join(_AT)} or mean of the last N" if values else "a series with at least one point",
        )
    if several:
        tail = values[-int(several[1]) :]
        return math.fsum(tail) / len(tail) if all(map(math.isfinite, tail)) else sum(tail) / len(tail)
    if at == "last":
        return values[-1]
    if at == "mean":
        return sum(values) / len(values)
    numbers = [value for value in values if not math.isnan(value)]
    if not numbers:
        return math.nan
    return min(numbers) if at == "min" else max(numbers)


def _unknown(name: str, metrics: Mapping[str, Metric]) -> UnknownMetric:
    return UnknownMetric(
        "no metric has this name",
        value=name,
        expected=", ".join(sorted(metrics)) or "a run that reported metrics (this one reported none)",
        next_step="`assay log RUN` shows the series of a run.",
    )
