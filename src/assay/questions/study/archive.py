"""Evidence kept beside the study's definition: `studies/ID/evidence`, replaced whole when the study is run again."""

from __future__ import annotations

import os
from pathlib import Path

from assay.errors import InvalidStudy
from assay.questions.study.definition import Definition
from assay.records.canonical import canonical, decode
from assay.records.evidence import StudyEvidence
from assay.store.failures import using
from assay.store.objects import write_new
from assay.store.process import owned_name
from assay.store.store import Store

_SHOWN = 6


def keep_evidence(store: Store, evidence: StudyEvidence, *, amended: bool = False) -> None:
    """The evidence is what `kept_evidence` gives from now on.

    Args:
        store: where it is kept.
        evidence: the evidence.
        amended: it is what is there already, with more said: the study does not become the last that was run.

    Raises:
        StoreUnusable: it cannot be written.
    """
    path = _path(store, evidence.study)
    with using(path):
        aside = store.path / "tmp" / owned_name()
        write_new(str(aside), canonical(evidence))
        if amended:
            os.utime(aside, ns=(path.stat().st_atime_ns, path.stat().st_mtime_ns))
        aside.rename(path)


def kept_evidence(store: Store, study: str) -> StudyEvidence:
    """The evidence of the last time that the study was run to its end.

    Args:
        store: where it is kept.
        study: what `find_study` takes.

    Raises:
        InvalidStudy: there is no such study, or it has not been run to its end.
        StoreTooNew, StoreDamaged, StoreUnusable: it cannot be read.
    """
    whole = find_study(store, study)
    path = _path(store, whole)
    with using(path):
        if not path.exists():
            raise InvalidStudy(
                "this study has not been run to its end",
                value=whole[:12],
                expected="a study with evidence",
                next_step="Run it again: trials that have finished are not repeated.",
            )
        return decode(path.read_bytes(), StudyEvidence)


def find_study(store: Store, study: str) -> str:
    """The whole id of a study.

    Args:
        store: where it was planned.
        study: id, unique prefix of one, name (the newest that has it), or "last": the one that was last run to its end. Studies
            that serve another one's sensitivity answer to their ids alone.

    Raises:
        InvalidStudy: none answers to it, or several have the prefix.
        StoreTooNew, StoreDamaged, StoreUnusable: a study cannot be read.
    """
    known = store.studies.ids()
    if study == "last" and known:
        latest = sorted(known, key=lambda known_id: -_last_run(store, known_id))
        return next((one for one in latest if not store.studies.get(one, Definition).serves), latest[0])
    if not any(known_id.startswith(study) for known_id in known):
        named = [known_id for known_id, definition in studies(store) if definition.name == study and not definition.serves]
        if named:
            return named[0]
        shown = [f"{one.name or 'without a name'} ({known_id[:8]})" for known_id, one in studies(store) if not one.serves][:_SHOWN]
        raise InvalidStudy(
            "no study has this id or name",
            value=study,
            expected=f"one of {', '.join(shown)}" if shown else "a study that was run here",
            next_step="`assay study ls` lists the studies. A study's file is for plan, gate, run, extend and sensitivity.",
        )
    return store.studies.resolve(study)


def studies(store: Store) -> list[tuple[str, Definition]]:
    """Id and definition of every study, the newest first.

    Raises:
        StoreTooNew, StoreDamaged, StoreUnusable: one cannot be read.
    """
    return [(study, store.studies.get(study, Definition)) for study in store.studies.ids()]


def state_of(store: Store, study: str) -> str:
    """ "finished" where the study was run to its end once; else "begun"."""
    return "finished" if _last_run(store, study) else "begun"


def _path(store: Store, study: str) -> Path:
    return store.path / "studies" / study / "evidence"


def _last_run(store: Store, study: str) -> float:
    """When its evidence was written, in seconds since 1970; 0 where it has none."""
    try:
        return _path(store, study).stat().st_mtime
    except OSError:
        return 0.0
