"""Differences of the machines: they are named, since no run here can flip them."""

from __future__ import annotations

from assay.comparison.diff import differences
from assay.questions.why.flips import Flip
from assay.records.run import Run
from assay.store.store import Store

_BARRED = {
    "hardware": "it belongs to the machine that the run was on",
    "system": "it belongs to the machine that the run was on",
}


def unflippable(store: Store, good: Run, bad: Run) -> list[Flip]:
    """Hardware and system in which two runs differ."""
    found = differences(store, good, bad)
    return [Flip(each.kind, each.name, each.a, each.b, barred=_BARRED[each.kind]) for each in found if each.kind in _BARRED]
