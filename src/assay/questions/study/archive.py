"""Evidence kept beside the study's definition: `studies/ID/evidence`, replaced whole when the study is run again."""

from __future__ import annotations

from pathlib import Path

from assay.errors import InvalidStudy
from assay.questions.study.definition import Definition
from assay.records.canonical import canonical, decode
from assay.records.evidence import StudyEvidence
from assay.store.failures import using
from assay.store.objects import write_new
from assay.store.process import owned_name
from assay.store.store import Store


def keep_evidence(store: Store, evidence: StudyEvidence) -> None:
    """The evidence is what `kept_evidence` gives from now on.

    Raises:
        StoreUnusable: it cannot be written.
    """
    path = _path(store, evidence.study)
    with using(path):
        aside = store.path / "tmp" / owned_name()
        write_new(str(aside), canonical(evidence))
        aside.rename(path)


def kept_evidence(store: Store, study: str) -> StudyEvidence:
    """The evidence of the last time that the study was run to its end.

    Args:
        store: where it is kept.
        study: id of the study, or a unique prefix.

    Raises:
        InvalidStudy: there is no such study, or it has not been run to its end.
        StoreTooNew, StoreDamaged, StoreUnusable: it cannot be read.
    """
    whole = store.studies.resolve(study)
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


def studies(store: Store) -> list[tuple[str, Definition]]:
    """Id and definition of every study, the newest first.

    Raises:
        StoreTooNew, StoreDamaged, StoreUnusable: one cannot be read.
    """
    return [(study, store.studies.get(study, Definition)) for study in store.studies.ids()]


def _path(store: Store, study: str) -> Path:
    return store.path / "studies" / study / "evidence"
