"""`assay recheck`: do the runs that are marked as baselines still come back?"""

from __future__ import annotations

import click

from assay.cli.boundary import NO, YES
from assay.cli.commands.reproduce import tolerance
from assay.cli.output import emit, hint, json_option, say, styled, width
from assay.errors import UnknownRun
from assay.project import documents
from assay.project.project import Project
from assay.questions.reproduce.recheck import Rechecked, recheck
from assay.records.finding import Finding
from assay.records.run import Run
from assay.records.verdict import Sameness, holds
from assay.report.layout import Column, safe, text_table


@click.command(name="recheck", epilog="Returns 0 where all of them come back, 1 where one does not.")
@click.option(
    "--tag",
    default="baseline",
    show_default=True,
    metavar="T",
    help="Runs with this tag are the baselines (`assay tag RUN baseline`).",
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
    help="How well they have to come back.",
)
@click.option("--timeout", type=click.FloatRange(min=0, min_open=True), metavar="SECONDS", help="Longest time for each run.")
@json_option
def command(tag: str, tolerances: tuple[str, ...], level: Sameness, timeout: float | None, as_json: bool) -> int:
    """Run every run that is marked as a baseline again, and name those that no longer come back."""
    given = dict(tolerance(text) for text in tolerances)
    project = Project.open()
    runs = project.baselines(tag)
    if not runs:
        raise UnknownRun(
            "no run is marked as a baseline",
            value=tag,
            expected=f"at least one run with the tag {tag}",
            next_step=f"Mark one: `assay tag RUN {tag}`.",
        )
    found = []
    for each in recheck(project.store, project.root, runs, tolerances=given, timeout=timeout, report=_warn):
        found.append(each)
        hint(f"assay: {len(found)} of {len(runs)}, {each.run.id[:8]} {safe(each.run.start.name)}: {_verdict(each)}")
    if as_json:
        emit(documents.rechecked([(each.run, each.again, each.verdict, each.why) for each in found]))
    else:
        _print(found)
    return YES if all(each.verdict is not None and holds(each.verdict.verdict, level) for each in found) else NO


def _warn(run: Run, finding: Finding) -> None:
    hint(f"assay: {run.id[:8]}: {safe(finding.text)}")


def _verdict(each: Rechecked) -> str:
    return each.verdict.verdict if each.verdict else "cannot be carried out"


def _print(found: list[Rechecked]) -> None:
    columns = [Column("baseline"), Column("name", wraps=True), Column("verdict"), Column("where it parts, or why not", wraps=True)]
    rows = [(each.run.id[:8], each.run.start.name, _verdict(each), _where(each)) for each in found]
    colours = {"identical": "green", "numerical": "green"}

    def style(column: int, text: str) -> str:
        return styled(text, fg=colours.get(text.strip(), "red")) if column == 2 else text

    for line in text_table(columns, rows, width(), style).split("\n"):
        say(line.rstrip())


def _where(each: Rechecked) -> str:
    if each.verdict is None:
        return each.why
    parting = each.verdict.divergence
    if parting is None:
        return ""
    return f"{parting.kind} {parting.name}" + (f" at step {parting.step}" if parting.step is not None else "")
