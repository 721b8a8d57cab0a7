"""`assay fsck`: what is wrong with a store."""

from __future__ import annotations

import click

from assay.cli.boundary import NO, YES
from assay.cli.moving import counted
from assay.cli.output import emit, hint, json_option, say, size
from assay.project.documents_store import checked
from assay.project.project import Project
from assay.report.layout import safe
from assay.store.fsck import DAMAGED, Checked, Problem

_NAMED = 8


@click.command(name="fsck")
@click.option(
    "--repair", is_flag=True, help="Move damaged objects out of the way, so that what still has the content can put it back."
)
@json_option
def command(repair: bool, as_json: bool) -> int:
    """Read everything that the store holds, and name each object, run, journal and study that is damaged or missing, with the runs it touches.

    The exit code is 1 where something is wrong.
    """
    project = Project.open()
    found = project.fsck(repair=repair)
    if as_json:
        emit(checked(found))
    else:
        tell(found, {run.id: run.start.name for run in project.runs(variants=True)})
    return NO if found.problems else YES


def tell(found: Checked, names: dict[str, str]) -> None:
    """Print what was found, a line for each problem."""
    for problem in found.problems:
        say(safe(f"{problem.kind} {problem.about}: {problem.text}{_touched(problem, names)}"))
    held = f"{counted(found.objects, 'object')} ({size(found.bytes)}), {counted(found.runs, 'run')}, {counted(found.studies, 'study', 'studies')}"
    say(f"{held}: {counted(len(found.problems), 'problem') if found.problems else 'nothing is wrong'}")
    if found.repaired:
        hint(
            f"assay: {len(found.repaired)} damaged objects were moved to .assay/{DAMAGED}; `assay pull REMOTE --check` or a new run puts them back."
        )


def _touched(problem: Problem, names: dict[str, str]) -> str:
    if problem.about in problem.runs or not (problem.runs or problem.snapshots):
        return ""
    shown = [f"{run[:8]} ({names[run]})" if names.get(run) else run[:8] for run in problem.runs[:_NAMED]]
    shown += [f"snapshot {tree[:12]}" for tree in problem.snapshots[:_NAMED]]
    more = f" and {len(problem.runs) - _NAMED} more" if len(problem.runs) > _NAMED else ""
    return f"; touches {', '.join(shown)}{more}"
