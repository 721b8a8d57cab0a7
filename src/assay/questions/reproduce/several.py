"""A run carried out again several times, or under several seeds, and what all of them say together."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TypeVar

import msgspec

from assay.comparison.closeness import worst
from assay.questions.reproduce.bounds import margins_of, with_learned
from assay.questions.reproduce.design import Asked, Done, design_of
from assay.records.finding import Finding
from assay.records.run import Run
from assay.records.verdict import Divergence, FileComparison, MetricComparison, Repetition, Verdict
from assay.store.store import Store

Again = Callable[[Run, int | None], tuple[Run, Verdict]]
"""Carries a run out again, under another seed where one is given, and compares."""
_One = TypeVar("_One", MetricComparison, FileComparison)


def repeat(store: Store, run: Run, asked: Asked, again: Again) -> tuple[Run, Verdict]:
    """Carry a run out as often as asked, and say what all repetitions show together; the first new run, and the verdict.

    Each repetition is a run of its own. Identical or numerical is the verdict only where every one of them is; statistical where they are
    not, all ended as they should, and every metric with a margin passed its test. One that comes back by itself needs no statistics: the
    other seeds are carried out only where their number was asked for.

    Raises:
        InvalidValue: a margin, a number of runs or a number of seeds cannot be used.
        UnknownMetric: a margin is for a metric that the run does not have.
        UsageError: a statistical verdict is asked for without a margin, over seeds of a run that has none, or with a margin to be learned
            from runs that are not there.
        AssayError: everything that `again` raises.
    """
    design = design_of(store, run, asked)
    margins = margins_of(store, run, asked)
    done = [_carried_out(again, run, None)]
    enough = asked.runs is None and asked.seeds is None and done[0].verdict.verdict in ("identical", "numerical")
    if not (asked.statistical and enough):
        done += [_carried_out(again, original, seed) for original, seed in design.further]
    if asked.learn:
        done = [with_learned(store, each, done, asked) for each in done]
    verdict = _together(done, design.findings if len(done) > 1 else ())
    if asked.statistical and verdict.verdict == "not reproduced":
        # Late: scipy takes a third of a second to load, and most reproductions come back by themselves.
        from assay.questions.reproduce.statistical import with_equivalence

        verdict = with_equivalence(verdict, done, design, margins)
    return done[0].again, verdict


def _carried_out(again: Again, original: Run, seed: int | None) -> Done:
    run, verdict = again(original, seed)
    return Done(original, run, seed, verdict)


def _together(done: Sequence[Done], findings: Iterable[Finding]) -> Verdict:
    """What all repetitions show: of each metric and file the worst comparison, of the verdicts too."""
    judged = [each for each in done if each.seed is None]
    verdicts = [each.verdict for each in judged]
    runs = tuple(
        Repetition(
            run=each.again.id,
            original=each.original.id,
            seed=each.seed,
            verdict=each.verdict.verdict if each.seed is None else None,
        )
        for each in done
    )
    said = dict.fromkeys((*(finding for verdict in verdicts for finding in verdict.findings), *findings))
    return Verdict(
        verdict=worst(verdict.verdict for verdict in verdicts),
        metrics=tuple(_worst_of([verdict.metrics for verdict in verdicts])),
        files=tuple(_worst_of([verdict.files for verdict in verdicts])),
        divergence=_first([verdict.divergence for verdict in verdicts]),
        findings=tuple(said),
        runs=runs,
    )


def _worst_of(several: Sequence[Sequence[_One]]) -> Iterator[_One]:
    groups: dict[str, list[_One]] = {}
    for comparisons in several:
        for each in comparisons:
            groups.setdefault(each.name if isinstance(each, MetricComparison) else each.path, []).append(each)
    for name in sorted(groups):
        group = groups[name]
        sameness = worst(each.sameness for each in group)
        first = next(each for each in group if each.sameness == sameness)
        alike = sum(each.sameness == sameness for each in group)
        if len(several) == 1 or sameness == "identical":
            yield first
        else:
            note = f"{first.note}; " if first.note else ""
            yield msgspec.structs.replace(first, note=f"{note}so in {alike} of {len(several)} runs")


def _first(divergences: Iterable[Divergence | None]) -> Divergence | None:
    found = [each for each in divergences if each is not None]
    return min(
        found, key=lambda each: (each.kind == "file", each.step if each.step is not None else each.position or 0), default=None
    )
