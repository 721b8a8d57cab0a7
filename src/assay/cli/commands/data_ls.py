"""`assay data ls`: data sets, or the versions of one."""

from __future__ import annotations

import click

from assay.cli.output import age, emit, hint, json_option, say, size, width
from assay.project import documents_data
from assay.project.project import Project
from assay.records.dataset import DataVersion
from assay.report.layout import Column, text_table
from assay.store.datasets import Listed

_COLUMNS = (
    Column("data set", wraps=True),
    Column("version"),
    Column("files", "right"),
    Column("size", "right"),
    Column("policy"),
    Column("added"),
    Column("card"),
)


@click.command(name="ls")
@click.argument("name", required=False)
@json_option
def command(name: str | None, as_json: bool) -> int:
    """List data sets with their last version, or all versions of NAME, the newest first."""
    data = Project.open().data
    found = [(listed, data.version(listed)) for listed in data.history(name)]
    if as_json:
        emit(documents_data.listing(found))
    elif not found:
        hint("assay: no data sets yet; `assay data add PATH` adds one.")
    else:
        say(text_table(_COLUMNS, [_row(listed, version) for listed, version in found], width()))
    return 0


def _row(listed: Listed, version: DataVersion) -> tuple[str, ...]:
    return (
        listed.entry.name,
        listed.entry.content[:12],
        f"{len(version.sizes):,}",
        size(sum(version.sizes)),
        version.policy,
        age(listed.entry.added),
        "yes" if listed.entry.card else "",
    )
