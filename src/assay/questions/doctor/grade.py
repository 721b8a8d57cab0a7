"""What sameness a script can promise, from what moves its result."""

from __future__ import annotations

from collections.abc import Sequence

from assay.comparison.closeness import worst
from assay.questions.doctor.diagnosis import Grade, Mover
from assay.questions.doctor.sources import BY_NAME
from assay.records.verdict import Sameness


def grade_of(apart: Sameness, movers: Sequence[Mover], together: Sequence[str], unknown: bool) -> Grade:
    """The best promise that holds for the script as it is.

    Identical: nothing moved the result. Identical under named settings: what moves it can be the same by a setting or by the choice of a
    machine. Else it will differ from run to run: numerically where every difference was within tolerance, statistically where one was not.

    Args:
        apart: how far runs of the same recipe were apart.
        movers: what moves the result alone.
        together: what moves it only together.
        unknown: whether something else does.
    """
    named = [bool(BY_NAME[mover.source].setting) for mover in movers] + [bool(BY_NAME[name].setting) for name in together]
    if not named and not unknown and apart == "identical":
        return "identical"
    if named and all(named) and not unknown:
        return "identical under named settings"
    free = [mover.sameness for mover in movers if not BY_NAME[mover.source].setting]
    return "numerical" if worst([apart, *free]) in ("identical", "numerical") and not together else "statistical"


def settings_named(movers: Sequence[Mover], together: Sequence[str]) -> list[str]:
    """The settings that have to be the same for the result to be so."""
    names = dict.fromkeys([*(mover.source for mover in movers), *together])
    return [BY_NAME[name].setting for name in names if BY_NAME[name].setting]
