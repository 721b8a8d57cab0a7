"""`assay remote ls`: the saved remotes."""

from __future__ import annotations

import click

from assay.cli.output import emit, hint, json_option, say
from assay.project.documents_store import saved_remotes
from assay.project.project import Project
from assay.report.layout import safe


@click.command(name="ls")
@json_option
def command(as_json: bool) -> int:
    """List the saved remotes by name."""
    found = Project.open().store.remotes.listed()
    if as_json:
        emit(saved_remotes(found))
    elif not found:
        hint("assay: no remotes are saved; `assay remote add NAME ADDRESS` saves one.")
    else:
        room = max(len(remote.name) for remote in found)
        for remote in found:
            say(f"{remote.name:<{room}}  {safe(remote.address)}")  # never broken: addresses are there to be copied
    return 0
