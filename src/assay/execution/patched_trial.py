"""One trial of a function in a copy of the project: a folder of its own, and a fresh interpreter that imports from it."""

from __future__ import annotations

import contextlib
import os
import pickle
import signal
import subprocess
from collections.abc import Iterable
from pathlib import Path
from types import ModuleType
from typing import NoReturn

from assay.capture.environment import packages_in
from assay.capture.outside import is_installed
from assay.execution.fresh import command
from assay.execution.own_imports import editable_folders, moved, with_own_imports
from assay.execution.setup import Copied, Setup, Task
from assay.execution.workspace import workspace
from assay.records.environment import Package
from assay.store.store import Store


def record_copied(setup: Setup, store: Store, task: Task, copied: Copied, pipe: int) -> NoReturn:
    """Have the task carried out in a copy of the project, by a process that talks to `pipe` itself; end as that process ends.

    Signals that stop a trial are held back here; they reach that process too, which is of the same group.

    Raises:
        AssayError, OSError: the trial could not be started.
        KeyboardInterrupt: stopped before that process was started.
    """
    with workspace(store.objects, copied.snapshot.tree, setup.root, copied.files) as folder:
        if signal.sigpending() & {signal.SIGINT, signal.SIGTERM}:
            raise KeyboardInterrupt
        process = _start(setup, copied, packages_in(store, setup.environment[1]), folder, pipe)
        inner = setup._replace(root=folder, snapshot=copied.snapshot, start="spawn", original=setup.root)
        assert process.stdin is not None
        # One that dies before it has read this is seen by its end.
        with contextlib.suppress(BrokenPipeError), process.stdin as stdin:
            pickle.dump((inner, task._replace(copied=None)), stdin)
        if signal.sigpending() & {signal.SIGINT, signal.SIGTERM}:  # it may have come before that process was of the group
            process.send_signal(signal.SIGINT)
        code = process.wait()
    _end_alike(code)


def strays(modules: Iterable[ModuleType], setup: Setup) -> list[str]:
    """Files of the project that this process imported from the project itself, though it has a copy of them; relative to the root."""
    if setup.original is None:
        return []
    files = [file for module in modules if isinstance(file := getattr(module, "__file__", None), str)]
    # Links are followed once for each folder: the modules of a trial may be thousands, and its time is a measurement.
    folders = {folder: os.path.realpath(folder) for folder in {os.path.dirname(file) for file in files}}  # noqa: PTH120 - text
    root = os.path.realpath(setup.original)
    own = {folder for folder, real in folders.items() if f"{real}/".startswith(f"{root}/")}
    paths = {os.path.relpath(os.path.realpath(file), root) for file in files if os.path.dirname(file) in own}  # noqa: PTH120 - text
    return sorted(paths & setup.snapshot.files.keys())


def _start(setup: Setup, copied: Copied, packages: tuple[Package, ...], folder: Path, pipe: int) -> subprocess.Popen[bytes]:
    root = os.path.realpath(setup.root)
    directory = Path(moved(os.path.realpath(copied.directory), (root,), folder))
    directory.mkdir(parents=True, exist_ok=True)
    # Last, since hooks of editable installations are asked after the module path.
    path = [*(_entry(entry, root, folder) for entry in copied.path), *editable_folders(packages, (root,), folder)]
    return subprocess.Popen(
        command("trial", pipe, list(dict.fromkeys(path))),
        cwd=directory,
        env=with_own_imports(dict(os.environ), packages, (root,), folder),
        stdin=subprocess.PIPE,
        pass_fds=[pipe],
    )


def _entry(entry: str, root: str, folder: Path) -> str:
    """A place of the module path as it is in the copy, as far as it has it: a virtual environment it has not."""
    real = os.path.realpath(entry)
    place = moved(real, (root,), folder)
    # An empty one is the working directory, whichever it is.
    return place if entry and place != real and not is_installed(entry, ()) and Path(place).exists() else entry


def _end_alike(code: int) -> NoReturn:
    """End as a process that ended with this code, so that who waits for this one is told how."""
    if code < 0:
        with contextlib.suppress(OSError):  # some signals have no other handler anyway
            signal.signal(-code, signal.SIG_DFL)
        os.kill(os.getpid(), -code)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, (-code,))
    os._exit(max(code, 0))
