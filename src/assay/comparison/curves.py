"""The series of a run as a comparison needs them: in the order of their steps, with what is a measurement marked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from assay.records.finding import Finding
from assay.records.journal import Point
from assay.records.run import Run
from assay.store.store import Store


class Curve(NamedTuple):
    """One metric's points. `steps` holds None where nothing counted them; then their order in time is their order.

    `source` is who reported it, as in `assay.records.run.Metric`.
    """

    steps: tuple[int | None, ...]
    values: tuple[float, ...]
    measured: bool = False
    source: str = "log"


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
            found[name if source == chosen else f"{name} [{source}]"] = _curve(series, name in measured, source)
    for name, metric in summaries.items():
        found.setdefault(name, Curve((metric.step,), (metric.last,), metric.measured, metric.source))
    return found


def unheard(a: Mapping[str, Curve], b: Mapping[str, Curve], run_a: Run, run_b: Run) -> dict[str, Finding]:
    """Metrics that one of the runs printed, and of which the other cannot tell, since what it printed was not recorded.

    A run that lives inside a program does not hold what the program prints; its reproduction, which is a command, does.
    """
    found = {}
    for one, other, silent in ((a, b, run_b), (b, a, run_a)):
        for name, curve in one.items():
            if name not in other and curve.source == "output" and _is_silent(silent):
                text = f"{name} was printed, and what {silent.id} printed was not recorded: it is not compared"
                found[name] = Finding(kind="not compared", about=name, text=text)
    return found


def _is_silent(run: Run) -> bool:
    return run.result is not None and "output" not in run.result.fidelity.captured


def _curve(points: list[tuple[int | None, float]], measured: bool, source: str) -> Curve:
    # Several processes of one run may write at once, and then only the steps say what came first.
    if all(step is not None for step, _ in points):
        points.sort(key=lambda point: point[0] or 0)
    steps, values = zip(*points, strict=True)
    return Curve(steps, values, measured, source)
