"""The value of a metric that a study asks about, read where the study says."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import PurePosixPath

from assay.records.factor import MetricGoal
from assay.records.recipe import Recipe
from assay.records.run import Run
from assay.records.trace import Trace
from assay.store.store import Store
from assay.tracking.series import series, value_at
from assay.tracking.sources.harvest import FILE_KINDS, values_in
from assay.tracking.sources.output import read_output

SOURCES = ("tensorboard", "jsonl", "json", "csv", "output")
"""Where a metric can be read; what follows the ":" is its name there, for files after their path: "json:out/m.json:score"."""


def asked_value(store: Store, run: Run, goal: MetricGoal) -> float | None:
    """The value that the goal's `source` and `at` name, of a run that has ended; None where the run did not report it.

    A file that the source names is read whatever it is called; its path is relative to the command's working directory, or to the root.

    Raises:
        InvalidValue: there is no such value as `at`.
        StoreUnusable, StoreDamaged: what the run left cannot be read.
    """
    values = _values(store, run, goal)
    return value_at(values, goal.at) if values else None


def _values(store: Store, run: Run, goal: MetricGoal) -> tuple[float, ...]:
    if goal.source is None:
        return _reported(store, run, None, goal.name)
    kind, _, rest = goal.source.partition(":")
    file, name = _place(rest, goal.name) if kind in FILE_KINDS else ("", rest or goal.name)
    if file:
        return tuple(_in_file(store, run, kind, file, name))
    found = _reported(store, run, kind, name)
    return found or tuple(_printed(store, run, name)) if kind == "output" else found


def _reported(store: Store, run: Run, source: str | None, name: str) -> tuple[float, ...]:
    points = series(store, run.id, source=source).get(name)
    return points.values if points else ()


def _place(text: str, default: str) -> tuple[str, str]:
    """File and name: "log.csv:loss", or a file alone, in which the goal's own name is looked for; a name alone is of any file.

    >>> _place("out/m.json:score", "f1"), _place("out/m.json", "f1"), _place("score", "f1")
    (('out/m.json', 'score'), ('out/m.json', 'f1'), ('', 'score'))
    """
    file, _, name = text.rpartition(":")
    if file:
        return file, name or default
    return (text, default) if PurePosixPath(text).suffix[1:] in ("json", "jsonl", "ndjson", "csv", "tsv") else ("", text or default)


def _in_file(store: Store, run: Run, kind: str, file: str, name: str) -> Iterator[float]:
    """Values by that name in the file as the run left it."""
    if run.result is None or run.result.trace is None:
        return
    directory = store.objects.record(run.start.recipe, Recipe).directory
    paths = {os.path.normpath(file), os.path.normpath(f"{directory}/{file}")}
    for use in store.objects.record(run.result.trace, Trace).written:
        if use.path in paths and use.kept and use.id is not None:
            yield from values_in(kind, store.objects.get(use.id), name)


def _printed(store: Store, run: Run, name: str) -> Iterator[float]:
    """Values by that name in the whole output, those too that nobody would take for a metric who was not told."""
    for content in run.result.output.values() if run.result else ():
        for line in read_output(store.objects.get(content), [], {}):
            if name in line.values:
                yield line.values[name]
