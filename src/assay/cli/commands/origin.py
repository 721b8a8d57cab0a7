"""`assay origin`: from a file back to the runs that made it."""

from __future__ import annotations

import click

from assay.cli.boundary import NO, YES
from assay.cli.commands.lineage import tree
from assay.cli.output import emit, hint, json_option, say
from assay.project import documents
from assay.project.project import Project


@click.command(name="origin", epilog="Returns 1 where no run in this store wrote it.")
@click.argument("file")
@json_option
def command(file: str, as_json: bool) -> int:
    """Find the runs that wrote the content of FILE, wherever it lies now, and what they build on. FILE may be the id of a content."""
    project = Project.open()
    found = project.origin(file)
    if as_json:
        emit(documents.origin(project.store, [project.resolve(run) for run in found.runs], found.edges))
    elif found.runs:
        built_on = {edge.source for edge in found.edges}
        heads = [run for run in found.runs if run not in built_on] or list(found.runs[:1])
        for head in heads:
            say(tree(project, head, found.edges))
    else:
        hint(f"assay: no run in this store wrote the content of {file}.")
    return YES if found.runs else NO
