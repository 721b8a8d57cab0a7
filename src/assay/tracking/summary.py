"""Summaries of metric series, kept as the points come, so that the end of a run costs the same after ten points and after ten million."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

from assay.records.journal import Entry, Point
from assay.records.run import Metric

# Where several sources report one name, what the user logged stands before what was read from files, and files before printed words.
_ORDER = ("log", "tensorboard", "jsonl", "json", "csv", "output")
_LAST, _LOW, _HIGH, _SUM, _COUNT, _STEP, _MEASURED = range(7)


def rank(source: str) -> int:
    """The place of a source in the order of precedence; 0 stands first."""
    kind = source.partition(":")[0]
    return _ORDER.index(kind) if kind in _ORDER else len(_ORDER)


class Tally:
    """Last, smallest, largest, mean and number of each metric of one source.

    Minimum and maximum pass over NaN; the sum, and so the mean, does not.
    """

    __slots__ = ("_states", "source")

    def __init__(self, source: str = "log") -> None:
        self.source = source
        self._states: dict[str, list[float | int | bool | None]] = {}

    def add(self, values: Mapping[str, float], step: int | None, measured: bool) -> None:
        """Count the values of one point."""
        states = self._states
        for name, value in values.items():
            state = states.get(name)
            if state is None:
                state = states[name] = [value, math.inf, -math.inf, 0.0, 0, step, measured]
            state[0] = value
            if value < state[1]:  # type: ignore[operator]  # a list is faster than an object with named fields
                state[1] = value
            if value > state[2]:  # type: ignore[operator]
                state[2] = value
            state[3] += value  # type: ignore[operator]
            state[4] += 1  # type: ignore[operator]
            state[5] = step
            if measured:
                state[6] = True

    def metrics(self) -> dict[str, Metric]:
        """The summaries so far."""
        return {name: _metric(state, self.source) for name, state in self._states.items()}


def _metric(state: list[float | int | bool | None], source: str) -> Metric:
    count = int(state[_COUNT] or 0)
    low, high = float(state[_LOW] or 0.0), float(state[_HIGH] or 0.0)
    last, step = state[_LAST], state[_STEP]
    assert last is not None  # every state begins with a value
    # Nothing but NaN was logged: no value ever moved the ends towards each other.
    empty = low > high
    return Metric(
        last=float(last),
        minimum=math.nan if empty else low,
        maximum=math.nan if empty else high,
        mean=float(state[_SUM] or 0.0) / count,
        n=count,
        step=None if step is None else int(step),
        measured=bool(state[_MEASURED]),
        source=source,
    )


def summarise(entries: Iterable[Entry]) -> dict[str, Metric]:
    """The summaries of a run's points; of a name that several sources report, those of the source that stands first."""
    tallies: dict[str, Tally] = {}
    for entry in entries:
        if isinstance(entry, Point):
            tally = tallies.get(entry.source)
            if tally is None:
                tally = tallies[entry.source] = Tally(entry.source)
            tally.add(entry.values, entry.step, entry.measured)
    chosen: dict[str, Metric] = {}
    for source in sorted(tallies, key=rank):
        for name, metric in tallies[source].metrics().items():
            chosen.setdefault(name, metric)
    return chosen
