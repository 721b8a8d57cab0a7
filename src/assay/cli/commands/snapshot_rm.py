"""`assay snapshot rm`: snapshots that no job needs any more."""

from __future__ import annotations

import click

from assay.cli.output import emit, json_option, say
from assay.project.project import Project
from assay.report.document import VERSION


@click.command(name="rm")
@click.argument("trees", nargs=-1, required=True, metavar="TREE...")
@json_option
def command(trees: tuple[str, ...], as_json: bool) -> int:
    """Keep the snapshots TREE (ids or unique prefixes of them) no longer. `assay gc` finds what nothing else needs of them."""
    gone = Project.open(create=True).let_go(*trees)
    if as_json:
        emit({"version": VERSION, "removed": gone})
    else:
        for tree in gone:
            say(f"{tree[:12]}  is kept no longer")
    return 0
