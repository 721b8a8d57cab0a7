"""`assay snapshot ls`: the snapshots that are kept."""

from __future__ import annotations

import click

from assay.cli.output import age, emit, hint, json_option, say, width
from assay.project.project import Project
from assay.report.document import VERSION, plain
from assay.report.layout import Column, text_table

_COLUMNS = (Column("tree"), Column("files", "right"), Column("taken"), Column("by", wraps=True))


@click.command(name="ls")
@json_option
def command(as_json: bool) -> int:
    """List the snapshots that are kept, the newest first."""
    found = Project.open().snapshots()
    if as_json:
        emit({"version": VERSION, "snapshots": [plain(kept) for kept in found]})
    elif not found:
        hint("assay: no snapshots are kept; `assay snapshot` takes one.")
    else:
        rows = [(kept.tree[:12], f"{kept.files:,}", age(kept.taken), f"{kept.user}@{kept.host}") for kept in found]
        say(text_table(_COLUMNS, rows, width()))
    return 0
