"""Conclusions of a study against all conditions: what survives, and what it depends on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import isfinite, nan
from typing import NamedTuple

import msgspec
import numpy as np

from assay.questions.sensitivity.shifts import Pair, shifts
from assay.questions.sensitivity.standing import common_ranks, found_there, has_effect, is_nothing, ranks, standing
from assay.questions.sensitivity.words import conclusion_words
from assay.records.effect import Effect
from assay.records.evidence import StudyEvidence
from assay.records.factor import MetricGoal
from assay.records.sensitivity import Combined, Conclusion, Condition, SensitiveTo, Standing, Survival
from assay.stats.simultaneous import t_quantile
from assay.stats.variance import overlapping_splits


class Asked(NamedTuple):
    """What is asked of a study's conclusions.

    Attributes:
        to: what was varied.
        evidence: the study as it was run.
        conditions: the study under other circumstances.
        test_to_train: where splits are asked about, how many items are tested for each that is trained on.
        split: the parameter that chooses the split; None: the seeds draw it.
    """

    to: SensitiveTo
    evidence: StudyEvidence
    conditions: Sequence[Condition]
    test_to_train: float | None = None
    split: str | None = None


def judge(asked: Asked) -> list[Conclusion]:
    """One conclusion for each effect of the study, in the study's order."""
    found: list[Conclusion] = []
    for goal in asked.evidence.goals:
        effects = [effect for effect in asked.evidence.effects if effect.metric == goal.name]
        standings = _standings(asked, goal, effects)
        places = ranks(effects, goal)
        for effect, own in zip(effects, standings, strict=True):
            combined = _combined(asked, effect, goal, len(effects))
            survival = _survival(effect, own, combined) if own or _splits(asked, effect, goal) > 1 else "not tested"
            found.append(
                Conclusion(
                    component=effect.component,
                    metric=goal.name,
                    estimate=effect.estimate,
                    low=effect.low,
                    high=effect.high,
                    n=effect.n,
                    verdict=effect.verdict,
                    rank=places.get(effect.component),
                    survival=survival,
                    standings=tuple(own),
                    combined=combined,
                    words=conclusion_words(effect, goal, survival, own, combined, asked.conditions),
                )
            )
    return found


def _standings(asked: Asked, goal: MetricGoal, effects: Sequence[Effect]) -> list[list[Standing]]:
    """For each effect its standing under every condition that says something of it, with the shifts corrected together."""
    found: list[list[Standing]] = [[] for _ in effects]
    places: list[tuple[int, int]] = []
    pairs: list[Pair] = []
    for condition in asked.conditions:
        rank = common_ranks(effects, goal, condition)
        for index, effect in enumerate(effects):
            own = standing(effect, goal, rank, condition)
            if own is None:
                continue
            if condition.study is not None:  # its trials are others than the study's, so that a difference can be tested
                places.append((index, len(found[index])))
                pairs.append(_pair(asked.evidence, effect, condition, goal))
            found[index].append(own)
    for (index, place), shift in zip(places, shifts(pairs), strict=True):
        if shift is not None:
            values = {"shift": shift.estimate, "shift_low": shift.low, "shift_high": shift.high, "shift_p": shift.p}
            found[index][place] = msgspec.structs.replace(found[index][place], **values, depends=shift.depends)
    return found


def _pair(evidence: StudyEvidence, effect: Effect, condition: Condition, goal: MetricGoal) -> Pair:
    there = found_there(condition, effect.component, goal)
    assert there is not None
    return Pair(effect, [block.seed for block in evidence.plan.blocks], there[0], condition.seeds)


def _survival(effect: Effect, standings: Sequence[Standing], combined: Combined | None) -> Survival:
    if not (has_effect(effect) or is_nothing(effect)):
        return "nothing concluded"
    lost = combined is not None and has_effect(effect) and combined.verdict == "cannot tell"
    return "does not survive" if lost or any(one.contrary for one in standings) else "survives"


def _splits(asked: Asked, effect: Effect, goal: MetricGoal) -> int:
    """Over how many splits it is known, where splits are asked about."""
    return 0 if asked.test_to_train is None else len(list(_over_splits(asked, effect, goal)))


def _combined(asked: Asked, effect: Effect, goal: MetricGoal, comparisons: int) -> Combined | None:
    """The effect over all splits: over the study and the conditions that differ from it in the split alone, or over the seeds that drew them."""
    ratio = asked.test_to_train
    values = np.array(list(_over_splits(asked, effect, goal)))
    if ratio is None or len(values) < 2 or not np.ptp(values):
        return None
    mean, error, df = overlapping_splits(values, ratio)
    half = t_quantile(1 - 0.05 / (2 * comparisons), df) * error
    decided = abs(mean) > half
    return Combined(
        estimate=mean,
        low=mean - half,
        high=mean + half,
        splits=len(values),
        test_to_train=ratio,
        verdict="matters" if decided else "cannot tell",
    )


def _over_splits(asked: Asked, effect: Effect, goal: MetricGoal) -> Iterator[float]:
    if asked.split is None:
        yield from (value for value in effect.differences if isfinite(value))
        return
    alone = [condition for condition in asked.conditions if set(condition.levels) == {asked.split}]
    there = (found_there(condition, effect.component, goal) for condition in alone)
    values = (effect.estimate, *(one[0].estimate if one else nan for one in there))
    yield from (value for value in values if isfinite(value))
