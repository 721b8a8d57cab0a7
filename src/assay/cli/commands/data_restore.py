"""`assay data restore`: a version of a data set, put back."""

from __future__ import annotations

import shlex

import click

from assay.cli.commands.data_add import say_reasons
from assay.cli.moving import counted
from assay.cli.output import emit, hint, json_option, say
from assay.project import documents_data
from assay.project.project import Project


@click.command(name="restore")
@click.argument("version")
@click.argument("paths", nargs=-1, metavar="[PATH]...")
@click.option("--to", type=click.Path(), metavar="DIR", help="The folder to put it into.  [default: where it was added]")
@json_option
def command(version: str, paths: tuple[str, ...], to: str | None, as_json: bool) -> int:
    """Put VERSION of a data set back, or the PATHs of it.

    What is right already stays. What would be overwritten is kept first, and the way back is printed. Files that the version does not
    have stay where they are.
    """
    done = Project.open().data.restore(version, paths, to=to)
    if as_json:
        emit(documents_data.restored(done))
        return 0
    say(f"{done.folder}: {len(done.written):,} written, {done.same:,} already there")
    if done.others:
        hint(
            f"  {counted(done.others, 'other file')} that this version does not have {'was' if done.others == 1 else 'were'} left there"
        )
    say_reasons("left as it is", dict.fromkeys(done.not_kept, "its content was never kept: it looked like a secret"))
    if done.overwritten:
        kept = f"{done.overwritten.entry.name}@{done.overwritten.entry.content[:12]}"
        say(f"The way back: assay data restore {shlex.quote(kept)} --to {shlex.quote(done.folder)}")
    return 0
