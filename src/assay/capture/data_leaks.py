"""Leaks: the same file or the same row in two data sets that should have nothing in common, as training and test data."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations
from typing import Literal, NamedTuple

from assay.capture.data_changes import File, files_of
from assay.capture.data_rows import is_table, read_table
from assay.capture.data_scan import readable
from assay.capture.data_split import row_id
from assay.records.dataset import DataVersion
from assay.store.datasets import Listed
from assay.store.store import Store

_EXAMPLES = 5


class Leak(NamedTuple):
    """What two data sets have in common.

    Attributes:
        kind: whole files, or rows of tables.
        a, b: the data sets.
        shared: how many contents they have in common.
        of: how many different ones the smaller of the two has.
        examples: some of them, as places in a and in b: paths, or paths with the number of the row from 1.
    """

    kind: Literal["file", "row"]
    a: str
    b: str
    shared: int
    of: int
    examples: list[tuple[str, str]]


class Checked(NamedTuple):
    """Leaks that were found, and what was not searched for rows, with the reason."""

    leaks: list[Leak]
    not_searched: dict[str, str]


Places = Mapping[str, str]
"""Content to the first place that has it."""


def leaks(store: Store, entries: Sequence[Listed]) -> Checked:
    """Every content that two of these versions share: files by their bytes, rows of tables by theirs. Empty files do not count.

    Raises:
        MissingContent, StoreDamaged, StoreUnusable: a version cannot be read.
    """
    names = [_selector(listed) for listed in entries]
    states = [files_of(store.objects, _version(store, listed), listed.entry.path or listed.entry.name) for listed in entries]
    not_searched: dict[str, str] = {}
    files = [{file.id: readable(path) for path, file in sorted(state.items(), reverse=True) if file.size} for state in states]
    rows = [dict(_rows(store, name, state, not_searched)) for name, state in zip(names, states, strict=True)]
    found = [leak for a, b in combinations(range(len(names)), 2) for leak in _common("file", names, a, b, files)]
    found += [leak for a, b in combinations(range(len(names)), 2) for leak in _common("row", names, a, b, rows)]
    return Checked(found, not_searched)


def _selector(listed: Listed) -> str:
    return f"{listed.entry.name}@{listed.entry.content[:12]}"


def _version(store: Store, listed: Listed) -> DataVersion:
    return store.objects.record(listed.entry.version, DataVersion)


def _rows(store: Store, name: str, state: Mapping[bytes, File], not_searched: dict[str, str]) -> Iterator[tuple[str, str]]:
    for path, file in sorted(state.items(), reverse=True):
        shown = readable(path)
        if file.kind == "link" or not is_table(shown):
            continue
        if file.id not in store.objects:
            not_searched[f"{name}: {shown}"] = "only hashed, so its rows are not known"
            continue
        for number, row in reversed(list(enumerate(read_table(store.objects.get(file.id), shown).rows, 1))):
            yield row_id(row), f"{shown}:{number}"


def _common(kind: Literal["file", "row"], names: Sequence[str], a: int, b: int, places: Sequence[Places]) -> Iterator[Leak]:
    shared = [content for content in places[a] if content in places[b]]
    if shared:
        examples = sorted((places[a][content], places[b][content]) for content in shared)[:_EXAMPLES]
        yield Leak(kind, names[a], names[b], len(shared), min(len(places[a]), len(places[b])), examples)
