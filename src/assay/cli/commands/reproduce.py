"""`assay reproduce`: run it again, and say whether it really came back."""

from __future__ import annotations

import math

import click

from assay.cli.boundary import NO, YES
from assay.cli.commands.ls import value_text
from assay.cli.output import emit, hint, json_option, pairs, say, styled, title, width
from assay.errors import InvalidValue
from assay.project import documents
from assay.project.project import Project
from assay.questions.reproduce import reproduce
from assay.records.finding import Finding
from assay.records.recipe import Recipe
from assay.records.run import Run
from assay.records.verdict import Divergence, FileComparison, MetricComparison, Verdict
from assay.report.layout import Column, safe, text_table

_RANKS = {"identical": 3, "numerical": 2, "statistical": 1, "not reproduced": 0}
_SENTENCES = {
    "identical": "identical: every result came back bit for bit",
    "numerical": "numerical: every result came back within its tolerance",
    "statistical": "statistical: results agree within their noise",
    "not reproduced": "not reproduced: a result did not come back",
}
_NOTHING = "identical: both runs ended alike, and left no metric and no file to compare"


@click.command(name="reproduce", epilog="Returns 0 where the result came back, 1 where it did not.")
@click.argument("run")
@click.option(
    "--tol", "tolerances", multiple=True, metavar="METRIC=RTOL[,ATOL]",
    help="Tolerance of a metric, relative and absolute; may be repeated.  [default: 1e-6,1e-9]",
)  # fmt: skip
@click.option(
    "--level", type=click.Choice(["identical", "numerical"]), default="numerical", show_default=True,
    help="How well it has to come back.",
)  # fmt: skip
@click.option(
    "--env", type=click.Choice(["current", "rebuild"]), default="current", show_default=True,
    help="Run in the environment of now, or in one that is built again from the recorded packages (needs uv).",
)  # fmt: skip
@json_option
def command(run: str, tolerances: tuple[str, ...], level: str, env: str, as_json: bool) -> int:
    """Run RUN again, its code in a fresh folder and its data checked, and compare the results."""
    given = dict(tolerance(text) for text in tolerances)
    project = Project.open()
    original = project.resolve(run)
    hint(f"assay: running {original.id[:8]} again: {safe(_named(project, original))}")
    again, verdict = reproduce(project.store, project.root, original, tolerances=given, env=env, report=_warn)
    if as_json:
        emit(documents.reproduction(again, verdict))
    else:
        _print(verdict, original.id, again.id)
    return YES if _RANKS[verdict.verdict] >= _RANKS[level] else NO


def _named(project: Project, run: Run) -> str:
    """What is carried out: the command, the cells, or of a study's trial the function with its configuration."""
    recipe = project.store.objects.record(run.start.recipe, Recipe)
    if recipe.function is None:
        return " ".join(run.start.command) or "the cells of its session"
    trial = run.start.trial
    where = f" with {trial.configuration!r}" if trial else ""
    return recipe.function.partition("#")[0] + where + ("" if recipe.seed is None else f", seed {recipe.seed}")


def _warn(finding: Finding) -> None:
    hint(f"assay: {_said(finding)}")


def _said(finding: Finding) -> str:
    about = "" if finding.text.startswith(finding.about) else f"{finding.about}: "
    return safe(f"{finding.kind}: {about}{finding.text}")


def tolerance(text: str) -> tuple[str, tuple[float, float]]:
    """Metric and (relative, absolute) tolerance of `METRIC=RTOL[,ATOL]`; without ATOL it is 0.

    Raises:
        InvalidValue: it does not have this form, or a tolerance is negative or not finite.

    >>> tolerance("loss=1e-3"), tolerance("a=b=0,1e-6")
    (('loss', (0.001, 0.0)), ('a=b', (0.0, 1e-06)))
    """
    name, _, numbers = text.rpartition("=")
    try:
        relative, absolute = [*map(float, numbers.split(",")), 0.0][:2] if numbers.count(",") < 2 else [math.nan] * 2
    except ValueError:
        relative = absolute = math.nan
    if not name or not all(math.isfinite(number) and number >= 0 for number in (relative, absolute)):
        raise InvalidValue(
            "this is no tolerance",
            value=text,
            expected="METRIC=RTOL or METRIC=RTOL,ATOL with numbers of at least 0",
            next_step="Write --tol loss=1e-4.",
        )
    return name, (relative, absolute)


def _print(verdict: Verdict, original: str, again: str) -> None:
    colour = {"identical": "green", "numerical": "green", "statistical": "yellow"}.get(verdict.verdict, "red")
    empty = any(finding.kind == "nothing compared" for finding in verdict.findings)
    sentence = _NOTHING if empty and verdict.verdict == "identical" else _SENTENCES[verdict.verdict]
    say(styled(sentence, fg=colour, bold=True))
    pairs([("recorded", original), ("again", again)])
    if verdict.divergence:
        say(f"  {_parting(verdict.divergence)}")
    if verdict.metrics:
        title("Metrics")
        columns = [
            Column("metric", wraps=True),
            Column("recorded", "right"),
            Column("again", "right"),
            Column("verdict"),
            Column("", wraps=True),
        ]
        say(text_table(columns, [_metric(metric) for metric in verdict.metrics], width()))
    if verdict.files:
        title("Files")
        columns = [Column("file", wraps=True), Column("recorded"), Column("again"), Column("verdict"), Column("", wraps=True)]
        say(text_table(columns, [_file(file) for file in verdict.files], width()))
    if verdict.findings:
        title("Findings")
        for finding in verdict.findings:
            say(f"  {_said(finding)}")


def _parting(divergence: Divergence) -> str:
    where = f"{divergence.kind} {safe(divergence.name)}"
    if divergence.step is not None:
        where += f" at step {divergence.step}"
    elif divergence.position is not None:
        where += f" at point {divergence.position}"
    values = (
        f": {_short(divergence.a)} became {_short(divergence.b)}" if divergence.a is not None or divergence.b is not None else ""
    )
    return f"The two runs part first in {where}{values}."


def _short(value: float | str | None) -> str:
    return repr(value) if isinstance(value, float) else "nothing" if value is None else safe(value[:12])


def _metric(metric: MetricComparison) -> tuple[str, ...]:
    """Numbers that differ are shown in full, since they may differ in the last digit alone."""
    full = metric.sameness != "identical"
    a, b = ("—" if value is None else repr(value) if full else value_text(value) for value in (metric.a, metric.b))
    bound = f"rtol {metric.rtol:g}, atol {metric.atol:g}" if metric.sameness == "numerical" else ""
    return (
        metric.name,
        a,
        b,
        "" if metric.measured else metric.sameness,
        "measurement: does not count" if metric.measured else bound,
    )


def _file(file: FileComparison) -> tuple[str, ...]:
    note = file.note if file.counts or not file.note else f"{file.note}: does not count"
    return file.path, (file.a or "—")[:12], (file.b or "—")[:12], file.sameness if file.counts else "", note
