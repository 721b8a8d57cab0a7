"""`assay diff`: in what two runs differ."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from itertools import groupby
from typing import Any

import click

from assay.cli.boundary import NO, YES
from assay.cli.bundles import both
from assay.cli.commands.ls import value_text
from assay.cli.output import emit, hint, json_option, pairs, say, title, width
from assay.cli.streams import write_answer
from assay.comparison.abridged import abridged
from assay.project import documents
from assay.records.run import Run
from assay.records.verdict import Divergence
from assay.report.document import plain
from assay.report.layout import Column, safe, text_table, wrap
from assay.report.parting import parting

_HEADINGS = {
    "param": "Parameters", "code": "Code", "data": "Data", "package": "Packages", "python": "Python",
    "system": "System and its libraries", "hardware": "Hardware and drivers", "flag": "Flags and threads", "seed": "Seeds",
    "lineage": "Lineage",
}  # fmt: skip
_ID_LENGTH = 64
_SHOWN = 100  # lines of a notebook's difference
_LONGEST_SCRIPT = 40  # characters; `python -c` has its whole code among its words


@click.command(name="diff", epilog="Returns 0 where they do not differ, 1 where they do.")
@click.argument("a", metavar="RUN|BUNDLE")
@click.argument("b", metavar="RUN|BUNDLE")
@click.option("--patch", "as_patch", is_flag=True, help="Print the difference of their code as a patch that `git apply` takes.")
@click.option(
    "--whole/--abridged", default=None,
    help="With --patch: data files of which much changed as a whole, or only their beginning.  [default: abridged on a terminal]",
)  # fmt: skip
@json_option
def command(a: str, b: str, as_patch: bool, whole: bool | None, as_json: bool) -> int:
    """Say in what two runs differ: parameters, code, data, packages, settings, metrics. Either may be in a file that `assay publish` wrote."""
    project, first, second = both(a, b)
    if as_patch and not as_json:
        patch = project.patch(first, second)
        shown = patch if whole or (whole is None and not sys.stdout.isatty()) else abridged(patch)
        write_answer(shown)
        outside = [change.path for change in project.patched(first, second).files if change.path.startswith("/")]
        if outside:
            hint(f"assay: these changed too, and lie outside the project, where no patch of it reaches: {safe(', '.join(outside))}")
        if shown != patch:
            hint(
                "assay: of data files only the beginning is shown, so `git apply` does not take this; --whole gives all of the patch."
            )
        return NO if patch else YES
    found, parted = project.diff(first, second), project.divergence(first, second)
    cells = project.notebook_patches(first, second)
    document = documents.diff(first, second, found, parted)
    document |= {"patched": plain(project.patched(first, second).files), "cells": cells}
    results_differ = any(metric["a"] != metric["b"] for metric in document["metrics"].values() if not metric["measured"])
    if as_json:
        emit(document | {"patch": project.patch(first, second)} if as_patch else document)
        return NO if found or results_differ else YES
    say(f"a  {first.id}  {first.start.name}".rstrip())
    say(f"b  {second.id}  {second.start.name}".rstrip())
    if relation := _relation(first, second):
        say(safe(relation))
    for line in _beginning(project.programs(first, second), parted):
        for part in wrap(safe(line), width()):
            say(part)
    for kind, group in groupby(found, key=lambda difference: difference.kind):
        title(_HEADINGS[kind])
        _table([(difference.name, _shown(difference.a), _shown(difference.b)) for difference in group])
    if document["patched"]:
        title("Patched (--patch shows the text)")
        pairs([(file["path"], _lines(file)) for file in document["patched"]])
    for path, text in cells.items():
        title(f"Cells of {safe(path)}")
        _excerpt(text)
    if document["metrics"]:
        title("Metrics")
        _table([(name, _value(both["a"]), _value(both["b"])) for name, both in document["metrics"].items()])
    if not found:
        say("\nNothing that determines a result differs.")
    return NO if found or results_differ else YES


def _table(rows: list[tuple[str, str, str]]) -> None:
    columns = [Column("", wraps=True), Column("a", wraps=True), Column("b", wraps=True)]
    head, _, *lines = text_table(columns, rows, width() - 2).split("\n")
    for line in (head, *lines):
        say(f"  {line}".rstrip())


def _excerpt(text: str) -> None:
    """The beginning of a patch, without its heading."""
    lines = text.splitlines()[2:]
    for line in lines[:_SHOWN]:
        say(f"  {safe(line)}".rstrip())
    if len(lines) > _SHOWN:
        say(f"  and {len(lines) - _SHOWN} more lines (--json has them)")


def _lines(file: dict[str, Any]) -> str:
    return file["how"] if file["added"] is None else f"{file['how']}, +{file['added']} -{file['removed']} lines"


def _beginning(programs: tuple[str, str], parted: Divergence | None) -> Iterator[str]:
    """What a reader has to know before the list: that the scripts were others, else where the results part."""
    if programs[0] != programs[1]:
        yield f"They ran different scripts: {_script(programs[0])} and {_script(programs[1])}. What differs between them need not matter."
    elif parted is not None:
        yield parting(parted)


def _script(program: str) -> str:
    return program if len(program) <= _LONGEST_SCRIPT else f"{program[: _LONGEST_SCRIPT - 1]}…"


def _relation(a: Run, b: Run) -> str:
    """How one of the runs goes on from the other; empty where it does not."""
    for child, parent, text in ((b, a, "b goes on from a"), (a, b, "a goes on from b")):
        how = [f"{each.by} {each.path}".strip() for each in child.parents if each.run == parent.id]
        if how:
            return f"{text} ({', '.join(how)})"
    return ""


def _shown(value: str | None) -> str:
    """Content ids are cut to what a person compares."""
    if value is None:
        return "—"
    return value[:12] if len(value) == _ID_LENGTH and not set(value) - set("0123456789abcdef") else value


def _value(value: object) -> str:
    return "—" if value is None else value_text(value)
