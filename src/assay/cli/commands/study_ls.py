"""`assay study ls`: the studies of a project."""

from __future__ import annotations

from typing import Any

import click

from assay.cli.output import emit, hint, json_option, say, width
from assay.project.project import Project
from assay.questions.study.archive import state_of, studies
from assay.questions.study.definition import Definition
from assay.questions.study.working import workers_of
from assay.report.layout import Column, text_table
from assay.store.store import Store
from assay.tracking.command import as_written

_WAYS = {"extend": "extends", "next": "grew out of"}


@click.command(name="ls")
@json_option
def command(as_json: bool) -> int:
    """List studies, the newest first: whether they run, and which study each one extends or grew out of."""
    store = Project.open().store
    found = [(study, definition, _state(store, study)) for study, definition in studies(store) if not definition.serves]
    if as_json:
        emit({"version": 1, "studies": [_document(*one) for one in found]})
    elif not found:
        hint("assay: no studies yet; `assay study run FILE` runs one.")
    else:
        columns = [Column("study"), Column("name", wraps=True), Column("state"), Column("design", wraps=True)]
        columns += [Column("components", "right"), Column("seeds", "right"), Column("from"), Column("of", wraps=True)]
        say(text_table(columns, [_row(*one) for one in found], width()))
    return 0


def _state(store: Store, study: str) -> str:
    return "running" if workers_of(store, study) else state_of(store, study)


def _row(study: str, definition: Definition, state: str) -> tuple[str, ...]:
    origin = definition.origin
    splits = definition.splits
    seeds = f"{len(definition.seeds)}" if splits is None else f"{len(definition.seeds)} x {len(splits.names)} {splits.parameter}s"
    came = "" if origin is None else f"{_WAYS[origin.by]} {origin.study[:8]}"
    command = as_written(definition.subject)
    subject = command if definition.evaluation is None else f"evaluation only: {command}"
    return study[:8], definition.name, state, definition.design, str(len(definition.factors)), seeds, came, subject


def _document(study: str, definition: Definition, state: str) -> dict[str, Any]:
    origin, splits = definition.origin, definition.splits
    return {
        "study": study,
        "name": definition.name,
        "state": state,
        "design": definition.design,
        "subject": definition.subject,
        "evaluation": definition.evaluation,
        "components": [factor.name for factor in definition.factors],
        "metrics": [goal.name for goal in definition.goals],
        "seeds": list(definition.seeds),
        "splits": None if splits is None else list(splits.names),
        "origin": None if origin is None else {"study": origin.study, "by": origin.by},
    }
