"""Metrics in JSON lines: one object a line, with its numbers and perhaps a step."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any


def read_lines(text: str) -> Iterator[dict[str, Any]]:
    """The objects of a file of JSON lines; lines that are torn, empty or something else are passed over. NaN and Infinity are read."""
    for line in text.splitlines():
        found = parse_line(line)
        if found is not None:
            yield found


def parse_line(line: str) -> dict[str, Any] | None:
    """The object on one line, or None where there is none."""
    line = line.strip()
    if not (line.startswith("{") and line.endswith("}")):
        return None
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None
