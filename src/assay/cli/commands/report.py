"""`assay report`: the report of a study as files."""

from __future__ import annotations

import click

from assay.cli.output import emit, json_option, say
from assay.project.project import Project
from assay.questions.study.archive import kept_evidence
from assay.report.write import write_report


@click.command(name="report")
@click.argument("study")
@click.option("--to", "folder", required=True, type=click.Path(), metavar="DIR", help="Folder to write it into.")
@json_option
def command(study: str, folder: str, as_json: bool) -> int:
    """Write the report of STUDY (its id or a unique prefix, its name, or last): a page, tables in Markdown and LaTeX, and its numbers as JSON."""
    evidence = kept_evidence(Project.open().store, study)
    written = write_report(evidence, folder)
    if as_json:
        paths = {"page": written.index, "markdown": written.markdown, "latex": written.latex, "effects": written.effects}
        emit({"version": 1, "study": evidence.study, "files": {name: str(path) for name, path in paths.items()}})
    else:
        say(str(written.index))
    return 0
