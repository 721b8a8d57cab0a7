"""A bucket of an object store that speaks S3, as one side of a transfer. See docs/decisions/007 for its layout.

    PREFIX/format                                 "assay remote 1"
    PREFIX/objects/ab/REST[.parts]                as in a store's folder
    PREFIX/runs/ID/NAME.LENGTH.BLAKE3             each file of a run, `start` last: with it the run is visible
    PREFIX/data/ID, PREFIX/marks/ID               an entry in the history of a data set; what was said about a run
    PREFIX/studies/ID/NAME.LENGTH.BLAKE3          definition, and every state of the evidence that was pushed

Nothing is ever changed there: a journal that has grown is a new name beside the old one, and the longest counts. So many writers need
no lock, and every file is checked when it comes back.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from threading import Lock
from typing import NamedTuple

import obstore
from obstore.exceptions import AlreadyExistsError
from obstore.store import S3Store

from assay.errors import MissingContent, RemoteUnusable, StoreDamaged, StoreTooNew
from assay.records.canonical import digest
from assay.store.inventory import Stored, is_content_id
from assay.store.journal import SUFFIX as JOURNAL
from assay.store.parts import SUFFIX as PARTS
from assay.store.remotes.address import Bucket
from assay.store.remotes.place import DEFINITION, EVIDENCE, FILE_NAME, RESULT, START, checked, fuller_evidence
from assay.store.remotes.reaching import BUSY, reaching, retrying, settings
from assay.store.runs import is_run_id

FORMAT = b"assay remote 1\n"
_AT_ONCE = 16 << 20
"""Bytes up to which an object is sent in one request, which the server refuses where the object is there already."""


class _File(NamedTuple):
    """A file of a run or study: its whole key, its length, and the BLAKE3 of its bytes."""

    key: str
    size: int
    content: str


class BucketPlace:
    """The bucket `bucket`; see `assay.store.remotes.place.Place`.

    Args:
        bucket: which.
        create: make it a remote where it is empty.

    Raises:
        RemoteUnusable: it cannot be reached or used, or is no remote.
        StoreTooNew: a newer Assay made it.
    """

    def __init__(self, bucket: Bucket, *, create: bool) -> None:
        self.shown = bucket.shown
        self._address = bucket
        self._lock = Lock()
        self._listed: dict[str, dict[str, _File]] | None = None
        self._open(self._first_answer(), create)

    def shard(self, digits: str) -> dict[str, Stored]:
        """The objects whose ids begin so."""
        found: dict[str, Stored] = {}
        for key, size, modified in self._list(f"objects/{digits}/"):
            name = key.rpartition("/")[2]
            content_id = digits + name.removesuffix(PARTS)
            in_parts = name.endswith(PARTS)
            if is_content_id(content_id) and not (in_parts and content_id in found):
                found[content_id] = Stored(size, modified, in_parts)
        return found

    def renew(self, content_id: str) -> bool:
        """Yes: nothing collects in a bucket."""
        return True

    def read_object(self, content_id: str) -> Iterator[bytes]:
        """The bytes of an object as they are."""
        return self._read(_object_key(content_id), content_id)

    def read_parts(self, content_id: str) -> bytes:
        """The list of an object's parts as it is."""
        return b"".join(self._read(_object_key(content_id) + PARTS, content_id))

    def write_object(self, content_id: str, size: int, pieces: Iterator[bytes]) -> None:
        """Let an object appear; a large one is sent in parts, and appears when the last has arrived and was right."""
        sound = checked(content_id, pieces, "the store that it was read from")
        if size <= _AT_ONCE:
            self._create_or_mend(_object_key(content_id), b"".join(sound))
            return
        with reaching(self.shown):
            obstore.put(self._bucket, _object_key(content_id), sound, use_multipart=True)

    def write_parts(self, content_id: str, listing: bytes) -> None:
        """Let a list of parts appear."""
        self._create(_object_key(content_id) + PARTS, listing)

    def runs(self) -> dict[str, bool]:
        """Every run whose start is there, and whether it has ended."""
        files = self._files()
        return {run_id: RESULT in names for run_id, names in files.items() if is_run_id(run_id) and START in names}

    def run_files(self, run_id: str) -> dict[str, int]:
        """Names and lengths of a run's files.

        Asked anew: the listing of all runs may have met a file before it was sent, and the start after.
        """
        ended = RESULT in self._files().get(run_id, {})
        files = _latest(self._list(f"runs/{run_id}/"))
        if not ended:
            files.pop(RESULT, None)  # it may be younger than what was listed of the journals
        with self._lock:
            self._files()[run_id] = files
        return {name: file.size for name, file in files.items()}

    def read_run(self, run_id: str, name: str) -> bytes:
        """A file of a run, checked."""
        return self._checked(self._files()[run_id][name])

    def write_run(self, run_id: str, files: Mapping[str, bytes]) -> None:
        """Send a run's files: of a new one the start last, of one that was there the result last."""
        present = self.run_files(run_id)
        last = RESULT if START in present else START
        for name in sorted(files, key=lambda name: (name == last, name == RESULT)):
            if name not in present or (name.endswith(JOURNAL) and len(files[name]) > present[name]):
                self._create(_file_key("runs", run_id, name, files[name]), files[name])

    def studies(self) -> list[str]:
        """Ids of all studies whose definition is there."""
        names = {tuple(key.split("/")[1:3]) for key, _, _ in self._list("studies/")}
        return sorted(study for study, name in names if name.startswith(f"{DEFINITION}."))

    def read_study(self, study_id: str, name: str) -> bytes | None:
        """The definition of a study, or the fullest of its evidence."""
        best: bytes | None = None
        for key, _, _ in self._list(f"studies/{study_id}/"):
            base, file = _parsed(key)
            if base == name and file is not None:
                best = fuller_evidence(best, self._checked(file)) if name == EVIDENCE else self._checked(file)
        return best

    def write_study(self, study_id: str, name: str, data: bytes) -> None:
        """Send a definition, or a state of the evidence."""
        self._create(_file_key("studies", study_id, name, data), data)

    def entries(self, folder: str) -> list[str]:
        """Ids of all records in a folder of entries."""
        return sorted(filter(is_content_id, (key.rpartition("/")[2] for key, _, _ in self._list(f"{folder}/"))))

    def read_entry(self, folder: str, entry_id: str) -> bytes:
        """One of them as it is."""
        return b"".join(self._read(f"{folder}/{entry_id}", entry_id))

    def write_entry(self, folder: str, entry_id: str, data: bytes) -> None:
        """Send one."""
        self._create(f"{folder}/{entry_id}", data)

    def _first_answer(self) -> bytes | None:
        """The format, asked for by a client that is patient from the first answer on: an address that is wrong is told at once."""
        self._bucket = self._client(patient=False)
        try:
            return self._format()
        except RemoteUnusable as error:
            if error.problem != BUSY:
                raise
        finally:
            self._bucket = self._client(patient=True)
        return self._format()

    def _client(self, *, patient: bool) -> S3Store:
        config, client = settings()
        name, prefix = self._address.name, self._address.prefix or None
        with reaching(self.shown):
            return S3Store(name, prefix=prefix, config=config, client_options=client, retry_config=retrying(patient=patient))

    def _open(self, format_: bytes | None, create: bool) -> None:
        if format_ is None:
            others = next((key for key, _, _ in self._list("")), None)
            # Asked again: what was listed may be another writer's, who begins with the format.
            format_ = self._format() if others is not None else None
            if format_ is None:
                self._begin(others is None, create)
                return
        if format_ != FORMAT:
            raise StoreTooNew(
                "this remote has a format that this Assay does not know",
                value=self.shown,
                expected=FORMAT.decode().strip(),
                next_step="Upgrade assay to use it; or the address names something else than a remote.",
            )

    def _format(self) -> bytes | None:
        try:
            return b"".join(self._read("format", "format"))
        except MissingContent:
            return None

    def _begin(self, empty: bool, create: bool) -> None:
        if not empty or not create:
            raise RemoteUnusable(
                "nothing was pushed to this address yet" if empty else "this address holds other things than a remote",
                value=self.shown,
                expected="a place that `assay push` has filled" if empty else "an empty prefix",
                next_step="Check the bucket and the prefix.",
            )
        self._create("format", FORMAT)

    def _files(self) -> dict[str, dict[str, _File]]:
        """All files of all runs, as they were when this place was opened: one listing answers every question."""
        if self._listed is None:
            by_run: dict[str, list[tuple[str, int, float]]] = {}
            for item in self._list("runs/"):
                by_run.setdefault(item[0].split("/")[1], []).append(item)
            self._listed = {run_id: _latest(items) for run_id, items in by_run.items()}
        return self._listed

    def _checked(self, file: _File) -> bytes:
        data = b"".join(self._read(file.key, file.content))
        if len(data) != file.size or digest(data) != file.content:
            raise StoreDamaged(
                "a file of the remote is not what was pushed", value=f"{self.shown}/{file.key}", expected=f"bytes whose BLAKE3 is {file.content}",
                next_step="Delete it there; a push from a store that has it puts it back.",
            )  # fmt: skip
        return data

    def _list(self, prefix: str) -> Iterator[tuple[str, int, float]]:
        with reaching(self.shown):
            for chunk in obstore.list(self._bucket, prefix or None):
                for item in chunk:
                    yield item["path"], item["size"], item["last_modified"].timestamp()

    def _read(self, key: str, content_id: str) -> Iterator[bytes]:
        # The first request is made before the first piece is asked for, so that what is missing is known at once.
        with reaching(self.shown):
            try:
                stream = obstore.get(self._bucket, key).stream(min_chunk_size=1 << 20)
            except FileNotFoundError as error:
                if "NoSuchBucket" in str(error):
                    raise
                raise MissingContent(
                    "this content is not in the remote", value=content_id, expected=f"{self.shown}/{key}"
                ) from None
        return self._pieces(stream)

    def _pieces(self, stream: Iterable[bytes]) -> Iterator[bytes]:
        with reaching(self.shown):
            for piece in stream:
                yield bytes(piece)

    def _create(self, key: str, data: bytes) -> None:
        with reaching(self.shown):
            try:
                obstore.put(self._bucket, key, data, mode="create")
            except AlreadyExistsError:
                return  # another writer was faster; the name says what it holds

    def _create_or_mend(self, key: str, data: bytes) -> None:
        """Let an object appear, in place of one that cannot be it, since its length is another."""
        with reaching(self.shown):
            try:
                obstore.put(self._bucket, key, data, mode="create")
            except AlreadyExistsError:
                if obstore.head(self._bucket, key)["size"] != len(data):
                    obstore.put(self._bucket, key, data, mode="overwrite")


def _latest(items: Iterable[tuple[str, int, float]]) -> dict[str, _File]:
    """The files that these keys are; of a journal that has grown, the longest."""
    found: dict[str, _File] = {}
    for key, _, _ in items:
        name, file = _parsed(key)
        if file is not None and (name not in found or file.size > found[name].size):
            found[name] = file
    return found


def _object_key(content_id: str) -> str:
    return f"objects/{content_id[:2]}/{content_id[2:]}"


def _file_key(folder: str, of: str, name: str, data: bytes) -> str:
    return f"{folder}/{of}/{name}.{len(data)}.{digest(data)}"


def _parsed(key: str) -> tuple[str, _File | None]:
    """Name of a file and what its key says of it; None for a key that no push made."""
    name, _, content = key.rpartition("/")[2].rpartition(".")
    name, _, length = name.rpartition(".")
    if not FILE_NAME.fullmatch(name) or not length.isdecimal() or not is_content_id(content):
        return name, None
    return name, _File(key, int(length), content)
