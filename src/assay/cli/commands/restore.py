"""`assay restore`: a run's code and artifacts, back in the project or in a folder of their own."""

from __future__ import annotations

import os
from collections.abc import Sequence

import click

from assay.cli.moving import counted
from assay.cli.output import emit, hint, json_option, say
from assay.errors import InvalidValue
from assay.project.project import Project
from assay.project.restore import PutBack
from assay.records.run import Run
from assay.report.layout import safe

_DONE = {"create": "created", "overwrite": "overwritten", "remove": "removed"}
_BACK_DIGITS = 12
_LISTED = 20


@click.command(
    name="restore",
    epilog="`--undo last` leads back too, where a restore was interrupted before it could say how.",
)
@click.argument("run", required=False)
@click.argument("paths", nargs=-1, metavar="[PATH]...")
@click.option("--to", type=click.Path(), metavar="DIR", help="A new or empty folder, instead of the project itself.")
@click.option("--dry-run", is_flag=True, help="Say what would happen, and touch nothing.")
@click.option("--undo", metavar="ID", help="Put back what an earlier restore into the project replaced: its id, or last.")
@json_option
def command(run: str | None, paths: tuple[str, ...], to: str | None, dry_run: bool, undo: str | None, as_json: bool) -> int:
    """Put the code of RUN back, or the PATHs of it: files and folders of its code, and artifacts that were kept.

    Nothing is lost: what would be overwritten is kept first, and the way back is printed as a command. Files that RUN did not have stay
    where they are. PATHs are relative to the project's root or to the working directory.
    """
    _check_use(run, paths, to, undo)
    project = Project.open()
    if undo is not None:
        _tell(project.undo(undo, dry_run=dry_run), None, dry_run, as_json)
        return 0
    found = project.resolve(run or "")
    if to is not None:
        if dry_run:
            raise InvalidValue("a folder of its own needs no rehearsal", value=to, expected="--dry-run without --to")
        _put_beside(project, found, paths, to, as_json)
        return 0
    _tell(project.put_back(found, paths, dry_run=dry_run), found, dry_run, as_json)
    return 0


def _check_use(run: str | None, paths: Sequence[str], to: str | None, undo: str | None) -> None:
    if undo is None and run is None:
        raise InvalidValue("nothing to restore was named", expected="a RUN, or --undo ID", next_step="`assay ls` lists the runs.")
    if undo is not None and (run is not None or paths or to is not None):
        raise InvalidValue("--undo stands alone", value=run or to, expected="--undo ID, without a RUN, PATHs or --to")


def _put_beside(project: Project, run: Run, paths: Sequence[str], to: str, as_json: bool) -> None:
    target = project.restore(run, paths, to=to)
    module_path = project.module_path(run, target)
    if as_json:
        emit({"version": 1, "run": run.id, "folder": str(target), "module_path": module_path})
        return
    say(str(target))
    if module_path:
        hint(f"assay: it imported code from outside the project; to use that of then: PYTHONPATH={os.pathsep.join(module_path)}")


def _tell(done: PutBack, run: Run | None, dry_run: bool, as_json: bool) -> None:
    way_back = f"assay restore --undo {done.back[:_BACK_DIGITS]}" if done.back else None
    if as_json:
        files = [{"path": step.path.decode("utf-8", "backslashreplace"), "how": step.how} for step in done.steps]
        emit(
            {
                "version": 1, "run": run.id if run else None, "folder": str(done.folder), "dry_run": dry_run, "files": files,
                "unchanged": done.unchanged, "outside": list(done.outside), "back": done.back, "way_back": way_back,
            }
        )  # fmt: skip
        return
    for step in done.steps[:_LISTED]:
        say(f"{f'would be {_DONE[step.how]}' if dry_run else _DONE[step.how]}  {safe(os.fsdecode(step.path))}")
    if len(done.steps) > _LISTED:
        say(f"and {len(done.steps) - _LISTED} more")
    if done.unchanged or not done.steps:
        say(f"{done.unchanged} files were there already" if done.unchanged != 1 else "1 file was there already")
    if done.outside:
        hint(
            f"assay: {counted(len(done.outside), 'file')} of its code outside the project left as found, such as "
            f"{safe(done.outside[0])} (--to DIR puts them into a folder of their own)."
        )
    if way_back:
        say(f"way back: {way_back}")
