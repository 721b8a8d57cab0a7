"""Checking a store: every object against its name, every run, journal and study against what it must be, every reference for its content."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Literal

import msgspec
from blake3 import blake3

from assay.errors import AssayError, StoreDamaged, StoreUnusable
from assay.records.canonical import decode, digest
from assay.records.evidence import StudyEvidence
from assay.records.run import Start
from assay.store.failures import using
from assay.store.inventory import Stored, inventory, object_path, parts_of, read_pieces, strangers
from assay.store.journal import SUFFIX, read_journal
from assay.store.references import Reference, References, files_of, of_record, of_run
from assay.store.remotes.folder import FolderPlace
from assay.store.remotes.place import ENTRIES
from assay.store.runs import is_run_id
from assay.store.store import Store

Kind = Literal["damaged object", "missing object", "run", "journal", "study", "data set", "mark", "unknown file"]
DAMAGED = "damaged"
"""Folder of a store that `fsck` moves damaged objects into, so that good ones can take their place."""
_SNAPSHOT = "snapshot "


class Problem(msgspec.Struct, frozen=True):
    """Something wrong.

    Attributes:
        kind: what it is about.
        about: id of the object, run or study, or path relative to the store.
        text: what is wrong, in a clause.
        runs: ids of the runs that it touches.
        data: ids of the entries of data sets that it touches.
        snapshots: trees of the kept snapshots that it touches.
    """

    kind: Kind
    about: str
    text: str
    runs: tuple[str, ...] = ()
    data: tuple[str, ...] = ()
    snapshots: tuple[str, ...] = ()


class Checked(msgspec.Struct):
    """What was looked at, and what is wrong. `repaired`: ids of damaged objects that were moved out of the way."""

    objects: int = 0
    bytes: int = 0
    runs: int = 0
    studies: int = 0
    problems: list[Problem] = []
    repaired: list[str] = []


def fsck(store: Store, *, repair: bool = False, progress: Callable[[int, int], None] | None = None) -> Checked:
    """Look at everything that a store holds.

    Args:
        store: which; nothing is changed in it unless `repair`.
        repair: move damaged objects into `damaged/`: the next pull, push or run that has the content puts it back.
        progress: called with the number of objects that were read, and of all.

    Raises:
        StoreUnusable: a folder of the store cannot be read.
    """
    found = inventory(store.path)
    checked = Checked(objects=len(found), bytes=sum(stored.size for stored in found.values()))
    faults = _damaged_objects(store, found, progress)
    references = References(store.path, store.objects)
    begins = {**dict(_runs(store, checked)), **dict(_entries(store, checked)), **_snapshots(store)}
    touched = _touched(references, begins, found, faults)
    for content_id, text in sorted(faults.items()):
        checked.problems.append(Problem("damaged object", content_id, text, *_owners(touched.get(content_id, ()))))
    for content_id in sorted(touched.keys() - faults.keys()):
        checked.problems.append(Problem("missing object", content_id, "it is needed and not there", *_owners(touched[content_id])))
    checked.problems.extend(_studies(store, checked))
    checked.problems.extend(Problem("unknown file", path, "no object has this name") for path in strangers(store.path))
    if repair:
        checked.repaired = [content_id for content_id in sorted(faults) if _set_aside(store, content_id, found[content_id])]
    return checked


def _damaged_objects(store: Store, found: Mapping[str, Stored], progress: Callable[[int, int], None] | None) -> dict[str, str]:
    """Objects whose bytes are not their content, and what is wrong with each."""
    faults: dict[str, str] = {}
    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        texts = pool.map(lambda item: _fault(store.path, *item), found.items())
        for number, (content_id, text) in enumerate(zip(found, texts, strict=True), 1):
            if text:
                faults[content_id] = text
            if progress and (number % 256 == 0 or number == len(found)):
                progress(number, len(found))
    return faults


def _fault(store: Path, content_id: str, stored: Stored) -> str:
    """What is wrong with an object; empty where nothing is. A missing part is told as missing, not here."""
    hasher = blake3()
    try:
        pieces = [piece for piece, _ in parts_of(store, content_id).pieces] if stored.in_parts else [content_id]
        for piece in pieces:
            for data in read_pieces(object_path(store, piece)):
                hasher.update(data)
    except FileNotFoundError:
        return ""
    except StoreDamaged:
        return "the list of its parts cannot be read"
    except StoreUnusable as error:
        return f"it cannot be read ({error.problem})"
    return "" if hasher.hexdigest() == content_id else "its bytes have changed"


def _runs(store: Store, checked: Checked) -> Iterator[tuple[str, list[Reference]]]:
    """What each readable run needs; what is wrong with runs and journals is noted."""
    for run_id in store.runs.ids():
        checked.runs += 1
        try:
            files = files_of(store.runs, run_id)
            if decode(files["start"], Start).id != run_id:
                raise StoreDamaged("its folder holds another run", value=run_id)
            yield run_id, of_run(files)
        except AssayError as error:
            checked.problems.append(Problem("run", run_id, str(error), (run_id,)))
        checked.problems.extend(_journals(store, run_id))


def _entries(store: Store, checked: Checked) -> Iterator[tuple[str, list[Reference]]]:
    """What each entry in the history of a data set needs; marks need nothing, and are only checked."""
    place = FolderPlace(store)
    for folder in ENTRIES:
        for entry in place.entries(folder):
            data = place.read_entry(folder, entry)
            if digest(data) == entry:
                yield entry, of_record(data, "records")
            else:
                kind: Kind = "data set" if folder == "data" else "mark"
                checked.problems.append(Problem(kind, f"{folder}/{entry}", "its bytes have changed"))


def _snapshots(store: Store) -> dict[str, list[Reference]]:
    return {
        _SNAPSHOT + kept.tree: [Reference(tree, "code", True) for tree in (kept.tree, *kept.outside.values())]
        for kept in store.snapshots.listed()
    }


def _owners(ids: Iterable[str]) -> tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]:
    """Ids of runs, of entries of data sets, and of the trees of kept snapshots."""
    known = sorted(ids)
    trees = tuple(each.removeprefix(_SNAPSHOT) for each in known if each.startswith(_SNAPSHOT))
    entries = tuple(each for each in known if not is_run_id(each) and not each.startswith(_SNAPSHOT))
    return tuple(filter(is_run_id, known)), entries, trees


def _journals(store: Store, run_id: str) -> Iterator[Problem]:
    texts: list[str] = []
    folder = store.runs.folder(run_id)
    try:
        with using(folder):
            journals = sorted(path for path in folder.iterdir() if path.suffix == SUFFIX)
        for path in journals:
            for _ in read_journal(path, texts.append):
                pass
    except StoreUnusable as error:
        texts.append(str(error))
    yield from (Problem("journal", run_id, text, (run_id,)) for text in texts)


def _touched(
    references: References, begins: Mapping[str, list[Reference]], found: Mapping[str, Stored], faults: Mapping[str, str]
) -> dict[str, list[str]]:
    """Objects that are damaged, or required and not there, to the runs that need them."""
    touched: dict[str, list[str]] = {}
    below = _Below(references, found, faults)
    for run_id, begin in begins.items():
        for content_id in sorted({fault for reference in begin for fault in below.of(reference)}):
            touched.setdefault(content_id, []).append(run_id)
    return touched


class _Below:
    """Which faults lie at or below a reference; each is asked once, since runs share most of what they need."""

    def __init__(self, references: References, found: Mapping[str, Stored], faults: Mapping[str, str]) -> None:
        self._references = references
        self._found = found
        self._faults = faults
        self._known: dict[Reference, frozenset[str]] = {}

    def of(self, reference: Reference) -> frozenset[str]:
        """Ids of what is damaged or missing there."""
        pending = [reference]
        while pending:
            top = pending[-1]
            below = self._references.below(top)
            unknown = [each for each in below if each not in self._known]
            if unknown:
                pending.extend(unknown)
                continue
            self._known[pending.pop()] = frozenset([*self._own(top), *(fault for each in below for fault in self._known[each])])
        return self._known[reference]

    def _own(self, reference: Reference) -> Iterable[str]:
        missing = reference.required and reference.id not in self._found
        return (reference.id,) if missing or reference.id in self._faults else ()


def _studies(store: Store, checked: Checked) -> Iterator[Problem]:
    folder = store.path / "studies"
    for study_id in store.studies.ids():
        checked.studies += 1
        try:
            with using(folder):
                data = (folder / study_id / "definition").read_bytes()
                evidence = folder / study_id / "evidence"
                kept = evidence.read_bytes() if evidence.exists() else None
            if digest(data) != study_id:
                yield Problem("study", study_id, "its definition was changed")
            if kept is not None:
                decode(kept, StudyEvidence)
        except AssayError as error:
            yield Problem("study", study_id, str(error))


def _set_aside(store: Store, content_id: str, stored: Stored) -> bool:
    """Move a damaged object into `damaged/`; whether it could be done."""
    source = object_path(store.path, content_id, in_parts=stored.in_parts)
    try:
        (store.path / DAMAGED).mkdir(exist_ok=True)
        source.rename(store.path / DAMAGED / (content_id + source.suffix))
    except OSError:
        return False  # it stays among the problems, and the user's next look finds it
    return True
