"""`assay sensitivity`: does what a study concluded survive other seeds, parameters, splits, metrics and data?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import click

from assay.ablation.components import maximize, minimize
from assay.cli.boundary import BROKEN, NO, YES
from assay.cli.executors import executor_options
from assay.cli.output import emit, hint, json_option, say, styled, width
from assay.errors import InvalidValue
from assay.project import documents
from assay.project.sensitivity import sensitivity
from assay.project.sensitivity_asked import KINDS, Wanted
from assay.records.factor import MetricGoal
from assay.records.sensitivity import SensitiveTo
from assay.report.layout import safe
from assay.report.sensitivity import sensitivity_in_words
from assay.tracking.command import scalar

_MOST_LEVELS = 1000


@click.command(
    name="sensitivity",
    epilog="Returns 0 where no conclusion is lost, 1 where one does not survive, 3 where nothing is known under a condition, since its "
    "trials failed. Interrupted, it goes on with the rest.",
)
@click.argument("study")
@click.option("--to", required=True, type=click.Choice(KINDS), help="What is varied.")
@click.option(
    "--vary", multiple=True, metavar="PARAM=V1,V2", help="Parameter with its other values (0..4: from 0 to 4); may be repeated."
)
@click.option("--crossed", is_flag=True, help="All combinations of what is varied, instead of one parameter at a time.")
@click.option("--more", type=click.IntRange(min=1), metavar="N", help="Run it on N seeds that it has not seen, too.")
@click.option(
    "--metric", "metrics", multiple=True, metavar="NAME=maximize|minimize", help="Recorded metric to judge by; may be repeated."
)
@click.option("--at", "readings", multiple=True, help="Value of a series to judge by: last, min, max, mean, mean of the last N.")
@click.option("--data", multiple=True, metavar="PATH=OTHER,…", help="Data that the command names, with others; may be repeated.")
@click.option("--test-share", type=float, metavar="SHARE", help="Share of a split that is tested.  [default: that of folds]")
@click.option("--design", metavar="DESIGN", help="Design of the study in a file.  [default: the file's]")
@click.option(
    "--budget", type=click.IntRange(min=0), metavar="N", help="Most trials that may be run; more is refused at the start."
)
@click.option("--workers", type=click.IntRange(min=1), default=1, show_default=True, help="Trials at once.")
@executor_options
@json_option
def command(
    study: str,
    to: SensitiveTo,
    vary: tuple[str, ...],
    crossed: bool,
    more: int | None,
    metrics: tuple[str, ...],
    readings: tuple[str, ...],
    data: tuple[str, ...],
    test_share: float | None,
    design: str | None,
    budget: int | None,
    workers: int,
    executor: str,
    slurm: str,
    ray: str,
    as_json: bool,
) -> int:
    """Run STUDY (its file, or what names it here) under other conditions: do its conclusions keep sign, verdict and rank?

    A study that is named is run from its file, else as it was sealed; one of a Python function can be run where it is made alone.
    """
    wanted = Wanted(
        vary={name: _levels(name, texts) for name, texts in _pairs(vary, "--vary").items()},
        crossed=crossed,
        more=more or 0,
        metrics=[_goal(name, way) for name, way in _pairs(metrics, "--metric").items()],
        readings=readings,
        data={name: texts.split(",") for name, texts in _pairs(data, "--data").items()},
        test_share=test_share,
        budget=budget,
        workers=workers,
        executor=executor,
        slurm=slurm,
        ray=ray,
    )
    try:
        result = sensitivity(study, to, wanted, design=design, say=lambda text: hint(f"assay: {text}"))
    except KeyboardInterrupt:
        hint("assay: interrupted; trials that have finished are kept, and the same command goes on with the rest.")
        raise
    found = result.sensitivity
    if as_json:
        emit(documents.sensitivity(found))
    else:
        say(styled(f"Study {safe(found.name or found.study[:8])}", bold=True) + f"  {found.study[:8]}  sensitivity to {found.to}\n")
        say(sensitivity_in_words(found, width=width()))
    if result.survives and result.silent:
        hint(f"assay: nothing is known under {', '.join(result.silent)}: no pair of trials gave a value.")
        return BROKEN
    return YES if result.survives else NO


def _pairs(texts: Sequence[str], option: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not (name and equals and value) or name in found:
            raise InvalidValue(f"{option} cannot be read", value=text, expected="NAME=VALUE, each name once")
        found[name] = value
    return found


def _levels(name: str, text: str) -> list[Any]:
    first, dots, last = text.partition("..")
    if dots and isinstance(low := scalar(first), int) and isinstance(high := scalar(last), int):
        if not 0 <= high - low < _MOST_LEVELS:
            raise InvalidValue("this is no range of levels", value=f"{name}={text}", expected="such as 0..4")
        return list(range(low, high + 1))
    return [scalar(word) for word in text.split(",")]


def _goal(name: str, way: str) -> MetricGoal:
    if way not in ("maximize", "minimize"):
        raise InvalidValue("a metric has no such goal", value=way, expected="maximize or minimize")
    return maximize(name) if way == "maximize" else minimize(name)
