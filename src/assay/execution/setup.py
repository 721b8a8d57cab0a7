"""What a server of trials is told: once for all of them, and for each."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Literal, NamedTuple

from assay.capture.code import Snapshot
from assay.records.environment import Environment
from assay.records.factor import MetricGoal
from assay.records.plan import SplitName
from assay.records.recipe import Recipe
from assay.records.run import Failure, Parent, Resources, State, TrialOf
from assay.store.store import Store

THREADS = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    "BLIS_NUM_THREADS",
)
INSIDE = "ASSAY_TRIAL"
"""Environment variable that is set in servers and trials, and in whatever they start."""

Start = Literal["fork", "spawn"]


class Setup(NamedTuple):
    """What all trials of a server share.

    Attributes:
        function: shipped `(train, prepare or None)`; None where the tasks are commands.
        store: project root by which the store is opened.
        root: root that paths are recorded relative to.
        snapshot: code as it was when the study began: all trials run that code, whatever is edited meanwhile.
        environment: id and record, taken once.
        measured: names of metrics that are measurements.
        workers: how many trials run at once.
        start: "fork" from the server, or "spawn": a fresh interpreter for each trial.
        folder: of the store, where that is not the one of the project: the store of a bundle.
        original: root of the project where `root` is a trial's own copy of it.
        far: the server runs elsewhere, and has still to describe its machine.
    """

    function: bytes | None
    store: Path
    root: Path
    snapshot: Snapshot
    environment: tuple[str, Environment]
    measured: frozenset[str]
    workers: int
    start: Start
    folder: Path | None = None
    original: Path | None = None
    far: bool = False

    def open_store(self, *, create: bool = True) -> Store:
        """The store that the trials go into; raises as `Store.open` does."""
        return Store.open(self.store, create=create) if self.folder is None else Store.at(self.store, self.folder, create=create)


class Copied(NamedTuple):
    """What a trial runs in a copy of the project.

    Attributes:
        snapshot: the code of the copy.
        files: files of the user's root that it needs beside the code: relative path to content id.
        path: where the process that runs the study looks for modules.
        directory: its working directory.
    """

    snapshot: Snapshot
    files: dict[str, str]
    path: tuple[str, ...]
    directory: str


class Task(NamedTuple):
    """One trial, or one preparation (`kind` "prepare", where `configuration` is not used).

    One that is `copied` runs other code than the project's, in a fresh interpreter and a folder of its own.
    """

    number: int
    kind: Literal["train", "prepare"]
    configuration: bytes
    seed: int
    recipe: Recipe
    name: str
    trial: TrialOf | None
    parents: tuple[Parent, ...] = ()
    prepared: str | None = None
    split: SplitName | None = None
    copied: Copied | None = None


class CommandTask(NamedTuple):
    """One trial of a command.

    Attributes:
        number: index of the trial.
        command: arguments.
        directory: working directory relative to the root.
        seed: of the block.
        recipe: as it would be in the user's own folder.
        name: of the run.
        trial: its place in the study; None where it prepares a block.
        files: files of the user's root that the folder needs beside the code: relative path to content id.
        goals: metrics that are asked for, with where they are found.
        snapshot: the code where it is other than that of the study.
        prepared: what its block was prepared with: relative path to the content id of a file of the store.
        parents: runs that it builds on.
        makes: folder, relative to the root, that is made before the command starts; empty where none is.
    """

    number: int
    command: tuple[str, ...]
    directory: str
    seed: int
    recipe: Recipe
    name: str
    trial: TrialOf | None
    files: dict[str, str]
    goals: tuple[MetricGoal, ...]
    snapshot: Snapshot | None = None
    prepared: dict[str, str] | None = None
    parents: tuple[Parent, ...] = ()
    makes: str = ""


class Report(NamedTuple):
    """What a trial's process, or the server in its place, says of a task; `run` is None where no run could be started."""

    number: int
    run: str | None
    state: State
    metrics: dict[str, float]
    failure: Failure | None
    seconds: float
    resources: Resources | None = None
    prepared: str | None = None


class Began(NamedTuple):
    """A task became a run."""

    number: int
    run: str


class Recording(NamedTuple):
    """The function of a trial has ended, however it did, and what came of it is being written down."""

    number: int


class Ready(NamedTuple):
    """The server has loaded the function."""


class NotReady(NamedTuple):
    """The server could not load the function, or may not fork once it has."""

    problem: str
    next_step: str


def trial_environment(environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Environment for trials: what the user has set stays.

    The hash seed is 0 where it is not set, since it can only be given before a process starts. Where no thread count is set at all, each
    trial gets one thread: sums split over threads differ in their last bits, so a count that followed the number of workers (or the
    machine) would change results. The recipe holds these variables.
    """
    env = dict(environ)
    env.setdefault("PYTHONHASHSEED", "0")
    if not any(name in env for name in THREADS):
        env |= dict.fromkeys(THREADS, "1")
    env[INSIDE] = "1"
    return env


def interpreter_flags() -> list[str]:
    """Flags that give another interpreter the behaviour of this one."""
    flags = ["-" + "O" * sys.flags.optimize] if sys.flags.optimize else []
    flags += ["-B"] * sys.flags.dont_write_bytecode + ["-s"] * sys.flags.no_user_site + ["-E"] * sys.flags.ignore_environment
    flags += [f"-W{option}" for option in sys.warnoptions]
    return flags + [f"-X{name}" if value is True else f"-X{name}={value}" for name, value in sys._xoptions.items()]
