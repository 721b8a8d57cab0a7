"""`assay push`: runs to a remote."""

from __future__ import annotations

import os

import click

from assay.cli.moving import Watch, summary, tell_faults
from assay.cli.output import emit, json_option, say
from assay.errors import AssayError, InvalidValue
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
    _refuse_a_run(project, remote)
    with Watch() as watch:
        found = sharing.push(project.store, remote, [project.resolve(run).id for run in runs], check=check, progress=watch)
    if as_json:
        emit(moved(found, project.store.remotes.address(remote)))
    else:
        say(summary(found))
    return tell_faults(found)


def _refuse_a_run(project: Project, remote: str | None) -> None:
    """A run where the remote belongs would be taken for a new folder of that name.

    Raises:
        InvalidValue: it names a run, and neither a saved remote nor a folder.
    """
    if remote is None or "/" in remote or os.path.lexists(remote) or project.store.remotes.address(remote) != remote:
        return
    try:
        project.resolve(remote)
    except AssayError:
        return
    raise InvalidValue(
        "this names a run, and a remote is wanted first", value=remote, expected="REMOTE, then RUNs",
        next_step=f"`assay push origin {remote}` pushes the run; a new folder of this name is written ./{remote}.",
    )  # fmt: skip
