"""Marks: what people say about a run after it was recorded. A run never changes, so each is a record of its own beside it."""

from __future__ import annotations

from typing import Literal

from assay.records.canonical import Record


class Mark(Record, frozen=True, kw_only=True, tag_field="assay", tag="mark/1"):
    """One thing that was said about a run. Marks are only ever added; the later one counts where two contradict each other.

    Attributes:
        run: the run's id.
        time: seconds since 1970, UTC.
        kind: "tag" and "untag" a word; "note" a text.
        text: the word or the text.
        user: who said it.
        host: on which machine.
    """

    run: str
    time: float
    kind: Literal["tag", "untag", "note"]
    text: str
    user: str = ""
    host: str = ""
