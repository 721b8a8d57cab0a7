"""`assay study extend`: a finished study with more seeds or components."""

from __future__ import annotations

from pathlib import Path

import click

from assay.cli.commands.study_run import accept_option, run_and_show
from assay.cli.executors import executor_options
from assay.cli.output import emit, json_option, say
from assay.project.project import Project
from assay.project.study_again import former_of, study_again
from assay.project.study_components import components_in
from assay.project.study_file import load_study_file
from assay.project.study_writer import write_study
from assay.questions.study.archive import kept_evidence
from assay.store.store import Store


@click.command(name="extend")
@click.argument("study")
@click.option("--seeds", metavar="N|+N", help="How many seeds altogether, or how many more.")
@click.option(
    "--component", "texts", multiple=True, metavar="TEXT", help="A further component as a study file has it: 'NAME: {remove: {…}}'."
)
@click.option(
    "--to", "target", type=click.Path(path_type=Path), metavar="FILE", help="Write the extended study into FILE; nothing is run."
)
@click.option("--workers", type=click.IntRange(1), metavar="N", help="Trials at once; the results do not depend on it.")
@executor_options
@accept_option
@json_option
def command(
    study: str,
    seeds: str | None,
    texts: tuple[str, ...],
    target: Path | None,
    workers: int | None,
    executor: str,
    slurm: str,
    ray: str,
    accept_baseline: str,
    as_json: bool,
) -> int:
    """Run STUDY, which is finished, with more seeds or components: a study file, or the id, name or prefix of a study, or last.

    Trials that have finished are reused. What was sealed and answered before stays as it is; the report says that the study was extended
    once results were known, and what its intervals are then worth. Of a file, what it has more than the study of its name that was run is
    the extension. A baseline that was accepted before still is.
    """
    if Path(study).is_file():
        made = load_study_file(study)
        store = Store.open(made.root)
        former = former_of(store, made)
    else:
        project = Project.open()
        store = project.store
        made, former = study_again(store, study, project.root)
    grown = made.grown_from(former, seeds, components_in(texts, made.baseline, made.root, made.directory))
    if target is not None:
        write_study(grown, target, [f"Extends study {former.id[:8]}."])
        if as_json:
            emit({"version": 1, "study": grown.plan().study, "file": str(target)})
        else:
            say(f"Wrote {target}; `assay study run {target}` runs it, and reuses what has finished.")
        return 0
    gate = kept_evidence(store, former.id).gate
    accepted = accept_baseline or (gate.accepted if gate is not None else "")
    where = {"executor": executor, "slurm": slurm, "ray": ray}
    return run_and_show(grown, grown.plan(), workers, where, accept_baseline=accepted, as_json=as_json)
