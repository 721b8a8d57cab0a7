"""Whether what a study asks was written before its results were known: a study file that was changed once its trials had run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import msgspec

from assay.ablation.components import effect_name
from assay.errors import InvalidStudy
from assay.questions.study.definition import Definition
from assay.questions.study.starts import Starts
from assay.records.effect import Answer
from assay.records.evidence import StudyEvidence
from assay.records.factor import Factor, Hypothesis
from assay.records.finding import Finding
from assay.records.plan import Configuration
from assay.store.store import Store


class Known(NamedTuple):
    """What earlier studies knew of a study before it was asked: id of each to its definition, and to the configurations that it had run."""

    definitions: dict[str, Definition | None]
    configurations: dict[str, set[str]]


def as_sealed(starts: Starts, definition: Definition, evidence: StudyEvidence) -> StudyEvidence:
    """The evidence, with a finding and marked answers where hypotheses or metrics are others than those under which its trials ran.

    A study's id is the hash of what it asks, so a changed file is another study that finds the trials of the first. A hypothesis was written
    before its results where no trial of its component is from an earlier study that had not sealed the same one. The baseline alone tells
    nothing of any component.

    Args:
        starts: of its runs; the earlier studies are in the same store.
        definition: what is asked.
        evidence: rows and answers so far.

    Raises:
        StoreTooNew, StoreDamaged, StoreUnusable: a run or a study cannot be read.
    """
    # What extends a study is marked as such already, and says what that costs; what questions its conclusions confirms nothing anyway.
    if definition.serves or (definition.origin is not None and definition.origin.by == "extend"):
        return evidence
    known = _known(starts, definition, evidence)
    answers = tuple(_marked(answer, definition, known, evidence.plan.configurations) for answer in evidence.answers)
    findings = tuple(
        finding for study, former in known.definitions.items() if former for finding in _changed(study, former, definition)
    )
    return msgspec.structs.replace(evidence, answers=answers, findings=(*evidence.findings, *findings))


def _known(starts: Starts, definition: Definition, evidence: StudyEvidence) -> Known:
    baseline = evidence.plan.configurations[0].name
    own = definition.id  # a hash, not to be taken for each row
    ran: dict[str, set[str]] = {}
    for row in evidence.rows:
        if row.run is None or not row.reused or row.configuration == baseline:
            continue
        start = starts.of(row.run)
        trial = start.trial if start is not None else None
        if trial is not None and trial.study != own:
            ran.setdefault(trial.study, set()).add(row.configuration)
    return Known({study: _definition(starts.store, study) for study in ran}, ran)


def _definition(store: Store, study: str) -> Definition | None:
    """What an earlier study asked; None where its runs came without it."""
    try:
        return store.studies.get(study, Definition)
    except InvalidStudy:
        return None


def _marked(answer: Answer, definition: Definition, known: Known, configurations: Sequence[Configuration]) -> Answer:
    about = {one.name for one in configurations if _is_about(answer.hypothesis, one, definition.factors)}
    late = [
        study[:8]
        for study, ran in known.configurations.items()
        if ran & about and not _had(known.definitions[study], answer.hypothesis, definition)
    ]
    if not late:
        return answer
    said = f"Not confirmatory, since it was written once results of {' and '.join(late)} were known."
    return msgspec.structs.replace(answer, evidence=f"{said} {answer.evidence}")


def _is_about(hypothesis: Hypothesis, configuration: Configuration, factors: Sequence[Factor]) -> bool:
    """Whether a configuration is the named one of a hypothesis, or has its component or level changed."""
    names = {configuration.name, *configuration.levels}
    names |= {
        effect_name(factor, level)
        for factor in factors
        for level in factor.levels
        if configuration.levels.get(factor.name) == level.name
    }
    return hypothesis.component in names


def _had(former: Definition | None, hypothesis: Hypothesis, definition: Definition) -> bool:
    """Whether an earlier study had sealed the same hypothesis about the same metric."""
    goals = {goal for goal in definition.goals if goal.name == hypothesis.metric}
    return former is not None and hypothesis in former.hypotheses and goals <= set(former.goals)


def _changed(study: str, former: Definition, definition: Definition) -> list[Finding]:
    """That the trials of this study ran for another question of the same name; nothing where the answers are those that it sealed."""
    if former.name != definition.name:
        return []
    goals: Mapping[str, object] = {goal.name: goal for goal in former.goals}
    changes = [f"the hypothesis {one.sentence!r} is new" for one in definition.hypotheses if one not in former.hypotheses]
    changes += [f"the hypothesis {one.sentence!r} is gone" for one in former.hypotheses if one not in definition.hypotheses]
    changes += [f"the metric {goal.name!r} is asked otherwise" for goal in definition.goals if goals.get(goal.name, goal) != goal]
    if not changes:
        return []
    text = (
        f"The study was changed after its seal: {', '.join(changes)}. Study {study[:8]} of the same name had run these trials before, so what is "
        f"asked here was written once its results were known. What it asked and answered stands: `assay study show {study[:8]}`. Trials under "
        "seeds that it did not have would confirm a new hypothesis."
    )
    return [Finding(kind="changed after its seal", about="study", text=text)]
