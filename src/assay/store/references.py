"""What a run, a study or a record needs: the one place that knows which fields name content.

Collecting, checking, counting and moving all follow these references. A field that is not known here still counts where it holds the id
of a content (a later version's field, another kind of record): then nothing says that the content must be there, but it is kept and moved.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Literal, NamedTuple

import msgspec

from assay.errors import AssayError, MissingContent, StoreUnusable
from assay.records.canonical import decode
from assay.records.journal import Saved
from assay.records.run import Result, Start
from assay.store.failures import using
from assay.store.inventory import is_content_id, object_path, parts_of
from assay.store.journal import SUFFIX, journal_entries
from assay.store.objects import Objects
from assay.store.runs import Runs

Kind = Literal["code", "data", "artifacts", "output", "environment", "calls", "records"]
KINDS: tuple[Kind, ...] = ("code", "data", "artifacts", "output", "environment", "calls", "records")
_HEX = re.compile(rb"(?<![0-9a-f])[0-9a-f]{64}(?![0-9a-f])")
# How a record begins: a map or array that is not empty, and in it a text of 1 to 31 letters (a field's name, or the tag of an array).
_BEGINNING = re.compile(rb"(?:[\x81-\x8f\x91-\x9f]|[\xdc\xde]..|[\xdd\xdf]....)[\xa1-\xbf][a-z]", re.DOTALL)


class Reference(NamedTuple):
    """One content that is needed.

    Attributes:
        id: of the content.
        kind: what it is for.
        record: whether it names further content: True for a record, False for a file, None where only looking can tell.
        required: whether its absence is a fault; files that were only hashed are named too.
    """

    id: str
    kind: Kind
    record: bool | None = None
    required: bool = True


def of_run(files: Mapping[str, bytes]) -> list[Reference]:
    """What a run names: its recipe, environment, trace and output, and what it has saved.

    Args:
        files: name to bytes of the files in its folder.

    Raises:
        StoreTooNew, StoreDamaged: its start or its result cannot be read.
    """
    found = [*_of_start(decode(files["start"], Start))]
    if files.get("result"):
        found.extend(_of_result(decode(files["result"], Result)))
    for name, data in files.items():
        if name not in ("start", "result") and not name.endswith(SUFFIX):
            found.extend(of_record(data, "records"))
        if name.endswith(SUFFIX):
            saved = (entry for entry in journal_entries(data, name, _ignore) if isinstance(entry, Saved))
            found.extend(Reference(entry.id, "artifacts", False) for entry in saved)
    known = {reference.id for reference in found}
    texts = (text for name, data in files.items() if not name.endswith(SUFFIX) for text in ids_in(data))
    return found + [Reference(text, "records", None, False) for text in texts if text not in known]


def files_of(runs: Runs, run_id: str) -> dict[str, bytes]:
    """The files of a run, name to bytes, without the heartbeat; its result only with all that was logged before it.

    Raises:
        UnknownRun: there is no such run.
        StoreUnusable: one cannot be read.
    """
    folder = runs.folder(run_id)
    start, result = runs.stored(run_id)
    others: dict[str, bytes] = {}
    with using(folder):
        for entry in _entries(folder):
            if entry.name not in ("start", "result", "heartbeat") and entry.is_file(follow_symlinks=False):
                # A run that ends meanwhile takes its output away, which is an object by then; one may be removed as a whole.
                with suppress(FileNotFoundError):
                    others[entry.name] = Path(entry.path).read_bytes()
    return {"start": start} | others | ({"result": result} if result else {})


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return list(entries)
    except FileNotFoundError:
        return []


def of_record(data: bytes, kind: Kind, *, required: bool = True) -> list[Reference]:
    """What the record with these bytes names; nothing, where they are no record.

    Args:
        data: the record's bytes.
        kind: what the record itself is for.
        required: whether what a tree names must be there.
    """
    try:
        value = msgspec.msgpack.decode(data)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return []
    tag = str(value.get("assay", "")) if isinstance(value, dict) else ""
    family = tag.partition("/")[0]
    if family == "tree":
        return list(_of_tree(value, kind, required))
    reader = _READERS.get(family)
    found = list(reader(value)) if reader else []
    known = {reference.id for reference in found}
    return found + [Reference(text, kind, None, False) for text in ids_in(data) if text not in known]


def ids_in(data: bytes) -> Iterator[str]:
    """Every id of a content that stands anywhere in these bytes."""
    return (match.decode() for match in _HEX.findall(data))


def may_be_record(beginning: bytes) -> bool:
    """Whether content that begins so may be a record: pickles, arrays and the like are large, and are not read for nothing."""
    return _BEGINNING.match(beginning) is not None


class References:
    """References below a content, each record read once however many runs share it.

    Args:
        store: the store's folder.
        objects: its objects.

    Attributes:
        unreadable: records that should have been read and could not, with what is wrong.
    """

    def __init__(self, store: Path, objects: Objects) -> None:
        self._store = store
        self._objects = objects
        self._below: dict[Reference, tuple[Reference, ...]] = {}
        self.unreadable: dict[str, AssayError] = {}

    def below(self, reference: Reference) -> tuple[Reference, ...]:
        """What a content names, its parts among it; nothing where it is missing or cannot be read."""
        if reference not in self._below:
            self._below[reference] = tuple(self._look(reference))
        return self._below[reference]

    def closure(self, begin: Iterable[Reference]) -> dict[str, Reference]:
        """All that is reached from these, themselves included: id to the reference that says most of it."""
        found: dict[str, Reference] = {}
        pending = list(begin)
        while pending:
            reference = pending.pop()
            before = found.get(reference.id)
            if before is not None and _weight(before) >= _weight(reference):
                continue
            found[reference.id] = reference
            pending.extend(self.below(reference))
        return found

    def _look(self, reference: Reference) -> Iterator[Reference]:
        content_id, kind = reference.id, reference.kind
        whole = object_path(self._store, content_id)
        try:
            in_parts = not whole.exists() and object_path(self._store, content_id, in_parts=True).exists()
            if in_parts:
                pieces = dict.fromkeys(piece for piece, _ in parts_of(self._store, content_id).pieces)
                yield from (Reference(piece, kind, False) for piece in pieces)
            if reference.record or (reference.record is None and self._begins_as_record(content_id, whole, in_parts)):
                yield from of_record(self._objects.get(content_id), kind, required=reference.required)
        except MissingContent:
            return
        except AssayError as error:
            self.unreadable[content_id] = error

    def _begins_as_record(self, content_id: str, whole: Path, in_parts: bool) -> bool:
        if in_parts:
            pieces = parts_of(self._store, content_id).pieces
            whole = object_path(self._store, pieces[0][0]) if pieces else whole
        try:
            with open(whole, "rb", buffering=0) as file:
                return may_be_record(file.read(8))
        except FileNotFoundError:
            return False
        except OSError as error:
            raise StoreUnusable("an object cannot be read", value=str(whole), next_step=f"{error}.") from error


def _weight(reference: Reference) -> tuple[bool, bool]:
    return reference.required, reference.record is not False


def _of_start(start: Start) -> Iterator[Reference]:
    yield Reference(start.recipe, "records", True)
    if start.environment:
        yield Reference(start.environment, "environment", True)
    if start.trial and start.trial.call:
        yield Reference(start.trial.call, "calls", False)


def _of_result(result: Result) -> Iterator[Reference]:
    if result.trace:
        yield Reference(result.trace, "records", True)
    if result.environment:
        yield Reference(result.environment, "environment", True)
    for content in result.output.values():
        yield Reference(content, "output", False)


def _of_recipe(value: dict[str, Any]) -> Iterator[Reference]:
    yield from _named(value, "code", "code")
    yield from _named(value, "packages", "environment")
    data = value.get("data")
    for content in data.values() if isinstance(data, dict) else ():
        if _is_id(content):
            yield Reference(content, "data", None)


def _of_environment(value: dict[str, Any]) -> Iterator[Reference]:
    return _named(value, "packages", "environment")


def _of_dataset(value: dict[str, Any]) -> Iterator[Reference]:
    yield from _named(value, "version", "records")
    yield from _named(value, "card", "records")


def _of_snapshot(value: dict[str, Any]) -> Iterator[Reference]:
    yield from _named(value, "tree", "code")
    outside = value.get("outside")
    if isinstance(outside, dict):
        for folder in outside:
            yield from _named(outside, folder, "code")


def _of_data(value: dict[str, Any]) -> Iterator[Reference]:
    """Of a version whose files were only hashed, or some of them, the tree alone tells nothing of what must be there."""
    if _is_id(value.get("content")):
        whole = value.get("policy") == "kept" and not value.get("not_kept")
        yield Reference(value["content"], "data", value.get("kind", "folder") == "folder", whole)


def _of_tree(value: dict[str, Any], kind: Kind, required: bool) -> Iterator[Reference]:
    for entry in value.get("entries", ()):
        if len(entry) == 3 and _is_id(entry[2]):
            yield Reference(entry[2], kind, entry[1] == "dir", required)


def _of_trace(value: dict[str, Any]) -> Iterator[Reference]:
    uses: tuple[tuple[str, Kind], ...] = (("loaded", "code"), ("read", "data"), ("written", "artifacts"))
    for name, kind in uses:
        for use in value.get(name, ()):
            if isinstance(use, dict) and _is_id(use.get("id")):
                yield Reference(use["id"], kind, False, bool(use.get("kept")))


def _named(value: dict[str, Any], name: str, kind: Kind) -> Iterator[Reference]:
    content = value.get(name)
    if _is_id(content):
        yield Reference(str(content), kind, True)


def _is_id(value: object) -> bool:
    return isinstance(value, str) and is_content_id(value)


def _ignore(_: str) -> None:
    """What is damaged in a journal is told where the journal is read for its own sake."""


_READERS = {
    "recipe": _of_recipe,
    "environment": _of_environment,
    "trace": _of_trace,
    "dataset": _of_dataset,
    "snapshot": _of_snapshot,
    "data": _of_data,
}
