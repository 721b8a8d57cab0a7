"""Whether a bundle is whole: every byte, every content, every reference, what its crate says, and questions before answers."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import msgspec
from blake3 import blake3

from assay.errors import AssayError, StoreDamaged, StoreTooNew
from assay.publishing.agreement import crate_problems, question_problems
from assay.records.bundle import Absent, Bundle
from assay.records.canonical import decode, digest
from assay.records.run import Start
from assay.store.bundles.reading import BundleFile
from assay.store.references import Reference, may_be_record, of_record, of_run
from assay.store.remotes.place import DEFINITION, START

_LARGEST_RECORD = 64 << 20  # bytes; what is larger names nothing that a run needs


class Verified(msgspec.Struct):
    """What was found of a bundle.

    Attributes:
        whole: whether nothing is wrong.
        problems: what is wrong, each in a sentence.
        kind, subject, name: what was published; empty where that cannot be read.
        runs, objects, files, references: how many were checked.
        absent: what the bundle says that it does not hold.
        sealed: trials whose start names the question that they answer.
        written: study to when its question was written, in seconds since 1970, where that is still known: before its first trial.
    """

    whole: bool
    problems: tuple[str, ...] = ()
    kind: str = ""
    subject: str = ""
    name: str = ""
    runs: int = 0
    objects: int = 0
    files: int = 0
    references: int = 0
    sealed: int = 0
    written: dict[str, float] = {}
    absent: tuple[Absent, ...] = ()


class _Looked(NamedTuple):
    """What was seen of the contents: those whose bytes are right, and of these the ones that may be records."""

    sound: set[str]
    records: dict[str, bytes]


def check(path: Path) -> Verified:
    """Look at everything in a bundle. What it reads is never unpacked.

    Raises:
        InvalidValue: there is no such file.
        StoreTooNew: a newer Assay wrote it.
    """
    try:
        with BundleFile(path) as bundle:
            return _check(bundle)
    except StoreDamaged as error:
        return Verified(False, (error.problem.removeprefix("this is no whole bundle: "),))


def _check(bundle: BundleFile) -> Verified:
    manifest = bundle.manifest
    found = Verified(
        True,
        kind=manifest.kind,
        subject=manifest.subject,
        name=manifest.name,
        runs=len(manifest.runs),
        absent=manifest.absent,
        written=manifest.sealed,
    )
    problems: list[str] = []
    if not bundle.is_sealed():
        problems.append("its bytes are not those that were sealed when it was published")
    hashes = _Hashes(bundle, problems)
    looked = _objects(manifest, hashes, problems)
    problems += _entries(bundle)
    begin, starts = _runs(bundle, problems)
    found.references = _follow(manifest, begin, looked, problems)
    problems += crate_problems(bundle, hashes.found)
    found.sealed = len([start for start in starts.values() if start.trial is not None])
    problems += question_problems(bundle, starts)
    found.objects, found.files = len(looked.sound), len(bundle.names)
    found.problems = tuple(dict.fromkeys(problems))
    found.whole = not problems
    return found


class _Hashes:
    """Members read once each: their BLAKE3 and SHA-256, and the bytes of small ones that may be records."""

    def __init__(self, bundle: BundleFile, problems: list[str]) -> None:
        self.found: dict[str, tuple[str, str, int]] = {}
        self.records: dict[str, bytes] = {}
        for name in bundle.names:
            content, sha256, size = blake3(), hashlib.sha256(), 0
            kept: list[bytes] = []
            try:
                for piece in bundle.pieces(name):
                    content.update(piece)
                    sha256.update(piece)
                    size += len(piece)
                    if bundle.names[name] <= _LARGEST_RECORD and (kept or may_be_record(piece[:8])):
                        kept.append(piece)
            except StoreDamaged as error:
                problems.append(error.problem.removeprefix("this is no whole bundle: "))
                continue
            self.found[name] = content.hexdigest(), sha256.hexdigest(), size
            if kept:
                self.records[name] = b"".join(kept)


def _objects(manifest: Bundle, hashes: _Hashes, problems: list[str]) -> _Looked:
    """Contents that are there with the bytes that their ids promise."""
    looked = _Looked(set(), {})
    for content_id, name in sorted(manifest.objects.items()):
        if name not in hashes.found:
            problems.append(f"the content {content_id} should be {name}, which is not there or cannot be read")
        elif hashes.found[name][0] != content_id:
            problems.append(f"{name} has other bytes than were published: their BLAKE3 is not {content_id}")
        else:
            looked.sound.add(content_id)
            if name in hashes.records:
                looked.records[content_id] = hashes.records[name]
    return looked


def _entries(bundle: BundleFile) -> Iterator[str]:
    """What is wrong with small records that are named by their content."""
    named = {**bundle.entries("marks"), **bundle.entries("data")}
    named |= {study: files[DEFINITION] for study, files in bundle.studies().items() if DEFINITION in files}
    for entry, name in named.items():
        try:
            if digest(bundle.read(name)) != entry:
                yield f"{name} was changed: its BLAKE3 is not its name"
        except StoreDamaged:
            continue  # was said where it was hashed


def _runs(bundle: BundleFile, problems: list[str]) -> tuple[list[Reference], dict[str, Start]]:
    """What the runs need, and their starts."""
    begin: list[Reference] = []
    starts: dict[str, Start] = {}
    there = bundle.runs()
    for run_id in sorted({*bundle.manifest.runs, *there}):
        try:
            files = {name: bundle.read(member) for name, member in there.get(run_id, {}).items()}
            if START not in files:
                problems.append(f"the run {run_id} is not there")
                continue
            start = decode(files[START], Start)
            if start.id != run_id or run_id not in bundle.manifest.runs:
                problems.append(f"the folder of the run {run_id} holds another run, or one that was not published")
            starts[run_id] = start
            begin += of_run(files)
        except StoreTooNew:
            raise
        except AssayError as error:
            problems.append(f"the run {run_id} cannot be read: {error.problem}")
    return begin, starts


def _follow(manifest: Bundle, begin: list[Reference], looked: _Looked, problems: list[str]) -> int:
    """How many references lead to something that is there, or of which it is said that it is not."""
    absent = {each.id for each in manifest.absent}
    seen: set[Reference] = set()
    while begin:
        reference = begin.pop()
        if reference in seen:
            continue
        seen.add(reference)
        if reference.id in looked.sound:
            if reference.record is not False and reference.id in looked.records:
                begin += of_record(looked.records[reference.id], reference.kind, required=reference.required)
        elif reference.required and reference.id not in absent and reference.id not in manifest.objects:
            problems.append(f"a content that is needed for {reference.kind} is neither there nor said to be absent: {reference.id}")
    return len(seen)
