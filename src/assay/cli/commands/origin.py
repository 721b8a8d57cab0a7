"""`assay origin`: from a file back to the runs that made it."""

from __future__ import annotations

import click

from assay.cli.boundary import NO, YES
from assay.cli.commands.lineage import drawn
from assay.cli.output import emit, hint, json_option, say
from assay.project import documents
from assay.project.ancestry import Traced
from assay.project.project import Project
from assay.report.layout import safe


@click.command(name="origin", epilog="Returns 1 where no run in this store wrote it, or any of the files of a folder.")
@click.argument("file")
@json_option
def command(file: str, as_json: bool) -> int:
    """Find the runs that wrote the content of FILE, wherever it lies now, and what they build on.

    FILE may be a folder, whose files are looked up one by one; or the id of a content, or the first digits of it.
    """
    project = Project.open()
    found = project.origins(file)
    if as_json:
        runs = [project.resolve(run) for run in found.graph.runs]
        emit(documents.origin(project.store, runs, found.graph.edges, found.files))
        return YES if found.heads else NO
    if len(found.files) != 1:
        _say_files(found)
    if found.heads:
        say(drawn(project, found, "up"))
    else:
        hint(f"assay: no run in this store wrote the content of {safe(file)}.")
    return YES if found.heads else NO


def _say_files(found: Traced) -> None:
    """A line for each file of a folder, before the graph of all."""
    for file in found.files:
        by = ", ".join(f"{run[:8]} as {safe(path)}" for run, path in file.written[:2]) or "no run in this store"
        more = f" and {len(file.written) - 2} more" if len(file.written) > 2 else ""
        say(f"{safe(file.path)}  {file.content[:12]}  {by}{more}")
    say()
