"""The baseline gate in words: whether the baseline can be believed, and how hyperparameters were chosen."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from assay.records.evidence import StudyEvidence
from assay.records.gate import GateEvidence, Tuned
from assay.report.document import plain
from assay.report.numbers import exactly

_MARKS = {"passed": "passed", "failed": "FAILED", "not checked": "not checked"}


def gate_words(evidence: StudyEvidence) -> list[str]:
    """What the gate found, how it ended, and the tuning policy; nothing where the baseline was not sent there."""
    gate = evidence.gate
    if gate is None:
        return []
    said = [_ending(gate)] if not gate.passed else []
    said += [f"{part.name} ({_MARKS[part.state]}): {part.text}" for part in gate.parts]
    return [*said, policy(evidence, gate), *hyperparameters(evidence, gate)]


def gate_note(evidence: StudyEvidence) -> list[str]:
    """What a table cannot be read without: that its baseline failed, and that configurations were tuned."""
    gate = evidence.gate
    if gate is None:
        return []
    failed = [] if gate.passed else [_ending(gate)]
    return failed + ([policy(evidence, gate)] if gate.asked.tuning != "none" else [])


def policy(evidence: StudyEvidence, gate: GateEvidence) -> str:
    """How the hyperparameters of the configurations were chosen, in sentences."""
    if gate.asked.tuning == "none":
        return "Tuning: none. Every configuration has the baseline's hyperparameters, but for what its components set."
    seeds = ", ".join(map(str, gate.tuning_seeds))
    settings = max((one.tried for one in gate.tuned), default=0)
    moved = [f"{one.configuration}: {_settings(one.settings)}" for one in gate.tuned if one.settings]
    chosen = f" Chosen: {'; '.join(moved)}; the others keep the baseline's." if moved else " All keep the baseline's."
    return (
        f"Tuning: same budget. Each of the {len(gate.tuned)} configurations was tried at the same {settings} settings under the seeds {seeds}, which "
        f"are not reported on; the best mean of {gate.criterion} was then run.{chosen}"
    )


def hyperparameters(evidence: StudyEvidence, gate: GateEvidence) -> list[str]:
    """Every hyperparameter that was searched: the baseline's value, the range, and the criterion of choice."""
    goal = next((goal.goal for goal in evidence.goals if goal.name == gate.criterion), "best")
    return [
        f"Hyperparameter {one.path}: {_shown(_value(evidence.baseline, one.path))} in the baseline, searched {_range(one)}; "
        f"criterion: {goal} {gate.criterion}."
        for one in gate.asked.tune
    ]


def _ending(gate: GateEvidence) -> str:
    failed = " and ".join(part.name for part in gate.parts if part.state == "failed")
    if gate.accepted:
        return f"The baseline FAILED at the gate ({failed}), and was accepted: “{gate.accepted}”."
    return f"The baseline FAILED at the gate ({failed}), so no ablation was run. `--accept-baseline REASON` goes on, and the report says so."


def _range(one: Tuned) -> str:
    if one.low is None or one.high is None:
        return f"over {', '.join(_shown(value) for value in one.values)}"
    return f"from {one.low:g} to {one.high:g} in {one.levels} levels{', by even ratios' if one.log else ''}"


def _settings(settings: Mapping[str, Any]) -> str:
    return ", ".join(f"{path} = {_shown(value)}" for path, value in settings.items())


def _shown(value: Any) -> str:
    """As it was given: a hyperparameter is no estimate, whose digits would have to be earned."""
    return exactly(value) if isinstance(value, float) else json.dumps(plain(value), ensure_ascii=False)


def _value(baseline: Mapping[str, Any], path: str) -> Any:
    """The value at a path of plain parameters, whose keys may hold dots: at each level the longest key that fits."""
    for key in sorted(baseline, key=len, reverse=True):
        if path == key:
            return baseline[key]
        inner = baseline[key]
        if path.startswith(f"{key}."):
            rest = path[len(key) + 1 :]
            if isinstance(inner, Mapping):
                return _value(inner, rest)
            if isinstance(inner, list):
                return _value({str(index): item for index, item in enumerate(inner)}, rest)
    return None
