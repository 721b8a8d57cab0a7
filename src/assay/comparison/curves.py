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
    """Every metric of `run`, in the order in which they first appeared.

    Of a name that several sources report, the one that `Result.metrics` names (of a run that has none, the first) bears the name alone;
    the others say where they come from: "loss [output]".
    """
    summaries = run.result.metrics if run.result else {}
    points: dict[str, dict[str, list[tuple[int | None, float]]]] = {}
    measured = {name for name, metric in summaries.items() if metric.measured}
    for entry in store.runs.entries(run.id):
        if isinstance(entry, Point):
            for name, value in entry.values.items():
                points.setdefault(name, {}).setdefault(entry.source, []).append((entry.step, value))
            if entry.measured:
                measured.update(entry.values)
    found: dict[str, Curve] = {}
    for name, sources in points.items():
        named = summaries[name].source if name in summaries else ""
        chosen = named if named in sources else next(iter(sources))
        for source, series in sources.items():
            found[name if source == chosen else f"{name} [{source}]"] = _curve(series, name in measured)
    for name, metric in summaries.items():
        found.setdefault(name, Curve((metric.step,), (metric.last,), metric.measured))
    return found


def _curve(points: list[tuple[int | None, float]], measured: bool) -> Curve:
    # Several processes of one run may write at once, and then only the steps say what came first.
    if all(step is not None for step, _ in points):
        points.sort(key=lambda point: point[0] or 0)
    steps, values = zip(*points, strict=True)
    return Curve(steps, values, measured)
