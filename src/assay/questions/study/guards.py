"""Guards: what makes a study's numbers suspicious though nothing failed. Each is a finding in words, none is silent."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from math import isfinite
from typing import Any

from assay.ablation.configurations import configure, former_values
from assay.ablation.controls import controlled
from assay.questions.study.definition import Definition
from assay.questions.study.guards_metrics import insane
from assay.questions.study.guards_runs import leaks, other_files, unread
from assay.records.canonical import canonical, digest
from assay.records.evidence import PARAMETER_COUNTS, StudyEvidence, TrialResult
from assay.records.factor import Factor
from assay.records.finding import Finding
from assay.records.plan import Configuration
from assay.store.store import Store

UNEQUAL_SIZE = 0.05
"""Share of the baseline's parameters from which a change of the model's size is said. A convention."""


def guard(store: Store, definition: Definition, evidence: StudyEvidence) -> list[Finding]:
    """What must be said of the trials of a study beside its effects.

    Args:
        store: where its runs are.
        definition: what is asked.
        evidence: rows, effects and findings so far.
    """
    return [
        *unread(store, evidence),
        *alike(store, evidence),
        *placebos(evidence),
        *unequal_sizes(evidence),
        *insane(evidence),
        *leaks(store, evidence),
    ]


def repeats(configuration: Configuration, factors: Sequence[Factor]) -> bool:
    """Whether a configuration is another one run again: a placebo without settings is in it."""
    empty = {factor.name for factor in factors if factor.kind == "placebo" and not factor.levels[0].settings}
    return bool(empty & configuration.levels.keys())


def alike(store: Store, evidence: StudyEvidence) -> Iterator[Finding]:
    """Configurations with other parameters than each other, and equal results in every block."""
    idle = {one.about for one in evidence.findings if one.kind == "no-op"}
    idle |= {factor.name for factor in evidence.factors if factor.kind == "placebo"}
    groups: dict[str, list[Configuration]] = {}
    by_configuration = _rows_of(evidence)
    for configuration in evidence.plan.configurations:
        behaviour = _behaviour(evidence, by_configuration[configuration.name])
        if behaviour:
            groups.setdefault(behaviour, []).append(configuration)
    for group in groups.values():
        if group[0].name == evidence.plan.configurations[0].name:
            continue  # what behaves as the baseline does is a no-op, and said to be
        group = _different(group, evidence, idle)
        if len(group) < 2:
            continue
        names = [one.name for one in group]
        text = (
            f"They differ in their parameters and gave exactly the same results under every seed. {other_files(store, evidence, names)} "
            "Check that what tells them apart is read, or take one of them out."
        )
        yield Finding(kind="same behaviour", about=" and ".join(names), text=text)


def placebos(evidence: StudyEvidence) -> Iterator[Finding]:
    """Whether components that do nothing showed nothing."""
    for factor in evidence.factors:
        about = [one for one in evidence.effects if one.component == factor.name] if factor.kind == "placebo" else []
        false = [one for one in about if one.verdict == "matters" or (one.verdict == "exact" and one.estimate != 0)]
        if false:
            shown = " ".join(one.words for one in false)
            text = (
                f"Calibration failed: this component does nothing, and yet: {shown} Chance does that in one study of twenty, for all comparisons "
                "together; else trials are not alike beside their components (state that is left behind, order, load), or it is no placebo."
            )
            yield Finding(kind="calibration failed", about=factor.name, text=text)
        elif any(one.n for one in about):
            text = "The placebo shows nothing, as it must: " + "; ".join(
                f"{one.metric} {'exactly 0' if one.verdict in ('no-op', 'exact') else 'not told from 0'}" for one in about if one.n
            )
            yield Finding(kind="placebo", about=factor.name, text=f"{text}.")


def unequal_sizes(evidence: StudyEvidence) -> Iterator[Finding]:
    """Components whose change makes the model larger or smaller without a control that is as large, and controls that are not."""
    reported = [name for name in PARAMETER_COUNTS if any(name in row.metrics for row in evidence.rows)]
    if not reported:
        return
    plan, count = evidence.plan, reported[0]
    rows = _rows_of(evidence)
    sizes = [_mean(rows[one.name], count) for one in plan.configurations]
    matched = controlled(evidence.factors, plan.configurations)
    for one in matched:
        ratio = _ratio(sizes[one.control], sizes[one.ablated])
        if abs(ratio - 1) > UNEQUAL_SIZE:
            text = (
                f"The control has {ratio:.2f} times the {count} of the configuration that it is to match, so what is called beyond size "
                "still holds some of it."
            )
            yield Finding(kind="control not matched", about=plan.configurations[one.control].name, text=text)
    with_control = {one.ablated for one in matched}
    for index, configuration in enumerate(plan.configurations):
        ratio = _ratio(sizes[index], sizes[0])
        if len(configuration.levels) == 1 and index not in with_control and abs(ratio - 1) > UNEQUAL_SIZE:
            text = (
                f"It has {ratio:.2f} times the {count} of the baseline, so its effect is that of the component and of the size in one. "
                "`matched=` gives it a control of its own size."
            )
            yield Finding(kind="size", about=configuration.name, text=text)


def _rows_of(evidence: StudyEvidence) -> Mapping[str, list[TrialResult]]:
    """The rows by their configuration; none for one that has not run."""
    found: dict[str, list[TrialResult]] = {one.name: [] for one in evidence.plan.configurations}
    for row in evidence.rows:
        found[row.configuration].append(row)
    return found


def _behaviour(evidence: StudyEvidence, own: Sequence[TrialResult]) -> str:
    """Digest of all results of a configuration; empty where a trial did not finish, none reports a number, or it was drawn once."""
    rows = sorted(own, key=lambda row: row.block)
    if not rows or any(row.state != "finished" for row in rows):
        return ""
    if len(rows) == 1 < len(evidence.plan.blocks):  # that a count of right answers is the same once is chance
        return ""
    results = [{name: float(value) for name, value in row.metrics.items() if name not in row.measured} for row in rows]
    if not any(isfinite(value) for one in results for value in one.values()):
        return ""
    return digest(canonical([[row.block for row in rows], results]))


def _different(group: Sequence[Configuration], evidence: StudyEvidence, idle: set[str]) -> list[Configuration]:
    """One configuration of those that have the same parameters, or differ only in components that are known to do nothing.

    Nor is one that flips more than another of them news: that a component does nothing there is its interaction with what is flipped.
    """
    group = [one for one in group if not any(other.levels and other.levels.items() < one.levels.items() for other in group)]
    kept: dict[bytes, Configuration] = {}
    for one in group:
        if one.name not in idle:
            kept.setdefault(canonical(_active(one, evidence, idle)), one)
    return list(kept.values())


def _active(one: Configuration, evidence: StudyEvidence, idle: set[str]) -> dict[str, Any]:
    """The parameters of a configuration, those of components that are known to do nothing as in the baseline."""
    settings: dict[str, Any] = {}
    for factor in evidence.factors:
        name = one.levels.get(factor.name, "")
        if name and (factor.name in idle or f"{factor.name}: {name}" in idle):
            settings |= next((level.settings for level in factor.levels if level.name == name), {})
    return dict(configure(one.params, former_values(evidence.plan.configurations[0].params, settings))) if settings else one.params


def _mean(rows: Sequence[TrialResult], metric: str) -> float:
    values = [row.metrics[metric] for row in rows if metric in row.metrics]
    finite = [float(value) for value in values if isfinite(value)]
    return sum(finite) / len(finite) if finite else float("nan")


def _ratio(one: float, other: float) -> float:
    """1 where nothing can be said."""
    return one / other if isfinite(one) and isfinite(other) and other > 0 else 1.0
