"""What belongs in a bundle: exactly what its runs need, followed as every other reader of references follows it."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import NamedTuple

import msgspec

from assay.capture.keep_out import KeepOut
from assay.capture.outside import interpreter_folders
from assay.capture.secrets import secret_name
from assay.errors import AssayError
from assay.lineage.parents import trace_of
from assay.records.bundle import Absent, Why
from assay.records.canonical import decode
from assay.records.dataset import Card, DataEntry
from assay.records.environment import Environment
from assay.records.mark import Mark
from assay.records.recipe import Recipe
from assay.records.run import Run
from assay.records.trace import FileUse, Trace
from assay.store.inventory import object_path, parts_of, read_pieces
from assay.store.references import Kind, Reference, References, files_of, of_run
from assay.store.remotes.folder import FolderPlace
from assay.store.store import Store
from assay.store.tree import read_tree

_MACHINE = ("/proc", "/sys", "/dev", "/run")


class Asked(NamedTuple):
    """What is published, and how.

    Attributes:
        runs: the runs, the one that is reproduced first at the head.
        study: id of the study that they are trials of; None for a run.
        name: what the user called it.
        without: kinds of contents that are left out.
    """

    runs: Sequence[Run]
    study: str | None = None
    name: str = ""
    without: Collection[Kind] = ()


class Contents(NamedTuple):
    """What goes into a bundle.

    Attributes:
        runs: id to the files of each run's folder.
        recipes, traces: of each run.
        objects: content id to what the runs need it for.
        places: content id to a file of the project that has it, where the store does not.
        absent: what is needed or was made and does not go in.
        marks: id to bytes of tags.
        data: id to bytes of entries of data sets that the runs declared.
        cards: content of a data set to its card.
    """

    runs: dict[str, dict[str, bytes]]
    recipes: dict[str, Recipe]
    traces: dict[str, Trace]
    objects: dict[str, set[Kind]]
    places: dict[str, Path]
    absent: tuple[Absent, ...]
    marks: dict[str, bytes]
    data: dict[str, bytes]
    cards: dict[str, Card]


def gather(store: Store, root: Path, asked: Asked) -> Contents:
    """What is to be published.

    Args:
        store: where the runs are.
        root: the project's root: data that was only hashed is taken from there, where it still has its content.
        asked: what and how.

    Raises:
        MissingContent, StoreDamaged, StoreTooNew, StoreUnusable: a run cannot be read.
    """
    files = {run.id: files_of(store.runs, run.id) for run in asked.runs}
    recipes = {run.id: store.objects.record(run.start.recipe, Recipe) for run in asked.runs}
    traces = {run.id: trace_of(store, run) for run in asked.runs}
    inputs = {content for recipe in recipes.values() for content in recipe.data.values()}
    inputs |= {use.id for trace in traces.values() for use in trace.read if use.id}
    data, cards = _data_sets(store, inputs)
    needed = _needed(store, [reference for found in files.values() for reference in of_run(found)])
    for entry in data.values():
        card = decode(entry, DataEntry).card
        if card is not None and card in store.objects:
            needed.setdefault(card, [Reference(card, "records", True)])
    uses = {use.id: use for trace in traces.values() for use in (*trace.read, *trace.loaded, *trace.written) if use.id}
    objects: dict[str, set[Kind]] = {}
    places: dict[str, Path] = {}
    absent: dict[str, Absent] = {}
    folders = _foreign(store, asked.runs)
    for content_id, references in sorted(needed.items()):
        kinds = {reference.kind for reference in references}
        use = uses.get(content_id)
        if _left_out(kinds, asked.without) and not any(reference.record for reference in references):
            absent[content_id] = _absent(content_id, kinds, use, "left out", cards)
        elif content_id in store.objects:
            objects[content_id] = kinds
        elif (place := _in_project(root, use, asked.runs)) is not None:
            objects[content_id], places[content_id] = kinds, place
        elif (why := _why(references, use, folders)) is not None:
            absent[content_id] = _absent(content_id, kinds, use, why, cards)
    marks = _tags(store, {run.id for run in asked.runs})
    return Contents(files, recipes, traces, objects, places, tuple(absent.values()), marks, data, cards)


def pieces_of(store: Store, contents: Contents, content_id: str) -> Iterator[bytes]:
    """The bytes of a content as it goes into a bundle: from the store, parts joined, or from the project. Whoever takes them checks them.

    Raises:
        StoreUnusable: they cannot be read.
        FileNotFoundError: they are gone by now.
    """
    place = contents.places.get(content_id)
    for path in [place] if place is not None else _files(store, content_id):
        yield from read_pieces(path)


def size_of(store: Store, contents: Contents, content_id: str) -> int:
    """Bytes of a content that goes into a bundle."""
    place = contents.places.get(content_id)
    return sum(path.stat().st_size for path in ([place] if place is not None else _files(store, content_id)))


def _files(store: Store, content_id: str) -> list[Path]:
    whole = object_path(store.path, content_id)
    if whole.exists():
        return [whole]
    return [object_path(store.path, piece) for piece, _ in parts_of(store.path, content_id).pieces]


def _needed(store: Store, begin: Sequence[Reference]) -> dict[str, list[Reference]]:
    """Everything that is reached, each with all that it is needed for. Large contents go in whole, so their parts are not among it."""
    references = References(store.path, store.objects)
    found: dict[str, list[Reference]] = {}
    seen: set[Reference] = set()
    pending = list(begin)
    while pending:
        reference = pending.pop()
        if reference in seen:
            continue
        seen.add(reference)
        found.setdefault(reference.id, []).append(reference)
        parts = set(store.objects.parts(reference.id)) if reference.id in store.objects else set()
        pending += [below for below in references.below(reference) if below.id not in parts]
    for error in references.unreadable.values():
        raise error
    return found


def _left_out(kinds: set[Kind], without: Collection[Kind]) -> bool:
    return bool(kinds) and kinds <= set(without)


def _why(references: Sequence[Reference], use: FileUse | None, folders: Sequence[str]) -> Why | None:
    """Why a content that cannot go in is worth a word; None where nobody will miss it: what only looks like an id, the machine's own files."""
    if any(reference.required for reference in references):
        return "missing"
    if use is None:
        return "only hashed" if any(reference.kind == "data" for reference in references) else None
    if not use.path.startswith("/"):
        return "only hashed"
    of_machine = any(PurePosixPath(use.path).is_relative_to(folder) for folder in folders)
    return None if of_machine or "site-packages" in use.path else "outside the project"


def _absent(content_id: str, kinds: set[Kind], use: FileUse | None, why: Why, cards: Mapping[str, Card]) -> Absent:
    card = cards.get(content_id)
    path, size = (use.path, use.size) if use else ("", 0)
    return Absent(id=content_id, path=path, kind=min(kinds, default=""), size=size, why=why, access=card.access if card else "")


def _in_project(root: Path, use: FileUse | None, runs: Sequence[Run]) -> Path | None:
    """The file of the project that a run used, which was only hashed; its content is checked when it is packed."""
    if use is None or use.path.startswith("/") or secret_name(use.path):
        return None
    for above in dict.fromkeys((root, *(Path(run.start.root) for run in runs))):
        path = above / use.path
        if KeepOut.read(str(above)).reason(use.path):
            return None
        if path.is_file() and path.resolve().is_relative_to(above.resolve()) and _has(path, use):
            return path
    return None


def _has(path: Path, use: FileUse) -> bool:
    # Late: only what the store lacks is hashed here.
    from assay.store.hashing import hash_file

    try:
        return path.stat().st_size == use.size and hash_file(path) == use.id
    except OSError:
        return False


def _foreign(store: Store, runs: Sequence[Run]) -> list[str]:
    """Folders of the machine and of the interpreters: what was read there belongs to the environment."""
    seen = {(run.result.environment if run.result else None) or run.start.environment for run in runs}
    environments = [store.objects.record(one, Environment) for one in sorted(filter(None, seen))]
    return [*_MACHINE, *(folder for one in environments for folder in interpreter_folders(one) if folder)]


def _tags(store: Store, runs: Collection[str]) -> dict[str, bytes]:
    """Marks that give or take away tags. Notes are said among colleagues, and stay."""
    place = FolderPlace(store)
    found = {entry: place.read_entry("marks", entry) for entry in place.entries("marks")}
    kept = {}
    for entry, data in found.items():
        mark = decode(data, Mark) if msgspec.msgpack.decode(data).get("assay") == "mark/1" else None
        if mark is not None and mark.run in runs and mark.kind != "note":
            kept[entry] = data
    return kept


def _data_sets(store: Store, inputs: Collection[str]) -> tuple[dict[str, bytes], dict[str, Card]]:
    """The newest entry of each data set that was declared with this content; and the cards of what was read, whole data sets and files."""
    listed = store.datasets.listed()
    declared = {each.entry.content: each for each in listed if each.entry.content in inputs}
    cards: dict[str, Card] = {}
    for card, content in {each.entry.content: (each.entry.card, each.entry.content) for each in listed}.values():
        if card is not None:
            below = {content, *_files_below(store, content)} & set(inputs)
            cards |= dict.fromkeys(below, store.objects.record(card, Card))
    place = FolderPlace(store)
    return {each.id: place.read_entry("data", each.id) for each in declared.values()}, cards


def _files_below(store: Store, content: str) -> list[str]:
    """Ids of the files of a data set; none where it is one file, or is known by its name alone."""
    try:
        return [file for _, file in read_tree(store.objects, content).values()]
    except AssayError:
        return []
