"""What of a study its successor should start from: the changes that clearly help, as far as they are known to go together. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isfinite
from typing import NamedTuple

import numpy as np

from assay.ablation.components import effect_name, merge
from assay.ablation.design import configuration_name, listed
from assay.errors import InvalidStudy, NoWinner
from assay.records.effect import Effect
from assay.records.evidence import StudyEvidence
from assay.records.factor import Factor, Level
from assay.stats.paired import is_constant, paired_t
from assay.stats.simultaneous import Array

_ELSEWHERE = ("add-one-in", "ladder")
"""Designs whose effects are not those at the baseline."""


class Winner(NamedTuple):
    """Levels that the next baseline has.

    Attributes:
        levels: component to level.
        words: what is taken, and what is not and why, in sentences.
    """

    levels: dict[str, str]
    words: tuple[str, ...]


def winner(evidence: StudyEvidence) -> Winner:
    """The configuration that a study shows to be better than its baseline.

    A change is taken where it clearly improves one metric (its interval excludes 0, or it is exact) by more than the margin shows to be
    nothing, and clearly harms none. Never the best mean of many, which is mostly luck. Where changes interact, the best
    configuration of them that was run is taken, if it clearly beats the baseline, else the largest of them alone.

    Raises:
        NoWinner: no change clearly helps.
        InvalidStudy: the effects are not those at the baseline.
    """
    if evidence.plan.design in _ELSEWHERE:
        raise InvalidStudy(
            "the effects of this design are not those of a change of the baseline",
            value=evidence.plan.design,
            expected="leave-one-out, pairs, or a factorial design",
            next_step="Run the study with --design leave-one-out first.",
        )
    factors = merge(evidence.factors)
    found = [(factor, level) for factor in factors if (level := _helpful(evidence, factor)) is not None]
    by_hand = [
        f"{name} helps too; it is a patch, which you make yourself." for name in (_name(*one) for one in found if one[1].patches)
    ]
    chosen = {factor.name: level.name for factor, level in found if not level.patches}
    if not chosen:
        raise NoWinner(
            "no change clearly helps, so the baseline stays as it is",
            value=evidence.name or evidence.study[:12],
            expected="a component whose removal, or whose other level, is clearly better",
            next_step=" ".join([*by_hand, "`assay study extend` adds seeds or components."]),
        )
    levels, words = _together(evidence, chosen)
    return Winner(levels, (*words, *by_hand))


def _name(factor: Factor, level: Level) -> str:
    return configuration_name({factor.name: level.name})


def _helpful(evidence: StudyEvidence, factor: Factor) -> Level | None:
    """The level of a component that clearly helps, of several the one that does most for the first metric."""
    goal = evidence.goals[0]
    best: tuple[float, Level] | None = None
    for level in factor.levels:
        about = [one for one in evidence.effects if one.component == effect_name(factor, level)]
        if any(one.better and _clear(one) for one in about) and not any(one.better is False for one in about):
            gain = next((one.estimate for one in about if one.metric == goal.name), 0.0)
            gain = gain if goal.goal == "maximize" else -gain
            best = (gain, level) if best is None or gain > best[0] else best
    return None if best is None else best[1]


def _clear(effect: Effect) -> bool:
    return effect.verdict in ("matters", "exact") and not effect.within_margin


def _together(evidence: StudyEvidence, chosen: Mapping[str, str]) -> tuple[dict[str, str], list[str]]:
    every = dict(chosen)
    label = configuration_name(every)
    if len(every) == 1:
        return every, [f"Taken: {label}, which clearly helps."]
    meeting = [one.components for one in evidence.interactions if one.verdict in ("matters", "exact") and one.estimate != 0]
    called = {*every, *(f"{name}: {level}" for name, level in every.items())}
    if not any(called.issuperset(components) for components in meeting):
        ran = any(configuration.levels == every for configuration in evidence.plan.configurations)
        note = "" if ran else " They were never run together: the study of the new baseline flips each beside the others."
        return every, [f"Taken: {label}, each of which clearly helps.{note}"]
    best = _best_that_ran(evidence, every)
    if best is not None:
        return best, [
            f"Taken: {configuration_name(best)}, the best of what clearly helps that was run, since {listed(list(every))} interact."
        ]
    first, names = _largest(evidence, every), listed(list(every))
    return {first: every[first]}, [
        f"Taken: {configuration_name({first: every[first]})} alone: {names} interact, and no configuration of them clearly beats the baseline."
    ]


def _best_that_ran(evidence: StudyEvidence, chosen: Mapping[str, str]) -> dict[str, str] | None:
    """Of the configurations that consist of chosen levels, the best one that clearly beats the baseline, all of them corrected for."""
    candidates = [one for one in evidence.plan.configurations if one.levels and one.levels.items() <= chosen.items()]
    better: list[tuple[float, dict[str, str]]] = []
    for one in candidates:
        gains = _gains(evidence, one.name)
        if len(gains) >= 2 and _beats(gains, len(candidates)):
            better.append((float(np.mean(gains)), dict(one.levels)))
    return max(better, key=lambda pair: pair[0])[1] if better else None


def _beats(gains: Array, comparisons: int) -> bool:
    if is_constant(gains, float(np.abs(gains).max())):
        return bool(gains[0] > 0)
    return paired_t(gains, comparisons=comparisons).low > 0


def _gains(evidence: StudyEvidence, configuration: str) -> Array:
    """By how much a configuration is better than the baseline on the first metric, block by block."""
    goal, names = evidence.goals[0], (configuration, evidence.plan.configurations[0].name)
    values = [
        {row.block: row.metrics[goal.name] for row in evidence.rows if row.configuration == name and goal.name in row.metrics}
        for name in names
    ]
    shared = sorted(values[0].keys() & values[1].keys())
    gains = [values[0][block] - values[1][block] for block in shared]
    finite = np.array([gain for gain in gains if isfinite(gain)])
    return finite if goal.goal == "maximize" else -finite


def _largest(evidence: StudyEvidence, chosen: Mapping[str, str]) -> str:
    names: Sequence[str] = list(chosen)
    sizes = {
        name: max((abs(one.estimate) for one in evidence.effects if one.component.partition(": ")[0] == name), default=0.0)
        for name in names
    }
    return max(names, key=lambda name: sizes[name])
