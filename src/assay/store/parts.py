"""The list of the objects that a large content is kept in: `objects/ab/REST.parts` beside where the whole would lie."""

from __future__ import annotations

from assay.records.canonical import Record

SUFFIX = ".parts"


class Parts(Record, frozen=True, kw_only=True, tag_field="assay", tag="parts/1"):
    """Ids of objects with their sizes in bytes, in order; joined they are the content. A part is always kept whole."""

    pieces: tuple[tuple[str, int], ...] = ()

    @property
    def size(self) -> int:
        """Bytes of the content."""
        return sum(size for _, size in self.pieces)
