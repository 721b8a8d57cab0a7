"""`assay matrix`: does a result come back with other versions, and with which is it lost?"""

from __future__ import annotations

from pathlib import Path

import click

from assay.cli.boundary import NO, YES
from assay.cli.commands.reproduce import tolerance
from assay.cli.output import emit, hint, json_option, say, styled, title, width
from assay.errors import InvalidValue
from assay.project import documents
from assay.project.project import Project
from assay.questions.matrix import Asked, axis, matrix, watched
from assay.records.finding import Finding
from assay.records.matrix import Matrix, MatrixCell
from assay.records.verdict import Sameness, holds
from assay.report.layout import Column, safe, text_table
from assay.report.matrix_page import break_words, cell_note, cell_values, matrix_page, shown_metrics

_COLOURS = {"identical": "green", "numerical": "green", "statistical": "yellow", "not reproduced": "red"}


@click.command(name="matrix", epilog="Returns 0 where every cell holds (with --watch: where none changed), 1 where one does not.")
@click.argument("run")
@click.option(
    "--vary", multiple=True, required=True, metavar="NAME==V1,V2", help="Package, or python, with its versions; may be repeated."
)
@click.option(
    "--tol", "tolerances", multiple=True, metavar="METRIC=RTOL[,ATOL]",
    help="Tolerance of a metric, relative and absolute; may be repeated.  [default: 1e-6,1e-9]",
)  # fmt: skip
@click.option(
    "--level",
    type=click.Choice(["identical", "numerical"]),
    default="numerical",
    show_default=True,
    help="How well a result has to come back.",
)
@click.option(
    "--bisect/--no-bisect", default=True, show_default=True, help="Look for the version between two at which the result is lost."
)
@click.option(
    "--watch", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE", help="Baseline to compare with; written if missing."
)
@click.option("--update", is_flag=True, help="Write the baseline of --watch anew.")
@click.option("--to", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE", help="Write a page (HTML) too.")
@click.option("--workers", type=click.IntRange(min=1), default=1, show_default=True, help="Runs at once.")
@click.option("--timeout", type=click.FloatRange(min=0, min_open=True), metavar="SECONDS", help="Longest time for each run.")
@json_option
def command(
    run: str,
    vary: tuple[str, ...],
    tolerances: tuple[str, ...],
    level: Sameness,
    bisect: bool,
    watch: Path | None,
    update: bool,
    to: Path | None,
    workers: int,
    timeout: float | None,
    as_json: bool,
) -> int:
    """Run RUN again under every combination of versions, each in an environment built for it, and compare with what was recorded."""
    axes = _axes(vary)
    if update and watch is None:
        raise InvalidValue("there is no baseline to update", value="--update", expected="--watch FILE beside it")
    asked = Asked(
        level=level,
        tolerances=dict(tolerance(text) for text in tolerances),
        bisect=bisect,
        workers=workers,
        timeout=timeout,
        report=_warn,
        progress=_progress,
    )
    project = Project.open()
    found = matrix(project.store, project.root, project.resolve(run), axes, asked)
    if watch is not None:
        found = watched(found, watch, update=update)
    if to is not None:
        _write(to, matrix_page(found))
    if as_json:
        emit(documents.matrix(found))
    else:
        _print(found, watch, to)
    if watch is not None:
        return NO if found.changed else YES
    return YES if all(holds(cell.verdict, asked.level) for cell in found.cells if not cell.between) else NO


def _axes(texts: tuple[str, ...]) -> dict[str, tuple[str, ...]]:
    axes: dict[str, tuple[str, ...]] = {}
    for text in texts:
        name, levels = axis(text)
        if name in axes:
            raise InvalidValue("an axis is given twice", value=name, expected="all its versions in one --vary")
        axes[name] = levels
    return axes


def _write(path: Path, page: str) -> None:
    try:
        path.write_text(page, "utf-8")
    except OSError as error:
        raise InvalidValue(
            "the page cannot be written",
            value=str(path),
            expected="a file in a folder that can be written",
            next_step=f"{error.strerror}.",
        ) from error


def _progress(cell: MatrixCell) -> None:
    hint(f"assay: {safe(_levels(cell))}: {cell.verdict or 'no verdict'}{f' ({safe(cell.why)})' if cell.why else ''}")


def _warn(finding: Finding) -> None:
    hint(f"assay: {safe(finding.text)}")


def _levels(cell: MatrixCell) -> str:
    return ", ".join(f"{name} {level}" for name, level in cell.levels.items()) or "as recorded"


def _print(found: Matrix, watch: Path | None, to: Path | None) -> None:
    metrics = shown_metrics(found)
    columns = [
        *(Column(name) for name in found.axes),
        Column("verdict"),
        *(Column(name, "right", wraps=True) for name in metrics),
        Column("", wraps=True),
    ]
    cells = [found.control, *found.cells]
    rows = [
        (
            *(cell.levels.get(name, "recorded") for name in found.axes),
            cell.verdict or "no verdict",
            *cell_values(cell, metrics),
            cell_note(cell),
        )
        for cell in cells
    ]

    def style(column: int, text: str) -> str:
        return styled(text, fg=_COLOURS.get(text.strip())) if column == len(found.axes) else text

    for line in text_table(columns, rows, width(), style).split("\n"):
        say(line.rstrip())
    if found.breaks:
        title("Where it breaks")
        for each in found.breaks:
            say(f"  {safe(break_words(each))}")
    if watch is not None:
        title(f"Against {safe(str(watch))}")
        for line in found.changed or ("nothing has changed",):
            say(f"  {safe(line)}")
    if found.findings:
        title("Findings")
        for finding in found.findings:
            say(f"  {safe(finding.kind)}: {safe(finding.text)}")
    if to is not None:
        say(f"\n{safe(str(to))}")
