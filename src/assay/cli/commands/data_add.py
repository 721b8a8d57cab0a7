"""`assay data add`: a version of a data set."""

from __future__ import annotations

import gc
from typing import Literal

import click

from assay.cli.output import emit, hint, json_option, say, size
from assay.project import documents_data
from assay.project.data import DataSets
from assay.report.layout import safe

_NAMED = 10  # files that are named; more are counted


@click.command(name="add")
@click.argument("path", type=click.Path())
@click.option(
    "--name", metavar="NAME", help="Name of the data set.  [default: that of the path, as it was added before, or the path]"
)
@click.option(
    "--policy",
    type=click.Choice(["kept", "hashed"]),
    help="Whether contents are kept in the store, or only identified.  [default: as the version before, or kept]",
)
@json_option
def command(path: str, name: str | None, policy: Literal["kept", "hashed"] | None, as_json: bool) -> int:
    """Add what PATH holds now as the newest version of a data set. Where nothing has changed, nothing is added."""
    # A data set of a million files makes millions of objects, none of them in a cycle: looking for cycles would be a fifth of the time.
    gc.disable()
    done = DataSets.open(create=True).add(path, name=name, policy=policy)
    if as_json:
        emit(documents_data.added(*done))
        return 0
    version = done.version
    files = f"{len(version.sizes):,} {'file' if len(version.sizes) == 1 else 'files'}, {size(sum(version.sizes))}"
    say(
        f"{done.listed.entry.name}@{done.listed.entry.content[:12]}  {files}, {version.policy}{'' if done.new else '; nothing changed'}"
    )
    say_reasons("not kept", version.not_kept)
    say_reasons("not as it lies there", version.left_out)
    return 0


def say_reasons(heading: str, reasons: dict[str, str]) -> None:
    """Name files with what is to be said of each, on standard error."""
    for path, reason in list(reasons.items())[:_NAMED]:
        hint(f"  {heading}: {safe(path)} ({reason})")
    if len(reasons) > _NAMED:
        hint(f"  {heading}: and {len(reasons) - _NAMED:,} more (--json names all)")
