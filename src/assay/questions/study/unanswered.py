"""What a study asked and cannot answer at all, because trials failed."""

from __future__ import annotations

from assay.records.evidence import StudyEvidence

_ENDED = ("failed", "crashed", "interrupted")


def unanswered(evidence: StudyEvidence) -> list[str]:
    """Comparisons of which not one pair of trials gave a value, where trials of theirs failed; in the order of the effects.

    A pair whose trials finished and gave NaN was answered: that is what the change does. So was one of which only some seeds failed.
    """
    failed = {row.configuration for row in evidence.rows if row.state in _ENDED}
    baseline = evidence.plan.configurations[0].name
    touched = {name for one in evidence.plan.configurations if one.name in failed for name in (one.name, *one.levels)}
    known = {one.component for one in evidence.effects if one.n}
    asked = dict.fromkeys(one.component for one in evidence.effects)
    return [name for name in asked if name not in known and (baseline in failed or {name, name.partition(": ")[0]} & touched)]
