"""Names of remotes: what a user writes in place of an address."""

from __future__ import annotations

from assay.records.canonical import Record


class SavedRemote(Record, frozen=True, kw_only=True, tag_field="assay", tag="remote/1"):
    """A remote under a name of its own.

    Attributes:
        name: letters, digits, `.`, `_` and `-`, beginning with a letter or digit.
        address: an absolute folder, or `s3://bucket/prefix`; never with credentials.
        saved: seconds since 1970, UTC.
    """

    name: str
    address: str
    saved: float
