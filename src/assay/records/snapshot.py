"""Kept snapshots: code that somebody asked for by `assay snapshot`, so that a job can run it later."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from assay.records.canonical import Record


class KeptSnapshot(Record, frozen=True, kw_only=True, tag_field="assay", tag="snapshot/1"):
    """Code that is kept until somebody says that it is not needed any more, though no run has it yet.

    Attributes:
        tree: id of the code tree.
        taken: seconds since 1970, UTC; of a tree that was asked for several times, the last.
        files: how many it has.
        user: who asked for it.
        host: on which machine.
        outside: folder of each editable installation beyond the project, to the tree of its code.
    """

    LATER: ClassVar[Mapping[str, object]] = {"outside": {}}

    tree: str
    taken: float
    files: int = 0
    user: str = ""
    host: str = ""
    outside: dict[str, str] = {}
