"""What has to be said beside a result: findings, and how complete the capture was."""

from __future__ import annotations

from typing import Literal

from assay.records.canonical import Record


class Finding(Record, frozen=True, kw_only=True):
    """Something a reader must know: `kind` for programs ("no-op", "code changed", "secret redacted" …), `about` what, `text` in words."""

    kind: str
    about: str
    text: str


class Gap(Record, frozen=True, kw_only=True):
    """One thing that was not captured: what, and why."""

    what: str
    why: str


class Fidelity(Record, frozen=True, kw_only=True):
    """How complete a run's capture is.

    Attributes:
        captured: aspects that were: "code", "packages", "reads", "writes", "output", "hardware" …
        missing: aspects or single files that were not, with the reason.
        grade: "full" (nothing is missing), "partial" (something is named), "blind" (no interpreter reported at all).
    """

    captured: tuple[str, ...] = ()
    missing: tuple[Gap, ...] = ()
    grade: Literal["full", "partial", "blind"] = "full"
