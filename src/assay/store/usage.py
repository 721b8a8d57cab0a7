"""What takes space in a store: by kind and by run, shared content counted once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

import msgspec

from assay.errors import AssayError, UnknownRun
from assay.store.gc import roots_beside_runs
from assay.store.inventory import Stored, inventory
from assay.store.references import KINDS, Kind, Reference, References, files_of, of_run
from assay.store.store import Store


class KindUse(msgspec.Struct, frozen=True):
    """Objects of one kind, each counted under one kind alone: "unneeded" is what nothing leads to, "runs" the files of run folders.

    What several use for several things is of the kind that stands first in `assay.store.references.KINDS`.
    """

    kind: str
    objects: int
    bytes: int


class RunUse(msgspec.Struct, frozen=True):
    """What a run takes: `bytes` of all that it leads to, `own` of what no other run does, so that it would be free without this one."""

    run: str
    name: str
    bytes: int
    own: int


class Usage(msgspec.Struct, frozen=True):
    """What a store takes, in bytes of content; kinds in a fixed order, runs by what is their own, the largest first."""

    bytes: int
    kinds: tuple[KindUse, ...]
    runs: tuple[RunUse, ...]


def usage(store: Store) -> Usage:
    """What a store holds, by kind and by run. What cannot be read leads to nothing; `assay fsck` tells of it.

    Raises:
        StoreUnusable: a folder of the store cannot be read.
    """
    found = inventory(store.path)
    references = References(store.path, store.objects)
    reached: dict[str, dict[str, Reference]] = {}
    folders: dict[str, int] = {}
    names: dict[str, str] = {}
    for run_id, files in _runs(store):
        try:
            reached[run_id] = references.closure(of_run(files))
            names[run_id] = store.runs.read(run_id).start.name
        except AssayError:
            reached[run_id] = {}
        folders[run_id] = sum(map(len, files.values()))
    users = Counter(content_id for each in reached.values() for content_id in each)
    runs = [
        RunUse(run_id, names.get(run_id, ""), *_of_run(each, folders[run_id], found, users)) for run_id, each in reached.items()
    ]
    beside = references.closure(roots_beside_runs(store))
    kinds = _kinds(found, [*reached.values(), beside], folders)
    return Usage(sum(kind.bytes for kind in kinds), tuple(kinds), tuple(sorted(runs, key=lambda run: (-run.own, run.run))))


def _runs(store: Store) -> Iterator[tuple[str, dict[str, bytes]]]:
    for run_id in store.runs.ids():
        try:
            yield run_id, files_of(store.runs, run_id)
        except UnknownRun:
            continue


def _of_run(reached: dict[str, Reference], folder: int, found: dict[str, Stored], users: Counter[str]) -> tuple[int, int]:
    sizes = [(found[content_id].size, users[content_id]) for content_id in reached if content_id in found]
    return folder + sum(size for size, _ in sizes), folder + sum(size for size, count in sizes if count == 1)


def _kinds(found: dict[str, Stored], reached: Iterable[dict[str, Reference]], folders: dict[str, int]) -> list[KindUse]:
    """Every object under one kind: that which comes first in `KINDS`, where runs use it for several."""
    order = {kind: number for number, kind in enumerate(KINDS)}
    chosen: dict[str, Kind] = {}
    for each in reached:
        for content_id, reference in each.items():
            if content_id not in chosen or order[reference.kind] < order[chosen[content_id]]:
                chosen[content_id] = reference.kind
    groups: dict[str, list[int]] = {kind: [] for kind in (*KINDS, "unneeded")}
    for content_id, stored in found.items():
        groups[chosen.get(content_id, "unneeded")].append(stored.size)
    listed = [KindUse(kind, len(sizes), sum(sizes)) for kind, sizes in groups.items() if sizes]
    return [*listed, KindUse("runs", len(folders), sum(folders.values()))] if folders else listed
