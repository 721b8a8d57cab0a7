"""How much of each effect goes through a measured variable, by the strongest argument that the study gives."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isfinite, nan
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from assay.ablation.components import effect_name
from assay.ablation.configurations import same, value_of
from assay.errors import InvalidValue, UnknownParameter
from assay.questions.causal.readings import Readings, estimated, finite, in_words
from assay.records.causal import Basis, Estimated, Mediation
from assay.records.factor import Factor, Level
from assay.stats.mediation import Through, matched, moved_by, within_pairs
from assay.stats.paired import is_constant
from assay.stats.simultaneous import Array

_HELD = 0.02
"""A configuration holds the variable where it moves by less than this share of what the flip alone moves it by."""
_LINEAR = "the metric changes with the variable along a line, by as much with the component as without it"
_FACTORIAL = "the flips are set by the design, and seeds are shared, so the total is identified by the experiment alone"
_ASSUMED: dict[Basis, tuple[str, ...]] = {
    "matched control": (_FACTORIAL, "holding the variable changes the metric through the variable alone"),
    "moved by a component": (_FACTORIAL, "the other component changes the metric through the variable alone", _LINEAR),
    "sequential ignorability": (
        _FACTORIAL,
        "ASSUMED, not shown: given the flip, nothing that was not measured moves both variable and metric from seed to seed",
        _LINEAR,
    ),
}


class _Case(NamedTuple):
    """One effect, the variable that it may go through, and the metric; differences by seed of complete blocks."""

    name: str
    mediator: str
    metric: str
    variable: Array
    outcome: Array
    blocks: NDArray[np.bool_]


def mediations(read: Readings, mediator: str, through: Mapping[str, str]) -> list[Mediation]:
    """Of every effect of the design on every metric, the part through the variable.

    Args:
        read: the study.
        mediator: a recorded variable.
        through: variable to a component that moves the metrics through it alone, as the user says or the graph.
    """
    found = []
    for factor, level in read.sides:
        name = effect_name(factor, level)
        if read.effect(name) is None or through.get(mediator) in (name, factor.name):
            continue
        cases = [_case(read, name, mediator, goal.name) for goal in read.evidence.goals if goal.name != mediator]
        found += [_mediation(read, (factor, level), case, through) for case in cases]
    return found


def _case(read: Readings, name: str, mediator: str, metric: str) -> _Case:
    variable, outcome = read.flips(name, mediator), read.flips(name, metric)
    blocks = np.isfinite(variable) & np.isfinite(outcome)
    return _Case(name, mediator, metric, variable[blocks], outcome[blocks], blocks)


def _mediation(read: Readings, side: tuple[Factor, Level], case: _Case, through: Mapping[str, str]) -> Mediation:
    total, on_mediator = estimated(case.outcome), estimated(case.variable)
    if on_mediator.exact and on_mediator.estimate == 0:
        none = Estimated(estimate=0.0, exact=True)
        words = f"{case.name} does not move {case.mediator} at all, so none of its effect on {case.metric} ({in_words(total)}) goes through it."
        return _record(case, on_mediator, total, none, total, "matched control", words, share=0.0, assumed=(_FACTORIAL,))
    for basis, by, parts in _arguments(read, side, case, through):
        if parts is not None:
            return _identified(case, on_mediator, total, basis, by, parts, _set_aside(case, through, basis))
    words = _why_not(case, total, on_mediator) + _set_aside(case, through, "not identified")
    return _record(case, on_mediator, total, None, None, "not identified", words)


def _set_aside(case: _Case, through: Mapping[str, str], basis: Basis) -> str:
    """That a component was named as what moves the variable, and nothing shows that it does."""
    mover = through.get(case.mediator, "")
    if not mover or basis in ("matched control", "moved by a component"):
        return ""
    return f" That {mover!r} moves {case.mediator} is not clearly seen, so nothing is concluded from it."


def _arguments(
    read: Readings, side: tuple[Factor, Level], case: _Case, through: Mapping[str, str]
) -> list[tuple[Basis, str, Through | None]]:
    """The arguments that there are, the strongest first."""
    control = _control(read, side, case)
    held = _held(read, case, control) if control is not None else None
    mover = through.get(case.mediator, "")
    return [
        ("matched control", control or "", held),
        ("moved by a component", mover, _moved(read, case, mover) if mover else None),
        ("sequential ignorability", "", _ignorable(case)),
    ]


def _control(read: Readings, side: tuple[Factor, Level], case: _Case) -> str | None:
    """A configuration that flips the component and leaves the variable as it is in the baseline."""
    factor, level = side
    settings = dict(level.settings)
    scale = abs(float(np.mean(case.variable))) if len(case.variable) else nan
    for index, one in enumerate(read.evidence.plan.configurations):
        flipped = one.levels.get(factor.name) == level.name if one.levels else _sets(one.params, settings)
        moved = finite(read.pairs(case.mediator, [index], [0]))
        if index and flipped and len(moved) and float(np.max(np.abs(moved))) <= _HELD * scale:
            return one.name
    return None


def _sets(params: Mapping[str, object], settings: Mapping[str, object]) -> bool:
    """Whether a named configuration has the values of a level."""
    try:
        return bool(settings) and all(same(value_of(params, path), value) for path, value in settings.items())
    except UnknownParameter:  # a pattern, which stands for several
        return False


def _held(read: Readings, case: _Case, control: str) -> Through | None:
    outcome = read.pairs(case.metric, [read.names.index(control)], [0])[case.blocks]
    both = np.isfinite(outcome)
    return matched(case.outcome[both], outcome[both]) if both.sum() > 1 else None


def _moved(read: Readings, case: _Case, mover: str) -> Through | None:
    variable, outcome = read.flips(mover, case.mediator)[case.blocks], read.flips(mover, case.metric)[case.blocks]
    both = np.isfinite(variable) & np.isfinite(outcome)
    try:
        return moved_by(case.variable[both], case.outcome[both], variable[both], outcome[both])
    except InvalidValue:
        return None


def _ignorable(case: _Case) -> Through | None:
    try:
        return within_pairs(case.variable, case.outcome)
    except InvalidValue:
        return None


def _identified(
    case: _Case, on_mediator: Estimated, total: Estimated, basis: Basis, by: str, parts: Through, aside: str
) -> Mediation:
    through, direct = (_interval(part) for part in (parts.through, parts.direct))
    share = parts.through[0] / parts.total[0] if parts.total[0] else nan
    how = {"matched control": f"by design, {by!r} holds it", "moved by a component": f"by design, {by} moves it"}.get(
        basis, f"assuming {basis}"
    )
    words = (
        f"{case.name} changes {case.metric} by {in_words(total)}, and {case.mediator} by {in_words(on_mediator)}: {in_words(through)} of it goes "
        f"through {case.mediator}, {in_words(direct)} does not ({how})."
    )
    if basis == "sequential ignorability":
        words += f" A confounder that correlates the errors of both by {parts.rho:+.2f} would explain the part through it away"
        words += (
            f"; from {parts.rho_enough:.2f} on, 0 cannot be excluded."
            if parts.rho_enough
            else "; 0 cannot be excluded without one."
        )
    return _record(case, on_mediator, total, through, direct, basis, words + aside, by=by, share=share, parts=parts)


def _interval(part: Sequence[float]) -> Estimated:
    estimate, low, high = part
    exact = is_constant([low, high], abs(estimate))
    return Estimated(estimate=estimate, exact=True) if exact else Estimated(estimate=estimate, low=low, high=high)


def _record(
    case: _Case,
    on_mediator: Estimated,
    total: Estimated,
    through: Estimated | None,
    direct: Estimated | None,
    basis: Basis,
    words: str,
    *,
    by: str = "",
    share: float = nan,
    parts: Through | None = None,
    assumed: tuple[str, ...] | None = None,
) -> Mediation:
    return Mediation(
        component=case.name,
        mediator=case.mediator,
        metric=case.metric,
        on_mediator=on_mediator,
        total=total,
        through=through,
        direct=direct,
        basis=basis,
        by=by,
        share=share,
        assumptions=_ASSUMED.get(basis, (_FACTORIAL,)) if assumed is None else assumed,
        rho=parts.rho if parts else nan,
        rho_enough=parts.rho_enough if parts else nan,
        words=words,
    )


def _why_not(case: _Case, total: Estimated, on_mediator: Estimated) -> str:
    if not isfinite(on_mediator.estimate):
        return f"{case.name}: no pair of trials recorded both {case.mediator} and {case.metric}, so nothing can be said of the way through it."
    reason = "it moves by the same amount under every seed" if on_mediator.exact else "there are fewer than 4 seeds"
    return (
        f"{case.name} changes {case.metric} by {in_words(total)}, and {case.mediator} by {in_words(on_mediator)}. How much goes through it is not "
        f"identified: {reason}, so nothing tells what {case.mediator} does from what the flip does. Add a configuration that flips {case.name} and "
        f"holds {case.mediator} (a matched control), or a component that moves {case.mediator} alone."
    )
