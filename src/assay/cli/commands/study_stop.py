"""`assay study stop`: end a study that is running, from any terminal."""

from __future__ import annotations

import click

from assay.cli.boundary import NO
from assay.cli.output import emit, hint, json_option, say
from assay.project.project import Project
from assay.questions.study.archive import find_study
from assay.questions.study.working import stop, workers_of


@click.command(name="stop")
@click.argument("study")
@json_option
def command(study: str, as_json: bool) -> int:
    """Stop STUDY (its id or a unique prefix, its name, or last) and wait until its trials have ended.

    What has finished is kept: the command that runs the study goes on with the rest. The exit code is 1 where it is not running here.
    """
    store = Project.open().store
    found = find_study(store, study)
    workers = workers_of(store, found)
    stopped = [worker for worker in workers if stop(worker)]
    elsewhere = [worker.host.name for worker in workers if worker not in stopped]
    if as_json:
        emit({"version": 1, "study": found, "stopped": len(stopped), "elsewhere": elsewhere})
    elif stopped:
        say(f"Study {found[:8]} has stopped; trials that have finished are kept, and `assay study run` goes on with the rest.")
    else:
        where = f" It runs on {', '.join(elsewhere)}, where it has to be stopped." if elsewhere else ""
        hint(f"assay: study {found[:8]} is not running here.{where}")
    return 0 if stopped else NO
