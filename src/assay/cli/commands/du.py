"""`assay du`: what takes space."""

from __future__ import annotations

import click

from assay.cli.output import emit, hint, json_option, say, size, width
from assay.project.documents_store import used
from assay.project.project import Project
from assay.report.layout import Column, text_table


@click.command(name="du")
@click.option(
    "--limit", type=click.IntRange(1), default=20, show_default=True, metavar="N", help="At most N runs, the largest first."
)
@json_option
def command(limit: int, as_json: bool) -> int:
    """Say what takes space in the store, by kind and by run. Content that several runs share is counted once in all that is summed.

    A run's "own" is what no other run needs: what would be free without it.
    """
    found = Project.open().du()
    if as_json:
        emit(used(found))
        return 0
    kinds = [(kind.kind, str(kind.objects), size(kind.bytes)) for kind in found.kinds]
    say(
        text_table(
            [Column("kind"), Column("objects", "right"), Column("size", "right")], [*kinds, ("all", "", size(found.bytes))], width()
        )
    )
    if found.runs:
        say()
        rows = [(run.run[:8], run.name, size(run.own), size(run.bytes)) for run in found.runs[:limit]]
        say(
            text_table(
                [Column("run"), Column("name", wraps=True), Column("own", "right"), Column("with shared", "right")], rows, width()
            )
        )
    if len(found.runs) > limit:
        hint(f"assay: {limit} of {len(found.runs)} runs (--limit {len(found.runs)} shows all)")
    return 0
