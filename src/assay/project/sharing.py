"""Giving runs to another store and getting them from there: a folder, or a bucket of an object store."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path

from assay.errors import AmbiguousRun, InvalidValue, UnknownRun
from assay.records.canonical import decode
from assay.records.run import Start
from assay.store.remotes.address import without_credentials
from assay.store.remotes.folder import FolderPlace
from assay.store.remotes.opening import open_place
from assay.store.remotes.place import START, Place
from assay.store.remotes.transfer import Moved, Progress, transfer
from assay.store.root import FOLDER
from assay.store.runs import is_run_id
from assay.store.store import Store


def _silent(_: Moved) -> None:
    """Where nobody watches."""


def push(store: Store, remote: str, runs: Sequence[str] = (), *, check: bool = False, progress: Progress = _silent) -> Moved:
    """Give a remote what it lacks of this store; where the remote's folder has no store yet, it is made.

    Args:
        store: this project's.
        remote: a folder, `file:///folder` or `s3://bucket/prefix`.
        runs: ids of runs, each pushed with what it needs and no run beside it; empty: all runs and studies.
        check: look again whether the content of runs that arrived before is there.
        progress: called from time to time with what was moved so far.

    Raises:
        InvalidValue: the remote is no address, or this store itself.
        RemoteUnusable, StoreUnusable, StoreTooNew: one side cannot be used.
    """
    here = FolderPlace(store)
    there = _other(store, remote, create=True)
    return transfer(here, there, here, runs=list(runs) or None, check=check, progress=progress)


def pull(store: Store, remote: str, runs: Sequence[str] = (), *, check: bool = False, progress: Progress = _silent) -> Moved:
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
    chosen = find(there, runs) if runs else None
    return transfer(there, here, here, runs=chosen, check=check, progress=progress)


def clone(remote: str, folder: str | Path | None = None, *, progress: Progress = _silent) -> tuple[Path, Moved]:
    """A new folder with a store that holds all that a remote has. No code is put back: that is for `restore`, run by run.

    Args:
        remote: as for `push`.
        folder: new or empty; by default named after the remote. One that a clone was interrupted in is gone on with.
        progress: as for `push`.

    Raises:
        InvalidValue: the folder holds other things; or as for `push`.
        RemoteUnusable, StoreUnusable, StoreTooNew: as for `push`.
    """
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
    return target, transfer(there, place := FolderPlace(store), place, progress=progress)


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


def _other(store: Store, remote: str, *, create: bool) -> Place:
    """The place at an address, which must not be this store."""
    place = open_place(remote, create=create)
    if isinstance(place, FolderPlace) and os.path.realpath(place.store.path) == os.path.realpath(store.path):
        raise InvalidValue("this remote is the store itself", value=remote, expected="another folder, or s3://bucket/prefix")
    return place


def _name(remote: str) -> str:
    parts = [part for part in without_credentials(remote).rstrip("/").split("/") if part not in ("", FOLDER)]
    return parts[-1] if parts else "clone"
