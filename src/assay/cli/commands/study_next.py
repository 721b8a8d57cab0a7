"""`assay study next`: a study from a former one's winner."""

from __future__ import annotations

from pathlib import Path

import click

from assay.cli.boundary import NO
from assay.cli.commands.study_run import accept_option, run_and_show
from assay.cli.executors import executor_options
from assay.cli.output import emit, hint, json_option, say
from assay.errors import InvalidStudy, NoWinner
from assay.project.project import Project
from assay.project.study_again import study_again
from assay.project.study_growth import following
from assay.project.study_writer import write_study
from assay.questions.study.archive import kept_evidence


@click.command(name="next")
@click.argument("study")
@click.option(
    "--to", "target", type=click.Path(path_type=Path), metavar="FILE", help="Write the next study into FILE; nothing is run."
)
@click.option("--workers", type=click.IntRange(1), metavar="N", help="Trials at once; the results do not depend on it.")
@executor_options
@accept_option
@json_option
def command(
    study: str, target: Path | None, workers: int | None, executor: str, slurm: str, ray: str, accept_baseline: str, as_json: bool
) -> int:
    """Start a study from the winner of STUDY: its id or a unique prefix, its name, or last.

    The new baseline has every change that clearly helped, never the best of many by luck; what was removed becomes a component that
    is added, and so on. Its seeds are new. Where no change clearly helps, the exit code is 1.
    """
    project = Project.open()
    made, definition = study_again(project.store, study, project.root)
    evidence = kept_evidence(project.store, definition.id)
    try:
        grown = following(made, evidence)
    except NoWinner as error:
        if as_json:
            emit({"version": 1, "study": None, "former": definition.id, "words": [str(error)]})
        else:
            hint(f"assay: {error}")
        return NO
    if not grown.components:
        raise InvalidStudy("nothing is left to ask of the winner", value=study, expected="components that still differ from it")
    said = grown.origin.applied if grown.origin else ()
    if target is None:
        for line in said:
            hint(line)
        where = {"executor": executor, "slurm": slurm, "ray": ray}
        return run_and_show(grown, grown.plan(), workers, where, accept_baseline=accept_baseline, as_json=as_json)
    write_study(grown, target, [f"Grew out of study {definition.id[:8]}.", *said])
    if as_json:
        emit({"version": 1, "study": grown.plan().study, "former": definition.id, "words": list(said), "file": str(target)})
    else:
        say("\n".join([*said, f"Wrote {target}; `assay study run {target}` runs it."]))
    return 0
