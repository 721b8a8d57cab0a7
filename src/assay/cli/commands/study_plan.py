"""`assay study plan`: what would be run, before anything is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, get_args

import click

from assay.cli.output import emit, json_option, say
from assay.project.study_designs import detect_in_words
from assay.project.study_file import load_study_file
from assay.questions.study.running import before_the_start
from assay.records.plan import Until
from assay.report.document import study_document

_DESIGNS = (
    "leave-one-out, add-one-in, ladder, pairs, full, fractional, plackett-burman, screening, definitive-screening, group-screening, "
    "optimal, shapley or adaptive"
)


def design_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """The options by which a command chooses another design than the file's."""
    for option in (
        click.option(
            "--budget",
            type=click.IntRange(2),
            metavar="N",
            help="Most configurations, for optimal and shapley; most trials, for adaptive.",
        ),
        click.option("--resolution", type=click.IntRange(3), metavar="R", help="Of a fractional design: 3, 4, 5 or more."),
        click.option("--priors", is_flag=True, help="Of adaptive: tell its search, never its tests, what former studies found."),
        click.option(
            "--until",
            type=click.Choice(get_args(Until)),
            help="Of adaptive: stop when what its search found is confirmed (the default), or once it is found.",
        ),
        click.option("--design", metavar="D", help=f"{_DESIGNS}, in place of what the file says."),
    ):
        function = option(function)
    return function


@click.command(name="plan")
@click.argument("file", type=click.Path())
@design_options
@click.option("--detect", metavar="EFFECT", help="Seeds and runs with which each design sees it: 0.01, or METRIC=0.01.")
@json_option
def command(
    file: str,
    design: str | None,
    resolution: int | None,
    budget: int | None,
    priors: bool,
    until: Until | None,
    detect: str | None,
    as_json: bool,
) -> int:
    """Show the plan of the study in FILE: its trials, the time they will take, what it can and cannot tell. Nothing is run or written.

    With --detect, the noise of earlier trials of the same command says how many seeds and runs each design needs to see an effect.
    """
    view = load_study_file(file).plan(design, resolution=resolution, budget=budget, priors=priors, until=until)
    needed = None if detect is None else view.detect(detect)
    if as_json:
        document = {**study_document(before_the_start(view.definition, view.plan)), **view.document()}
        emit(document if needed is None else {**document, "detect": needed})
    elif needed is not None:
        say(detect_in_words(needed))
    else:
        say(str(view))
    return 0
