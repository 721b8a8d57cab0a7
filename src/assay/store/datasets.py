"""Data sets: the history of each, as entries that are written once and never changed, so that two stores merge by having both's."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from assay.errors import InvalidValue, StoreDamaged
from assay.records.canonical import canonical, decode, digest
from assay.records.dataset import DataEntry
from assay.store.failures import using
from assay.store.objects import write_new
from assay.store.process import discard, owned_name

FOLDER = "data"
_LAST = re.compile(r"last(?:~(\d+))?")


class Listed(NamedTuple):
    """An entry with its id."""

    id: str
    entry: DataEntry


class Datasets:
    """The data sets of one store: `data/ID`, a `DataEntry` each, the id being that of its canonical bytes.

    Args:
        store: the store's folder; `tmp/` in it exists, `data/` is made with the first entry.
    """

    def __init__(self, store: Path) -> None:
        self._folder = store / FOLDER
        self._aside = store / "tmp"

    def add(self, entry: DataEntry) -> str:
        """The id of an entry, which is in the history of its data set afterwards. All that it names is in the store before.

        Raises:
            StoreUnusable: it cannot be written.
        """
        data = canonical(entry)
        entry_id = digest(data)
        aside = self._aside / owned_name()
        with using(self._folder):
            try:
                write_new(str(aside), data)
                self._folder.mkdir(exist_ok=True)
                aside.rename(self._folder / entry_id)
            finally:
                discard(aside)
        return entry_id

    def listed(self) -> list[Listed]:
        """All entries, the oldest first.

        Raises:
            StoreUnusable, StoreTooNew: one cannot be read, or a newer Assay wrote it.
            StoreDamaged: an entry was changed.
        """
        return sorted(self._read(), key=lambda listed: (listed.entry.added, listed.id))

    def roots(self) -> set[str]:
        """Ids of the objects that the histories need: version records, cards, and contents (trees or files; files only where kept)."""
        entries = [listed.entry for listed in self.listed()]
        return {root for entry in entries for root in (entry.version, entry.content, entry.card) if root is not None}

    def names(self) -> list[str]:
        """Names of all data sets, sorted."""
        return sorted({listed.entry.name for listed in self.listed()})

    def history(self, name: str) -> list[Listed]:
        """The entries of one data set, the newest first; empty where there is none of this name."""
        return [listed for listed in reversed(self.listed()) if listed.entry.name == name]

    def resolve(self, selector: str) -> Listed:
        """The entry that a text names.

        Args:
            selector: NAME (its last version), NAME@last~2, or NAME@PREFIX with the unique prefix of a content id; of several entries
                with one content, the newest is meant.

        Raises:
            InvalidValue: no data set has this name, none of its versions answers, or several do.
        """
        found = self.history(selector) or self.history(selector.rstrip("/"))  # as shells complete the name of a folder
        name, at, version = (selector, "@", "last") if found else selector.rpartition("@")
        history = found or (self.history(name) if at else [])
        if not history:
            names = self.names()
            raise InvalidValue(
                "no data set has this name", value=name or selector,
                expected=f"one of {', '.join(names[:6])}" if names else "a data set that was added here",
                next_step="`assay data ls` lists them; `assay data add PATH` adds one.",
            )  # fmt: skip
        return _pick(history, version, selector)

    def _read(self) -> Iterator[Listed]:
        with using(self._folder):
            try:
                names = [entry.name for entry in os.scandir(self._folder)]
            except FileNotFoundError:
                return
            for name in names:
                data = (self._folder / name).read_bytes()
                if digest(data) != name:
                    raise StoreDamaged(
                        "an entry of a data set's history was changed",
                        value=str(self._folder / name),
                        expected=f"bytes whose BLAKE3 is {name}",
                        next_step="Delete this file, and add the data set again.",
                    )
                yield Listed(name, decode(data, DataEntry))


def _pick(history: list[Listed], version: str, selector: str) -> Listed:
    """The entry of a history, newest first, that a version's text means."""
    contents = list({listed.entry.content: listed for listed in reversed(history)}.values())[::-1]
    last = _LAST.fullmatch(version)
    if last is not None:
        chosen = _steps(history)[int(last[1] or 0) :][:1]
    else:
        chosen = [listed for listed in contents if version and listed.entry.content.startswith(version)]
    if len(chosen) == 1:
        return chosen[0]
    raise InvalidValue(
        "several versions have this prefix" if chosen else "the data set has no such version",
        value=selector,
        expected=f"last, last~N, or a unique prefix of one of {', '.join(listed.entry.content[:12] for listed in contents[:6])}",
        next_step=f"`assay data ls {history[0].entry.name}` lists its versions.",
    )


def _steps(history: list[Listed]) -> list[Listed]:
    """The entries at which the version changed, newest first: what `last~N` counts. A new card alone is no step."""
    steps: list[Listed] = []
    for listed in history:
        if not steps or steps[-1].entry.version != listed.entry.version:
            steps.append(listed)
    return steps
