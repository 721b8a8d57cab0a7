"""Where a program takes what another run would not have: what the probe in it reported."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

_VARIABLE = re.compile(r"os\.environ\['(.+)'\]")


class Place(NamedTuple):
    """A line of the program's own, and what it called there; `file` is relative to the project where it lies in it."""

    file: str
    line: int
    call: str

    def __str__(self) -> str:
        """File, line and call as a person reads them."""
        return f"{self.file}:{self.line} {self.call}"


Places = Mapping[str, tuple[Place, ...]]
"""Source to the places at which it was used, in the order in which they were met."""


def read_places(reports: Path, workspace: str) -> dict[str, tuple[Place, ...]] | None:
    """What all processes of a run reported below a folder, the first places of each source first; None where none was watched.

    Args:
        reports: the folder that the probe was given.
        workspace: folder of the run, which paths are relative to.
    """
    found: dict[str, dict[Place, None]] = {}
    files = sorted(reports.iterdir(), key=lambda path: path.stat().st_ctime_ns) if reports.is_dir() else []
    if not files:
        return None
    for file in files:
        for line in file.read_text(encoding="utf-8", errors="replace").splitlines():
            source, path, number, call = line.split("\t", 3)
            place = Place(path.removeprefix(workspace.rstrip("/") + "/"), int(number), call)
            found.setdefault(source, {})[place] = None
    return {source: tuple(places) for source, places in found.items()}


def variables(places: Places) -> list[str]:
    """Environment variables that the program read by name."""
    return list(dict.fromkeys(match[1] for place in places.get("host", ()) if (match := _VARIABLE.fullmatch(place.call))))
