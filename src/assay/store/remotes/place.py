"""A place that holds objects, runs and studies: what a transfer needs of either side.

Nothing in a place is ever replaced by something else. An object appears whole, under the id of what arrived; a run appears with all its
files, and from then on its journals may grow and its result may come; a study appears with its definition.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Protocol

from blake3 import blake3

from assay.errors import StoreDamaged
from assay.records.canonical import decode
from assay.records.evidence import StudyEvidence
from assay.store.inventory import Stored

START, RESULT, HEARTBEAT = "start", "result", "heartbeat"
DEFINITION, EVIDENCE = "definition", "evidence"
FILE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
"""Names that files of a run can have; whatever else lies in a run's folder is no part of it."""
ENTRIES = ("data", "marks")
"""Folders of small records that are named by their content and never change: histories of data sets, and what was said about runs."""


class Place(Protocol):
    """One side of a transfer. Methods may be called from several threads at once.

    Every method raises StoreUnusable or RemoteUnusable where the place cannot be reached, read or written.

    Attributes:
        shown: how messages name it, without credentials.
    """

    shown: str

    def shard(self, digits: str) -> dict[str, Stored]:
        """The objects whose ids begin with these two digits."""

    def renew(self, content_id: str) -> bool:
        """Whether an object that was listed is there still; from now on no collection takes it before a run that needs it is there."""

    def read_object(self, content_id: str) -> Iterator[bytes]:
        """The bytes of an object that lies there whole, in pieces, as they are; raises MissingContent where there is none."""

    def read_parts(self, content_id: str) -> bytes:
        """The list of parts of an object, as it is; raises MissingContent where there is none."""

    def write_object(self, content_id: str, size: int, pieces: Iterator[bytes]) -> None:
        """Let an object appear; raises StoreDamaged, and leaves nothing, where the pieces do not have this content."""

    def write_parts(self, content_id: str, listing: bytes) -> None:
        """Let the list of an object's parts appear."""

    def runs(self) -> dict[str, bool]:
        """Every visible run, and whether it has a result."""

    def run_files(self, run_id: str) -> dict[str, int]:
        """Names of a run's files, without the heartbeat, and their sizes in bytes; the result only with all that came before it."""

    def read_run(self, run_id: str, name: str) -> bytes:
        """A file of a run; raises StoreDamaged where it is not what was written, MissingContent where it is gone by now."""

    def write_run(self, run_id: str, files: Mapping[str, bytes]) -> None:
        """Let a run appear, or grow: journals that are longer here, files that are not there yet, the result last."""

    def studies(self) -> list[str]:
        """Ids of all studies."""

    def read_study(self, study_id: str, name: str) -> bytes | None:
        """The definition or the evidence of a study; None where it has none."""

    def write_study(self, study_id: str, name: str, data: bytes) -> None:
        """Let a study appear by its definition, or give it evidence, which counts where it says more than what is there."""

    def entries(self, folder: str) -> list[str]:
        """Ids of all records in one of `ENTRIES`."""

    def read_entry(self, folder: str, entry_id: str) -> bytes:
        """One of them, as it is."""

    def write_entry(self, folder: str, entry_id: str, data: bytes) -> None:
        """Let one appear."""


def checked(content_id: str, pieces: Iterable[bytes], where: str) -> Iterator[bytes]:
    """The pieces as they come; the last is held back until all are known to be this content.

    Raises:
        StoreDamaged: they are something else; names `where` they came from.
    """
    hasher = blake3()
    held = b""
    for piece in pieces:
        if held:
            yield held
        hasher.update(piece)
        held = bytes(piece)
    if hasher.hexdigest() != content_id:
        raise damaged(content_id, where)
    if held:
        yield held


def damaged(content_id: str, where: str) -> StoreDamaged:
    """The error for an object whose bytes are not those that its name promises."""
    return StoreDamaged(
        "a stored object does not have the content that its name promises",
        value=f"{content_id} in {where}",
        expected=f"bytes whose BLAKE3 is {content_id}",
        next_step="It was not copied. In a folder `assay fsck --repair` takes it away, in a bucket deleting its key does; then a push or pull "
        "with --check from a store that still has the content puts it back.",
    )


def fuller_evidence(a: bytes | None, b: bytes | None) -> bytes | None:
    """Of two states of a study's evidence the one with more finished trials, then with more of its conclusions questioned; of equals one that
    both sides choose.

    Two stores that each went on with a study thus agree, whoever asks whom. What cannot be read counts as nothing.
    """
    return max((data for data in (a, b) if data is not None), key=_standing, default=None)


def _standing(data: bytes) -> tuple[int, int, bytes]:
    try:
        evidence = decode(data, StudyEvidence)
    except StoreDamaged:
        return -1, 0, data
    return sum(row.state == "finished" for row in evidence.rows), len(evidence.sensitivity), data
