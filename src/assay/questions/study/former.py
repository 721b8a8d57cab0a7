"""What former studies of the store say of the same components: belief for the adaptive design's search, and never for its tests."""

from __future__ import annotations

from collections.abc import Container
from typing import NamedTuple

import numpy as np

from assay.ablation.components import effect_name, merge
from assay.ablation.design import sides_of
from assay.errors import InvalidStudy, MissingContent
from assay.questions.study.archive import kept_evidence, studies
from assay.questions.study.definition import Definition
from assay.records.canonical import canonical
from assay.records.evidence import StudyEvidence
from assay.records.factor import Factor, Level
from assay.stats.factorial_models import Space
from assay.stats.simultaneous import Array
from assay.store.store import Store

# Log odds that a verdict is worth, of the very same recipe otherwise.
_WORTH = {"matters": 2.0, "exact": 2.0, "no effect": -1.5, "no-op": -1.5}
_MOST = 3.0
_OTHER_BASELINE, _OTHER_SUBJECT = 0.5, 0.5


class Former(NamedTuple):
    """What was found before.

    Attributes:
        belief: by metric, log odds to add to each term, shape (terms,).
        studies: ids of the studies that it is from, the newest first.
    """

    belief: dict[str, Array]
    studies: tuple[str, ...]


def former(store: Store, definition: Definition, of: Space) -> Former:
    """The verdicts of earlier studies on components that have the same name and settings, level by level, and on interactions of two such.

    Each counts half where the other parameters of the baseline differ, and half again where another function or command was studied; together
    they never count more than odds of twenty. A trial that several studies share is counted once, with the newest of them.

    Args:
        store: where they are.
        definition: the study that asks.
        of: its terms.

    Raises:
        StoreTooNew, StoreDamaged: a study of the store cannot be read.
    """
    own = {_settings(*side): index for index, side in enumerate(sides_of(merge(definition.factors)))}
    found = {goal.name: np.zeros(of.terms) for goal in definition.goals}
    used = []
    counted: set[str] = set()
    for study, other in studies(store):
        try:
            evidence = None if study == definition.id else kept_evidence(store, study)
        except (InvalidStudy, MissingContent):  # begun, and never looked at
            continue
        theirs = {effect_name(*side): _settings(*side) for side in sides_of(merge(other.factors))}
        shared = {name: own[settings] for name, settings in theirs.items() if settings in own}
        if evidence is None or not (fresh := _fresh(evidence, counted)):
            continue
        if shared and _add(found, of, evidence, shared, fresh * _weight(definition, other)):
            used.append(study)
            counted |= {row.run for row in evidence.rows if row.run is not None}
    return Former({metric: np.clip(belief, -_MOST, _MOST) for metric, belief in found.items()}, tuple(used))


def _settings(factor: Factor, level: Level) -> bytes:
    """A component at one level, without its others."""
    return canonical(Factor(name=factor.name, kind=factor.kind, levels=(level,)))


def _weight(definition: Definition, other: Definition) -> float:
    weight = 1.0 if canonical(definition.baseline) == canonical(other.baseline) else _OTHER_BASELINE
    return weight if definition.subject == other.subject else weight * _OTHER_SUBJECT


def _fresh(evidence: StudyEvidence, counted: Container[str | None]) -> float:
    """Share of a study's finished trials that no newer study has told of already."""
    rows = [row for row in evidence.rows if row.state == "finished"]
    return sum(row.run not in counted for row in rows) / len(rows) if rows else 0.0


def _add(found: dict[str, Array], of: Space, evidence: StudyEvidence, shared: dict[str, int], weight: float) -> bool:
    """Adds what one study found; whether it found anything that counts."""
    told = [(one.metric, (shared[one.component],) * 2, one.verdict) for one in evidence.effects if one.component in shared]
    for pair in evidence.interactions:
        if len(pair.components) == 2 and set(pair.components) <= set(shared):
            one, other = sorted(shared[name] for name in pair.components)
            told.append((pair.metric, (one, other), pair.verdict))
    counted = [(metric, sides, _WORTH[verdict]) for metric, sides, verdict in told if metric in found and verdict in _WORTH]
    for metric, (one, other), worth in counted:
        found[metric][(of.first == one) & (of.second == other)] += weight * worth
    return bool(counted)
