"""`assay reindex`: the index over the runs, made anew."""

from __future__ import annotations

import click

from assay.cli.output import emit, hint, json_option, say
from assay.project.project import Project
from assay.report.layout import safe


@click.command(name="reindex")
@json_option
def command(as_json: bool) -> int:
    """Make the index over the runs anew from the runs themselves. It keeps itself up to date; this is for when it is in doubt."""
    project = Project.open()
    count = project.reindex()
    problems = project.store.catalogue.problems
    for run, problem in problems.items():
        hint(f"assay: run {run[:8]} cannot be read, and is left out: {safe(str(problem))}")
    if as_json:
        emit({"version": 1, "runs": count, "left_out": sorted(problems)})
    else:
        say("1 run" if count == 1 else f"{count} runs")
    return 0
