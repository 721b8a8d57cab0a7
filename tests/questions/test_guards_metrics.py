"""Metrics that cannot be right, or tell nothing."""

from assay.ablation.components import maximize, remove
from assay.ablation.plans import make_plan
from assay.questions.study.guards_metrics import insane
from assay.records.evidence import StudyEvidence, TrialResult


def evidence(values):
    """A study of one component over folds of one seed: values by configuration, one for each fold."""
    plan = make_plan("leave-one-out", {"a": 1}, [remove("a", a=0)], 1)
    rows = [
        TrialResult(index=0, configuration=name, block=fold, seed=0, split=fold, state="finished", metrics={"accuracy": value})
        for name, of_folds in values.items()
        for fold, value in enumerate(of_folds)
    ]
    return StudyEvidence(study="5f" * 32, plan=plan, rows=tuple(rows), goals=(maximize("accuracy", range=(0, 1)),))


def found(values):
    return {one.kind: one.text for one in insane(evidence(values))}


def test_every_fold_counts_and_not_the_last_alone():
    """Equal values in the last fold are no constant metric, and what is out of range in the first is named with its fold."""
    assert found({"baseline": [0.8, 0.9], "without a": [0.7, 0.9]}) == {}
    assert "all 4 trials" in found({"baseline": [0.9, 0.9], "without a": [0.9, 0.9]})["constant metric"]
    beyond = found({"baseline": [1.5, 0.9], "without a": [0.7, 0.8]})["out of range"]
    assert "1 of 4 values" in beyond and "1.5 of baseline under seed 0, split 0" in beyond
    assert found({"baseline": [0.5, 1.0], "without a": [0.4, 1.0]}) == {}
    assert (
        "perfect (1) under every seed for baseline"
        in found({"baseline": [1.0, 1.0], "without a": [0.4, 1.0]})["suspiciously perfect"]
    )
