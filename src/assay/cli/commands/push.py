"""`assay push`: runs to a remote."""

from __future__ import annotations

import click

from assay.cli.moving import Watch, summary, tell_faults
from assay.cli.output import emit, json_option, say
from assay.project import sharing
from assay.project.documents_store import moved
from assay.project.project import Project


@click.command(
    name="push", epilog="An S3 server and its credentials are found as S3 tools find them: AWS_ACCESS_KEY_ID, AWS_ENDPOINT_URL …"
)
@click.argument("remote", required=False)
@click.argument("runs", nargs=-1, metavar="[RUN]...")
@click.option("--check", is_flag=True, help="Look again whether the content of runs that arrived before is there.")
@json_option
def command(remote: str | None, runs: tuple[str, ...], check: bool, as_json: bool) -> int:
    """Give REMOTE the runs that it lacks: all, with studies and data sets, or the RUNs with what they need.

    REMOTE is a saved name (`assay remote`), a folder, or s3://bucket/prefix; where it is left out, the remote saved as origin. What is
    interrupted continues where it was when the command is given again. Nothing half-arrived is ever seen there.
    """
    project = Project.open()
    with Watch() as watch:
        found = sharing.push(project.store, remote, [project.resolve(run).id for run in runs], check=check, progress=watch)
    if as_json:
        emit(moved(found, project.store.remotes.address(remote)))
    else:
        say(summary(found))
    return tell_faults(found)
