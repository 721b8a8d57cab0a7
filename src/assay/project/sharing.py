"""Giving runs to another store and getting them from there: a folder, or a bucket of an object store."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from assay.errors import AmbiguousRun, InvalidValue, RemoteUnusable, StoreUnusable, TargetUnusable, UnknownRun
from assay.records.canonical import decode, legible
from assay.records.run import Start
from assay.store.remotes.address import without_credentials
from assay.store.remotes.folder import FolderPlace
from assay.store.remotes.names import ORIGIN
from assay.store.remotes.opening import open_place
from assay.store.remotes.place import START, Place
from assay.store.remotes.transfer import Moved, Progress, transfer
from assay.store.root import FOLDER, find_root
from assay.store.runs import is_run_id
from assay.store.store import Store


def _silent(_: Moved) -> None:
    """Where nobody watches."""


def push(store: Store, remote: str | None, runs: Sequence[str] = (), *, check: bool = False, progress: Progress = _silent) -> Moved:
    """Give a remote what it lacks of this store; where the remote's folder has no store yet, it is made.

    Args:
        store: this project's.
        remote: a saved name, a folder, `file:///folder` or `s3://bucket/prefix`; None: what is saved as `origin`.
        runs: ids of runs, each pushed with what it needs and no run beside it; empty: all runs and studies.
        check: look again whether the content of runs that arrived before is there.
        progress: called from time to time with what was moved so far.

    Raises:
        InvalidValue: the remote is no address, or this store itself.
        RemoteUnusable, StoreUnusable, StoreTooNew: one side cannot be used.
    """
    here = FolderPlace(store)
    there = _other(store, remote, create=True)
    with _blaming(there, RemoteUnusable):
        return transfer(here, there, here, runs=list(runs) or None, check=check, progress=progress)


def pull(store: Store, remote: str | None, runs: Sequence[str] = (), *, check: bool = False, progress: Progress = _silent) -> Moved:
    """Get what this store lacks of a remote's runs and studies.

    Args:
        store: this project's.
        remote: as for `push`.
        runs: ids, unique prefixes of ids, or names of runs in the remote (of several with a name the newest); empty: all.
        check: look again whether the content of runs that are here already is here.
        progress: as for `push`.

    Raises:
        UnknownRun, AmbiguousRun: the remote has no such run, or several.
        InvalidValue, RemoteUnusable, StoreUnusable, StoreTooNew: as for `push`.
    """
    here = FolderPlace(store)
    there = _other(store, remote, create=False)
    with _blaming(there, RemoteUnusable):
        chosen = find(there, runs) if runs else None
        return transfer(there, here, here, runs=chosen, check=check, progress=progress)


def clone(remote: str, folder: str | Path | None = None, *, progress: Progress = _silent) -> tuple[Path, Moved]:
    """A new folder with a store that holds all that a remote has, and knows it as `origin`. No code is put back: `restore` does that.

    Args:
        remote: as for `push`; a saved name is one of the project around the working directory.
        folder: new or empty; by default named after the remote. One that a clone was interrupted in is gone on with.
        progress: as for `push`.

    Raises:
        InvalidValue: the folder holds other things; or as for `push`.
        RemoteUnusable, StoreUnusable, StoreTooNew: as for `push`.
        TargetUnusable: the folder cannot be written.
    """
    remote = _saved_here(remote)
    there = open_place(remote, create=False)
    target = Path(folder if folder is not None else _name(remote)).absolute()
    if isinstance(there, FolderPlace) and os.path.realpath(there.store.path) == os.path.realpath(target / FOLDER):
        raise InvalidValue(
            "this folder is the remote itself",
            value=str(target),
            expected="a new or empty folder",
            next_step="Name another: assay clone REMOTE DIR.",
        )
    others = [name for name in os.listdir(target) if name != FOLDER] if target.is_dir() else []  # noqa: PTH208 - names are wanted
    if others or (target.exists() and not target.is_dir()):
        raise InvalidValue(
            "a remote is cloned only where nothing else is", value=str(target), expected="a new or empty folder",
            next_step="Name another; `assay pull` adds to a store that is there.",
        )  # fmt: skip
    store = Store.at(target, target / FOLDER)
    if legible(remote) == remote and all(saved.name != ORIGIN for saved in store.remotes.listed()):
        store.remotes.save(ORIGIN, remote)
    place = FolderPlace(store)
    with _blaming(there, RemoteUnusable), _blaming(place, TargetUnusable):
        return target, transfer(there, place, place, progress=progress)


def find(place: Place, selectors: Sequence[str]) -> list[str]:
    """Ids of the runs of a place that these name: by id, unique prefix or name.

    Raises:
        UnknownRun, AmbiguousRun: one names none, or is the prefix of several.
    """
    known = sorted(place.runs())
    names: dict[str, str] | None = None
    found = []
    for selector in selectors:
        matching = [run_id for run_id in known if selector and run_id.startswith(selector)]
        if not matching:
            names = _names(place, known) if names is None else names
            matching = [names[selector]] if selector in names else []
        if len(matching) != 1:
            raise _unclear(place, selector, matching, known)
        found.append(matching[0])
    return found


def _names(place: Place, known: Sequence[str]) -> dict[str, str]:
    """Name to the id of the newest run that has it."""
    starts = sorted((decode(place.read_run(run_id, START), Start) for run_id in known), key=lambda start: start.started)
    return {start.name: start.id for start in starts if start.name and is_run_id(start.id)}


def _unclear(place: Place, selector: str, matching: Sequence[str], known: Sequence[str]) -> UnknownRun | AmbiguousRun:
    kind: Callable[..., UnknownRun | AmbiguousRun] = AmbiguousRun if matching else UnknownRun
    some = ", ".join((matching or known)[:6])
    return kind(
        "several runs of the remote have this prefix" if matching else f"no run in {place.shown} answers to this", value=selector,
        expected=f"an id, a unique prefix of one or a name; there are {some}" if some else "a remote with runs",
    )  # fmt: skip


@contextmanager
def _blaming(place: Place, kind: type[RemoteUnusable | TargetUnusable]) -> Iterator[None]:
    """Let an error name the place that cannot be used, where that is another store than the user's own."""
    try:
        yield
    except StoreUnusable as error:
        if not isinstance(place, FolderPlace) or not str(error.value).startswith(str(place.store.path)):
            raise
        raise kind(
            error.problem, value=error.value, expected=error.expected,
            next_step="Look after the space, the mode and the disk of the folder; the same command then goes on where it was.",
        ) from error  # fmt: skip


def _saved_here(remote: str) -> str:
    """The address that a text stands for in the project around the working directory, if there is one."""
    try:
        store = Store.open(find_root(Path.cwd()), create=False)
    except (InvalidValue, StoreUnusable):
        return remote
    return store.remotes.address(remote)


def _other(store: Store, remote: str | None, *, create: bool) -> Place:
    """The place that a saved name or an address leads to, which must not be this store."""
    remote = store.remotes.address(remote)
    place = open_place(remote, create=create)
    if isinstance(place, FolderPlace) and os.path.realpath(place.store.path) == os.path.realpath(store.path):
        raise InvalidValue("this remote is the store itself", value=remote, expected="another folder, or s3://bucket/prefix")
    return place


def _name(remote: str) -> str:
    parts = [part for part in without_credentials(remote).rstrip("/").split("/") if part not in ("", FOLDER)]
    return parts[-1] if parts else "clone"
