"""Answers to whether a study's conclusions survive, kept with its evidence for as long as they are about it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import get_args

import msgspec

from assay.errors import InvalidStudy
from assay.questions.study.archive import keep_evidence, kept_evidence
from assay.records.canonical import canonical
from assay.records.evidence import StudyEvidence
from assay.records.sensitivity import SensitiveTo, Sensitivity
from assay.store.store import Store


def keep_sensitivity(store: Store, found: Sensitivity) -> None:
    """The evidence of the study has this answer from now on, in the place of an earlier one to the same question.

    Nothing happens where the store has no evidence of the study: it came from elsewhere.

    Raises:
        StoreTooNew, StoreDamaged, StoreUnusable: the evidence cannot be read or written.
    """
    try:
        evidence = kept_evidence(store, found.study)
    except InvalidStudy:
        return
    keep_evidence(store, questioned(evidence, [*evidence.sensitivity, found]), amended=True)


def questioned(evidence: StudyEvidence, answers: Iterable[Sensitivity]) -> StudyEvidence:
    """The evidence with those answers that are about what it concludes and tested any of it; of several to one question, the last.

    A study that is run again after its code was changed concludes something else, which nobody has questioned yet.
    """
    own = {canonical([one.component, one.metric, one.estimate]) for one in evidence.effects}
    told = [one for one in answers if any(each.survival != "not tested" for each in one.conclusions)]
    about = {one.to: one for one in told if all(canonical([c.component, c.metric, c.estimate]) in own for c in one.conclusions)}
    return msgspec.structs.replace(evidence, sensitivity=tuple(about[to] for to in get_args(SensitiveTo) if to in about))


def evidence_so_far(store: Store, study: str) -> StudyEvidence | None:
    """What is known of a study before it is run again; None where it was not run to its end."""
    try:
        return kept_evidence(store, study)
    except InvalidStudy:
        return None
