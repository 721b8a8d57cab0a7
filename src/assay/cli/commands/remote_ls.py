"""`assay remote ls`: the saved remotes."""

from __future__ import annotations

import click

from assay.cli.output import emit, hint, json_option, say, width
from assay.project.documents_store import saved_remotes
from assay.project.project import Project
from assay.report.layout import Column, text_table

_COLUMNS = (Column("name"), Column("address", wraps=True))


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
        say(text_table(_COLUMNS, [(remote.name, remote.address) for remote in found], width()))
    return 0
