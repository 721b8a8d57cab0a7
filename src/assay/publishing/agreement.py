"""Whether what a bundle tells people and other tools is what its record says: the crate, and a study's question and evidence."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from assay.errors import AssayError, StoreDamaged, StoreTooNew
from assay.publishing.crate import file_id
from assay.records.canonical import decode
from assay.records.evidence import StudyEvidence
from assay.records.run import Result, Start
from assay.report.document import plain
from assay.store.bundles.reading import BundleFile
from assay.store.bundles.writing import CRATE
from assay.store.remotes.place import DEFINITION, EVIDENCE, RESULT


def crate_problems(bundle: BundleFile, hashes: Mapping[str, tuple[str, str, int]]) -> Iterator[str]:
    """Where the crate says something else than what is there.

    Args:
        bundle: an open one.
        hashes: BLAKE3, SHA-256 and size of each member that can be read.
    """
    try:
        graph = json.loads(bundle.read(CRATE))["@graph"]
        entities: dict[str, Mapping[str, Any]] = {entity["@id"]: entity for entity in graph}
    except (StoreDamaged, ValueError, KeyError, TypeError, RecursionError):
        yield f"{CRATE} is not there, or no RO-Crate"
        return
    identity = {name: content_id for content_id, name in bundle.manifest.objects.items()}
    members = {file_id(name): name for name in bundle.names if name != CRATE}
    files = {key for key, entity in entities.items() if "File" in _list(entity.get("@type"))}
    yield from (f"{members[key]} is in the file, and the crate does not name it" for key in sorted(members.keys() - files))
    yield from (f"the crate names {key}, which is not there" for key in sorted(files - members.keys()))
    for key in sorted(files & members.keys()):
        name, entity = members[key], entities[key]
        if name not in hashes:
            continue
        content, sha256, size = hashes[name]
        said = (entity.get("sha256"), entity.get("contentSize"), entity.get("identifier", f"blake3:{content}"))
        if said != (sha256, str(size), f"blake3:{identity.get(name, content)}"):
            yield f"the crate says another size or hash of {name} than it has"
    for run_id in bundle.manifest.runs:
        yield from _action(bundle, run_id, entities)


def _action(bundle: BundleFile, run_id: str, entities: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    """Where the crate says another result of a run than its record."""
    member = bundle.runs().get(run_id, {}).get(RESULT)
    if f"#run-{run_id}" not in entities:
        yield f"the crate does not tell of the run {run_id}"
    try:
        result = decode(bundle.read(member), Result) if member else None
    except AssayError:
        return  # was said where the run was read
    metrics = {name: plain(metric.last) for name, metric in result.metrics.items()} if result else {}
    begin = f"#metric-{run_id}-"
    said = {str(entity.get("name")): entity.get("value") for key, entity in entities.items() if key.startswith(begin)}
    yield from (
        f"the crate says {said.get(name)!r} of {name} in run {run_id}, and the record {metrics.get(name)!r}"
        for name in sorted({*said, *metrics})
        if said.get(name) != metrics.get(name)
    )


def question_problems(bundle: BundleFile, starts: Mapping[str, Start]) -> Iterator[str]:
    """Where a question may have been written after its answer, or the evidence is not that of the trials.

    Raises:
        StoreTooNew: a newer Assay wrote the evidence.
    """
    manifest, studies = bundle.manifest, bundle.studies()
    for run_id, start in sorted(starts.items()):
        trial = start.trial
        if trial is None:
            continue
        if DEFINITION not in studies.get(trial.study, {}):
            yield f"the run {run_id} is a trial of the study {trial.study[:12]}, whose question is not there"
        if manifest.sealed.get(trial.study, 0.0) > start.started:
            yield f"the question of the study {trial.study[:12]} was written after its trial {run_id} began"
    if manifest.kind == "study":
        yield from _evidence(bundle, starts)


def _evidence(bundle: BundleFile, starts: Mapping[str, Start]) -> Iterator[str]:
    member = bundle.studies().get(bundle.manifest.subject, {}).get(EVIDENCE)
    if member is None:
        yield "the study has no evidence"
        return
    try:
        evidence = decode(bundle.read(member), StudyEvidence)
    except StoreTooNew:
        raise
    except AssayError as error:
        yield f"the evidence of the study cannot be read: {error.problem}"
        return
    if evidence.study != bundle.manifest.subject:
        yield "the evidence is that of another study"
    for row in evidence.rows:
        if row.run is None:
            continue
        trial = starts[row.run].trial if row.run in starts else None
        if row.run not in starts:
            yield f"the trial {row.index} is the run {row.run}, which is not there"
        elif not row.reused and (trial is None or trial.study != evidence.study):
            yield f"the run {row.run} does not name the question that it is said to answer"
    yield from _results(bundle, evidence)


def _results(bundle: BundleFile, evidence: StudyEvidence) -> Iterator[str]:
    """Rows of the evidence that say another value than the run that they stand for."""
    for row in evidence.rows:
        member = bundle.runs().get(row.run or "", {}).get(RESULT)
        if member is None:
            continue
        try:
            metrics = decode(bundle.read(member), Result).metrics
        except AssayError:
            continue  # was said where the run was read
        for name, value in row.metrics.items():
            if name in metrics and metrics[name].n == 1 and plain(metrics[name].last) != plain(value):
                yield f"the evidence says {value!r} of {name} in run {row.run}, and the record {metrics[name].last!r}"


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else [value]
