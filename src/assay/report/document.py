"""JSON documents: how every value is written, and the document of a study (`assay study show --json`, `effects.json`)."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from assay.records.evidence import StudyEvidence


VERSION = 1
"""Version of the documents' shape."""


def study_document(evidence: StudyEvidence) -> dict[str, Any]:
    """The whole evidence as plain values, ready for JSON. Before the first trial, trials stand as "queued" and there are no effects."""
    whole = plain(evidence)
    assert isinstance(whole, dict)
    trials = whole.pop("rows")
    return {
        "version": VERSION,
        "study": whole.pop("study"),
        "name": whole.pop("name"),
        "plan": whole.pop("plan"),
        "trials": trials,
        **whole,
    }


def plain(value: object) -> Any:
    """`value` as JSON takes it: records as mappings, tuples as lists, non-finite numbers as "NaN", "Infinity" and "-Infinity".

    >>> plain({"loss": float("nan"), "best": (float("-inf"), 1.5)})
    {'loss': 'NaN', 'best': ['-Infinity', 1.5]}
    """
    if isinstance(value, float):
        return value if math.isfinite(value) else _non_finite(value)
    if isinstance(value, msgspec.Struct):
        return {name: plain(getattr(value, name)) for name in value.__struct_fields__}
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, bytes):
        return value.decode("utf-8", "backslashreplace")
    return value if value is None or isinstance(value, bool | int | str) else repr(value)


def _non_finite(value: float) -> str:
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"


def to_json(document: object) -> str:
    """The document as JSON text that every reader takes (ASCII, no bare NaN), ending in a newline."""
    return json.dumps(document, indent=2, allow_nan=False) + "\n"
