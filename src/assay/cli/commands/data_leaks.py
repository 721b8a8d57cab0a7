"""`assay data leaks`: what versions of data sets share."""

from __future__ import annotations

import click

from assay.cli.boundary import NO, YES
from assay.cli.commands.data_add import say_reasons
from assay.cli.output import emit, json_option, say
from assay.project import documents_data
from assay.project.project import Project
from assay.report.layout import safe


@click.command(name="leaks", epilog="Returns 0 where nothing is shared, 1 where something is.")
@click.argument("versions", nargs=-1, required=True, metavar="VERSION...")
@json_option
def command(versions: tuple[str, ...], as_json: bool) -> int:
    """Look for files and rows that two of the VERSIONs share: training data that is in the test data.

    A single data set that was split stands for its parts. Rows are those of CSV, TSV, JSON lines and text files that are kept.
    """
    found = Project.open().data.leaks(*versions)
    if as_json:
        emit(documents_data.leaks(found))
        return NO if found.leaks else YES
    for leak in found.leaks:
        say(f"{leak.shared:,} {leak.kind}s are in both {leak.a} and {leak.b}; the smaller has {leak.of:,} different ones:")
        for a, b in leak.examples:
            say(f"  {safe(a)}  =  {safe(b)}")
    if not found.leaks:
        say("Nothing is shared.")
    say_reasons("not searched", found.not_searched)
    return NO if found.leaks else YES
