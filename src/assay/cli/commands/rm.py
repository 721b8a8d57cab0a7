"""`assay rm`: runs taken out of every answer, and brought back."""

from __future__ import annotations

import click

from assay.cli.output import emit, hint, json_option, say
from assay.errors import InvalidValue
from assay.project.project import Project


@click.command(name="rm")
@click.argument("runs", nargs=-1, metavar="[RUN]...")
@click.option("--force", is_flag=True, help="Also where other runs build on them.")
@click.option("--undo", metavar="ID", help="Bring a removed run back.")
@json_option
def command(runs: tuple[str, ...], force: bool, undo: str | None, as_json: bool) -> int:
    """Remove RUNs. They are moved aside, and can be brought back until `assay gc --delete` has collected them.

    Runs on which others build are not removed, unless --force.
    """
    project = Project.open()
    if undo is not None:
        if runs:
            raise InvalidValue("--undo stands alone", value=runs[0], expected="--undo ID, without RUNs")
        back = project.bring_back(undo)
        if as_json:
            emit({"version": 1, "back": back})
        else:
            say(f"{back[:8]}  is back")
        return 0
    if not runs:
        raise InvalidValue("nothing to remove was named", expected="a RUN, or --undo ID", next_step="`assay ls` lists the runs.")
    found = [project.resolve(run) for run in runs]
    orphans = project.remove(*found, force=force)
    removed = list(dict.fromkeys(run.id for run in found))
    if as_json:
        emit({"version": 1, "removed": removed, "built_on": orphans})
        return 0
    for run_id in removed:
        say(f"{run_id[:8]}  removed (way back: assay rm --undo {run_id[:8]})")
    if orphans:
        hint(f"assay: these build on them and stay: {', '.join(orphans)}")
    return 0
