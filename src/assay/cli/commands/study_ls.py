"""`assay study ls`: the studies of a project."""

from __future__ import annotations

import click

from assay.cli.output import emit, hint, json_option, say, width
from assay.project.project import Project
from assay.questions.study.archive import studies
from assay.report.layout import Column, text_table


@click.command(name="ls")
@json_option
def command(as_json: bool) -> int:
    """List studies, the newest first."""
    found = [(study, definition) for study, definition in studies(Project.open().store) if not definition.serves]
    if as_json:
        fields = [
            {"study": study, "name": definition.name, "design": definition.design, "subject": definition.subject}
            | {"components": [factor.name for factor in definition.factors], "metrics": [goal.name for goal in definition.goals]}
            | {"seeds": list(definition.seeds)}
            for study, definition in found
        ]
        emit({"version": 1, "studies": fields})
    elif not found:
        hint("assay: no studies yet; `assay study run FILE` runs one.")
    else:
        columns = [
            Column("study"),
            Column("name", wraps=True),
            Column("design"),
            Column("components", "right"),
            Column("seeds", "right"),
        ]
        columns.append(Column("of", wraps=True))
        rows = [
            (
                study[:8],
                definition.name,
                definition.design,
                str(len(definition.factors)),
                str(len(definition.seeds)),
                definition.subject,
            )
            for study, definition in found
        ]
        say(text_table(columns, rows, width()))
    return 0
