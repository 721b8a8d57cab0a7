"""Runs that stand for one that would be carried out: the same recipe, the same variables that were asked for, and every input as it lies in
the folder that was made for it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from assay.capture.outside import moved
from assay.errors import MissingContent
from assay.execution.again.inputs import content_of
from assay.execution.again.outside import COPIES
from assay.records.environment import Environment
from assay.records.run import Run
from assay.records.trace import FileUse, Trace
from assay.store.store import Store


def standing_for(
    store: Store, recipe: str, variables: Mapping[str, str | None], workspace: Path, used: frozenset[str]
) -> Run | None:
    """The oldest finished run of a recipe whose inputs have the content that they have here; None where there is none.

    Args:
        store: where runs are.
        recipe: id of the recipe.
        variables: environment variables beside the recipe's that it must have had at these values; None: not at all.
        workspace: holds code and inputs; what lies outside is looked at in place, but for that of which the workspace has a copy.
        used: runs that are passed over.
    """
    for run_id in reversed(store.catalogue.with_recipe(recipe)):
        if run_id in used:
            continue
        run = store.runs.read(run_id)
        trace = _trace(store, run)
        if trace is None or not all(_is_here(use, workspace) for use in (*trace.loaded, *trace.read)):
            continue
        if not variables or _had(store, run, variables):
            return run
    return None


def _had(store: Store, run: Run, variables: Mapping[str, str | None]) -> bool:
    seen = (run.result.environment if run.result else None) or run.start.environment
    try:
        recorded = store.objects.record(seen, Environment).variables if seen else {}
    except MissingContent:
        return False
    return all(recorded.get(name) == value for name, value in variables.items())


def _trace(store: Store, run: Run) -> Trace | None:
    """What a finished run was seen to do; None where it did not finish or was not watched, since nobody knows what it used."""
    if run.state != "finished" or run.result is None or run.result.trace is None or run.result.fidelity.grade == "blind":
        return None
    try:
        return store.objects.record(run.result.trace, Trace)
    except MissingContent:
        return None


def _is_here(use: FileUse, workspace: Path) -> bool:
    # A copy of what lies outside comes before its original, which may be another by now.
    copy = moved(use.path, workspace / COPIES) if use.path.startswith("/") else None
    place = copy if copy is not None and copy.exists() else workspace / use.path
    return use.id is not None and content_of(place) == use.id
