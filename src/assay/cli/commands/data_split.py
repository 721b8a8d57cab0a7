"""`assay data split`: parts of a version."""

from __future__ import annotations

import click

from assay.cli.moving import counted
from assay.cli.output import emit, json_option, say, size
from assay.errors import InvalidValue
from assay.project import documents_data
from assay.project.project import Project


@click.command(name="split")
@click.argument("version")
@click.argument("parts", nargs=-1, required=True, metavar="PART=SHARE...")
@click.option("--seed", type=int, default=0, help="Another seed gives another split.  [default: 0]")
@click.option(
    "--stratify", default="", metavar="COLUMN", help="Hold the shares within each value of this column; of files: folder."
)
@json_option
def command(version: str, parts: tuple[str, ...], seed: int, stratify: str, as_json: bool) -> int:
    """Split VERSION into parts, for example train=0.8 test=0.2 (or 4 and 1), each a data set of its own: NAME/train, NAME/test.

    A folder is split by its files, a table (CSV, TSV, JSON lines, text) by its rows. The same content never goes to two parts. The rule and
    the seed are recorded; they alone and the contents decide, so that the split is the same everywhere.
    """
    data = Project.open().data
    made = [(listed, data.version(listed)) for listed in data.split(version, _shares(parts), seed=seed, stratify=stratify)]
    if as_json:
        emit(documents_data.listing(made))
        return 0
    for listed, found in made:
        say(f"{listed.entry.name}@{listed.entry.content[:12]}  {counted(len(found.sizes), 'file')}, {size(sum(found.sizes))}")
    return 0


def _shares(parts: tuple[str, ...]) -> dict[str, float]:
    shares = {}
    for text in parts:
        name, _, share = text.partition("=")
        try:
            shares[name] = float(share)
        except ValueError:
            raise InvalidValue("this is no part with its share", value=text, expected="PART=SHARE, such as train=0.8") from None
    return shares
