"""A bundle: one run or one study in one file. What it says of itself, beside the contents."""

from __future__ import annotations

from typing import Literal

from assay.records.canonical import Record

Why = Literal["left out", "only hashed", "outside the project", "missing"]


class Absent(Record, frozen=True, kw_only=True):
    """A content that a run used or made and that the bundle does not hold.

    Attributes:
        id: of the content.
        path: under which a run knew it; empty where it has none.
        kind: what it is for: "data", "artifacts", "code" …
        size: bytes, 0 where they are not known.
        why: "left out" as asked for; "only hashed" when it was recorded, and no longer there; "outside the project", where it has to be
            found at its path; "missing" from the store though it was kept.
        access: what the card of its data set says of who may get it, and how.
    """

    id: str
    path: str = ""
    kind: str = ""
    size: int = 0
    why: Why = "missing"
    access: str = ""


class Bundle(Record, frozen=True, kw_only=True, tag_field="assay", tag="bundle/1"):
    """What a bundle holds: `bundle.json` in it.

    Attributes:
        kind: of what was published.
        subject: id of the run or the study.
        name: what its user called it.
        runs: ids of all runs in it, the one that is reproduced first at the head; of a study that is the baseline's.
        objects: content id to the name of the member that holds it.
        absent: what was used or made and is not in it.
        sealed: study to when its definition was written, in seconds since 1970; those of which that is not known are not there.
    """

    kind: Literal["run", "study"]
    subject: str
    name: str = ""
    runs: tuple[str, ...] = ()
    objects: dict[str, str] = {}
    absent: tuple[Absent, ...] = ()
    sealed: dict[str, float] = {}
