"""The JSON documents of `assay data`; as in `assay.project.documents`, each carries its version."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from assay.capture.data_changes import Change, File, count
from assay.project.data import Compared
from assay.records.dataset import DataVersion
from assay.store.datasets import Listed

if TYPE_CHECKING:
    from assay.capture.data_leaks import Checked
    from assay.capture.data_restore import Restored

VERSION = 1
Document = dict[str, Any]


def entry(listed: Listed, version: DataVersion) -> Document:
    """DATA: a version of a data set."""
    split = version.split
    return {
        "name": listed.entry.name,
        "version": listed.entry.content,
        "path": listed.entry.path or None,
        "added": listed.entry.added,
        "policy": version.policy,
        "kind": version.kind,
        "files": len(version.sizes),
        "bytes": sum(version.sizes),
        "not_kept": dict(version.not_kept),
        "left_out": dict(version.left_out),
        "split": {name: getattr(split, name) for name in split.__struct_fields__} if split else None,
        "card": listed.entry.card,
    }


def added(listed: Listed, version: DataVersion, new: bool) -> Document:
    """What `data add` prints; `new` is false where nothing had changed."""
    return {"version": VERSION, "data": entry(listed, version), "new": new}


def listing(entries: Iterable[tuple[Listed, DataVersion]]) -> Document:
    """What `data ls` prints."""
    return {"version": VERSION, "data": [entry(listed, version) for listed, version in entries]}


def diff(compared: Compared) -> Document:
    """What `data diff` prints: a file is null where a state does not have it; `before` is null unless the file was renamed."""
    return {
        "version": VERSION,
        "a": compared.a,
        "b": compared.b,
        "changes": [_change(change) for change in compared.changes],
        "counts": count(compared.changes),
    }


def restored(done: Restored) -> Document:
    """What `data restore` prints; `overwritten` names the version that keeps what stood in the way."""
    kept = done.overwritten
    return {
        "version": VERSION,
        "folder": done.folder,
        "written": done.written,
        "same": done.same,
        "others": done.others,
        "not_kept": done.not_kept,
        "overwritten": {"name": kept.entry.name, "version": kept.entry.content} if kept else None,
    }


def leaks(found: Checked) -> Document:
    """What `data leaks` prints."""
    return {"version": VERSION, "leaks": [leak._asdict() for leak in found.leaks], "not_searched": dict(found.not_searched)}


def _change(change: Change) -> Document:
    return {
        "kind": change.kind,
        "path": change.path,
        "before": change.before or None,
        "a": _file(change.a),
        "b": _file(change.b),
    }


def _file(file: File | None) -> Document | None:
    return file._asdict() if file else None
