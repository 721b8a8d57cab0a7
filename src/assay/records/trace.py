"""A trace: what was observed while a run ran. Nothing in it was declared by the user."""

from __future__ import annotations

from assay.records.canonical import Record


class FileUse(Record, frozen=True, kw_only=True):
    """One file that a run loaded, read or wrote.

    Attributes:
        path: relative to the root where below it, else absolute; always with "/".
        id: BLAKE3 of its content; None where it could not be known (see `note`).
        size: bytes.
        mtime: modification time in nanoseconds when it was hashed, or read where the content is unknown; a hint that spares hashing,
            never a proof.
        kept: whether the content is in the store.
        by: "open" (seen as the process opened it), "scan" (found changed afterwards), "save" (`run.save`), "declared" (`--data`),
            "cells" (made of a notebook's cells as they ran).
        note: why content or copy is missing: "changed while the run read it", "vanished", "too large to keep" …; empty where nothing is.
    """

    path: str
    id: str | None = None
    size: int = 0
    mtime: int = 0
    kept: bool = False
    by: str = "open"
    note: str = ""


class Trace(Record, frozen=True, kw_only=True, tag_field="assay", tag="trace/1"):
    """Files by use. A file that the run wrote before it read it is not an input and stands under `written` alone.

    Attributes:
        loaded: source files of the project that were imported or executed.
        read: data files that were read.
        written: files that exist at the end and were created or changed by the run (its artifacts).
        listed: directories whose entries were listed, to the digest of their sorted names (as seen when listed).
        processes: how many interpreters reported.
    """

    loaded: tuple[FileUse, ...] = ()
    read: tuple[FileUse, ...] = ()
    written: tuple[FileUse, ...] = ()
    listed: dict[str, str] = {}
    processes: int = 0
