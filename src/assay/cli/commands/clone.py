"""`assay clone`: a new folder with all that a remote has."""

from __future__ import annotations

import click

from assay.cli.moving import Watch, summary, tell_faults
from assay.cli.output import emit, hint, json_option, say
from assay.project import sharing
from assay.project.documents_store import moved


@click.command(name="clone")
@click.argument("remote")
@click.argument("folder", required=False, metavar="[DIR]")
@json_option
def command(remote: str, folder: str | None, as_json: bool) -> int:
    """Make DIR, a new or empty folder, with a store that holds the runs, studies and data sets of REMOTE.

    REMOTE is saved there as origin, so that `assay pull` and `assay push` find it. No file of a project is put there: `assay restore RUN` does that.
    """
    with Watch() as watch:
        target, found = sharing.clone(remote, folder, progress=watch)
    if as_json:
        emit(moved(found, remote, target))
    else:
        say(f"{target}: {summary(found)}")
        hint("assay: `assay ls` there lists the runs, `assay restore RUN` puts a run's code into a folder.")
    return tell_faults(found)
