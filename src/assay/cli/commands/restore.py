"""`assay restore`: a run's code, back in a folder of its own."""

from __future__ import annotations

import os

import click

from assay.cli.output import emit, hint, json_option, say
from assay.project.project import Project


@click.command(name="restore")
@click.argument("run")
@click.argument("paths", nargs=-1, metavar="[PATH]...")
@click.option("--to", type=click.Path(), metavar="DIR", help="A new or empty folder.  [default: restored-ID]")
@json_option
def command(run: str, paths: tuple[str, ...], to: str | None, as_json: bool) -> int:
    """Put the code of RUN, or the PATHs of it, into a folder of its own. Nothing that is there now is touched."""
    project = Project.open()
    found = project.resolve(run)
    target = project.restore(found, paths, to=to if to is not None else f"restored-{found.id[:8]}")
    module_path = project.module_path(found, target)
    if as_json:
        emit({"version": 1, "run": found.id, "folder": str(target), "module_path": module_path})
        return 0
    say(str(target))
    if module_path:
        hint(f"assay: it imported code from outside the project; to use that of then: PYTHONPATH={os.pathsep.join(module_path)}")
    return 0
