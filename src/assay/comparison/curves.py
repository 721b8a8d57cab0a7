"""The series of a run as a comparison needs them: in the order of their steps, with what is a measurement marked."""

from __future__ import annotations

from typing import NamedTuple

from assay.records.journal import Point
from assay.records.run import Run
from assay.store.store import Store


class Curve(NamedTuple):
    """One metric's points. `steps` holds None where nothing counted them; then their order in time is their order."""

    steps: tuple[int | None, ...]
    values: tuple[float, ...]
    measured: bool = False


def curves(store: Store, run: Run) -> dict[str, Curve]:
    """Every metric of `run`, in the order in which they first appeared."""
    points: dict[str, list[tuple[int | None, float]]] = {}
    measured = {name for name, metric in run.result.metrics.items() if metric.measured} if run.result else set()
    for entry in store.runs.entries(run.id):
        if isinstance(entry, Point):
            for name, value in entry.values.items():
                points.setdefault(name, []).append((entry.step, value))
            if entry.measured:
                measured.update(entry.values)
    found = {name: _curve(series, name in measured) for name, series in points.items()}
    for name, metric in (run.result.metrics if run.result else {}).items():
        found.setdefault(name, Curve((metric.step,), (metric.last,), metric.measured))
    return found


def _curve(points: list[tuple[int | None, float]], measured: bool) -> Curve:
    # Several processes of one run may write at once, and then only the steps say what came first.
    if all(step is not None for step, _ in points):
        points.sort(key=lambda point: point[0] or 0)
    steps, values = zip(*points, strict=True)
    return Curve(steps, values, measured)
