"""One run or one study as a bundle: gathered, searched for secrets, described, written."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec

from assay.capture.environment import packages_in
from assay.errors import InputChanged, StoreDamaged
from assay.publishing.contents import Asked, Contents, gather, pieces_of, size_of
from assay.publishing.crate import Described, crate
from assay.publishing.credits import credits_of
from assay.publishing.names import Named, name_contents
from assay.publishing.readme import readme
from assay.publishing.recipes import environment_files
from assay.publishing.searching import refuse_secrets
from assay.questions.study.archive import kept_evidence
from assay.records.bundle import Absent, Bundle
from assay.records.environment import Environment
from assay.records.evidence import StudyEvidence
from assay.records.run import Run
from assay.store.bundles.writing import CRATE, MANIFEST, BundleWriter, new_bundle
from assay.store.remotes.folder import FolderPlace
from assay.store.remotes.place import DEFINITION, EVIDENCE
from assay.store.store import Store


class Packed(NamedTuple):
    """A bundle that is about to be written, or was.

    Attributes:
        path: where.
        manifest: what it says of itself.
        sizes: kind of content to its bytes, before they are compressed.
        size: bytes of the file; None where it was not written.
    """

    path: Path
    manifest: Bundle
    sizes: dict[str, int]
    size: int | None = None


class Prepared(NamedTuple):
    """What was gathered of a request."""

    contents: Contents
    names: Named
    described: Described
    packed: Packed


def prepare(store: Store, root: Path, asked: Asked, target: Path, *, accept_findings: bool = False) -> Prepared:
    """All that is known of a bundle before a byte of it is written.

    Args:
        store, root: of the project.
        asked: what is published.
        target: where it is to be written.
        accept_findings: publish though something in it looks like a secret.

    Raises:
        InvalidValue: something looks like a secret.
        MissingContent, StoreDamaged, StoreTooNew, StoreUnusable: a run cannot be read.
    """
    contents = gather(store, root, asked)
    runs = {run.id: run for run in asked.runs}
    names = name_contents(store, contents, runs)
    if not accept_findings:
        refuse_secrets(store, contents, names)
    manifest = Bundle(
        kind="run" if asked.study is None else "study",
        subject=asked.study or asked.runs[0].id,
        name=asked.name,
        runs=tuple(runs),
        objects=names.objects,
        absent=contents.absent,
        sealed=_sealed(store, asked.runs),
    )

    def read(name: str) -> bytes | None:
        member = f"code/{name}"
        known = {member: content_id for content_id, member in names.objects.items()} | names.copies
        return store.objects.get(known[member]) if member in known else None

    described = Described(manifest, contents, names, runs, credits_of(read), _title(asked))
    return Prepared(contents, names, described, Packed(target, manifest, _sizes(store, contents)))


def pack(store: Store, prepared: Prepared, *, force: bool = False) -> Packed:
    """Write a bundle; it is whole, or not there.

    Raises:
        InvalidValue: another file stands there.
        InputChanged: data of the project changed meanwhile.
        StoreDamaged: a content of the store is another than its id promises.
        TargetUnusable: the file cannot be written.
    """
    packed = prepared.packed
    with new_bundle(packed.path, force=force) as writer:
        _write(store, prepared, writer)
    return packed._replace(size=packed.path.stat().st_size)


def _write(store: Store, prepared: Prepared, writer: BundleWriter) -> None:
    contents, names, described = prepared.contents, prepared.names, prepared.described
    evidence = _evidence(store, described.manifest)
    for name, text in _texts(store, prepared, evidence).items():
        writer.add(name, [text.encode("utf-8", "backslashreplace")])
    writer.add(MANIFEST, [msgspec.json.format(msgspec.json.encode(described.manifest, order="sorted"), indent=1) + b"\n"])
    members = {name: content_id for content_id, name in names.objects.items()} | names.copies
    for name, content_id in sorted(members.items()):
        try:
            written = writer.add(name, pieces_of(store, contents, content_id), size_of(store, contents, content_id))
        except FileNotFoundError as error:
            raise _another(contents, content_id, name) from error
        if written.blake3 != content_id:
            raise _another(contents, content_id, name)
    for name, data in sorted(_records(store, contents, described.manifest).items()):
        writer.add(name, [data])
    writer.add(CRATE, [crate(described, writer.members).encode()])


def _texts(store: Store, prepared: Prepared, evidence: StudyEvidence | None) -> Mapping[str, str]:
    """What is written for people and for other tools."""
    described = prepared.described
    first = described.runs[described.manifest.runs[0]]
    recipe = described.contents.recipes[first.id]
    seen = (first.result.environment if first.result else None) or first.start.environment
    environment = store.objects.record(seen, Environment) if seen else Environment()
    inputs = any(name.startswith("inputs/") for name in described.names.objects.values())
    files = environment_files(recipe, environment, packages_in(store, environment), (first.start.root,), inputs=inputs)
    return {"README.md": readme(described, environment, evidence), **dict(sorted(files.items()))}


def _records(store: Store, contents: Contents, manifest: Bundle) -> dict[str, bytes]:
    """Member to bytes of all that a store has beside objects."""
    found = {f"store/runs/{run_id}/{name}": data for run_id, files in contents.runs.items() for name, data in files.items()}
    found |= {f"store/marks/{entry}": data for entry, data in contents.marks.items()}
    found |= {f"store/data/{entry}": data for entry, data in contents.data.items()}
    place = FolderPlace(store)
    for study in sorted(
        {*manifest.sealed, *([manifest.subject] if manifest.kind == "study" else [])} | _studies_of(contents, store)
    ):
        definition = place.read_study(study, DEFINITION)
        if definition is not None:
            found[f"store/studies/{study}/{DEFINITION}"] = definition
    evidence = place.read_study(manifest.subject, EVIDENCE) if manifest.kind == "study" else None
    return found | ({f"store/studies/{manifest.subject}/{EVIDENCE}": evidence} if evidence is not None else {})


def _studies_of(contents: Contents, store: Store) -> set[str]:
    """Studies that the runs are trials of: their questions go with them."""
    trials = (store.runs.read(run_id).start.trial for run_id in contents.runs)
    return {trial.study for trial in trials if trial is not None}


def _sealed(store: Store, runs: Sequence[Run]) -> dict[str, float]:
    """When the definitions were written, where the store still tells: in one that has pulled a study, its file is younger than its trials."""
    first: dict[str, float] = {}
    for run in runs:
        if run.start.trial is not None:
            study = run.start.trial.study
            first[study] = min(run.start.started, first.get(study, run.start.started))
    written = {study: store.path / "studies" / study / DEFINITION for study in sorted(first)}
    times = {study: path.stat().st_mtime for study, path in written.items() if path.is_file()}
    return {study: moment for study, moment in times.items() if moment <= first[study]}


def _evidence(store: Store, manifest: Bundle) -> StudyEvidence | None:
    return kept_evidence(store, manifest.subject) if manifest.kind == "study" else None


def _sizes(store: Store, contents: Contents) -> dict[str, int]:
    found: dict[str, int] = {}
    for content_id, kinds in contents.objects.items():
        kind = min(kinds, default="records")
        found[kind] = found.get(kind, 0) + size_of(store, contents, content_id)
    return dict(sorted(found.items()))


def _title(asked: Asked) -> str:
    if asked.study is not None:
        return f"The study {asked.name or asked.study[:12]} with {len(asked.runs)} runs"
    return f"The run {asked.name or asked.runs[0].id}" + (f" and {len(asked.runs) - 1} that it builds on" if asked.runs[1:] else "")


def _another(contents: Contents, content_id: str, name: str) -> InputChanged | StoreDamaged:
    place = contents.places.get(content_id)
    if place is not None:
        return InputChanged(
            "data changed while it was published", value=str(place), expected=f"content {content_id}",
            next_step="Put back what the run read, or publish --without-data.",
        )  # fmt: skip
    return StoreDamaged(
        "a content of this store was changed", value=name, expected=f"bytes whose BLAKE3 is {content_id}",
        next_step="`assay fsck` says which runs it touches; a store that still has it can give it back.",
    )  # fmt: skip


def absent_words(absent: Sequence[Absent]) -> Iterator[str]:
    """What a bundle lacks, a line for each reason: "only hashed: 2 files of data (train.csv, test.csv)"."""
    groups: dict[tuple[str, str], list[str]] = {}
    for each in absent:
        groups.setdefault((each.why, each.kind), []).append(each.path or each.id[:12])
    for (why, kind), paths in groups.items():
        some = ", ".join(paths[:3]) + (", …" if len(paths) > 3 else "")
        yield f"{why}: {len(paths)} of {kind} ({some})"
