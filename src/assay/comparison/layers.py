"""Checksums of layers that `assay.checkpoint_sums` recorded, side by side: the first layer, at the first step, in which two runs part."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from assay.records.journal import Sums
from assay.records.run import Run
from assay.records.verdict import Divergence, Sameness
from assay.store.store import Store

Layers = Mapping[str, tuple[bytes, float]]


class Moment(NamedTuple):
    """When sums were taken: the rank of the process, the step (None where none was given), and how often that had occurred before."""

    rank: int
    step: int | None
    again: int


class Parted(NamedTuple):
    """One layer whose checksums differ, or that one run lacks (its norm is then None)."""

    at: Moment
    layer: str
    a: float | None
    b: float | None


def recorded_sums(store: Store, run: Run) -> dict[Moment, Layers]:
    """The checksums of a run, in the order in which they were taken."""
    found: dict[Moment, Layers] = {}
    seen: dict[tuple[int, int | None], int] = {}
    for entry in store.runs.entries(run.id):
        if isinstance(entry, Sums):
            again = seen.get((entry.rank, entry.step), 0)
            seen[entry.rank, entry.step] = again + 1
            found[Moment(entry.rank, entry.step, again)] = entry.layers
    return found


def partings(a: Mapping[Moment, Layers], b: Mapping[Moment, Layers]) -> Iterator[Parted]:
    """Every layer in which the runs differ, the smallest step first, then in the order of the model.

    Nothing where one of the runs recorded no checksums at all: then they were not asked for.
    """
    if not a or not b:
        return
    moments = [*a, *(moment for moment in b if moment not in a)]
    for moment in sorted(moments, key=lambda moment: (moment.step if moment.step is not None else moment.again, moment.rank)):
        one, other = a.get(moment, {}), b.get(moment, {})
        for layer in [*one, *(layer for layer in other if layer not in one)]:
            left, right = one.get(layer), other.get(layer)
            if left is None or right is None or left[0] != right[0]:
                yield Parted(moment, layer, left[1] if left else None, right[1] if right else None)


def layer_divergence(a: Mapping[Moment, Layers], b: Mapping[Moment, Layers]) -> Divergence | None:
    """The first layer in which two runs differ, with its norms; None where there is none."""
    first = next(partings(a, b), None)
    if first is None:
        return None
    name = first.layer + (f" of rank {first.at.rank}" if first.at.rank else "")
    return Divergence(kind="layer", name=name, position=first.at.again, step=first.at.step, a=first.a, b=first.b)


def sums_sameness(a: Mapping[Moment, Layers], b: Mapping[Moment, Layers]) -> Sameness:
    """What checksums say of a result: they can deny that it is identical, and no more.

    A bit that differs in a weight says nothing of how far the results lie apart, which the metrics and files tell.
    """
    return "identical" if next(partings(a, b), None) is None else "numerical"
