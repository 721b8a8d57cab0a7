"""A store in a folder as one side of a transfer: the user's own, a colleague's, or one on a shared disk."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from assay.errors import MissingContent, StoreDamaged
from assay.store.failures import unusable, using
from assay.store.inventory import Stored, inventory, is_content_id, object_path, read_pieces
from assay.store.journal import SUFFIX as JOURNAL
from assay.store.objects import write_all, write_new
from assay.store.process import discard, owned_name
from assay.store.remotes.place import DEFINITION, EVIDENCE, FILE_NAME, HEARTBEAT, RESULT, START, checked, fuller_evidence
from assay.store.runs import is_run_id
from assay.store.store import Store


class FolderPlace:
    """The store `store`; see `assay.store.remotes.place.Place`."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.shown = str(store.path)
        self._path = store.path
        self._aside = store.path / "tmp"

    def shard(self, digits: str) -> dict[str, Stored]:
        """The objects whose ids begin so."""
        return inventory(self._path, [digits])

    def renew(self, content_id: str) -> bool:
        """Whether the object is there; if so it is young now."""
        return self.store.objects.renew(content_id)

    def read_object(self, content_id: str) -> Iterator[bytes]:
        """The bytes of an object as they are."""
        path = object_path(self._path, content_id)
        try:
            yield from read_pieces(path)
        except FileNotFoundError:
            raise _missing(content_id, path) from None

    def read_parts(self, content_id: str) -> bytes:
        """The list of an object's parts as it is."""
        path = object_path(self._path, content_id, in_parts=True)
        try:
            return b"".join(read_pieces(path))
        except FileNotFoundError:
            raise _missing(content_id, path) from None

    def write_object(self, content_id: str, size: int, pieces: Iterator[bytes]) -> None:
        """Let an object appear under the id of what was written."""
        del size  # the content says it
        self._appear(object_path(self._path, content_id), checked(content_id, pieces, self.shown))

    def write_parts(self, content_id: str, listing: bytes) -> None:
        """Let a list of parts appear."""
        self._appear(object_path(self._path, content_id, in_parts=True), iter([listing]))

    def runs(self) -> dict[str, bool]:
        """Every run, and whether it has ended."""
        folder = self._path / "runs"
        with using(folder):
            return {
                run_id: (folder / run_id / RESULT).exists()
                for run_id in self.store.runs.ids()
                if (folder / run_id / START).exists()
            }

    def run_files(self, run_id: str) -> dict[str, int]:
        """Names and sizes of a run's files."""
        folder = self._path / "runs" / run_id
        with using(folder):
            # Asked before the journals are looked at: once there is a result, these have all that they will ever have.
            ended = (folder / RESULT).exists()
            with os.scandir(folder) as entries:
                sizes = {entry.name: entry.stat().st_size for entry in entries if entry.is_file(follow_symlinks=False)}
        left_out = {HEARTBEAT} if ended else {HEARTBEAT, RESULT}
        return {name: size for name, size in sizes.items() if name not in left_out and FILE_NAME.fullmatch(name)}

    def read_run(self, run_id: str, name: str) -> bytes:
        """A file of a run."""
        path = self._path / "runs" / run_id / name
        with using(path):
            try:
                return path.read_bytes()
            except FileNotFoundError:
                raise MissingContent("this file of a run is gone", value=str(path)) from None

    def write_run(self, run_id: str, files: Mapping[str, bytes]) -> None:
        """Let a run appear by renaming its folder, or add to it."""
        if not is_run_id(run_id):
            raise StoreDamaged("a run has an id that no run has", value=run_id, expected="16 characters of a-z and 2-7")
        folder = self._path / "runs" / run_id
        with using(folder):
            if (folder / START).exists() or not self._appear_run(folder, files):
                self._add(folder, files)

    def studies(self) -> list[str]:
        """Ids of all studies."""
        return self.store.studies.ids()

    def read_study(self, study_id: str, name: str) -> bytes | None:
        """A file of a study."""
        path = self._path / "studies" / study_id / name
        with using(path):
            return path.read_bytes() if path.exists() else None

    def write_study(self, study_id: str, name: str, data: bytes) -> None:
        """Let a study appear, or give it evidence."""
        path = self._path / "studies" / study_id / name
        present = self.read_study(study_id, name)
        if present is not None and (name == DEFINITION or fuller_evidence(present, data) == present):
            return
        aside = self._aside / owned_name()
        with using(path):
            try:
                write_new(str(aside), data, mode=0o644 if name == EVIDENCE else 0o444)
                path.parent.mkdir(exist_ok=True)
                aside.rename(path)
            finally:
                discard(aside)

    def entries(self, folder: str) -> list[str]:
        """Ids of all records in a folder of entries."""
        path = self._path / folder
        with using(path):
            return sorted(filter(is_content_id, os.listdir(path))) if path.is_dir() else []  # noqa: PTH208 - names are wanted

    def read_entry(self, folder: str, entry_id: str) -> bytes:
        """One of them as it is."""
        path = self._path / folder / entry_id
        with using(path):
            return path.read_bytes()

    def write_entry(self, folder: str, entry_id: str, data: bytes) -> None:
        """Let one appear."""
        self._appear(self._path / folder / entry_id, iter([data]))

    def _appear(self, path: Path, pieces: Iterator[bytes]) -> None:
        """Write a new file aside, and let it appear when all of it is there."""
        aside = self._aside / owned_name()
        try:
            descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o444)
            try:
                for piece in pieces:
                    write_all(descriptor, piece)
            finally:
                os.close(descriptor)
            path.parent.mkdir(exist_ok=True)
            aside.rename(path)
        except OSError as error:
            raise unusable(error, path) from error
        finally:
            discard(aside)

    def _appear_run(self, folder: Path, files: Mapping[str, bytes]) -> bool:
        """Let the folder of a new run appear; False where another process was faster."""
        aside = self._aside / owned_name()
        try:
            aside.mkdir()
            for name, data in files.items():
                write_new(str(aside / name), data, mode=0o644 if name.endswith(JOURNAL) else 0o444)
            aside.rename(folder)
        except OSError:
            if (folder / START).exists():
                return False
            raise
        finally:
            discard(aside)
        return True

    def _add(self, folder: Path, files: Mapping[str, bytes]) -> None:
        for name in sorted(files, key=lambda name: name == RESULT):
            if name.endswith(JOURNAL):
                _grow(folder / name, files[name])
            elif not (folder / name).exists():
                aside = self._aside / owned_name()
                try:
                    write_new(str(aside), files[name])
                    aside.rename(folder / name)
                finally:
                    discard(aside)


def _grow(path: Path, data: bytes) -> None:
    """Make a journal as long as `data`, of which it holds the beginning.

    Written at its place and never cut: two who do it at once write the same bytes, and one that is killed leaves a beginning.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        present = os.pread(descriptor, max(len(data), 1), 0)
        if not data.startswith(present):
            raise StoreDamaged(
                "a journal of the same run differs here and there", value=str(path), expected="one to be the beginning of the other",
                next_step="One of the two was damaged or edited; `assay fsck` on both says which.",
            )  # fmt: skip
        position = len(present)
        while position < len(data):
            position += os.pwrite(descriptor, data[position:], position)
    finally:
        os.close(descriptor)


def _missing(content_id: str, path: Path) -> MissingContent:
    return MissingContent("this content is not in the store", value=content_id, expected=f"an object at {path}")
