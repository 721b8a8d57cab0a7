"""The files that two runs wrote, paired and compared: by content, else by meaning where their kind allows it."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Mapping
from pathlib import PurePosixPath

from assay.comparison.closeness import Yardstick, tolerance_for
from assay.comparison.meaning import by_meaning
from assay.comparison.stamps import without_stamps
from assay.comparison.values import Meaning
from assay.records.journal import Saved
from assay.records.run import Run
from assay.records.trace import FileUse, Trace
from assay.records.verdict import FileComparison
from assay.store.store import Store

# Kinds that carry the moment they were written, or words and pictures about a result rather than the result.
_PASSING = {
    "log": "log", "out": "log", "err": "log", "png": "picture", "jpg": "picture", "jpeg": "picture", "gif": "picture", "svg": "picture",
    "pdf": "document", "ps": "document", "eps": "document", "html": "document", "pyc": "bytecode", "lock": "lock file", "pid": "lock file",
    "ipynb": "executed notebook",
}  # fmt: skip
# Where Hugging Face's datasets keeps what it made of an input: below a name that is a hash of the input's absolute path and time.
_PREPARED = re.compile(r"(?:^|/)[\w.-]+-[0-9a-f]{16}/\d+\.\d+\.\d+/[0-9a-f]{40,64}(?:\.incomplete)?/[^/]+$")
_FOREIGN = frozenset({"wandb", "mlruns", "mlartifacts", ".aim", ".dvc", ".assay", "__pycache__"})


def written(store: Store, run: Run) -> dict[str, FileUse]:
    """What the run wrote, by path. A run that crashed left no trace: then what it saved itself."""
    files = {
        entry.path: FileUse(path=entry.path, id=entry.id, size=entry.size, kept=True, by="save")
        for entry in store.runs.entries(run.id)
        if isinstance(entry, Saved)
    }
    if run.result and run.result.trace:
        files |= {use.path: use for use in store.objects.record(run.result.trace, Trace).written}
    return files


def compare_outputs(store: Store, a: Run, b: Run, tolerances: Mapping[str, tuple[float, float]]) -> list[FileComparison]:
    """Every file that either run wrote, sorted by path."""
    found = []
    for one, other in _pairs(written(store, a), written(store, b)):
        path = (one or other or FileUse(path="")).path
        yardstick = Yardstick(tolerance_for(tolerances, path), a.start.root, b.start.root)
        found.append(_compare(store, path, one, other, yardstick))
    return found


def _pairs(a: dict[str, FileUse], b: dict[str, FileUse]) -> list[tuple[FileUse | None, FileUse | None]]:
    """Files of the same path; those left over pair where their paths differ in time stamps alone, and only in one way."""
    pairs: dict[str, tuple[FileUse | None, FileUse | None]] = {path: (a[path], b[path]) for path in a.keys() & b.keys()}
    left, right = (_by_stampless(own, other) for own, other in ((a, b), (b, a)))
    for plain in left.keys() | right.keys():
        one, other = left.get(plain, []), right.get(plain, [])
        if len(one) == len(other) == 1:
            pairs[one[0].path] = (one[0], other[0])
        else:
            pairs |= {use.path: (use, None) for use in one} | {use.path: (None, use) for use in other}
    return [pairs[path] for path in sorted(pairs)]


def _by_stampless(own: dict[str, FileUse], other: dict[str, FileUse]) -> dict[str, list[FileUse]]:
    groups: dict[str, list[FileUse]] = {}
    for path in sorted(own.keys() - other.keys()):
        groups.setdefault(without_stamps(path), []).append(own[path])
    return groups


def _compare(store: Store, path: str, a: FileUse | None, b: FileUse | None, yardstick: Yardstick) -> FileComparison:
    passing = _why_passing(path)
    if a is None or b is None:
        side, use = ("a", a) if a else ("b", b)
        note = f"only in {side}" + (f": {passing}" if passing else "")
        temporary = _is_temporary(path)
        return FileComparison(
            path=path,
            a=use.id if use and side == "a" else None,
            b=use.id if use and side == "b" else None,
            sameness="not reproduced",
            counts=not (passing or temporary),
            note=f"{note}: temporary file" if temporary else note,
        )
    renamed = f"; in b it is {b.path}" if b.path != path else ""
    if a.id is not None and a.id == b.id:
        return FileComparison(
            path=path, a=a.id, b=b.id, sameness="identical", counts=not passing, note=f"{passing}{renamed}".lstrip("; ")
        )
    if a.id is None or b.id is None:
        note = f"not compared: its content is not known ({a.note or b.note or 'no reason was recorded'})"
        return FileComparison(path=path, a=a.id, b=b.id, sameness="not reproduced", counts=False, note=note)
    sameness, note = _differing(store, path, a.id, b.id, yardstick)
    note = f"{passing}: {note}" if passing else note
    return FileComparison(path=path, a=a.id, b=b.id, sameness=sameness, counts=not passing, note=f"{note}{renamed}")


def _differing(store: Store, path: str, a: str, b: str, yardstick: Yardstick) -> Meaning:
    """Two contents that are not the same bytes."""
    missing = [content for content in (a, b) if content not in store.objects]
    if missing:
        return Meaning("not reproduced", "its bytes differ; it was only hashed, so it cannot be compared by value")
    return by_meaning(path, store.objects.get(a), store.objects.get(b), yardstick)


def _is_temporary(path: str) -> bool:
    place = PurePosixPath(path)
    return place.is_absolute() and any(place.is_relative_to(folder) for folder in ("/tmp", "/var/tmp", tempfile.gettempdir()))


def _why_passing(path: str) -> str:
    """Why a file of this name is no result; empty where it is one."""
    place = PurePosixPath(path)
    if ".tfevents." in place.name:
        return "event file"
    if _FOREIGN & set(place.parts[:-1]):
        return "records of another tool"
    if _PREPARED.search(path):
        return "cache of prepared data"
    return _PASSING.get(place.suffix.lower().lstrip("."), "")
