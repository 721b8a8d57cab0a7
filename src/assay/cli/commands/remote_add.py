"""`assay remote add`: a name for a remote."""

from __future__ import annotations

import click

from assay.cli.output import emit, json_option, say
from assay.project.documents_store import saved_remotes
from assay.project.project import Project


@click.command(name="add")
@click.argument("name")
@click.argument("address")
@json_option
def command(name: str, address: str, as_json: bool) -> int:
    """Save ADDRESS, a folder or s3://bucket/prefix, as NAME. Nothing is asked of the remote."""
    saved = Project.open(create=True).store.remotes.save(name, address)
    if as_json:
        emit(saved_remotes([saved]))
    else:
        say(f"{saved.name}  {saved.address}")
    return 0
