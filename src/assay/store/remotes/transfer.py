"""Moving runs, studies and what they need from one place to another.

Content goes first, the run's files follow, and only with the last of them is the run visible. So whatever ends a transfer, what can be
seen is whole; what has arrived stays, and the next transfer finds it there. A run that has a result at the target is not looked at again.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from itertools import islice
from threading import Lock

import msgspec
from blake3 import blake3

from assay.errors import MissingContent, StoreDamaged, StoreTooNew
from assay.records.canonical import decode, digest
from assay.records.run import Start
from assay.store.inventory import Stored, decode_parts
from assay.store.journal import SUFFIX as JOURNAL
from assay.store.parts import Parts
from assay.store.references import Reference, References, of_record, of_run
from assay.store.remotes.folder import FolderPlace
from assay.store.remotes.place import DEFINITION, EVIDENCE, RESULT, START, Place, damaged, fuller_evidence

_TOGETHER = 32  # runs whose content is asked for at once: enough to hide the time that a request takes
_THREADS = 8
_FAULTY = (StoreDamaged, StoreTooNew)


class Moved(msgspec.Struct):
    """What a transfer has done so far.

    Attributes:
        runs: ids of runs that are new at the target.
        grown: ids of runs that were there and have more now.
        present: how many runs were there already, with their result.
        studies: ids of studies that are new, or have fuller evidence.
        data: ids of new entries in the histories of data sets.
        marks: ids of new tags and notes.
        objects, bytes: what was moved of content.
        refused: runs, studies and entries of data sets that were not moved, since something of them is damaged; with what is wrong.
        missing: runs and entries of data sets that were moved though the source lacks content that they need, to the ids of it.
    """

    runs: list[str] = []
    grown: list[str] = []
    present: int = 0
    studies: list[str] = []
    data: list[str] = []
    marks: list[str] = []
    objects: int = 0
    bytes: int = 0
    refused: dict[str, str] = {}
    missing: dict[str, list[str]] = {}


Progress = Callable[[Moved], None]


def transfer(
    source: Place, target: Place, local: FolderPlace, *, runs: Sequence[str] | None = None, check: bool = False, progress: Progress
) -> Moved:
    """Give the target what it lacks of the source's runs and studies.

    Args:
        source, target: from where and to where.
        local: the one of the two that is this project's store: references are followed there.
        runs: ids of the runs that are wanted, each with what it needs and no run beside it; None: all, and all studies and data sets.
        check: look again whether the content of runs that were there already is there.
        progress: called from time to time with what was done so far.

    Raises:
        StoreUnusable, RemoteUnusable: a side cannot be read or written; what has arrived stays.
    """
    work = _Transfer(source, target, local, progress)
    try:
        work.carry_out(runs, check)
    finally:
        work.close()
    return work.moved


class _Transfer:
    def __init__(self, source: Place, target: Place, local: FolderPlace, progress: Progress) -> None:
        self.moved = Moved()
        self._source, self._target, self._local = source, target, local
        self._progress = progress
        self._references = References(local.store.path, local.store.objects)
        self._followed: set[Reference] = set()
        self._faults: dict[str, StoreDamaged | MissingContent] = {}
        self._shards: dict[tuple[int, str], dict[str, Stored]] = {}
        self._lock = Lock()
        self._pool = ThreadPoolExecutor(_THREADS)

    def close(self) -> None:
        """End the threads; what is on its way arrives or is left aside."""
        self._pool.shutdown(cancel_futures=True)

    def carry_out(self, wanted: Sequence[str] | None, check: bool) -> None:
        there, here = self._target.runs(), self._source.runs()
        chosen = sorted(here if wanted is None else set(wanted) & here.keys())
        settled = [run_id for run_id in chosen if there.get(run_id)]
        self.moved.present = len(settled)
        moving = chosen if check else [run_id for run_id in chosen if not there.get(run_id)]
        studies = self._source.studies() if wanted is None else []
        self._send_definitions(studies)
        for some in _batches(moving):
            self._send_runs(some, there, alone=wanted is not None)
        self._send_evidence(studies)
        if wanted is None:
            self._send_entries("data", self.moved.data, None)
        self._send_entries("marks", self.moved.marks, None if wanted is None else chosen)

    def _send_runs(self, run_ids: Sequence[str], there: Mapping[str, bool], *, alone: bool) -> None:
        """Move some runs: the content that they need, then their files."""
        files = {run_id: found for run_id, found in zip(run_ids, self._pool.map(self._read_run, run_ids), strict=True) if found}
        begins: dict[str, list[Reference]] = {}
        for run_id, found in files.items():
            try:
                begins[run_id] = _references(run_id, found, self._source.shown)
            except _FAULTY as error:
                self.moved.refused[run_id] = str(error)
        self._send_content(reference for begin in begins.values() for reference in begin)
        if alone:
            self._send_definitions(sorted({study for run_id in begins if (study := _study(files[run_id]))}))
        for run_id, begin in begins.items():
            if self._is_sound(run_id, begin):
                self._send_run(run_id, files[run_id], there)

    def _read_run(self, run_id: str) -> dict[str, bytes]:
        """The files of a run; none where one is damaged, which is noted, or where the run was removed meanwhile."""
        files: dict[str, bytes] = {}
        try:
            for name in self._source.run_files(run_id):
                with suppress(MissingContent):  # a run that ends meanwhile takes its output away, which is an object by then
                    files[name] = self._source.read_run(run_id, name)
        except StoreDamaged as error:
            self.moved.refused[run_id] = str(error)
            return {}
        return files if START in files else {}

    def _send_run(self, run_id: str, files: Mapping[str, bytes], there: Mapping[str, bool]) -> None:
        present = self._target.run_files(run_id) if run_id in there else {}
        more = [
            name for name, data in files.items() if name not in present or (name.endswith(JOURNAL) and len(data) > present[name])
        ]
        if not more or RESULT in present:
            return
        self._target.write_run(run_id, files)
        (self.moved.grown if present else self.moved.runs).append(run_id)
        self._progress(self.moved)

    def _is_sound(self, run_id: str, begin: Iterable[Reference]) -> bool:
        """Whether nothing that the run needs was found damaged; what the source lacks is noted."""
        if not self._faults:
            return True
        touched = self._references.closure(begin)
        faults = [(touched[content_id], error) for content_id, error in self._faults.items() if content_id in touched]
        broken = [error for _, error in faults if isinstance(error, StoreDamaged)]
        absent = sorted(reference.id for reference, error in faults if isinstance(error, MissingContent) and reference.required)
        if broken:
            self.moved.refused[run_id] = str(broken[0])
        elif absent:
            self.moved.missing[run_id] = absent
        return not broken

    def _send_content(self, references: Iterable[Reference]) -> None:
        """Move everything that is reached from these; what was followed once is not followed again."""
        wave = set(references) - self._followed
        while wave:
            self._followed |= wave
            self._send_objects({reference.id for reference in wave})
            wave = {below for reference in wave for below in self._references.below(reference)} - self._followed

    def _send_objects(self, content_ids: Iterable[str]) -> None:
        """Move those of these objects that the target lacks; those in parts appear after their parts."""
        wanted = sorted(content_ids)
        self._list_shards({content_id[:2] for content_id in wanted})
        lists: dict[str, tuple[bytes, Parts]] = {}
        whole: list[str] = []
        for content_id in wanted:
            there, here = self._at(self._target, content_id), self._at(self._source, content_id)
            if there is not None and not self._target.renew(content_id):
                there = None  # collected since it was listed
            if here is None and there is None:
                self._faults[content_id] = MissingContent("the source does not have this content", value=content_id)
            elif here is None or (there is not None and (there.in_parts or here.in_parts or there.size == here.size)):
                continue
            elif here.in_parts:
                self._attempt(content_id, partial(self._read_list, content_id, lists))
            else:
                whole.append(content_id)
        if lists:
            self._send_objects({piece for _, parts in lists.values() for piece, _ in parts.pieces})
        list(self._pool.map(self._send_whole, whole))
        for content_id, (listing, parts) in lists.items():
            self._attempt(content_id, partial(self._send_list, content_id, listing, parts))
        self._progress(self.moved)

    def _send_whole(self, content_id: str) -> None:
        here = self._at(self._source, content_id)
        assert here is not None
        self._attempt(content_id, partial(self._move, content_id, here))

    def _move(self, content_id: str, here: Stored) -> None:
        self._target.write_object(content_id, here.size, self._named(content_id, self._source.read_object(content_id)))
        self._arrived(content_id, here)

    def _named(self, content_id: str, pieces: Iterator[bytes]) -> Iterator[bytes]:
        """The pieces, or the error that names the source, where they are not this content: the target only knows that they are not."""
        hasher = blake3()
        for piece in pieces:
            hasher.update(piece)
            yield piece
        if hasher.hexdigest() != content_id:
            raise damaged(content_id, self._source.shown)

    def _read_list(self, content_id: str, lists: dict[str, tuple[bytes, Parts]]) -> None:
        listing = self._source.read_parts(content_id)
        lists[content_id] = listing, decode_parts(listing, f"{content_id} in {self._source.shown}")

    def _send_list(self, content_id: str, listing: bytes, parts: Parts) -> None:
        """Let an object in parts appear, after its parts were found to be its content."""
        bad = next((piece for piece, _ in parts.pieces if piece in self._faults), None)
        if bad is not None:
            raise self._faults[bad]
        hasher = blake3()
        for piece, _ in parts.pieces:
            for data in self._local.read_object(piece):
                hasher.update(data)
        if hasher.hexdigest() != content_id:
            raise damaged(content_id, self._source.shown)
        self._target.write_parts(content_id, listing)
        self._arrived(content_id, Stored(len(listing), 0.0, True))

    def _attempt(self, content_id: str, act: Callable[[], None]) -> None:
        """Note where one object is damaged or missing, and go on with the others."""
        try:
            act()
        except (StoreDamaged, MissingContent) as error:
            with self._lock:
                self._faults[content_id] = error

    def _arrived(self, content_id: str, stored: Stored) -> None:
        with self._lock:
            self._shards[id(self._target), content_id[:2]][content_id] = stored
            self.moved.objects += 1
            self.moved.bytes += stored.size
        self._progress(self.moved)

    def _list_shards(self, digits: Iterable[str]) -> None:
        wanted = [(place, two) for two in digits for place in (self._target, self._source) if (id(place), two) not in self._shards]
        listed = self._pool.map(lambda pair: pair[0].shard(pair[1]), wanted)
        self._shards.update({(id(place), two): found for (place, two), found in zip(wanted, listed, strict=True)})

    def _at(self, place: Place, content_id: str) -> Stored | None:
        return self._shards[id(place), content_id[:2]].get(content_id)

    def _send_entries(self, folder: str, moved: list[str], about: Container[str] | None) -> None:
        """Move records that are named by their content: what each leads to, then itself; where `about` is given, those about these runs."""
        present = set(self._target.entries(folder))
        lacking = [entry for entry in self._source.entries(folder) if entry not in present]
        begins: dict[str, tuple[bytes, list[Reference]]] = {}
        for entry, data in zip(lacking, self._pool.map(partial(self._source.read_entry, folder), lacking), strict=True):
            if digest(data) != entry:
                self.moved.refused[entry] = str(damaged(entry, f"{folder} of {self._source.shown}"))
            elif about is None or _run_of(data) in about:
                begins[entry] = data, of_record(data, "records")
        self._send_content(reference for _, begin in begins.values() for reference in begin)
        for entry, (data, begin) in begins.items():
            if self._is_sound(entry, begin):
                self._target.write_entry(folder, entry, data)
                moved.append(entry)

    def _send_definitions(self, studies: Iterable[str]) -> None:
        present = set(self._target.studies())
        for study in studies:
            data = None if study in present else self._source.read_study(study, DEFINITION)
            if data is None:
                continue
            if digest(data) != study:
                self.moved.refused[study] = str(damaged(study, f"studies of {self._source.shown}"))
                continue
            self._target.write_study(study, DEFINITION, data)
            self.moved.studies.append(study)

    def _send_evidence(self, studies: Iterable[str]) -> None:
        for study in studies:
            evidence, present = self._source.read_study(study, EVIDENCE), self._target.read_study(study, EVIDENCE)
            if study in self.moved.refused or evidence is None or fuller_evidence(present, evidence) == present:
                continue
            self._target.write_study(study, EVIDENCE, evidence)
            if study not in self.moved.studies:
                self.moved.studies.append(study)


def _batches(run_ids: Sequence[str]) -> Iterator[list[str]]:
    rest = iter(run_ids)
    while some := list(islice(rest, _TOGETHER)):
        yield some


def _references(run_id: str, files: Mapping[str, bytes], shown: str) -> list[Reference]:
    """What a run needs, after a look at whether its files are those of a run."""
    if START not in files or decode(files[START], Start).id != run_id:
        raise StoreDamaged("a run's folder holds another run, or none", value=f"{run_id} in {shown}", expected="its own start")
    return of_run(files)


def _run_of(data: bytes) -> str:
    """The run that a record about a run is about."""
    record = msgspec.msgpack.decode(data)
    return str(record.get("run", "")) if isinstance(record, dict) else ""


def _study(files: Mapping[str, bytes]) -> str | None:
    trial = decode(files[START], Start).trial
    return trial.study if trial else None
