"""Versions of data sets: what a folder or file holds now becomes the newest entry of its history."""

# Paths are text here: names need not be valid Unicode.
# ruff: noqa: PTH100, PTH119

from __future__ import annotations

import os
import time
from typing import Final, NamedTuple

from assay.capture.data import look, recorded_path
from assay.errors import InvalidValue
from assay.records.dataset import DataEntry, DataVersion, Policy
from assay.store.datasets import Listed
from assay.store.store import Store

_LATER: Final = 1e-6  # seconds by which an entry is later than the one before, though the clock was set back


class Added(NamedTuple):
    """A version of a data set, with its entry in the history; `new` is false where it was the newest already."""

    listed: Listed
    version: DataVersion
    new: bool


def add_version(
    store: Store,
    root: str | os.PathLike[str],
    path: str | os.PathLike[str],
    *,
    name: str | None = None,
    policy: Policy | None = None,
) -> Added:
    """What `path` holds now as the newest version of a data set; where nothing changed, nothing is added.

    Args:
        store: where to.
        root: the project's root, which paths are recorded relative to.
        path: a file or folder, relative to the working directory.
        name: of the data set; else the one under which the path was added last, else the path.
        policy: "kept" or "hashed"; else that of its newest version, else "kept".

    Raises:
        InvalidValue: the path cannot be read, or the name cannot be one.
        StoreUnusable: the store cannot take it.
    """
    full = os.path.abspath(path)
    recorded = recorded_path(full, root)
    name = _checked(name if name is not None else _name_of(store, full, recorded))
    history = store.datasets.history(name)
    policy = policy or (store.objects.record(history[0].entry.version, DataVersion).policy if history else "kept")
    found = look(store, full, policy)
    if history and (history[0].entry.version, history[0].entry.path) == (found.id, recorded):
        return Added(history[0], found.version, new=False)
    return Added(enter(store, name, recorded, found.id, found.version.content), found.version, new=True)


def enter(store: Store, name: str, recorded: str, version_id: str, content: str, *, card: str | None = None) -> Listed:
    """Add a version, which is in the store, to the history of a data set.

    Args:
        recorded: where it lies; empty where it lay nowhere yet.
        card: id of its card; else it has that of the version before.

    Raises:
        StoreUnusable: the store cannot take it.
    """
    last = next(iter(store.datasets.history(name)), None)
    entry = DataEntry(
        name=name,
        path=recorded,
        version=version_id,
        content=content,
        added=max(time.time(), last.entry.added + _LATER) if last else time.time(),
        before=last.id if last else None,
        card=card or (last.entry.card if last else None),
    )
    return Listed(store.datasets.add(entry), entry)


def _name_of(store: Store, full: str, recorded: str) -> str:
    known = [listed.entry.name for listed in store.datasets.listed() if listed.entry.path == recorded]
    return known[-1] if known else os.path.basename(os.path.realpath(full)) if recorded == "." else recorded


def _checked(name: str) -> str:
    if not name or not name.isprintable() or name != name.strip():
        raise InvalidValue(
            "a data set cannot have this name",
            value=name,
            expected="printable text without spaces around it",
            next_step="Give it another with --name.",
        )
    return name
