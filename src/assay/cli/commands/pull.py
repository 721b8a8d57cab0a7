"""`assay pull`: runs from a remote."""

from __future__ import annotations

import click

from assay.cli.moving import Watch, summary, tell_faults
from assay.cli.output import emit, json_option, say
from assay.project import sharing
from assay.project.documents_store import moved
from assay.project.project import Project


@click.command(name="pull")
@click.argument("remote", required=False)
@click.argument("runs", nargs=-1, metavar="[RUN]...")
@click.option("--check", is_flag=True, help="Look again whether the content of runs that are here already is here.")
@json_option
def command(remote: str | None, runs: tuple[str, ...], check: bool, as_json: bool) -> int:
    """Get the runs of REMOTE that are not here: all, with studies and data sets, or the RUNs (an id, a prefix or a name) with what they need.

    REMOTE is a saved name (`assay remote`), a folder (a store, or a project that has one), a bundle (`assay publish`), or s3://bucket/prefix;
    where it is left out, the remote saved as origin. Files of the project are not touched.
    """
    project = Project.open(create=True)
    with Watch() as watch:
        found = sharing.pull(project.store, remote, runs, check=check, progress=watch)
    if as_json:
        emit(moved(found, project.store.remotes.address(remote)))
    else:
        say(summary(found))
    return tell_faults(found)
