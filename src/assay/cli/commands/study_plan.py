"""`assay study plan`: what would be run, before anything is."""

from __future__ import annotations

import click

from assay.cli.output import emit, json_option, say
from assay.project.study_file import load_study_file
from assay.questions.study.running import before_the_start
from assay.report.document import study_document

design_option = click.option("--design", metavar="D", help="leave-one-out or full, in place of what the file says.")


@click.command(name="plan")
@click.argument("file", type=click.Path())
@design_option
@json_option
def command(file: str, design: str | None, as_json: bool) -> int:
    """Show the plan of the study in FILE: its trials, the time they will take, what it can and cannot tell. Nothing is run or written."""
    view = load_study_file(file).plan(design)
    if as_json:
        emit(study_document(before_the_start(view.definition, view.plan)))
    else:
        say(str(view))
    return 0
