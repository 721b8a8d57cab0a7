"""`assay study run`: carry a study out, or what is left of it."""

from __future__ import annotations

from collections.abc import Mapping

import click

from assay.cli.boundary import BROKEN, NO, YES
from assay.cli.commands.study_plan import design_options
from assay.cli.commands.study_show import print_evidence
from assay.cli.executors import executor_options
from assay.cli.output import emit, hint, json_option, say
from assay.errors import InvalidValue
from assay.project.command_study import CommandStudy
from assay.project.study_file import load_study_file
from assay.project.study_plan import PlanView
from assay.questions.study.unanswered import unanswered
from assay.records.evidence import StudyEvidence
from assay.records.plan import Until
from assay.report.document import study_document

accept_option = click.option(
    "--accept-baseline",
    callback=lambda _context, _parameter, value: _reason(value),
    metavar="REASON",
    help="Go on though the baseline fails at the gate; the report says why.",
)


def _reason(given: str | None) -> str:
    """Why a failing baseline is accepted; empty where it is not.

    Raises:
        InvalidValue: the reason is blank, and every report would carry nothing.
    """
    if given is not None and not given.strip():
        raise InvalidValue(
            "the baseline is accepted without a reason", value=given, expected="a reason, which every report carries"
        )
    return given or ""


@click.command(name="run")
@click.argument("file", type=click.Path())
@click.option("--workers", type=click.IntRange(1), metavar="N", help="Trials at once; the results do not depend on it.")
@executor_options
@design_options
@accept_option
@click.option(
    "--minutes", type=click.FloatRange(0, min_open=True), metavar="M", help="Of adaptive: begin no batch of trials later."
)
@json_option
def command(
    file: str,
    workers: int | None,
    executor: str,
    slurm: str,
    ray: str,
    design: str | None,
    resolution: int | None,
    budget: int | None,
    accept_baseline: str,
    minutes: float | None,
    priors: bool,
    until: Until | None,
    as_json: bool,
) -> int:
    """Run the study in FILE and show what it found; trials that have finished before are not repeated.

    The baseline goes first, through the gate (`assay study gate`). Where it fails, no ablation is run and the exit code is 1.
    It is 3 where all trials of a component failed, so that nothing is known of it; what the others say is shown all the same.
    """
    study = load_study_file(file)
    plan = study.plan(design, resolution=resolution, budget=budget, priors=priors, until=until)
    where = {"executor": executor, "slurm": slurm, "ray": ray}
    return run_and_show(study, plan, workers, where, accept_baseline=accept_baseline, minutes=minutes, as_json=as_json)


def run_and_show(
    study: CommandStudy,
    plan: PlanView,
    workers: int | None,
    where: Mapping[str, str],
    *,
    accept_baseline: str = "",
    minutes: float | None = None,
    as_json: bool = False,
) -> int:
    """Run a plan where `where` says, by the names of `executor_options`; say what it found, and return the exit code."""
    hint(plan.in_words(workers or study.workers) + "\n")
    try:
        evidence = study.run(plan, workers, accept_baseline=accept_baseline, minutes=minutes, **where).evidence
    except KeyboardInterrupt:
        hint("assay: interrupted; trials that have finished are kept, and the same command goes on with the rest.")
        raise
    if as_json:
        emit(study_document(evidence))
    else:
        print_evidence(evidence)
        say(f"`assay report {evidence.study[:8]} --to DIR` writes the page, the tables and the numbers.")
        if not evidence.sensitivity and not evidence.stopped:
            say(f"`assay sensitivity {evidence.study[:8]} --to seeds` (params, splits, metrics, data) asks whether it survives.")
    return _code(evidence)


def _code(evidence: StudyEvidence) -> int:
    if evidence.stopped:
        return NO
    lost = unanswered(evidence)
    if lost:
        hint(f"assay: nothing is known of {', '.join(lost)}: not one pair of trials gave a value, because trials failed.")
    return BROKEN if lost else YES
