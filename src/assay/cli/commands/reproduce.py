"""`assay reproduce`: run it again, and say whether it really came back."""

from __future__ import annotations

import math

import click

from assay.cli.boundary import NO, YES
from assay.cli.bundles import chosen
from assay.cli.commands.ls import value_text
from assay.cli.output import emit, hint, json_option, pairs, say, styled, title, width
from assay.errors import InvalidValue, UsageError
from assay.project import documents
from assay.project.project import Project
from assay.questions.reproduce import Asked, repeat, reproduce
from assay.records.finding import Finding
from assay.records.recipe import Recipe
from assay.records.run import Run
from assay.records.verdict import FileComparison, MetricComparison, Repetition, Sameness, Verdict, holds
from assay.report.layout import Column, safe, text_table, wrap
from assay.report.parting import parting

_SENTENCES = {
    "identical": "identical: every result came back bit for bit",
    "numerical": "numerical: every result came back within its tolerance",
    "statistical": "statistical: every metric that has a margin is the same on average, up to it",
    "not reproduced": "not reproduced: a result did not come back",
}
LEARNED = "learned"
_OPEN = "not reproduced: it cannot be told yet whether the results are the same on average"
_NOTHING = "identical: both runs ended alike, and left no metric and no file to compare"


@click.command(name="reproduce", epilog="Returns 0 where the result came back, 1 where it did not.")
@click.argument("run", metavar="RUN|BUNDLE")
@click.option(
    "--tol", "tolerances", multiple=True, metavar="METRIC=RTOL[,ATOL]|learned",
    help="Tolerance of a metric, relative and absolute; may be repeated. `learned`: of all others, from finished runs of the very same "
    "recipe.  [default: 1e-6,1e-9]",
)  # fmt: skip
@click.option(
    "--level", type=click.Choice(["identical", "numerical", "statistical"]), default="numerical", show_default=True,
    help="How well it has to come back; `statistical` needs a margin.",
)  # fmt: skip
@click.option(
    "--env", type=click.Choice(["current", "rebuild"]), default="current", show_default=True,
    help="Run in the environment of now, or in one that is built again from the recorded packages (needs uv).",
)  # fmt: skip
@click.option("--runs", type=click.IntRange(min=1), help="How often to carry it out; all of them have to come back.  [default: 1]")
@click.option(
    "--margin", "margins", multiple=True, metavar="METRIC=DELTA|learned",
    help="Up to which difference in its own unit the means of a metric are called equal; may be repeated.",
)  # fmt: skip
@click.option(
    "--seeds", type=click.IntRange(min=1),
    help="Over how many seeds a statistical verdict goes.  [default: those that are recorded, at most 5]",
)  # fmt: skip
@click.option("--configuration", metavar="NAME", help="Of a study's bundle: which configuration.  [default: baseline]")
@click.option("--timeout", type=click.FloatRange(min=0, min_open=True), metavar="SECONDS", help="End a command that takes longer.")
@json_option
def command(
    run: str,
    tolerances: tuple[str, ...],
    level: Sameness,
    env: str,
    runs: int | None,
    margins: tuple[str, ...],
    seeds: int | None,
    configuration: str | None,
    timeout: float | None,
    as_json: bool,
) -> int:
    """Run RUN again, its code in a fresh folder and its data checked, and compare the results.

    A BUNDLE is a file that `assay publish` wrote. Neither a project nor a store is needed for it: it is opened in the user's cache folder, and
    the new run goes there too. Of a study, the first trial of the baseline is run again.
    """
    given = dict(tolerance(text) for text in tolerances if text != LEARNED)
    asked = Asked(runs, seeds, level == "statistical", dict(map(margin, margins)), given, LEARNED in tolerances)
    check_asked(asked)
    project, original, bundle = chosen(run, configuration)

    said: set[Finding] = set()

    def once(finding: Finding) -> None:
        """What is true of every repetition is said before the first."""
        if finding not in said:
            said.add(finding)
            hint(f"assay: {_said(finding)}")

    def again(each: Run, seed: int | None) -> tuple[Run, Verdict]:
        hint(f"assay: running {each.id[:8]} again{'' if seed is None else f' with seed {seed}'}: {safe(_named(project, each))}")
        return reproduce(project.store, project.root, each, tolerances=given, env=env, seed=seed, timeout=timeout, report=once)

    first, verdict = repeat(project.store, original, asked, again)
    if as_json:
        emit(documents.reproduction(first, verdict) | ({"bundle": bundle} if bundle else {}))
    else:
        _print(verdict, original.id)
    return YES if holds(verdict.verdict, level) else NO


def _named(project: Project, run: Run) -> str:
    """What is carried out: the command, the cells, or of a study's trial the function with its configuration."""
    recipe = project.store.objects.record(run.start.recipe, Recipe)
    if recipe.function is None:
        return " ".join(run.start.command) or "the cells of its session"
    trial = run.start.trial
    where = f" with {trial.configuration!r}" if trial else ""
    return recipe.function.partition("#")[0] + where + ("" if recipe.seed is None else f", seed {recipe.seed}")


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


def margin(text: str) -> tuple[str, float | None]:
    """Metric and margin of `METRIC=DELTA`; None for `METRIC=learned`.

    Raises:
        InvalidValue: it does not have this form, or the margin is not a finite number above 0.

    >>> margin("accuracy=0.01"), margin("loss@min=learned")
    (('accuracy', 0.01), ('loss@min', None))
    """
    name, _, size = text.rpartition("=")
    if name and size == LEARNED:
        return name, None
    try:
        number = float(size)
    except ValueError:
        number = math.nan
    if not name or not 0 < number < math.inf:
        raise InvalidValue(
            "this is no margin",
            value=text,
            expected="METRIC=DELTA with a number above 0 in the metric's unit, or METRIC=learned",
            next_step="Write --margin accuracy=0.01.",
        )
    return name, number


def check_asked(asked: Asked) -> None:
    """Nothing, where the options go together.

    Raises:
        UsageError: margins or seeds are given for a verdict that uses none, or both seeds and runs.
    """
    if asked.statistical and asked.seeds is not None and asked.runs is not None:
        raise UsageError(
            "--seeds and --runs were both given",
            expected="--seeds K to compare over seeds, or --runs N to compare repeated runs",
            next_step="Leave one of them out.",
        )
    if not asked.statistical and (asked.margins or asked.seeds is not None):
        raise UsageError(
            "a margin and a number of seeds are of use to a statistical verdict alone",
            expected="--level statistical beside them",
            next_step="Add --level statistical.",
        )


def _print(verdict: Verdict, original: str) -> None:
    colour = {"identical": "green", "numerical": "green", "statistical": "yellow"}.get(verdict.verdict, "red")
    empty = any(finding.kind == "nothing compared" for finding in verdict.findings)
    sentence = _NOTHING if empty and verdict.verdict == "identical" else _SENTENCES[verdict.verdict]
    if verdict.equivalence and {test.verdict for test in verdict.equivalence} <= {"equivalent", "cannot tell"}:
        sentence = _OPEN if verdict.verdict == "not reproduced" else sentence
    say(styled(sentence, fg=colour, bold=True))
    pairs([("recorded", original), *((f"again{_seed_of(each)}", _repetition(each, len(verdict.runs))) for each in verdict.runs)])
    if verdict.divergence:
        _sentence(parting(verdict.divergence))
    if verdict.equivalence:
        title("Equal up to a margin")
        for test in verdict.equivalence:
            _sentence(f"{test.verdict}: {test.words}")
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
            _sentence(_said(finding))


def _seed_of(repetition: Repetition) -> str:
    return "" if repetition.seed is None else f" (seed {repetition.seed})"


def _repetition(repetition: Repetition, of: int) -> str:
    return repetition.run if of == 1 or repetition.verdict is None else f"{repetition.run}  by itself {repetition.verdict}"


def _sentence(text: str) -> None:
    for number, line in enumerate(wrap(safe(text), width() - 4)):
        say(f"{'    ' if number else '  '}{line}")


def _metric(metric: MetricComparison) -> tuple[str, ...]:
    """Numbers that differ are shown in full, since they may differ in the last digit alone."""
    full = metric.sameness != "identical"
    a, b = ("—" if value is None else repr(value) if full else value_text(value) for value in (metric.a, metric.b))
    bound = f"rtol {metric.rtol:g}, atol {metric.atol:g}" if metric.sameness == "numerical" or metric.learned else ""
    if metric.learned:
        bound += f", learned from {metric.learned} equal runs"
    note = "; ".join(filter(None, (metric.note, bound)))
    return (
        metric.name,
        a,
        b,
        "" if metric.measured else metric.sameness,
        "measurement: does not count" if metric.measured else note,
    )


def _file(file: FileComparison) -> tuple[str, ...]:
    note = file.note if file.counts or not file.note else f"{file.note}: does not count"
    return file.path, (file.a or "—")[:12], (file.b or "—")[:12], file.sameness if file.counts else "", note
