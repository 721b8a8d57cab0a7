"""All sources together: which written files hold metrics, how they are read, and what a name means that several of them report."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

from assay.records.finding import Gap
from assay.records.journal import Point
from assay.records.trace import FileUse
from assay.tracking.sources import trainerstate
from assay.tracking.sources.csvfile import read_table
from assay.tracking.sources.csvlog import read_csv_log
from assay.tracking.sources.jsonfile import read_document
from assay.tracking.sources.jsonlines import read_lines
from assay.tracking.sources.output import read_output
from assay.tracking.sources.rows import is_measurement, is_step, names_metrics, numbers, step_of
from assay.tracking.sources.settings import Line, without_remarks
from assay.tracking.sources.tensorboard import read_scalars

# Larger files are data; reading one would hold up the end of the run.
_LARGEST = 64 << 20
# Of a longer output as much of its beginning and of its end; some hundred thousand lines take a few seconds.
_MOST_OUTPUT = 4 << 20

FILE_KINDS: Mapping[str, Callable[[str], Iterable[Mapping[str, Any]]]] = {
    "jsonl": read_lines,
    "json": read_document,
    "csv": read_table,
}
"""Kinds of files that hold rows, with their readers."""

Raw = tuple[float, int | None, dict[str, float]]


class Output(NamedTuple):
    """What one stream printed, and (offset, time) marks of when it came, ascending. Of a long stream: its beginning and its end.

    Attributes:
        data: the bytes, or the whole lines at the beginning.
        marks: all bytes before an offset had come by its time, in seconds since 1970.
        tail: the whole lines at the end of a long stream; empty for one that is there as a whole.
        tail_at: their offset.
    """

    data: bytes
    marks: Sequence[tuple[int, float]]
    tail: bytes = b""
    tail_at: int = 0


def read_stream(path: Path, marks: Sequence[tuple[int, float]]) -> Output:
    """A stream that was kept in a file. The last values are what counts most, so that of a long one the end is read too.

    Raises:
        OSError: it cannot be read.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        if size <= 2 * _MOST_OUTPUT:
            return Output(file.read(), marks)
        head = file.read(_MOST_OUTPUT)
        file.seek(size - _MOST_OUTPUT)
        tail = file.read()
    begin = tail.find(b"\n") + 1
    return Output(head[: head.rfind(b"\n") + 1], marks, tail[begin:], size - _MOST_OUTPUT + begin)


class Harvest(NamedTuple):
    """Points that were found, in the order of their sources, and what could not be read."""

    points: list[Point]
    gaps: list[Gap]


class _Found(NamedTuple):
    kind: str
    place: str
    source: str
    rows: list[Raw]


def harvest(root: Path, written: Iterable[FileUse], outputs: Iterable[Output], params: Mapping[str, Any]) -> Harvest:
    """The metrics in what a run wrote and printed.

    Args:
        root: what the paths in `written` are relative to.
        written: files that the run wrote; no other file is looked at.
        outputs: what it printed.
        params: its parameters, so that printing them does not make metrics of them.
    """
    found: list[_Found] = []
    gaps: list[Gap] = []
    for use in written:
        reader = _reader(use.path)
        if reader is None:
            continue
        try:
            one = _read(root, use, reader, gaps)
        except (OSError, ValueError) as error:
            gaps.append(Gap(what=f"metrics of {use.path}", why=str(error)))
            continue
        if one is not None and one.rows:
            found.append(one)
    printed = list(_printed(outputs, params, gaps))
    found = [_without_stale(one, printed) if _is_state(one) else one for one in _without_repeats(found)]
    found = [_without_told(one, found, printed) if _is_summary(one) else one for one in found]
    _distinguish(found)
    points = [_point(one.source, row) for one in found for row in one.rows]
    return Harvest([*(half for point in points for half in _halves(point)), *printed], gaps)


def values_in(kind: str, data: bytes, name: str) -> list[float]:
    """The values by that name in a file of JSON lines, a JSON document or a table, whatever it is called."""
    rows = FILE_KINDS[kind](data.decode("utf-8", "replace"))
    return [value for row in rows for key, value in numbers(row) if key == name]


def _reader(path: str) -> Callable[[Path, str], _Found] | None:
    name = PurePosixPath(path).name
    if "tfevents" in name:
        return _tensorboard
    if name == trainerstate.FILE:
        return _trainer_state
    return {".jsonl": _jsonlines, ".ndjson": _jsonlines, ".json": _document, ".csv": _table, ".tsv": _table, ".log": _csv_log}.get(
        PurePosixPath(name).suffix.lower()
    )


def _read(root: Path, use: FileUse, reader: Callable[[Path, str], _Found], gaps: list[Gap]) -> _Found | None:
    path = root / use.path
    if path.stat().st_size > _LARGEST:
        # A large table is most likely data, of which nobody expects metrics.
        if reader is _tensorboard:
            gaps.append(Gap(what=f"metrics of {use.path}", why=f"the file is larger than {_LARGEST >> 20} MiB"))
        return None
    return reader(path, use.path)


def _tensorboard(path: Path, name: str) -> _Found:
    rows: list[Raw] = []
    for scalar in read_scalars(path.read_bytes()):
        if is_step(scalar.tag.rpartition("/")[2]):
            continue  # trainers log the epoch beside each step
        if rows and rows[-1][1] == scalar.step and scalar.tag not in rows[-1][2]:
            rows[-1][2][scalar.tag] = scalar.value
        else:
            rows.append((scalar.time, scalar.step, {scalar.tag: scalar.value}))
    # Several files in one folder continue one another.
    return _Found("tensorboard", str(PurePosixPath(name).parent), "tensorboard", rows)


def _jsonlines(path: Path, name: str) -> _Found:
    told = names_metrics(PurePosixPath(name).stem)
    return _Found("jsonl", name, f"jsonl:{name}", list(_rows(path, read_lines(_text(path)), told)))


def _document(path: Path, name: str) -> _Found:
    rows = list(_rows(path, read_document(_text(path)), True)) if names_metrics(PurePosixPath(name).stem) else []
    return _Found("json", name, f"json:{name}", rows)


def _table(path: Path, name: str) -> _Found:
    told = names_metrics(PurePosixPath(name).stem)
    return _Found("csv", name, f"csv:{name}", list(_rows(path, read_table(_text(path)), told)))


def _csv_log(path: Path, name: str) -> _Found:
    return _Found("csv", name, f"csv:{name}", list(_rows(path, read_csv_log(_text(path)), True)))


def _trainer_state(path: Path, name: str) -> _Found:
    rows = list(_rows(path, trainerstate.read_trainer_state(_text(path)), True))
    return _Found("json", name, f"json:{name}", rows)


def _without_repeats(found: list[_Found]) -> list[_Found]:
    """Without the states of a training that a later one of it repeats, and without the parts of its summary."""
    kept = trainerstate.furthest((one.place, len(one.rows)) for one in found if _is_state(one))
    summaries = {one.place for one in found if _is_summary(one)}
    return [one for one in found if (one.place in kept or not _is_state(one)) and not trainerstate.is_part(one.place, summaries)]


def _is_state(found: _Found) -> bool:
    return PurePosixPath(found.place).name == trainerstate.FILE


def _is_summary(found: _Found) -> bool:
    return PurePosixPath(found.place).name == trainerstate.SUMMARY


def _without_told(summary: _Found, found: Iterable[_Found], printed: Iterable[Point]) -> _Found:
    """Without the names that the state of the same training, or its output, has the whole series of."""
    folder = str(PurePosixPath(summary.place).parent)
    states = [one for one in found if _is_state(one) and trainerstate.training_of(one.place) == folder]
    if not states:
        return summary
    told = {name for state in states for _, _, values in state.rows for name in values}
    told.update(name for point in printed for name in point.values)
    rows = [(time, step, {name: values[name] for name in values if name not in told}) for time, step, values in summary.rows]
    return summary._replace(rows=[row for row in rows if row[2]])


def _without_stale(state: _Found, printed: Iterable[Point]) -> _Found:
    """Without the names of which more was printed: what is logged after the last checkpoint is in no state."""
    counts = Counter(name for _, _, values in state.rows for name in values)
    shown = Counter(name for point in printed for name in point.values)
    fresh = {name for name, count in counts.items() if shown[name] <= count}
    rows = [(time, step, {name: values[name] for name in values if name in fresh}) for time, step, values in state.rows]
    return state._replace(rows=[row for row in rows if row[2]])


def _text(path: Path) -> str:
    return path.read_bytes().decode("utf-8", "replace")


def _rows(path: Path, rows: Iterable[Mapping[str, Any]], told: bool) -> Iterator[Raw]:
    """Rows as points: of a file that neither its name nor a step shows to hold metrics (predictions, data), none."""
    time = path.stat().st_mtime
    for row in rows:
        if not told and not any(is_step(str(key)) for key in row):
            continue
        values = dict(numbers(row))
        if values:
            yield time, step_of(row), values


def _distinguish(found: list[_Found]) -> None:
    """Where two places of one kind report one name, puts what tells the places apart before it (`train/loss`, `validation/loss`)."""
    places: dict[tuple[str, str], set[str]] = defaultdict(set)
    for one in found:
        for name in {name for _, _, values in one.rows for name in values}:
            places[one.kind, name].add(one.place)
    for index, one in enumerate(found):
        renamed = {
            name: _label(one.place, shared)
            for (kind, name), shared in places.items()
            if kind == one.kind and len(shared) > 1 and one.place in shared
        }
        if renamed:
            rows = [
                (time, step, {f"{renamed[name]}/{name}" if name in renamed else name: value for name, value in values.items()})
                for time, step, values in one.rows
            ]
            found[index] = one._replace(rows=rows)


def _label(place: str, places: set[str]) -> str:
    """The shortest end of `place`, suffix dropped, that no other place has."""
    ends = {
        other: PurePosixPath(other).with_suffix("").parts if "." in PurePosixPath(other).name else PurePosixPath(other).parts
        for other in places
    }
    mine = ends[place]
    for length in range(1, len(mine) + 1):
        if sum(other[-length:] == mine[-length:] for other in ends.values()) == 1:
            return "/".join(mine[-length:])
    return place


def _point(source: str, row: Raw) -> Point:
    time, step, values = row
    return Point(time=time, step=step, values=values, source=source)


def _halves(point: Point) -> Iterator[Point]:
    """Results and measurements of a point apart, since a point is one or the other."""
    measured = {name: value for name, value in point.values.items() if is_measurement(name)}
    if not measured:
        yield point
        return
    results = {name: value for name, value in point.values.items() if name not in measured}
    if results:
        yield Point(time=point.time, step=point.step, values=results, source=point.source)
    yield Point(time=point.time, step=point.step, values=measured, measured=True, source=point.source)


def _printed(outputs: Iterable[Output], params: Mapping[str, Any], gaps: list[Gap]) -> Iterator[Point]:
    lines: list[Line] = []
    for output in outputs:
        if output.tail_at:
            missed = (output.tail_at - len(output.data)) >> 20
            gaps.append(Gap(what="metrics in the output", why=f"{missed} MiB in the middle of a long output were not searched"))
        lines += read_output(output.data, output.marks, params)
        lines += read_output(output.tail, output.marks, params, output.tail_at)
    for line in without_remarks(lines):
        yield from _halves(Point(time=line.time, step=line.step, values=line.values, source="output"))
