"""`assay tag`: words to find a run by, given after it was recorded."""

from __future__ import annotations

import click

from assay.cli.output import emit, json_option, say
from assay.project.project import Project
from assay.report.layout import safe


@click.command(name="tag")
@click.argument("run")
@click.argument("tags", nargs=-1, required=True, metavar="TAG...")
@click.option("--remove", is_flag=True, help="Take the tags away instead.")
@json_option
def command(run: str, tags: tuple[str, ...], remove: bool, as_json: bool) -> int:
    """Give RUN words to be found by, as in `assay ls --where "'paper' in tags"`. The run itself does not change."""
    project = Project.open()
    found = project.resolve(run)
    standing = project.tag(found, *tags, remove=remove)
    if as_json:
        emit({"version": 1, "run": found.id, "tags": standing})
    else:
        say(f"{found.id[:8]}  {safe(', '.join(standing)) or 'no tags'}")
    return 0
