"""When a study was sealed."""

from __future__ import annotations

from assay.records.canonical import Record


class Seal(Record, frozen=True, kw_only=True):
    """When all that a study asks was written into the store; its hash is the study's id.

    Attributes:
        at: seconds since 1970.
        first: when the first trial of its own began; None where all are runs of other studies.
    """

    at: float
    first: float | None = None
