"""Data sets: their versions (content, sizes, how they were made), the history of each, and what a card says of them."""

from __future__ import annotations

from typing import Literal

from assay.records.canonical import Record

Policy = Literal["kept", "hashed"]


class Split(Record, frozen=True, kw_only=True):
    """The rule that a version is one part of another version by; the same rule and seed give the same parts, on every machine.

    Attributes:
        source: content id of the version that was split.
        part: which of the parts this is.
        fractions: part to its share; they sum to 1.
        seed: of the ranks by which files or rows are dealt out.
        unit: what is dealt out.
        stratify: column (of rows) within whose values the shares hold; "folder" for files by folder; empty for none.
        method: the algorithm, with its version.
    """

    source: str
    part: str
    fractions: dict[str, float]
    seed: int
    unit: Literal["file", "row"]
    stratify: str = ""
    method: str = "blake3 rank/1"


class DataVersion(Record, frozen=True, kw_only=True, tag_field="assay", tag="data/1"):
    """What a data set held. The same content, taken in the same way, is the same version wherever and whenever it was added.

    Attributes:
        content: id of the tree, or of the file where the data set is one file.
        kind: "folder", or the kind that the one file has in a tree.
        policy: "kept": the content of its files is in the store; "hashed": it is identified alone.
        sizes: bytes of each file and 0 for each link, ordered by folder, then name, both as bytes.
        not_kept: files that were hashed alone although the policy is "kept", with the reason.
        left_out: what is no part of the version or stands in it in another way, with the reason: FIFOs, unreadable files, links.
        split: where it is a part of another version.
    """

    content: str
    kind: Literal["folder", "file", "exec"] = "folder"
    policy: Policy = "kept"
    sizes: tuple[int, ...] = ()
    not_kept: dict[str, str] = {}
    left_out: dict[str, str] = {}
    split: Split | None = None


class Card(Record, frozen=True, kw_only=True, tag_field="assay", tag="card/1"):
    """What people must know of a data set and its bytes do not say.

    Attributes:
        title, description: in words.
        source: where it comes from: a URL, or words.
        licence: a URL or SPDX identifier.
        access: who may get it, and how.
        privacy: what it says of people, and what was done about that.
        creators: names.
        published: a date, "2026-11-21".
        cite: how to cite it.
        generation: steps that made it, in order.
    """

    title: str = ""
    description: str = ""
    source: str = ""
    licence: str = ""
    access: str = ""
    privacy: str = ""
    creators: tuple[str, ...] = ()
    published: str = ""
    cite: str = ""
    generation: tuple[str, ...] = ()


class DataEntry(Record, frozen=True, kw_only=True, tag_field="assay", tag="dataset/1"):
    """One line of the history of a data set: that a version of it was added, or that its card changed.

    Attributes:
        name: of the data set.
        path: where it was: relative to the root where below it, else absolute; bytes that are no UTF-8 as `\\xNN`.
        version: id of the `DataVersion`.
        content: content id of that version, so that a history is read without it.
        added: seconds since 1970, UTC.
        before: id of the entry that was the newest of this data set; None for the first.
        card: id of the `Card`; None where nobody has written one.
    """

    name: str
    path: str
    version: str
    content: str
    added: float
    before: str | None = None
    card: str | None = None
