"""When a study was sealed, and when its first trial began."""

from __future__ import annotations

from assay.questions.study.starts import Starts
from assay.records.evidence import StudyEvidence
from assay.records.seal import Seal


def seal_of(starts: Starts, evidence: StudyEvidence, known: Seal | None) -> Seal:
    """The seal of a study.

    Args:
        starts: of its runs; its definition is in the same store.
        evidence: its rows. Those that stand for runs of other studies began before it was asked, and do not count.
        known: what was known when it was run before, perhaps in another store.
    """
    began = [
        start.started
        for row in evidence.rows
        if row.run is not None
        and (start := starts.of(row.run)) is not None
        and start.trial is not None
        and start.trial.study == evidence.study
    ]
    sealed = [starts.store.studies.sealed_at(evidence.study)]
    if known is not None:
        sealed.append(known.at)
        began += [known.first] if known.first is not None else []
    return Seal(at=min(sealed), first=min(began, default=None))
