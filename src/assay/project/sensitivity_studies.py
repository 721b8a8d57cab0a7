"""The study that a condition asks for: another baseline, other seeds, other data; without what cannot be flipped there."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from assay.ablation.components import merge
from assay.ablation.configurations import check_settings, configure, plain, same, value_of
from assay.errors import InvalidStudy, StoreUnusable
from assay.project.sensitivity_asked import Wanted
from assay.project.study_plan import PlanView
from assay.questions.study.archive import kept_evidence
from assay.records.evidence import StudyEvidence
from assay.records.factor import Constraint, Factor
from assay.records.gate import GateAsked
from assay.records.plan import Plan, Splits
from assay.store.store import Store


class Found(Protocol):
    """What came of a study."""

    @property
    def evidence(self) -> StudyEvidence:
        """All of it as one record."""


class AnyStudy(Protocol):
    """A study that can be planned and run, of a function or a command; a copy of it may be changed."""

    name: str
    baseline: Any
    components: Any
    configurations: Any
    constraints: Any
    groups: Any
    hypotheses: Any
    seeds: Any
    serves: str
    graph: Any
    gate: GateAsked | None
    splits: Splits | None

    def plan(self, design: str, /, *, resolution: int | None, budget: int | None) -> PlanView:
        """The trials of a design."""

    def run(
        self, plan: PlanView, workers: int, /, *, accept_baseline: str = "", executor: str = "local", slurm: str = "", ray: str = ""
    ) -> Found:
        """Carry the plan out; what has finished before is not repeated."""


class Setting(NamedTuple):
    """What a condition changes: paths to values, and how each is written in a table."""

    values: dict[str, Any]
    names: dict[str, str]


class Planned(NamedTuple):
    """A condition before it is carried out.

    Attributes:
        name: "lr = 0.1".
        levels: what is other than in the study, by name.
        study: the study that is run for it.
        plan: its trials.
        left_out: components that cannot be asked about here, with the reason.
    """

    name: str
    levels: dict[str, str]
    study: AnyStudy
    plan: PlanView
    left_out: dict[str, str]


class Design(NamedTuple):
    """The design of the study that is questioned, and what it was told."""

    name: str
    resolution: int | None
    budget: int | None

    @classmethod
    def of(cls, plan: Plan) -> Design:
        """The design of a plan."""
        return cls(plan.design, plan.options.resolution, plan.options.budget)

    def plan(self, study: AnyStudy) -> PlanView:
        """The study under this design."""
        return study.plan(self.name, resolution=self.resolution, budget=self.budget)


class Subject(NamedTuple):
    """A study that is questioned.

    Attributes:
        evidence: what it found; None where it is taken to be run first.
        source: what can run it; None where only its evidence is there.
        design: its design, and what that was told.
        root: root of its project.
    """

    evidence: StudyEvidence | None
    source: AnyStudy | None
    design: Design
    root: Path

    @property
    def name(self) -> str:
        """What messages call it."""
        return (self.evidence.name or self.evidence.study[:12]) if self.evidence else ""

    def run(self, wanted: Wanted, plan: PlanView | None = None) -> StudyEvidence:
        """What comes of carrying the study out as is wanted; what has finished is not repeated, and a baseline that was accepted still is.

        Raises:
            InvalidStudy: the baseline fails at the gate, so that nothing was concluded.
            AssayError: as running it raises it.
        """
        assert self.source is not None, "what has no evidence can be run"
        view = plan or self.design.plan(self.source)
        found = self.source.run(view, wanted.workers, accept_baseline=self._accepted(view.study), **wanted.where).evidence
        check_concluded(found)
        return found

    def _accepted(self, study: str) -> str:
        """The reason for which its baseline was accepted the last time; empty where none was given."""
        former = self.evidence
        try:
            former = former or kept_evidence(Store.open(self.root, create=False), study)
        except (InvalidStudy, StoreUnusable):  # it was not run before
            return ""
        return former.gate.accepted if former.gate is not None else ""


def check_concluded(found: StudyEvidence) -> None:
    """Passes where a study has run its ablations.

    Raises:
        InvalidStudy: its baseline failed at the gate.
    """
    if found.stopped:
        raise InvalidStudy(
            "the baseline fails at the gate, so the study concluded nothing that could survive",
            value=found.name or found.study[:12],
            expected="a study whose baseline passes, or is accepted",
            next_step='Mend the baseline, or run the study with --accept-baseline "REASON" first.',
        )


def settings(baseline: object, vary: Mapping[str, Sequence[Any]], *, crossed: bool) -> list[Setting]:
    """Every combination of the levels, or each parameter alone; never the baseline as it stands.

    Raises:
        InvalidStudy: a parameter has no level beside the one it has in the baseline.
        UnknownParameter: the baseline has no such parameter.
    """
    axes = {path: [_as_there(baseline, path, value) for value in values] for path, values in vary.items()}
    others = {path: [value for value in values if _changes(baseline, path, value)] for path, values in axes.items()}
    for path, values in others.items():
        if not values:
            raise InvalidStudy(
                "a parameter is not varied",
                value=path,
                expected=f"another value than the baseline's, {baseline_value(baseline, path)!r}",
            )
    if not crossed:
        return [_setting({path: value}) for path, values in others.items() for value in values]
    whole = {path: [None, *values] for path, values in others.items()}
    cells = product(*whole.values())
    chosen = [{path: value for path, value in zip(whole, cell, strict=True) if value is not None} for cell in cells]
    return [_setting(cell) for cell in chosen if cell]


def baseline_value(baseline: object, path: str) -> Any:
    """What the baseline has there, as a plain value.

    Raises:
        UnknownParameter: it has no such parameter.
    """
    return plain(value_of(baseline, path, component="--vary", single=True))


def at(design: Design, study: AnyStudy, setting: Setting, serves: str) -> Planned:
    """The study with these parameters in its baseline; components that would change nothing there are left out.

    Raises:
        InvalidStudy: no component is left, or the study contradicts itself there.
        UnknownParameter: the baseline has no such parameter.
    """
    changed = copy.copy(study)
    name = ", ".join(f"{path} = {text}" for path, text in setting.names.items())
    changed.baseline = configure(study.baseline, setting.values, component="--vary")
    kept, left_out = _flippable(changed.baseline, study.components)
    named, named_out = _different(changed.baseline, study.configurations)
    if not kept and not named:
        raise InvalidStudy(
            "nothing of the study can be flipped under this condition", value=name, expected="another value of the parameter"
        )
    changed.components, changed.configurations = kept, named
    changed.groups = {group: [name for name in names if name not in left_out] for group, names in study.groups.items()}
    changed.constraints = [one for one in study.constraints if not _about(one, left_out)]
    return _planned(design, study, changed, name, setting.names, serves, left_out | named_out)


def more_seeds(design: Design, study: AnyStudy, used: Sequence[int], number: int, serves: str) -> Planned:
    """The study on as many seeds that it has not seen.

    Raises:
        InvalidStudy: no seed is left, or fewer than one is asked for.
    """
    first = max(used) + 1
    changed = copy.copy(study)
    changed.seeds = list(range(first, first + number))
    name = f"new seeds {first} to {first + number - 1}" if number > 1 else f"new seed {first}"
    return _planned(design, study, changed, name, {}, serves, {})


def other_data(design: Design, study: AnyStudy, old: str, new: str, serves: str) -> Planned:
    """The study of a command that is given another file or folder in the place of one that it names.

    Raises:
        InvalidStudy: the study is of a function, or nothing in it names `old`.
        MissingContent: `new` does not exist.
    """
    swap = getattr(study, "with_data", None)
    if swap is None:
        raise InvalidStudy(
            "a function reads data that nothing here can put in its place",
            value=old,
            expected="a parameter that names the data set",
            next_step="Let the configuration name the data set, and vary it: --vary dataset=A,B.",
        )
    return _planned(design, study, swap(old, new), f"{old} = {new}", {old: new}, serves, {})


def _planned(
    design: Design, study: AnyStudy, changed: AnyStudy, name: str, levels: dict[str, str], serves: str, left_out: dict[str, str]
) -> Planned:
    changed.hypotheses = ()
    changed.graph = {}
    changed.serves = serves
    changed.name = f"{study.name} ({name})" if study.name else name
    return Planned(name, levels, changed, design.plan(changed), left_out)


def _setting(values: dict[str, Any]) -> Setting:
    return Setting(values, {path: level_text(value) for path, value in values.items()})


def level_text(value: Any) -> str:
    """What tables call the level of a parameter."""
    return f"{value:g}" if isinstance(value, float) and float(f"{value:g}") == value else str(value)


def _as_there(baseline: object, path: str, value: Any) -> Any:
    """A whole number where the baseline has a broken one is one too: 1 and 1.0 are two recipes."""
    there = baseline_value(baseline, path)
    return float(value) if isinstance(there, float) and isinstance(value, int) and not isinstance(value, bool) else value


def _changes(baseline: object, path: str, value: Any) -> bool:
    return not same(baseline_value(baseline, path), plain(value))


def _flippable(baseline: object, components: Sequence[Factor]) -> tuple[list[Factor], dict[str, str]]:
    kept, left_out = [], {}
    for factor in merge(components):
        try:
            for level in factor.levels:
                check_settings(baseline, level.settings, component=factor.name)
        except InvalidStudy as error:
            left_out[factor.name] = error.problem
        else:
            kept.append(factor)
    return kept, left_out


def _different(baseline: object, named: Mapping[str, Mapping[str, Any]]) -> tuple[dict[str, Mapping[str, Any]], dict[str, str]]:
    kept, left_out = {}, {}
    for name, values in named.items():
        try:
            check_settings(baseline, values, component=name)
        except InvalidStudy as error:
            left_out[name] = error.problem
        else:
            kept[name] = values
    return kept, left_out


def _about(constraint: Constraint, left_out: Mapping[str, str]) -> bool:
    return any(thing.partition(": ")[0] in left_out for thing in (constraint.thing, *constraint.others))
