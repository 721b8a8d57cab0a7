"""The data sets of a project, as a user holds them: add versions, list, compare, put back, split, describe."""

# Paths are text here: names need not be valid Unicode.
# ruff: noqa: PTH100, PTH118, PTH120

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from assay.capture.data import present
from assay.capture.data_changes import Change, File, changes, files_now, files_of
from assay.capture.data_scan import readable
from assay.capture.data_versions import Added, add_version, enter
from assay.errors import InvalidValue
from assay.records.dataset import Card, DataVersion, Policy
from assay.store.datasets import Listed
from assay.store.root import find_root
from assay.store.store import Store

if TYPE_CHECKING:
    from assay.capture.data_leaks import Checked
    from assay.capture.data_restore import Restored

# What only some methods need is imported in them: adding what has not changed takes a few tenths of a second, and all of it would be a quarter.
_NOW = "@now"


class Compared(NamedTuple):
    """Two states of a data set and what differs: names as they were given, with the version where none was."""

    a: str
    b: str
    changes: list[Change]


class DataSets:
    """The data sets of one project.

    A version is named NAME (the last one), NAME@last~2, or NAME@PREFIX with a unique prefix of its content id; `diff` takes NAME@now for
    what lies there now.

    Attributes:
        root: folder that paths are recorded relative to.
        store: what was recorded.
    """

    def __init__(self, store: Store, root: Path) -> None:
        self.store = store
        self.root = root

    @classmethod
    def open(cls, path: str | Path | None = None, *, create: bool = False) -> DataSets:
        """Those of the project that `path` (the working directory) lies in, without all else that a `Project` is.

        Raises:
            StoreUnusable, StoreTooNew, InvalidValue: as for `assay.project.project.Project.open`.
        """
        root = find_root(Path(path) if path is not None else Path.cwd())
        return cls(Store.open(root, create=create), root)

    def add(self, path: str | os.PathLike[str], *, name: str | None = None, policy: Policy | None = None) -> Added:
        """What `path` holds now as the newest version; see `assay.capture.data_versions.add_version`."""
        return add_version(self.store, self.root, path, name=name, policy=policy)

    def history(self, name: str | None = None) -> list[Listed]:
        """The newest entry of each data set, by name; of one data set all entries, the newest first.

        Raises:
            InvalidValue: no data set has this name.
        """
        if name is None:
            newest = {listed.entry.name: listed for listed in self.store.datasets.listed()}
            return [newest[each] for each in sorted(newest)]
        return self.store.datasets.history(self.store.datasets.resolve(name).entry.name)

    def version(self, listed: Listed) -> DataVersion:
        """The version that an entry added."""
        return self.store.objects.record(listed.entry.version, DataVersion)

    def diff(self, a: str, b: str | None = None) -> Compared:
        """What differs, file by file.

        Args:
            a: a version.
            b: another one; else what lies now where `a` was added.

        Raises:
            InvalidValue: a version is not known, or nothing lies there that can be read.
        """
        b = b if b is not None else (self.store.datasets.resolve(a).entry.name + _NOW if not a.endswith(_NOW) else a)
        return Compared(a, b, changes(self._state(a), self._state(b)))

    def restore(self, version: str, paths: Sequence[str] = (), *, to: str | os.PathLike[str] | None = None) -> Restored:
        """A version put back, all of it or the files and folders named; see `assay.capture.data_restore.restore`.

        Args:
            version: which.
            paths: as the version has them.
            to: a folder, made where there is none; else where the version was added.

        Raises:
            InvalidValue: there is no such version or path; the version never lay anywhere; or something stands in the way.
            MissingContent: a content was only hashed.
        """
        from assay.capture.data_restore import restore

        listed = self.store.datasets.resolve(version)
        target = os.path.abspath(to) if to is not None else self._place(listed)
        if to is None and self.version(listed).kind != "folder":
            target = os.path.dirname(target)
        return restore(self.store, listed, target, paths)

    def split(self, version: str, fractions: Mapping[str, float], *, seed: int = 0, stratify: str = "") -> list[Listed]:
        """Parts of a version, each the newest version of a data set NAME/PART; see `assay.capture.data_split.split`."""
        from assay.capture.data_split import split

        return split(self.store, self.store.datasets.resolve(version), fractions, seed=seed, stratify=stratify)

    def leaks(self, *versions: str) -> Checked:
        """What versions have in common that should have nothing in common; see `assay.capture.data_leaks.leaks`.

        Args:
            versions: two or more; or one, whose parts are meant: the data sets NAME/PART, at their last version.

        Raises:
            InvalidValue: a version is not known, or there are fewer than two.
        """
        from assay.capture.data_leaks import leaks

        found = [self.store.datasets.resolve(version) for version in versions]
        if len(found) == 1:
            before = found[0].entry.name + "/"
            found = [listed for listed in self.history() if listed.entry.name.startswith(before)]
        if len(found) < 2:
            raise InvalidValue(
                "leaks are looked for between two versions or more",
                value=" ".join(versions),
                expected="two versions, or a data set that was split",
                next_step="`assay data split` splits one.",
            )
        return leaks(self.store, found)

    def card(self, version: str, fields: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """The data card of a version as a Croissant document, with the SHA-256 of every file.

        Fields come from, in this order: `fields`; the file PATH.card.yaml beside the data; the card that was recorded before. Where
        they differ from what was recorded, they are recorded now.

        Args:
            version: which.
            fields: of `assay.records.dataset.Card`.

        Raises:
            InvalidValue: there is no such version, or a field is none of a card's.
            MissingContent: a content was only hashed, and lies where it was added no more.
        """
        from assay.project.data_card import croissant, sha256_of

        listed = self.store.datasets.resolve(version)
        found, place = self.version(listed), os.path.join(os.path.realpath(self.root), listed.entry.path)
        card = self._described(listed, place, fields or {})
        files = files_of(self.store.objects, found, listed.entry.path or listed.entry.name)
        folder = place if found.kind == "folder" else os.path.dirname(place)
        sums = {
            path: sha256_of(self.store.objects, file, Path(folder, os.fsdecode(path)))
            for path, file in files.items()
            if file.kind != "link"
        }
        return croissant(listed, found, card, files, sums, self._columns(files))

    def _described(self, listed: Listed, place: str, fields: Mapping[str, Any]) -> Card:
        """The card of a version, recorded where it is new."""
        from assay.project.data_card import BESIDE, checked_fields, read_card

        # A card is of the data set, whichever version it is made for.
        newest = self.store.datasets.history(listed.entry.name)[0].entry
        before = self.store.objects.record(newest.card, Card) if newest.card else Card()
        beside = Path(place + BESIDE)
        written = read_card(beside) if listed.entry.path and beside.is_file() else {}
        card = msgspec.structs.replace(before, **(written | checked_fields(dict(fields), "the fields")))
        if card != before:
            card_id = self.store.objects.put_record(card)
            enter(self.store, newest.name, newest.path, newest.version, newest.content, card=card_id)
        return card

    def _columns(self, files: Mapping[bytes, File]) -> dict[bytes, tuple[str, ...]]:
        """Columns of the tables whose content is in the store."""
        from assay.capture.data_rows import read_table, suffix_of

        found = {}
        for path, file in files.items():
            if file.kind != "link" and suffix_of(readable(path)) in (".csv", ".tsv") and file.id in self.store.objects:
                columns = read_table(self.store.objects.get(file.id), readable(path)).columns
                if columns and len(set(columns)) == len(columns) and all(columns):
                    found[path] = columns
        return found

    def _state(self, selector: str) -> Mapping[bytes, File]:
        if not selector.endswith(_NOW):
            listed = self.store.datasets.resolve(selector)
            return files_of(self.store.objects, self.version(listed), listed.entry.path or listed.entry.name)
        return files_now(present(self.store, self._place(self.store.datasets.resolve(selector.removesuffix(_NOW)))))

    def _place(self, listed: Listed) -> str:
        if not listed.entry.path:
            raise InvalidValue(
                "this version was made by Assay and lies nowhere", value=listed.entry.name, expected="a folder to put it into",
                next_step="Name one with --to DIR.",
            )  # fmt: skip
        return os.path.join(os.path.realpath(self.root), listed.entry.path)
