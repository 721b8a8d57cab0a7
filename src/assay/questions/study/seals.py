"""Whether what a study asks was written before its results were known: a study file that was changed once its trials had run."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from math import inf
from typing import NamedTuple

import msgspec

from assay.ablation.components import effect_name
from assay.ablation.designs import ADAPTIVE
from assay.errors import InvalidStudy
from assay.questions.study.definition import Definition
from assay.questions.study.starts import Starts
from assay.records.evidence import StudyEvidence
from assay.records.factor import Factor, Hypothesis
from assay.records.finding import Finding
from assay.records.plan import Configuration
from assay.store.store import Store

_NAMED = 10


class Former(NamedTuple):
    """An earlier study whose trials stand for some of a study's.

    Attributes:
        study: its id; of one that questions the conclusions of another, the other's, which is the one that people know.
        asked: what it asked, as far as it is known.
        began: configurations, by the names that they have in the study, and when the first of their trials began.
    """

    study: str
    asked: Definition | None
    began: Mapping[str, float]


class Known(NamedTuple):
    """What was known of a study before it was asked: by whom, and what had been sealed when (seconds since 1970)."""

    formers: Sequence[Former]
    sealed: Sequence[tuple[float, Definition]]


def as_sealed(starts: Starts, definition: Definition, evidence: StudyEvidence) -> StudyEvidence:
    """The evidence, with a finding and marked answers where what is asked is not what was asked when its trials ran.

    A study's id is the hash of what it asks, so a changed file is another study that finds the trials of the first. A hypothesis was written
    before its results where it had been sealed, by whichever study, before the first trial of its component began. The baseline alone tells
    nothing of any component. Seeds that are added or left out once results are known can be chosen for what they show.

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
    marks = [_late(answer.hypothesis, definition, known, evidence.plan.configurations) for answer in evidence.answers]
    answers = tuple(
        msgspec.structs.replace(answer, evidence=f"{said} {answer.evidence}") if said else answer
        for answer, said in zip(evidence.answers, marks, strict=True)
    )
    late = {answer.hypothesis for answer, said in zip(evidence.answers, marks, strict=True) if said}
    findings = tuple(finding for former in known.formers for finding in _changed(former, definition, late))
    return msgspec.structs.replace(evidence, answers=answers, findings=(*evidence.findings, *findings))


def _known(starts: Starts, definition: Definition, evidence: StudyEvidence) -> Known:
    baseline = evidence.plan.configurations[0].name
    own = definition.id  # a hash, not to be taken for each row
    ran: dict[str, dict[str, float]] = {}
    for row in evidence.rows:
        if row.run is None or not row.reused or row.configuration == baseline:
            continue
        start = starts.of(row.run)
        trial = start.trial if start is not None else None
        if start is not None and trial is not None and trial.study != own:
            began = ran.setdefault(trial.study, {})
            began[row.configuration] = min(start.started, began.get(row.configuration, inf))
    asked = {study: _definition(starts.store, study) for study in ran}
    served = {one.serves for one in asked.values() if one is not None and one.serves}
    sealers = asked | {study: _definition(starts.store, study) for study in served - {own}}
    return Known(
        [Former(one.serves if (one := asked[study]) and one.serves else study, one, began) for study, began in ran.items()],
        [(starts.store.studies.sealed_at(study), one) for study, one in sealers.items() if one is not None],
    )


def _definition(store: Store, study: str) -> Definition | None:
    """What an earlier study asked; None where its runs came without it."""
    try:
        return store.studies.get(study, Definition)
    except InvalidStudy:
        return None


def _late(hypothesis: Hypothesis, definition: Definition, known: Known, configurations: Sequence[Configuration]) -> str:
    """Why the answer confirms nothing; nothing where the hypothesis, and under which seeds, was written before its results were known."""
    about = {one.name for one in configurations if _is_about(hypothesis, one, definition.factors)}
    sealed = min((when for when, former in known.sealed if _had(former, hypothesis, definition)), default=inf)
    late: dict[str, None] = {}
    other: dict[str, None] = {}
    for former in known.formers:
        began = [when for name, when in former.began.items() if name in about]
        if former.asked is not None and _had(former.asked, hypothesis, definition):
            if began and _blocks(former.asked) != _blocks(definition):
                other[former.study[:8]] = None
        elif began and min(began) < sealed:
            late[former.study[:8]] = None
    if late:
        return f"Not confirmatory, since it was written once results of {' and '.join(late)} were known."
    if other and definition.design != ADAPTIVE:  # whose intervals hold whenever it is stopped
        return f"Not confirmatory, since its seeds were changed once results of {' and '.join(other)} were known."
    return ""


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


def _blocks(asked: Definition) -> tuple[object, ...]:
    return (set(asked.seeds), asked.splits)


def _changed(former: Former, definition: Definition, late: Collection[Hypothesis]) -> list[Finding]:
    """That the trials of this study ran for another question of the same name; nothing where the answers are those that it sealed."""
    if former.asked is None or former.asked.name != definition.name:
        return []
    changes = [*_other_hypotheses(former.asked, definition, late), *_other_parts(former.asked, definition)]
    if not changes:
        return []
    study = former.study[:8]
    text = (
        f"The study was changed after its seal: {', '.join(changes)}. Study {study} of the same name had run trials of this one before, so what "
        f"is asked here was written once its results were known. What it asked and answered stands: `assay study show {study}`. Trials under "
        "seeds that it did not have would confirm a new hypothesis."
    )
    return [Finding(kind="changed after its seal", about="study", text=text)]


def _other_hypotheses(former: Definition, definition: Definition, late: Collection[Hypothesis]) -> Iterator[str]:
    for one in definition.hypotheses:
        if one not in former.hypotheses:
            yield f"the hypothesis {one.sentence!r} is new{'' if one in late else ' (none of its trials had run)'}"
    yield from (f"the hypothesis {one.sentence!r} is gone" for one in former.hypotheses if one not in definition.hypotheses)


def _other_parts(former: Definition, definition: Definition) -> Iterator[str]:
    """Metrics, components and seeds that are not what they were."""
    goals: Mapping[str, object] = {goal.name: goal for goal in former.goals}
    yield from (f"the metric {goal.name!r} is asked otherwise" for goal in definition.goals if goals.get(goal.name, goal) != goal)
    here, there = ({factor.name: factor for factor in one.factors} for one in (definition, former))
    yield from (f"the component {name!r} is new" for name in here if name not in there)
    yield from (f"the component {name!r} is gone" for name in there if name not in here)
    yield from (f"the component {name!r} is another" for name in here if there.get(name, here[name]) != here[name])
    if _blocks(former) != _blocks(definition):
        yield f"it had {_blocks_words(former)}, and has {_blocks_words(definition)}"


def _blocks_words(asked: Definition) -> str:
    shown = ", ".join(map(str, asked.seeds[:_NAMED])) + (", …" if len(asked.seeds) > _NAMED else "")
    seeds = f"{len(asked.seeds)} seed{'s' * (len(asked.seeds) != 1)} ({shown})"
    return f"{seeds} and {len(asked.splits.names)} {asked.splits.parameter}s" if asked.splits else seeds
