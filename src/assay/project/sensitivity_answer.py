"""The study under other conditions, carried out or read again, and whether what it concluded survives."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from assay.errors import InvalidStudy
from assay.project.sensitivity_asked import Wanted, check
from assay.project.sensitivity_own import with_own
from assay.project.sensitivity_parts import other_readings, parts_of_the_seeds
from assay.project.sensitivity_studies import (
    AnyStudy,
    Design,
    Planned,
    Subject,
    at,
    baseline_value,
    check_concluded,
    level_text,
    more_seeds,
    other_data,
    settings,
)
from assay.project.study_plan import PlanView
from assay.questions.sensitivity import Asked, Cell, decompose, judge
from assay.questions.study.survival import keep_sensitivity
from assay.records.evidence import StudyEvidence
from assay.records.finding import Finding
from assay.records.sensitivity import Condition, SensitiveTo, Sensitivity
from assay.report.sensitivity import sensitivity_in_words
from assay.store.store import Store

_NOTES = {
    "seeds": "Parts of the same seeds are no new data: that an interval includes 0 under fewer seeds contradicts nothing. New seeds are.",
    "params": "Each component × condition is tested under the same seeds, corrected for all components and conditions of a metric.",
    "splits": "Splits share data, so the interval over them is widened (Nadeau and Bengio 2003).",
    "metrics": "The same trials, judged otherwise: signs are compared as better and worse, since units differ.",
    "data": "Each component × data set is tested under the same seeds, corrected for all of them of a metric.",
}

_LOST = ("failed trials", "not reported", "not finite", "incomplete blocks")
_VARIANCE = (
    "Variance by source: analysis of variance of the crossed table, modified-large-sample intervals; levels and components count as a sample "
    "of those that could have been."
)


class SensitivityResult:
    """What a study's conclusions are sensitive to. `print(result)` says it in words.

    Attributes:
        sensitivity: all of it as one record.
    """

    def __init__(self, sensitivity: Sensitivity) -> None:
        self.sensitivity = sensitivity

    @property
    def survives(self) -> bool:
        """Whether no conclusion is lost."""
        return all(one.survival != "does not survive" for one in self.sensitivity.conclusions)

    @property
    def silent(self) -> list[str]:
        """Conditions that were run, and under which not one pair of trials gave a value."""
        return [one.name for one in self.sensitivity.conditions if one.effects and not any(effect.n for effect in one.effects)]

    def __repr__(self) -> str:
        return sensitivity_in_words(self.sensitivity)


def answer(subject: Subject, to: SensitiveTo, wanted: Wanted, say: Callable[[str], None] = lambda _: None) -> SensitivityResult:
    """Whether what a study concluded survives what is wanted; the answer is kept with the study's evidence, and stands in its report.

    Raises:
        InvalidStudy: the study cannot be asked so; the message says what is missing.
        InvalidValue: an option has a value that cannot be used, or does not go with `to`.
        UnknownParameter, UnknownMetric: the baseline or the trials have nothing of that name.
        AssayError: as running a study raises it.
    """
    asked = check(to, with_own(subject, to, wanted))
    found = _by_running(subject, to, asked, say) if _needs_runs(to, asked) else _by_reading(subject, to, asked)
    keep_sensitivity(Store.open(subject.root), found)
    return SensitivityResult(found)


def _needs_runs(to: SensitiveTo, wanted: Wanted) -> bool:
    return bool(wanted.vary or wanted.more or wanted.data) or to in ("params", "data")


def _by_reading(subject: Subject, to: SensitiveTo, wanted: Wanted) -> Sensitivity:
    """What the study's own trials say."""
    evidence = subject.evidence or subject.run(wanted)
    check_concluded(evidence)
    findings: list[Finding] = []
    conditions: list[Condition] = []
    if to == "metrics":
        conditions, findings = other_readings(Store.open(subject.root), evidence, wanted.metrics, wanted.readings)
    elif to == "seeds":
        conditions = parts_of_the_seeds(evidence)
    cells = [Cell((), evidence)] if to != "metrics" else []
    return _answer(to, wanted, evidence, conditions, [(cells, [])] if cells else [], findings)


def _by_running(subject: Subject, to: SensitiveTo, wanted: Wanted, say: Callable[[str], None]) -> Sensitivity:
    source = subject.source
    if source is None:
        raise InvalidStudy(
            "only what the study found is in the store, not what could run it under other conditions",
            value=subject.name,
            expected="the study's file, or in Python the study itself",
            next_step=f"`assay sensitivity FILE --to {to} …`, or in Python result.sensitivity({to!r}, …) of the study's result.",
        )
    base = subject.design.plan(source)
    planned = _planned(subject.design, source, to, wanted, base.study, [block.seed for block in base.plan.blocks])
    _cost(base, planned, wanted.budget, say)
    evidence = subject.run(wanted, base)
    studies = [one.study.run(one.plan, wanted.workers, **wanted.where).evidence for one in planned]
    conditions = [_condition(one, found) for one, found in zip(planned, studies, strict=True)]
    if to == "seeds" and len(evidence.plan.blocks) > 1:
        conditions = [*parts_of_the_seeds(evidence), *conditions]
    tables = _tables(source, wanted, evidence, planned, studies)
    findings = [finding for one, found in zip(planned, studies, strict=True) for finding in _findings(one, found)]
    return _answer(to, wanted, evidence, conditions, tables, findings)


def _findings(one: Planned, found: StudyEvidence) -> list[Finding]:
    """What could not be asked about under a condition, and the trials that gave nothing there."""
    left_out = [
        Finding(kind="left out", about=f"{name}, {one.name}", text=f"It cannot be asked about there: {why}.")
        for name, why in one.left_out.items()
    ]
    lost = [
        Finding(kind=finding.kind, about=f"{finding.about}, {one.name}", text=finding.text)
        for finding in found.findings
        if finding.kind in _LOST
    ]
    return [*left_out, *lost]


def _answer(
    to: SensitiveTo,
    wanted: Wanted,
    evidence: StudyEvidence,
    conditions: Sequence[Condition],
    tables: Sequence[tuple[Sequence[Cell], Sequence[str]]],
    findings: Sequence[Finding],
) -> Sensitivity:
    variance = []
    said = list(findings)
    for cells, axes in tables:
        parts, missing = decompose(cells, axes)
        variance += parts
        said += missing
    split = next(iter(wanted.vary), None) if to == "splits" else None
    splits = sum(set(one.levels) == {split} for one in conditions) + 1 if split else len(evidence.plan.blocks)
    ratio = _ratio(to, wanted, splits)
    notes = [_NOTES[to]]
    if variance:
        notes.append(_VARIANCE)
    if ratio is not None:
        notes.append(f"{f'{ratio:.3g} items are' if ratio != 1 else '1 item is'} tested for each that is trained on.")
    return Sensitivity(
        study=evidence.study,
        name=evidence.name,
        to=to,
        conditions=tuple(conditions),
        conclusions=tuple(judge(Asked(to, evidence, conditions, ratio, split))),
        variance=tuple(variance),
        findings=tuple(said),
        notes=tuple(notes),
    )


def _planned(design: Design, source: AnyStudy, to: SensitiveTo, wanted: Wanted, serves: str, used: Sequence[int]) -> list[Planned]:
    found = [at(design, source, one, serves) for one in settings(source.baseline, wanted.vary, crossed=wanted.crossed)]
    if wanted.more:
        found.append(more_seeds(design, source, used, wanted.more, serves))
    return found + [other_data(design, source, old, new, serves) for old, others in wanted.data.items() for new in others]


def _cost(base: PlanView, planned: Sequence[Planned], budget: int | None, say: Callable[[str], None]) -> None:
    """Says what will be run.

    Raises:
        InvalidStudy: it is more than the budget.
    """
    plans = [base, *(one.plan for one in planned)]
    whole = sum(len(plan) for plan in plans)
    new = whole - sum(min(len(plan), plan.expected.finished) for plan in plans)
    say(
        f"{len(planned)} condition{'s' * (len(planned) != 1)} beside the study: {whole} trials, of which at most {new} have not finished before."
    )
    if budget is not None and new > budget:
        raise InvalidStudy(
            "this would run more trials than the budget allows",
            value=new,
            expected=f"at most {budget}",
            next_step="Vary less, use fewer seeds, or raise --budget.",
        )


def _condition(one: Planned, found: StudyEvidence) -> Condition:
    return Condition(
        name=one.name,
        levels=one.levels,
        seeds=tuple(block.seed for block in found.plan.blocks),
        study=found.study,
        runs=sum(row.run is not None and not row.reused for row in found.rows),
        effects=found.effects,
        left_out=one.left_out,
    )


def _tables(
    source: AnyStudy, wanted: Wanted, evidence: StudyEvidence, planned: Sequence[Planned], studies: Sequence[StudyEvidence]
) -> list[tuple[Sequence[Cell], Sequence[str]]]:
    """Complete crossed tables: over all parameters where they were crossed, else over each alone."""
    if wanted.more:
        return [([Cell((), evidence)], [])]
    names = list(dict.fromkeys(name for one in planned for name in one.levels))
    groups = [names] if wanted.crossed else [[name] for name in names]
    found: list[tuple[Sequence[Cell], Sequence[str]]] = []
    for axes in groups:
        own = [name if name in wanted.data else level_text(baseline_value(source.baseline, name)) for name in axes]
        cells = [Cell(tuple(own), evidence)]
        for one, study in zip(planned, studies, strict=True):
            if set(one.levels) <= set(axes):
                cells.append(Cell(tuple(one.levels.get(name, level) for name, level in zip(axes, own, strict=True)), study))
        found.append((cells, axes))
    return found


def _ratio(to: SensitiveTo, wanted: Wanted, splits: int) -> float | None:
    """Items tested for each that is trained on; of folds, where nothing is said."""
    if to != "splits":
        return None
    if wanted.test_share is not None:
        return wanted.test_share / (1 - wanted.test_share)
    return 1 / max(1, splits - 1)
