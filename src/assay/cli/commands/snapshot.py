"""`assay snapshot`: the code as it is now, kept under an id that a later job can run."""

from __future__ import annotations

import click

from assay.cli.lazy import Entry, LazyGroup
from assay.cli.output import emit, json_option, say
from assay.project.project import Project

SNAPSHOT_COMMANDS = {
    "ls": Entry("snapshot_ls", "List the snapshots that are kept."),
    "rm": Entry("snapshot_rm", "Keep snapshots no longer."),
}


@click.group(name="snapshot", cls=LazyGroup, entries=SNAPSHOT_COMMANDS, invoke_without_command=True)
@json_option
@click.pass_context
def command(context: click.Context, as_json: bool) -> int:
    """Keep the code of the project as it is now, and print the id of its tree.

    A job that waits in a queue runs that code with `assay run --from-snapshot=TREE`, whatever the folder has become by then. A snapshot is
    kept until `assay snapshot rm TREE`; what runs need of it stays then too.
    """
    if context.invoked_subcommand is not None:
        return 0
    taken = Project.open(create=True).snapshot()
    if as_json:
        emit({"version": 1, "tree": taken.tree, "files": len(taken.files), "left_out": taken.left_out})
    else:
        say(taken.tree)
    return 0
