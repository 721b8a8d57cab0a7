"""What no sealed hypothesis is about is labelled; when a study was sealed, and that its trials began later, is kept and said."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from assay.ablation.components import hypothesis, maximize, placebo, remove
from assay.execution.functions import Callables, FunctionExecutor
from assay.questions.study.definition import define, plan_study
from assay.questions.study.running import run_study
from assay.records.evidence import StudyEvidence
from assay.report.seal import seal_words
from assay.report.tables import in_words
from assay.report.write import write_report
from assay.store.store import Store


def total(config: dict[str, int], seed: int) -> dict[str, float]:
    return {"y": float(config["a"] + config["b"] + seed)}


def run(project: Path, **changes: Any) -> StudyEvidence:
    given: dict[str, Any] = {
        "name": "toy", "subject": "s", "baseline": {"a": 1, "b": 1}, "components": [remove("a", a=0), remove("b", b=0), placebo()],
        "metrics": [maximize("y")], "seeds": [0, 1], "design": "leave-one-out", "configurations": {"none": {"a": 0, "b": 0}},
        "hypotheses": [hypothesis("a", raises="y")],
    }  # fmt: skip
    store, asked = Store.open(project), define(**(given | changes))
    executor = FunctionExecutor(store, project, Callables(total, lambda one: one.params))
    return run_study(store, asked, plan_study(asked), executor)


def labels(evidence: StudyEvidence) -> list[str]:
    return [one.text for one in evidence.findings if one.kind == "exploratory"]


def test_effects_without_a_hypothesis_are_exploratory_and_the_seal_is_older_than_the_trials(project: Path, tmp_path: Path) -> None:
    evidence = run(project)
    (said,) = labels(evidence)
    assert "No sealed hypothesis is about b on y, none on y:" in said, "a placebo is part of the calibration"
    seal = evidence.seal
    assert seal is not None and seal.first is not None and 0 < seal.at <= seal.first
    words = seal_words(evidence)
    assert f"with the hash {evidence.study}; the first trial of its own began after that" in words
    assert " ".join(words.split()) in " ".join(in_words(evidence).split())
    page = write_report(evidence, tmp_path / "report").index.read_text(encoding="utf-8")
    assert words in page and page.count('<span class="tag">exploratory</span>') == 3, "two effects and the finding"

    # Run again, it finds its trials as those of another study may have them by now, and keeps what it knew.
    assert run(project).seal == seal
    late = run(project, hypotheses=[hypothesis("b", raises="y")])
    assert "it has no trials of its own" in seal_words(late)


@pytest.mark.parametrize(
    ("hypotheses", "said"),
    [([], "No hypothesis was sealed"), ([hypothesis(name, raises="y") for name in ("a", "b", "none")], None)],
)
def test_all_or_nothing_is_said_shortly(project: Path, hypotheses: list[Any], said: str | None) -> None:
    found = labels(run(project, hypotheses=hypotheses))
    assert [said in text for text in found if said] == ([True] if said else [])
    assert len(found) == (said is not None)
