"""Splits: versions that are parts of another version, dealt out by a rule and a seed, the same on every machine."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import accumulate
from pathlib import PurePosixPath
from typing import Literal, TypeVar

import msgspec
from blake3 import blake3

from assay.capture.data_changes import File, files_of
from assay.capture.data_rows import Table, is_table, read_table, suffix_of, value_of
from assay.capture.data_versions import enter
from assay.errors import InvalidValue
from assay.records.canonical import digest
from assay.records.dataset import DataVersion, Split
from assay.store.datasets import Listed
from assay.store.store import Store
from assay.store.tree import write_tree

T = TypeVar("T", dict[bytes, File], list[bytes])

FOLDER = "folder"
"""What files are stratified by."""


def split(store: Store, listed: Listed, fractions: Mapping[str, float], *, seed: int = 0, stratify: str = "") -> list[Listed]:
    """Deal the files of a folder, or the rows of a table, out to parts; each part is the newest version of the data set NAME/PART.

    Files or rows with the same content always go to the same part. Which part depends on the contents, the shares and the seed alone:
    neither on names nor on order. Adding data moves little of what was there before.

    Args:
        listed: the version to split.
        fractions: part to its share, in order; they are scaled to sum to 1.
        seed: another one gives another split.
        stratify: a column of the table, or "folder" for files; the shares hold within each of its values as nearly as they can.

    Raises:
        InvalidValue: the shares are none, the version has no rows or too few, or `stratify` is not there.
        MissingContent: a table was only hashed.
        StoreUnusable: the store cannot take the parts.
    """
    shares = _shares(fractions)
    version = store.objects.record(listed.entry.version, DataVersion)
    unit: Literal["file", "row"] = "file" if version.kind == "folder" else "row"

    def rule(part: str) -> Split:
        return Split(
            source=version.content, part=part, fractions=shares, seed=seed, unit=unit, stratify=stratify
        )  # fmt: skip

    made = _split_files if unit == "file" else _split_rows
    parts = made(store, listed, version, shares, seed, stratify)
    names = {part: f"{listed.entry.name}/{part}" + ("" if unit == "file" else suffix_of(_file_name(listed))) for part in shares}
    return [_enter(store, names[part], msgspec.structs.replace(parts[part], split=rule(part))) for part in shares]


def deal(groups: Sequence[tuple[str, int]], shares: Mapping[str, float], seed: int) -> dict[str, str]:
    """Which part each content goes to.

    Contents are ranked by the BLAKE3 of seed and content, and dealt out in that order: each goes to the part within whose stretch its
    middle lies, the stretches being the shares of the whole.

    Args:
        groups: content id and how many units have it.
        shares: part to its share; they sum to 1.

    >>> deal([("a", 1), ("b", 1)], {"train": 0.5, "test": 0.5}, seed=0) in ({"a": "train", "b": "test"}, {"a": "test", "b": "train"})
    True
    """
    ranked = sorted(groups, key=lambda group: blake3(f"{seed}\0{group[0]}".encode()).digest())
    total = sum(count for _, count in groups)
    ends = list(zip(accumulate(shares.values()), shares, strict=True))
    dealt, before = {}, 0
    for content, count in ranked:
        middle = (before + count / 2) / total
        dealt[content] = next((part for end, part in ends if middle < end), ends[-1][1])
        before += count
    return dealt


def _shares(fractions: Mapping[str, float]) -> dict[str, float]:
    total = sum(fractions.values())
    plain = all(part and part.isprintable() and part == PurePosixPath(part).name for part in fractions)
    if len(fractions) < 2 or not plain or not all(share > 0 and math.isfinite(share) for share in fractions.values()):
        raise InvalidValue(
            "these are no shares to split by",
            value=dict(fractions),
            expected="two parts or more, each a plain name with a number above 0",
            next_step="For example train=0.8 test=0.2.",
        )
    return {part: share / total for part, share in fractions.items()}


def _split_files(
    store: Store, listed: Listed, version: DataVersion, shares: Mapping[str, float], seed: int, stratify: str
) -> dict[str, DataVersion]:
    if stratify not in ("", FOLDER):
        raise InvalidValue("files are stratified by their folder alone", value=stratify, expected=FOLDER)
    files = files_of(store.objects, version, listed.entry.path)
    strata: dict[str, list[bytes]] = {}
    for path in sorted(files):
        strata.setdefault(path.rpartition(b"/")[0].hex() if stratify else "", []).append(path)
    dealt = _deal_all({stratum: [files[path].id for path in paths] for stratum, paths in strata.items()}, shares, seed)
    parts: dict[str, dict[bytes, File]] = {part: {} for part in shares}
    chosen: dict[str, str] = {}  # a content that is in several folders goes with the first of them
    for stratum, paths in strata.items():
        for path in paths:
            content = files[path].id
            parts[chosen.setdefault(content, dealt[stratum][content])][path] = files[path]
    return {part: _folder_version(store, version, found) for part, found in _none_empty(parts).items()}


def _folder_version(store: Store, version: DataVersion, files: Mapping[bytes, File]) -> DataVersion:
    order = sorted(files, key=lambda path: path.rpartition(b"/")[::2])
    tree = write_tree(store.objects, {path: (file.kind, file.id) for path, file in files.items()})
    return DataVersion(content=tree, policy=version.policy, sizes=tuple(files[path].size for path in order))


def _split_rows(
    store: Store, listed: Listed, version: DataVersion, shares: Mapping[str, float], seed: int, stratify: str
) -> dict[str, DataVersion]:
    name = _file_name(listed)
    if not is_table(name):
        read_table(b"", name)
    table = read_table(store.objects.get(version.content), name)
    strata: dict[str, list[bytes]] = {}
    for row in table.rows:
        strata.setdefault(value_of(row, stratify, table) if stratify else "", []).append(row)
    dealt = _deal_all({stratum: [row_id(row) for row in rows] for stratum, rows in strata.items()}, shares, seed)
    parts: dict[str, list[bytes]] = {part: [] for part in shares}
    for row in table.rows:
        stratum = value_of(row, stratify, table) if stratify else ""
        parts[dealt[stratum][row_id(row)]].append(row)
    return {part: _file_version(store, table, rows) for part, rows in _none_empty(parts).items()}


def row_id(row: bytes) -> str:
    """What rows are told apart by: their bytes without the line's end, which the last row of a file may lack."""
    return digest(row.rstrip(b"\r\n"))


def _file_version(store: Store, table: Table, rows: Sequence[bytes]) -> DataVersion:
    ended = [row if row.endswith(b"\n") else row + b"\n" for row in rows]
    data = table.header + b"".join(ended)
    return DataVersion(content=store.objects.put(data), kind="file", policy="kept", sizes=(len(data),))


def _deal_all(strata: Mapping[str, Sequence[str]], shares: Mapping[str, float], seed: int) -> dict[str, dict[str, str]]:
    dealt = {}
    for stratum, contents in strata.items():
        counts: dict[str, int] = {}
        for content in contents:
            counts[content] = counts.get(content, 0) + 1
        dealt[stratum] = deal(list(counts.items()), shares, seed)
    return dealt


def _none_empty(parts: dict[str, T]) -> dict[str, T]:
    empty = [part for part, members in parts.items() if not members]
    if empty:
        raise InvalidValue(
            "a part of this split would be empty",
            value=", ".join(empty),
            expected="more files or rows with contents of their own, or larger shares",
            next_step="Nothing was added.",
        )
    return parts


def _file_name(listed: Listed) -> str:
    return PurePosixPath(listed.entry.path or listed.entry.name).name


def _enter(store: Store, name: str, version: DataVersion) -> Listed:
    version_id = store.objects.put_record(version)
    last = next(iter(store.datasets.history(name)), None)
    return last if last and last.entry.version == version_id else enter(store, name, "", version_id, version.content)
