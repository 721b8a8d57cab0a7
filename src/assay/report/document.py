"""The JSON document of a study: what `assay study show --json` prints and `effects.json` holds."""

from __future__ import annotations

import json
import math
from typing import Any

import msgspec

from assay.records.evidence import StudyEvidence

VERSION = 1
"""Version of the document's shape."""


def study_document(evidence: StudyEvidence) -> dict[str, Any]:
    """The whole evidence as plain values, ready for JSON: non-finite numbers are "NaN", "Infinity" and "-Infinity"."""
    whole = plain(evidence)
    assert isinstance(whole, dict)
    whole.pop("assay")
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
    """`value` made of None, bool, int, float, text, lists and dicts alone, with non-finite numbers as text.

    >>> plain({"a": (1.5, float("-inf"))})
    {'a': [1.5, '-Infinity']}
    """
    if isinstance(value, msgspec.Struct):
        value = msgspec.to_builtins(value, builtin_types=(bytes,))
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, bytes):
        return value.decode("utf-8", "backslashreplace")
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    return value


def to_json(document: object) -> str:
    """The document as JSON text that every reader takes (ASCII, no bare NaN), ending in a newline."""
    return json.dumps(document, indent=2, allow_nan=False) + "\n"
