"""The JSON documents about a store as a whole: what moved, what is wrong, what is not needed, what takes space."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from assay.project.documents import Document
from assay.records.remote import SavedRemote
from assay.report.document import VERSION, plain
from assay.store.fsck import Checked
from assay.store.gc import Collected
from assay.store.remotes.transfer import Moved
from assay.store.usage import Usage


def moved(found: Moved, remote: str, folder: Path | None = None) -> Document:
    """What `push`, `pull` and `clone` print; `folder` is the clone's."""
    made = {} if folder is None else {"folder": str(folder)}
    return {"version": VERSION, "remote": remote, **made, **plain(found)}


def saved_remotes(found: Iterable[SavedRemote]) -> Document:
    """What `remote add` and `remote ls` print."""
    return {"version": VERSION, "remotes": [plain(remote) for remote in found]}


def checked(found: Checked) -> Document:
    """What `fsck` prints."""
    return {"version": VERSION, **plain(found)}


def collected(found: Collected) -> Document:
    """What `gc` prints."""
    return {"version": VERSION, **plain(found)}


def used(found: Usage) -> Document:
    """What `du` prints."""
    return {"version": VERSION, **plain(found)}
