"""One trial of a command, in the process that watches it: a folder of its own, supervised, its metrics looked up."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

from assay.capture.environment import packages_in
from assay.capture.settle import KEEP_BELOW
from assay.errors import AssayError
from assay.execution.channel import send
from assay.execution.own_imports import with_own_imports
from assay.execution.setup import CommandTask, Report, Setup
from assay.execution.workspace import workspace
from assay.records.factor import MetricGoal
from assay.records.run import Run
from assay.records.trace import FileUse
from assay.store.store import Store
from assay.tracking.asked import asked_value
from assay.tracking.supervise import supervise


def record_command(setup: Setup, store: Store, task: CommandTask, pipe: int) -> None:
    """Run the command and tell `pipe` what came of it.

    Raises:
        AssayError, OSError: the trial could not be started.
        KeyboardInterrupt: stopped before the command was started.
    """
    nowhere = os.open(os.devnull, os.O_RDWR)
    for standard in (0, 1, 2):
        os.dup2(nowhere, standard)
    # The command inherits what is blocked here, and its supervisor passes on what comes.
    signal.pthread_sigmask(signal.SIG_UNBLOCK, (signal.SIGINT, signal.SIGTERM))
    snapshot = task.snapshot or setup.snapshot
    with workspace(store.objects, snapshot.tree, setup.root, task.files) as folder:
        for path, content in (task.prepared or {}).items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            store.objects.copy_to(content, folder / path)
        (folder / task.makes).mkdir(parents=True, exist_ok=True)
        supervised = supervise(
            store,
            folder,
            localised(task.command, setup.root, folder),
            cwd=folder / task.directory,
            env=with_own_imports(dict(os.environ), packages_in(store, setup.environment[1]), (str(setup.root),), folder),
            name=task.name,
            params=task.recipe.params,
            seed=task.seed,
            given=[_given(folder, path, content) for path, content in task.files.items()],
            parents=task.parents,
            trial=task.trial,
            recipe=task.recipe,
            snapshot=snapshot,
            relay=True,
            # What a block is prepared with goes into the folders of its trials, so it is kept whatever its size.
            keep_below=KEEP_BELOW if task.trial is not None else sys.maxsize,
        )
    run = supervised.run
    metrics = metrics_of(store, run, task.goals) if run.state == "finished" else {}
    resources = run.result.resources if run.result else None
    failure = run.result.failure if run.result else None
    send(pipe, Report(task.number, run.id, run.state, metrics, failure, resources.wall if resources else 0.0, resources))


def _given(folder: Path, path: str, content: str) -> FileUse:
    return FileUse(path=path, id=content, size=(folder / path).stat().st_size, by="declared")


def localised(command: tuple[str, ...], root: Path, folder: Path) -> list[str]:
    """The command with paths of the user's project that the folder holds named there, and programs that only the user has named in full.

    A program such as `.venv/bin/python` belongs to the user's project and is not code, so it is used in place.
    """
    program, *arguments = command
    if "/" in program and not Path(program).is_absolute() and not (folder / program).exists():
        program = str(root / program)
    return [program, *(_moved(argument, root, folder) for argument in arguments)]


def _moved(argument: str, root: Path, folder: Path) -> str:
    prefix, mark, path = argument.rpartition("=") if argument.startswith("-") else ("", "", argument)
    if not path.startswith(f"{root}{os.sep}"):
        return argument
    return f"{prefix}{mark}{folder / os.path.relpath(path, root)}"


def metrics_of(store: Store, run: Run, goals: tuple[MetricGoal, ...]) -> dict[str, float]:
    """Results of a run by name, with each goal read where the study says: its source, and which value of its series.

    A goal that the run did not report there is left out: a metric of the same name from elsewhere does not stand in for it.
    """
    found = {name: metric.last for name, metric in run.result.metrics.items() if not metric.measured} if run.result else {}
    for goal in goals:
        value = _goal(store, run, goal)
        if value is None:
            found.pop(goal.name, None)
        else:
            found[goal.name] = value
    return found


def _goal(store: Store, run: Run, goal: MetricGoal) -> float | None:
    try:
        return asked_value(store, run, goal)
    except AssayError:  # what a run that has finished left cannot be read: then the metric is not there
        return None
