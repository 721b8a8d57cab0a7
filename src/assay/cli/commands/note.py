"""`assay note`: a text beside a run."""

from __future__ import annotations

import click

from assay.cli.output import emit, json_option, say
from assay.project import documents
from assay.project.project import Project


@click.command(name="note")
@click.argument("run")
@click.argument("text")
@json_option
def command(run: str, text: str, as_json: bool) -> int:
    """Put a TEXT beside RUN, which `assay show` shows. The run itself does not change, and notes are never edited."""
    project = Project.open()
    found = project.resolve(run)
    project.note(found, text)
    notes = documents.notes(project.store, found)
    if as_json:
        emit({"version": 1, "run": found.id, "notes": notes})
    else:
        say(f"{found.id[:8]}  {len(notes)} {'note' if len(notes) == 1 else 'notes'}")
    return 0
