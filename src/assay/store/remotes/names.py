"""Saved names of remotes: `remotes/NAME`, a record for each, in the store of who uses them; they are not moved to other stores."""

from __future__ import annotations

import difflib
import os
import re
import time
from pathlib import Path

from assay.errors import InvalidValue
from assay.records.canonical import canonical, decode, legible
from assay.records.remote import SavedRemote
from assay.store.failures import using
from assay.store.objects import write_new
from assay.store.process import discard, owned_name
from assay.store.remotes.address import Bucket, parse

FOLDER = "remotes"
ORIGIN = "origin"
"""The name that a clone gives to its source, and that `push` and `pull` mean where nothing is named."""
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


class RemoteNames:
    """The names of one store.

    Args:
        store: the store's folder; `tmp/` in it exists, `remotes/` is made with the first name.
    """

    def __init__(self, store: Path) -> None:
        self._folder = store / FOLDER
        self._aside = store / "tmp"

    def save(self, name: str, address: str) -> SavedRemote:
        """Save a name; nothing is asked of the remote. A folder is saved as an absolute path.

        Raises:
            InvalidValue: this is no name, or it stands for another address; or this is no address, or holds credentials.
            StoreUnusable: it cannot be written.
        """
        if not _NAME.fullmatch(name):
            raise InvalidValue(
                "this cannot be the name of a remote", value=name,
                expected="up to 100 letters, digits, '.', '_' and '-', a letter or digit first", next_step="Write NAME ADDRESS.",
            )  # fmt: skip
        place = parse(address)
        text = place.shown if isinstance(place, Bucket) else str(place)
        if legible(text) != text:
            raise InvalidValue(
                "an address that is no valid text cannot be saved", value=legible(text), expected="a path in UTF-8",
                next_step="Write the path where the remote is used.",
            )  # fmt: skip
        remote = SavedRemote(name=name, address=text, saved=time.time())
        before = self._read(name)
        if before is not None and before.address != remote.address:
            raise InvalidValue(
                "this name stands for another remote", value=name, expected=f"another name than that of {before.address}",
                next_step=f"`assay remote rm {name}` frees it.",
            )  # fmt: skip
        if before is None:
            self._write(remote)
        return remote

    def listed(self) -> list[SavedRemote]:
        """All that are saved, by name.

        Raises:
            StoreUnusable, StoreDamaged, StoreTooNew: one cannot be read.
        """
        with using(self._folder):
            try:
                names = sorted(filter(_NAME.fullmatch, os.listdir(self._folder)))  # noqa: PTH208 - names are wanted, not paths
            except FileNotFoundError:
                return []
        return [remote for name in names if (remote := self._read(name)) is not None]

    def remove(self, name: str) -> None:
        """Forget a name; the remote itself is not touched.

        Raises:
            InvalidValue: it is not saved.
            StoreUnusable: it cannot be removed.
        """
        if not _NAME.fullmatch(name) or self._read(name) is None:
            raise InvalidValue(
                "no remote is saved under this name",
                value=name,
                expected=self._expected(),
                next_step="`assay remote ls` lists them.",
            )
        with using(self._folder):
            (self._folder / name).unlink(missing_ok=True)

    def address(self, text: str | None) -> str:
        """The address that a text stands for: a saved name's, else the text itself. A folder that is called like one is written `./NAME`.

        Args:
            text: None: the remote that is saved as `origin`.

        Raises:
            InvalidValue: it is None and there is no origin; or it is nearly a saved name, and no folder.
            StoreUnusable, StoreDamaged, StoreTooNew: a name cannot be read.
        """
        name = ORIGIN if text is None else text
        if not _NAME.fullmatch(name):
            return name
        if (found := self._read(name)) is not None:
            return found.address
        if text is None:
            raise InvalidValue(
                "no remote was named, and none is saved as origin", expected=f"a folder, s3://bucket/prefix or {self._expected()}",
                next_step="`assay remote add origin ADDRESS` saves one.",
            )  # fmt: skip
        near = difflib.get_close_matches(text, [remote.name for remote in self.listed()], n=1, cutoff=0.7)
        if near and not os.path.lexists(text):
            raise InvalidValue(
                "neither a saved remote nor a folder has this name", value=text, expected=self._expected(),
                next_step=f"Did you mean {near[0]!r}? A new folder of this name is written ./{text}.",
            )  # fmt: skip
        return text

    def _expected(self) -> str:
        names = [remote.name for remote in self.listed()]
        return f"one of {', '.join(names)}" if names else "a name that `assay remote add` has saved"

    def _read(self, name: str) -> SavedRemote | None:
        path = self._folder / name
        with using(path):
            try:
                data = path.read_bytes()
            except FileNotFoundError:
                return None
        return decode(data, SavedRemote)

    def _write(self, remote: SavedRemote) -> None:
        aside = self._aside / owned_name()
        with using(self._folder):
            try:
                write_new(str(aside), canonical(remote))
                self._folder.mkdir(exist_ok=True)
                aside.rename(self._folder / remote.name)
            finally:
                discard(aside)
