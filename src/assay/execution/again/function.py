"""A trial of a function carried out again: the call that was recorded, in a fresh interpreter that imports from the workspace."""

from __future__ import annotations

import contextlib
import json
import os
import pickle
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec

from assay.capture.code import Snapshot
from assay.capture.interpreter import Interpreter, this_interpreter
from assay.capture.outside import is_installed
from assay.capture.packages import packages_of
from assay.errors import MissingContent, StoreDamaged, TrialsFailed, UsageError
from assay.execution.calls import Call
from assay.execution.channel import Inbox
from assay.execution.fresh import SERVER, boot
from assay.execution.setup import Began, Report, Setup, Task, trial_environment
from assay.records.environment import Environment
from assay.records.recipe import Recipe
from assay.records.run import Parent, Run
from assay.store.store import Store

_PREPARED = "prepared value"


class FunctionAgain(NamedTuple):
    """A call that is to be made again.

    Attributes:
        run, call: of what is repeated.
        recipe: of the new run.
        roots: folders that the project stood under, now and then.
        workspace: folder that holds the code tree and the inputs.
        snapshot: of the code tree.
        env: environment for the new process, with the recipe's threads and flags.
        environment: id and record of what it runs in.
        name, parent: of the new run.
        interpreter: what to call it in; None for the interpreter of this process, with its packages.
        installed: folders of the interpreter that the study ran in: they are not on the module path of another.
        timeout: seconds after which it is asked to end, and ended 10 seconds later; its run is then interrupted, or has crashed.
    """

    run: Run
    recipe: Recipe
    call: Call
    roots: tuple[str, ...]
    workspace: Path
    snapshot: Snapshot
    env: Mapping[str, str]
    environment: tuple[str, Environment]
    name: str
    parent: Parent
    timeout: float | None = None
    interpreter: Interpreter | None = None
    installed: Sequence[str] = ()


def recorded_call(store: Store, run: Run, recipe: Recipe) -> Call:
    """The call that a trial was.

    Raises:
        UsageError: the run is no trial of a function.
        MissingContent: the call is not in this store.
        StoreDamaged: what is stored is no call.
    """
    if run.start.trial is None or run.start.trial.call is None:
        raise UsageError(
            "of this run only the name of its function is recorded, not how it was called",
            value=recipe.function,
            expected="a trial of a study, a script or a command",
            next_step="Reproduce a trial of the study instead: `assay study show` lists their runs.",
        )
    try:
        return msgspec.msgpack.decode(store.objects.get(run.start.trial.call), type=Call)
    except msgspec.MsgspecError as error:
        raise StoreDamaged("the recorded call of this trial cannot be read", value=run.start.trial.call) from error


def name_again(run: Run) -> str:
    """The name of a run that repeats another: never that run's own, which goes on to name the original."""
    return f"reproduction of {run.start.name or run.id[:8]}"


def carry_out_again(store: Store, again: FunctionAgain) -> Run:
    """The new run of a recorded call, in the store with its result.

    Raises:
        MissingContent: what the block was prepared with is not in this store.
        TrialsFailed: the process ended before it became a run.
    """
    reading, writing = os.pipe()
    with os.fdopen(reading, "rb", buffering=0):
        process = _start(again, writing)
        os.close(writing)
        clock = _clock(process, again.timeout)
        try:
            _hand_over(process, (_setup(store, again), _task(store, again)))
            run_id, report = _follow(Inbox(reading))
        except BaseException:
            _stop(process)
            raise
        finally:
            clock.cancel()
        process.wait()
    if run_id is None:
        raise TrialsFailed(
            "the function could not be carried out again",
            value=again.recipe.function,
            next_step=f"{report.failure.text}." if report and report.failure else "Its process ended before the call.",
        )
    return store.runs.read(run_id)


def _start(again: FunctionAgain, writing: int) -> subprocess.Popen[bytes]:
    facts = {
        "path": _path(again),
        "argv": list(again.call.argv),
        "command": list(again.run.start.command),
        "role": "trial",
        "descriptor": writing,
    }
    directory = _moved(again.call.directory, again)
    return subprocess.Popen(
        [again.interpreter.executable if again.interpreter else sys.executable, "-P", "-c", boot(SERVER), json.dumps(facts)],
        cwd=directory if Path(directory).is_dir() else again.workspace,
        env=trial_environment(again.env),
        stdin=subprocess.PIPE,
        pass_fds=[writing],
        process_group=0,
    )


def _path(again: FunctionAgain) -> list[str]:
    """The import path of the trial, with what lay in the project looked for in the workspace; Assay itself stays where it is."""
    own = str(Path(__file__).parents[3])
    moved = [entry if entry == own else _moved(entry, again) for entry in again.call.path]
    if again.interpreter is None:
        return list(dict.fromkeys([*moved, own, *(entry for entry in sys.path if entry)]))
    beside = [own] if not is_installed(own, ()) else []
    theirs = [entry for entry in moved if entry and not is_installed(entry, again.installed)]
    return list(dict.fromkeys([*theirs, *beside, *again.interpreter.path]))


def check_library(interpreter: Interpreter) -> None:
    """Nothing, where the interpreter can import this Assay: a trial talks with the process that asked for it.

    Raises:
        UsageError: Assay was installed as a package here, and the interpreter has another version of it, or none.
    """
    own = str(Path(__file__).parents[3])
    here = {package.name: package.version for package in packages_of(this_interpreter()).packages}.get("assay")
    there = {package.name: package.version for package in packages_of(interpreter).packages}.get("assay")
    if is_installed(own, ()) and here != there:
        raise UsageError(
            "a trial of a function can only be called where this version of Assay is installed",
            value=there or "no Assay",
            expected=f"assay {here}",
            next_step="Install the version that recorded the trial, or use the current environment.",
        )


def _moved(path: str, again: FunctionAgain) -> str:
    """A folder of the project as the same folder of the workspace, where the workspace has it: a virtual environment it has not."""
    for root in again.roots:
        if path == root or path.startswith(root.rstrip("/") + "/"):
            place = again.workspace / os.path.relpath(path, root)
            return str(place) if place.is_dir() else path
    return path


def _setup(store: Store, again: FunctionAgain) -> Setup:
    metrics = again.run.result.metrics if again.run.result else {}
    return Setup(
        function=again.call.function,
        store=store.root,
        root=again.workspace,
        snapshot=again.snapshot,
        environment=again.environment,
        measured=frozenset(name for name, metric in metrics.items() if metric.measured),
        workers=1,
        start="spawn",
        folder=store.path,
    )


def _task(store: Store, again: FunctionAgain) -> Task:
    prepared = again.recipe.data.get(_PREPARED)
    if prepared is not None and prepared not in store.objects:
        raise MissingContent(
            "what this trial's block was prepared with is not in this store",
            value=prepared,
            expected="the content that `prepare` returned",
            next_step="Run the study again; it prepares its blocks anew.",
        )
    parents = tuple(parent for parent in again.run.start.parents if parent.by == "prepare")
    return Task(
        number=0,
        kind="train",
        configuration=again.call.configuration,
        seed=again.recipe.seed or 0,
        recipe=again.recipe,
        name=again.name,
        # A reproduction is evidence about its original, not one more trial of the study.
        trial=None,
        parents=(*parents, again.parent),
        prepared=prepared,
        split=again.run.start.trial.split if again.run.start.trial else None,
    )


def _hand_over(process: subprocess.Popen[bytes], work: tuple[Setup, Task]) -> None:
    assert process.stdin is not None
    # A process that dies before it has read this says why on the other pipe, or by its end.
    with contextlib.suppress(BrokenPipeError), process.stdin as pipe:
        pickle.dump(work, pipe)


def _follow(inbox: Inbox) -> tuple[str | None, Report | None]:
    """The id of the run, as soon as there is one, and the report at its end; each None where the process died before it."""
    run_id, report = None, None
    while not inbox.closed:
        for message in inbox.receive():
            if isinstance(message, Began):
                run_id = message.run
            elif isinstance(message, Report):
                run_id, report = message.run or run_id, message
    return run_id, report


def _clock(process: subprocess.Popen[bytes], timeout: float | None) -> threading.Timer:
    """What stops the trial when its time is over, started where it has one."""
    clock = threading.Timer(timeout or 0, _stop, [process])
    clock.daemon = True
    if timeout is not None:
        clock.start()
    return clock


def _stop(process: subprocess.Popen[bytes]) -> None:
    """Ask the trial to end, so that it is recorded as interrupted, and wait for it."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGINT)
    try:
        process.wait(timeout=10)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
