"""When a study was sealed, in words."""

from __future__ import annotations

import time

from assay.records.evidence import StudyEvidence
from assay.records.seal import Seal


def seal_words(evidence: StudyEvidence) -> str:
    """When what was asked was sealed, its hash, and whether trials began later; empty where that is not known."""
    seal = evidence.seal
    if seal is None:
        return ""
    return f"Sealed on {_moment(seal.at)} with the hash {evidence.study}; {_began(seal)}."


def _began(seal: Seal) -> str:
    if seal.first is None:
        return "it has no trials of its own, all are runs of other studies"
    if seal.first < seal.at:
        return f"the first trial had begun before, on {_moment(seal.first)}"
    return f"the first trial of its own began after that, on {_moment(seal.first)}"


def _moment(seconds: float) -> str:
    return time.strftime("%Y-%m-%d at %H:%M:%S UTC", time.gmtime(seconds))
