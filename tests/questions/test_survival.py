"""Answers to whether conclusions survive stay with the evidence for as long as they are about it."""

from __future__ import annotations

from typing import Any

from assay.questions.study.survival import questioned
from assay.records.effect import Effect
from assay.records.evidence import StudyEvidence
from assay.records.plan import Plan
from assay.records.sensitivity import Conclusion, Sensitivity

WORDS = {"component": "a", "metric": "y", "n": 3, "low": 0.5, "high": 1.5, "verdict": "matters", "words": "a matters."}


def evidence(estimate: float) -> StudyEvidence:
    plan = Plan(design="leave-one-out", estimand="", configurations=(), blocks=(), trials=(), comparisons=1)
    return StudyEvidence(study="s", plan=plan, effects=(Effect(estimand="", estimate=estimate, **WORDS),))


def answer(estimate: float = 1.0, **changes: Any) -> Sensitivity:
    given = {"to": changes.pop("to", "seeds"), "notes": changes.pop("notes", ())}
    one = Conclusion(estimate=estimate, rank=1, standings=(), **{**WORDS, "survival": "survives", **changes})
    return Sensitivity(study="s", name="", conditions=(), conclusions=(one,), **given)


def test_the_last_answer_to_each_question_is_kept_in_the_order_of_the_questions() -> None:
    told = [answer(to="data"), answer(notes=("first",)), answer(notes=("second",))]
    assert [(one.to, one.notes) for one in questioned(evidence(1.0), told).sensitivity] == [("seeds", ("second",)), ("data", ())]


def test_an_answer_about_other_effects_or_about_none_is_not_kept() -> None:
    """Code that was changed gives other effects, of which nobody has asked."""
    assert questioned(evidence(1.25), [answer()]).sensitivity == ()
    assert questioned(evidence(1.0), [answer(survival="not tested")]).sensitivity == ()
    assert len(questioned(evidence(float("nan")), [answer(float("nan"))]).sensitivity) == 1
