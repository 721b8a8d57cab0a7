"""`assay remote rm`: a name forgotten."""

from __future__ import annotations

import click

from assay.cli.output import emit, json_option, say
from assay.project.project import Project
from assay.report.document import VERSION
from assay.report.layout import safe


@click.command(name="rm")
@click.argument("name")
@json_option
def command(name: str, as_json: bool) -> int:
    """Forget NAME. The remote itself, and what was pushed to it, stay as they are."""
    Project.open(create=True).store.remotes.remove(name)
    if as_json:
        emit({"version": VERSION, "removed": name})
    else:
        say(f"{safe(name)}  is forgotten")
    return 0
