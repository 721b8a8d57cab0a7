"""Answers about components of which nothing shows that they were ever taken out: no evidence, and so undecided."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from assay.questions.study.analysis import as_they_are
from assay.questions.study.verdicts import answer
from assay.records.effect import Answer
from assay.records.evidence import StudyEvidence

_WHY = {
    "toggle not read": "Nothing read what it sets, as far as can be seen, so its effect is not known.",
    "no-op": "Nothing shows that the change took effect: every result of every pair of trials is exactly equal.",
}
"""By kind of finding, the strongest reason first."""


def without_idle(evidence: StudyEvidence) -> StudyEvidence:
    """The evidence with no hypothesis refuted by a change that did nothing at all: a 0 that comes of a switch which nothing is connected to
    says nothing of the component.

    Args:
        evidence: answers, and all findings with those of the guards.
    """
    idle = {one.about: reason for kind, reason in reversed(_WHY.items()) for one in evidence.findings if one.kind == kind}
    return msgspec.structs.replace(evidence, answers=tuple(_answer(one, evidence, idle) for one in evidence.answers))


def _answer(one: Answer, evidence: StudyEvidence, idle: Mapping[str, str]) -> Answer:
    reasons = [reason for about, reason in idle.items() if one.hypothesis.is_about(about)]
    if one.answer != "refuted" or not reasons:
        return one
    # Another level of the component may refute it all the same.
    rest = [effect for effect in evidence.effects if effect.component not in idle]
    if answer(one.hypothesis, rest, as_they_are(evidence.plan, evidence.factors)).answer == "refuted":
        return one
    return msgspec.structs.replace(one, answer="undecided", evidence=f"{reasons[0]} {one.evidence}")
