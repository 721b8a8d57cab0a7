"""What a run has said so far: its journals, and of a run without a result (it runs, or it has crashed) the metrics in what it printed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from assay.records.journal import Entry, Params, Point
from assay.records.recipe import Recipe
from assay.records.run import Metric, Run
from assay.store.store import Store
from assay.tracking.printed import STREAMS
from assay.tracking.summary import summarise


def entries_so_far(store: Store, run_id: str) -> Iterator[Entry]:
    """All entries of a run's journals, in the order of time; then, where nobody has read its output yet, the points in it.

    Their time is that at which the output last grew, since only the run itself knows when each line came.

    Raises:
        UnknownRun: there is no such run.
        StoreUnusable: its journals cannot be read.
    """
    run = store.runs.read(run_id)
    unread = run.result is None
    params: dict[str, Any] = {}
    for entry in store.runs.entries(run_id):
        if isinstance(entry, Params):
            params |= entry.values
        elif isinstance(entry, Point) and entry.source != "log":
            unread = False  # the end of the run began, and got as far as reading what it left
        yield entry
    if unread:
        yield from _printed(store, run, params)


def metrics_so_far(store: Store, run: Run) -> dict[str, Metric]:
    """The summaries of a run's metrics: those of its result, or of what it has said until now.

    Raises:
        StoreUnusable: its journals cannot be read.
    """
    return run.result.metrics if run.result is not None else summarise(entries_so_far(store, run.id))


def _printed(store: Store, run: Run, params: Mapping[str, Any]) -> list[Point]:
    # Late: most runs that are looked at have a result, and the readers of all formats take some milliseconds to load.
    from assay.tracking.sources.harvest import Output, harvest, read_stream

    outputs: list[Output] = []
    for name in STREAMS:
        path = store.runs.folder(run.id) / name
        try:
            status = path.stat()
            outputs.append(read_stream(path, [(status.st_size, status.st_mtime)]))
        except OSError:  # it has no such stream, or its end has just taken it away
            continue
    given = store.objects.record(run.start.recipe, Recipe).params
    return harvest(store.runs.folder(run.id), (), outputs, {**given, **params}).points
