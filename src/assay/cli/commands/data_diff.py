"""`assay data diff`: what differs between versions of data sets, file by file."""

from __future__ import annotations

import click

from assay.capture.data_changes import Change, count
from assay.cli.boundary import NO, YES
from assay.cli.output import emit, json_option, say, size
from assay.project import documents_data
from assay.project.project import Project
from assay.report.layout import safe

_SHOWN = 200
_SIGNS = {"added": "+", "removed": "-", "changed": "~", "renamed": ">"}


@click.command(name="diff", epilog="Returns 0 where nothing differs, 1 where something does.")
@click.argument("a")
@click.argument("b", required=False)
@json_option
def command(a: str, b: str | None, as_json: bool) -> int:
    """Say which files differ between the versions A and B: added, removed, changed, renamed.

    NAME@now is what lies there now. Without B, A is compared with that.
    """
    compared = Project.open().data.diff(a, b)
    if as_json:
        emit(documents_data.diff(compared))
        return NO if compared.changes else YES
    for change in compared.changes[:_SHOWN]:
        say(f"{_SIGNS[change.kind]} {_told(change)}")
    if len(compared.changes) > _SHOWN:
        say(f"… and {len(compared.changes) - _SHOWN:,} more (--json names all)")
    counts = ", ".join(f"{number:,} {kind}" for kind, number in count(compared.changes).items() if number)
    say(f"{compared.a} and {compared.b}: {counts or 'no difference'}")
    return NO if compared.changes else YES


def _told(change: Change) -> str:
    path = safe(change.path)
    if change.kind == "renamed":
        return f"{path}  (was {safe(change.before)})"
    if change.a is not None and change.b is not None:
        if change.a.id == change.b.id:
            return f"{path}  (was {change.a.kind}, is {change.b.kind})"
        return f"{path}  ({size(change.a.size)}, now {size(change.b.size)})"
    file = change.b or change.a
    return f"{path}  ({size(file.size)})" if file else path
