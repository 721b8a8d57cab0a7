"""A baseline of a matrix, kept as a file in the user's repository: what CI compares with."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import msgspec

from assay.errors import InvalidValue, StoreUnusable
from assay.records.matrix import Matrix, MatrixCell

_FORMAT: Final = "assay-matrix/1"


def baseline_text(found: Matrix) -> str:
    """The file: one line for each cell, so that a change of one is one line of a diff."""
    lines = [json.dumps(_line(cell), ensure_ascii=False) for cell in (found.control, *found.cells) if not cell.between]
    head = json.dumps({"format": _FORMAT, "run": found.original})
    return "\n".join([f"[{head},", *(f" {line}," for line in lines[:-1]), f" {lines[-1]}]"]) + "\n"


def watched(found: Matrix, path: Path, *, update: bool = False) -> Matrix:
    """The matrix with what has changed since the baseline file was written; the file is written where it is missing, or on `update`.

    A cell changes where its verdict is another than in the file, in either direction, or where it has another set of versions.

    Raises:
        InvalidValue: the file is no baseline, or is one of another run.
        StoreUnusable: it cannot be read or written.
    """
    try:
        before = None if update or not path.exists() else path.read_text("utf-8")
        if before is None:
            path.write_text(baseline_text(found), "utf-8")
            return found
    except OSError as error:
        raise StoreUnusable(
            "the baseline of a matrix cannot be read or written", value=str(path), next_step=f"{error.strerror}."
        ) from error
    return msgspec.structs.replace(found, changed=tuple(_changes(_read(before, path, found.original), found)))


def _line(cell: MatrixCell) -> dict[str, Any]:
    return {"levels": cell.levels, "verdict": cell.verdict}


def _read(text: str, path: Path, run: str) -> dict[str, str | None]:
    try:
        head, *lines = json.loads(text)
        known = {_name(line["levels"]): line["verdict"] for line in lines}
        if head["format"] != _FORMAT:
            raise ValueError
    except (ValueError, TypeError, KeyError) as error:
        raise InvalidValue(
            "this file is no baseline of a matrix",
            value=str(path),
            expected="a file that --watch wrote",
            next_step="Name another file, or write it anew with --update.",
        ) from error
    if head["run"] != run:
        raise InvalidValue(
            "this baseline is of another run",
            value=head["run"],
            expected=run,
            next_step="Name another file, or write it anew with --update.",
        )
    return known


def _changes(before: Mapping[str, str | None], found: Matrix) -> list[str]:
    now = {_name(cell.levels): cell.verdict for cell in (found.control, *found.cells) if not cell.between}
    said = []
    for name in dict.fromkeys([*before, *now]):
        if name not in now:
            said.append(f"{name}: was {before[name] or 'not runnable'}, is no cell any more")
        elif name not in before:
            said.append(f"{name}: is new ({now[name] or 'not runnable'})")
        elif before[name] != now[name]:
            said.append(f"{name}: was {before[name] or 'not runnable'}, is {now[name] or 'not runnable'}")
    return said


def _name(levels: Mapping[str, str]) -> str:
    return ", ".join(f"{axis} {level}" for axis, level in sorted(levels.items())) or "as recorded"
