"""Metrics in one JSON document: an object of numbers, or an array of such objects."""

from __future__ import annotations

import json
from typing import Any


def read_document(text: str) -> list[dict[str, Any]]:
    """The objects of a metrics document; none where it is torn or holds something else. NaN and Infinity are read."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return []
    rows = found if isinstance(found, list) else [found]
    return [row for row in rows if isinstance(row, dict)]
