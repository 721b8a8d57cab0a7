"""`assay lineage`: what a run builds on, as a tree."""

from __future__ import annotations

from collections.abc import Sequence

import click

from assay.cli.output import emit, json_option, moment, say, state_text
from assay.errors import AssayError
from assay.lineage.graph import Edge
from assay.project import documents
from assay.project.project import Project
from assay.report.layout import safe


@click.command(name="lineage")
@click.argument("run")
@json_option
def command(run: str, as_json: bool) -> int:
    """Show the runs that RUN builds on, to any depth, and the files that lead from one to the next."""
    project = Project.open()
    found = project.lineage(run)
    if as_json:
        emit(documents.origin(project.store, [project.resolve(one) for one in found.runs], found.edges))
    else:
        say(tree(project, found.runs[0], found.edges))
    return 0


def tree(project: Project, head: str, edges: Sequence[Edge]) -> str:
    """The run `head` with what it builds on below it, each indented below the run that it led to; a run is opened only once."""
    lines: list[str] = []
    pending: list[tuple[int, str, str]] = [(0, "", head)]
    opened: set[str] = set()
    while pending:
        depth, how, run = pending.pop()
        again = " (as above)" if run in opened else ""
        lines.append("    " * depth + (f"{how} " if how else "") + _line(project, run) + again)
        if run not in opened:
            opened.add(run)
            below = [
                (depth + 1, safe(f"{edge.by} {edge.path}".strip()) + " from", edge.source) for edge in edges if edge.target == run
            ]
            pending.extend(reversed(below))
    return "\n".join(lines)


def _line(project: Project, run_id: str) -> str:
    try:
        run = project.resolve(run_id)
    except AssayError:
        return f"{run_id[:8]} (not in this store)"
    parts = [run.id[:8], safe(run.start.name), state_text(run.state), moment(run.start.started), safe(" ".join(run.start.command))]
    return "  ".join(part for part in parts if part)
