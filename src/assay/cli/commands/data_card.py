"""`assay data card`: what people must know of a data set."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from assay.cli.output import emit, hint, json_option
from assay.project.project import Project
from assay.report.document import to_json


@click.command(name="card")
@click.argument("version")
@click.option("--title", metavar="TEXT", help="Its title.")
@click.option("--description", metavar="TEXT", help="What it is.")
@click.option("--source", metavar="URL", help="Where it comes from: a URL, or words.")
@click.option("--licence", metavar="TEXT", help="A URL or SPDX identifier.")
@click.option("--access", metavar="TEXT", help="Who may get it, and how.")
@click.option("--privacy", metavar="TEXT", help="What it says of people, and what was done about that.")
@click.option("--creator", "creators", multiple=True, metavar="NAME", help="Who made it; may be repeated.")
@click.option("--published", metavar="DATE", help="When it was published, such as 2026-11-21.")
@click.option("--cite", metavar="TEXT", help="How to cite it.")
@click.option("--step", "generation", multiple=True, metavar="TEXT", help="A step that made it; may be repeated, in order.")
@click.option("--to", type=click.Path(), metavar="FILE", help="Write the card into this file.")
@json_option
def command(version: str, to: str | None, as_json: bool, **fields: Any) -> int:
    """Print the data card of VERSION as a Croissant document (JSON-LD), with the SHA-256 of every file.

    What options do not say is read from PATH.card.yaml beside the data, a mapping of the same names (creators and generation are lists), or
    is as it was recorded before. What is new is recorded.
    """
    document = Project.open().data.card(version, {name: value for name, value in fields.items() if value})
    if to is not None:
        Path(to).write_text(to_json(document), encoding="utf-8")
        hint(f"written to {to}")
    if to is None or as_json:
        emit(document)
    missing = [name for name in ("description", "license", "isBasedOn") if name not in document]
    if missing and not as_json:
        hint(f"the card does not say: {', '.join(missing)} (see `assay data card --help`)")
    return 0
