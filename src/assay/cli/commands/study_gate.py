"""`assay study gate`: whether a study's baseline can be believed."""

from __future__ import annotations

import click

from assay.cli.boundary import NO, YES
from assay.cli.commands.study_plan import design_options
from assay.cli.executors import executor_options
from assay.cli.output import emit, json_option, say, width
from assay.project.study_file import load_study_file
from assay.records.plan import Until
from assay.report.document import study_document
from assay.report.tables import in_words


@click.command(name="gate")
@click.argument("file", type=click.Path())
@click.option("--workers", type=click.IntRange(1), metavar="N", help="Trials at once; the results do not depend on it.")
@executor_options
@design_options
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
    priors: bool,
    until: Until | None,
    as_json: bool,
) -> int:
    """Check the baseline of the study in FILE, and run none of its ablations.

    It is run twice under its first seed, once under all the others, and with each hyperparameter that `gate: {tune: …}` names one step
    away. The exit code is 1 where it fails. `assay study run` does the same before the ablations, and reuses these trials.
    """
    study = load_study_file(file)
    plan = study.plan(design, resolution=resolution, budget=budget, priors=priors, until=until)
    result = study.check_baseline(plan, workers, executor=executor, slurm=slurm, ray=ray)
    evidence = result.evidence
    if as_json:
        emit(study_document(evidence))
    else:
        say(in_words(evidence, width=width()))
    return NO if evidence.stopped else YES
