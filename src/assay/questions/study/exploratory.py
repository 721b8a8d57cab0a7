"""What a study says beside the hypotheses that it sealed: exploratory, and labelled so."""

from __future__ import annotations

from assay.records.effect import Effect
from assay.records.evidence import StudyEvidence
from assay.records.finding import Finding

_NAMED = 6


def is_exploratory(evidence: StudyEvidence, effect: Effect) -> bool:
    """Whether no sealed hypothesis is about the effect. A placebo's is part of the calibration, and neither."""
    if any(factor.name == effect.component and factor.kind == "placebo" for factor in evidence.factors):
        return False
    return not any(one.metric == effect.metric and one.is_about(effect.component) for one in evidence.hypotheses)


def exploratory(evidence: StudyEvidence) -> list[Finding]:
    """Which effects no sealed hypothesis is about; nothing where each has one."""
    others = [f"{one.component} on {one.metric}" for one in evidence.effects if is_exploratory(evidence, one)]
    if not others:
        return []
    if not evidence.hypotheses:
        text = (
            "No hypothesis was sealed, so all that is found here is exploratory: it suggests, and a study that seals it as a hypothesis, "
            "under seeds of its own, confirms."
        )
    else:
        shown = ", ".join(others[:_NAMED]) + (f" and {len(others) - _NAMED} more" if len(others) > _NAMED else "")
        more = ", and all interactions" if evidence.interactions else ""
        text = (
            f"No sealed hypothesis is about {shown}{more}: what is found of them is exploratory, and suggests rather than confirms."
        )
    return [Finding(kind="exploratory", about="study", text=text)]
