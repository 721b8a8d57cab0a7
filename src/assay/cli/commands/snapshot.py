"""`assay snapshot`: the code as it is now, kept under an id that a later job can run."""

from __future__ import annotations

import click

from assay.cli.output import emit, json_option, say
from assay.project.project import Project


@click.command(name="snapshot")
@json_option
def command(as_json: bool) -> int:
    """Keep the code of the project as it is now, and print the id of its tree.

    A job that waits in a queue runs that code with `assay run --from-snapshot=TREE`, whatever the folder has become by then.
    """
    taken = Project.open(create=True).snapshot()
    if as_json:
        emit({"version": 1, "tree": taken.tree, "files": len(taken.files), "left_out": taken.left_out})
    else:
        say(taken.tree)
    return 0
