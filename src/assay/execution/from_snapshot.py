"""A command run with the code of a snapshot, in a folder of its own: whatever the user's folder has become, or becomes meanwhile."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from assay.capture.code import CodeCapture, Snapshot
from assay.capture.environment import describe, packages_in
from assay.capture.interpreter import interpreter_of
from assay.capture.outside import interpreter_folders, loaded_outside, restore_loaded, restored_folders
from assay.capture.outside_snapshot import editable_outside, lay_outside, snapshot_outside
from assay.comparison.diff import show_path
from assay.errors import MissingContent
from assay.execution.command_trial import localised
from assay.execution.needed import Needed, inputs_of_former
from assay.execution.own_imports import with_own_imports
from assay.execution.reuse import Reuse
from assay.execution.workspace import remove_dead_workspaces, workspace
from assay.records.environment import Environment, Package
from assay.records.recipe import Recipe
from assay.records.run import Run
from assay.records.trace import FileUse, Trace
from assay.store.store import Store
from assay.store.tree import read_tree
from assay.tracking.command import portable
from assay.tracking.notebook import notebook_at, spelled_out
from assay.tracking.supervise import Supervised, supervise


class OwnFolder(NamedTuple):
    """What came of it: the run with its exit code, the files that it wrote, and those of the project that it may have missed.

    `today` names files and folders beyond the project whose code was that of the run, since the snapshot does not have it, or since the
    script looks for it where it lies before all else.
    """

    supervised: Supervised
    written: tuple[FileUse, ...]
    missed: tuple[str, ...]
    today: tuple[str, ...] = ()


def snapshot_of(store: Store, source: Run | str) -> Snapshot:
    """The code of a run, or the tree of this id, as a snapshot.

    Raises:
        MissingContent: the run was recorded without code, or the store has no such tree.
    """
    if isinstance(source, str):
        store.objects.renew(source)  # no run names it yet
        return Snapshot(source, _files(store, source), {}, None, {})
    tree = store.objects.record(source.start.recipe, Recipe).code
    if tree is None:
        raise MissingContent("this run has no code tree", value=source.id, next_step="`assay show` says why, under fidelity.")
    store.objects.renew(tree)
    return Snapshot(tree, _files(store, tree), dict(source.start.left_out), source.start.git, {})


def _files(store: Store, tree: str) -> dict[str, str]:
    return {show_path(path): content for path, (_, content) in read_tree(store.objects, tree).items()}


def run_from_snapshot(
    store: Store,
    root: Path,
    command: Sequence[str],
    *,
    cwd: Path,
    source: Run | str | None = None,
    env: Mapping[str, str] | None = None,
    name: str = "",
    tags: Sequence[str] = (),
    params: Mapping[str, Any] | None = None,
    seed: int | None = None,
    data: Sequence[str | os.PathLike[str]] = (),
) -> OwnFolder:
    """Run a command in a fresh folder that holds a snapshot's code, and record it; the folder is gone afterwards.

    Beside the code the folder has copies of what was declared as data, of what the arguments name, and of what earlier runs of the
    program read or imported. Packages that are installed in editable form from the project are imported from the folder. All files that
    the command writes there, of any size, are kept as the run's artifacts; what it writes by an absolute path elsewhere stays there.

    Args:
        store, root, command, name, tags, params, seed: as for `assay.tracking.supervise.supervise`.
        cwd: working directory in the user's project; the command runs in the same one of its own folder.
        source: a run or the id of a tree; None: the code as it is at this call.
        env: environment of the command; this process' own where it is None.
        data: declared inputs, relative to `cwd`.

    Raises:
        MissingContent: the source has no code, or declared data does not exist.
        CommandNotFound, InvalidValue, StoreUnusable: as `supervise`.
        OSError: the folder cannot be made.
    """
    root, cwd = Path(os.path.realpath(root)), Path(os.path.realpath(cwd))
    environ = dict(os.environ if env is None else env)
    if notebook_at(command) == 0 and (cwd / command[0]).exists():
        command = spelled_out(command, environ, cwd)
    snapshot = CodeCapture(store, root).snapshot() if source is None else snapshot_of(store, source)
    packages = _packages(store, command, environ, cwd)
    outside = _outside(store, root, source, packages)
    needed = _needed(store, root, cwd, command, data, snapshot)
    remove_dead_workspaces()
    with workspace(store.objects, snapshot.tree, root, needed.files) as folder:
        directory = folder / os.path.relpath(cwd, root)
        directory.mkdir(parents=True, exist_ok=True)
        environ = with_own_imports(environ, packages, (str(root),), folder)
        environ = _first_on_path(environ, lay_outside(store, outside, folder))
        if isinstance(source, Run):
            environ = _with_loaded(store, source, packages, folder, environ)
        supervised = supervise(
            store,
            folder,
            localised(tuple(command), root, folder),
            cwd=directory,
            env=environ,
            name=name,
            tags=tags,
            params=params,
            seed=seed,
            data=[localised(("", str(cwd / item)), root, folder)[1] for item in data],
            snapshot=snapshot,
            keep_below=sys.maxsize,
        )
    result = supervised.run.result
    trace = store.objects.record(result.trace, Trace) if result and result.trace else Trace()
    failure = result.failure if result else None
    missed = needed.add_missed(f"{failure.text}\n{failure.traceback}") if failure else []
    return OwnFolder(
        supervised, trace.written, tuple(missed), tuple(_of_today(store, root, supervised.run, source, packages, outside))
    )


def _of_today(
    store: Store, root: Path, run: Run, source: Run | str | None, packages: Sequence[Package], outside: Mapping[str, str]
) -> list[str]:
    """Code from beyond the project that is not that of the snapshot: editable installations, then single files that were loaded."""
    if source is None:
        return []
    editable = [place for place in editable_outside(root, packages) if isinstance(source, str) and place not in outside]
    then = {use.path: use.id for use in _loaded_outside(store, source)} if isinstance(source, Run) else {}
    others = [use.path for use in _loaded_outside(store, run) if then.get(use.path) != use.id]
    return editable + [path for path in others if not any(Path(path).is_relative_to(place) for place in editable)]


def _loaded_outside(store: Store, run: Run) -> list[FileUse]:
    if run.result is None or run.result.trace is None:
        return []
    seen = run.result.environment
    environment = store.objects.record(seen, Environment) if seen else Environment()
    return loaded_outside(store.objects.record(run.result.trace, Trace).loaded, interpreter_folders(environment))


def _needed(
    store: Store, root: Path, cwd: Path, command: Sequence[str], data: Iterable[str | os.PathLike[str]], snapshot: Snapshot
) -> Needed:
    needed = Needed(root, cwd, snapshot.files)
    needed.add((os.path.relpath(cwd / item, root) for item in data), required=True)
    words = [word.rpartition("=")[2] if word.startswith("-") else word for word in command[1:]]
    needed.add(os.path.relpath(path, root) for word in words if word and (path := cwd / word).is_file())
    needed.add(inputs_of_former(store, Reuse(store, root, apart=True), portable(command, root, cwd)))
    return needed


def _packages(store: Store, command: Sequence[str], env: Mapping[str, str], cwd: Path) -> tuple[Package, ...]:
    return packages_in(store, describe(store, interpreter_of(command, env, cwd), env)[1])


def _with_loaded(store: Store, source: Run, packages: Sequence[Package], folder: Path, env: dict[str, str]) -> dict[str, str]:
    """Put what a run imported beside its code tree into the folder; the environment with which it is imported from there."""
    result = source.result
    if result is None or result.trace is None:
        return env
    trace = store.objects.record(result.trace, Trace)
    seen = result.environment or source.start.environment
    environment = store.objects.record(seen, Environment) if seen else Environment()
    restore_loaded(store.objects, trace, environment, folder)
    return _first_on_path(env, restored_folders(trace, environment, packages, folder))


def _outside(store: Store, root: Path, source: Run | str | None, packages: Sequence[Package]) -> dict[str, str]:
    """Code from beyond the project that goes with the snapshot; of a run, its trace has what it loaded."""
    if source is None:
        return snapshot_outside(store, root, packages)
    kept = (each for each in store.snapshots.listed() if each.tree == source)
    return next((dict(each.outside) for each in kept), {})


def _first_on_path(env: dict[str, str], folders: Sequence[str]) -> dict[str, str]:
    entries = [*folders, *filter(None, env.get("PYTHONPATH", "").split(os.pathsep))]
    return env | {"PYTHONPATH": os.pathsep.join(entries)} if entries else env
