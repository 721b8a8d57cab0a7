"""What a study itself says of conditions, where a question leaves them open."""

from __future__ import annotations

from typing import Any

from assay.ablation.gates import neighbours
from assay.project.sensitivity_asked import Wanted
from assay.project.sensitivity_studies import Subject
from assay.records.gate import GateAsked
from assay.records.plan import Splits
from assay.records.sensitivity import SensitiveTo


def with_own(subject: Subject, to: SensitiveTo, wanted: Wanted) -> Wanted:
    """What is wanted, with parameters one step each way of its gate's hyperparameters, and splits as the study's own, unless it says more.

    Raises:
        UnknownParameter, InvalidStudy: the gate names a hyperparameter that cannot be stepped.
    """
    if wanted.vary:
        return wanted
    if to == "params":
        return wanted._replace(vary=_steps(subject))
    splits = _splits(subject)
    if to == "splits" and splits is not None and splits.test is not None and wanted.test_share is None:
        return wanted._replace(test_share=splits.test)
    return wanted


def _steps(subject: Subject) -> dict[str, list[Any]]:
    """Values one step away by hyperparameter; none where the study names no hyperparameter, or cannot be run again."""
    if subject.source is None or subject.source.gate is None:
        return {}
    alone = GateAsked(tune=subject.source.gate.tune)  # a budget may ask for combinations of steps
    found: dict[str, list[Any]] = {}
    for setting in neighbours(subject.source.baseline, alone):
        for path, value in setting.items():
            found.setdefault(path, []).append(value)
    return found


def _splits(subject: Subject) -> Splits | None:
    if subject.evidence is not None:
        return subject.evidence.plan.splits
    return None if subject.source is None else subject.source.splits
