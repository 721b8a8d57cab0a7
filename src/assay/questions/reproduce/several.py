"""A run carried out again several times, or under several seeds, and what all of them say together."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple, TypeVar

import msgspec

from assay.comparison.closeness import worst
from assay.comparison.curves import curves
from assay.comparison.noise import FEWEST, Learned, learned
from assay.comparison.verdict import compare
from assay.errors import InvalidValue, UsageError
from assay.execution.again import equals, seed_of, sisters
from assay.records.finding import Finding
from assay.records.recipe import Recipe
from assay.records.run import Run
from assay.records.verdict import Divergence, FileComparison, MetricComparison, Repetition, Verdict
from assay.store.store import Store

Again = Callable[[Run, int | None], tuple[Run, Verdict]]
"""Carries a run out again, under another seed where one is given, and compares."""
_One = TypeVar("_One", MetricComparison, FileComparison)
DEFAULT = 5
"""Runs, or seeds, where a statistical verdict is asked for and nobody says how many."""


class Asked(NamedTuple):
    """What is to be said of a run, and from how many repetitions.

    Attributes:
        runs: how often it is carried out; None: once, or `DEFAULT` times where a statistical verdict needs them.
        seeds: how many seeds a statistical verdict rests on; None: all that are recorded, at most `DEFAULT`.
        statistical: whether means that are the same up to a margin are enough.
        margins: metric (or `loss@min`) to its margin in the metric's unit; None: learned from equal runs.
        tolerances: as for `assay.comparison.verdict.compare`.
        learn: take the tolerance of every other metric from runs of the very same recipe.
    """

    runs: int | None = None
    seeds: int | None = None
    statistical: bool = False
    margins: Mapping[str, float | None] = {}
    tolerances: Mapping[str, tuple[float, float]] = {}
    learn: bool = False


class Done(NamedTuple):
    """One repetition: what was repeated, the new run, its seed where another was chosen, and the comparison of the two."""

    original: Run
    again: Run
    seed: int | None
    verdict: Verdict


class Design(NamedTuple):
    """What is carried out after the first repetition, and how the values are put against each other.

    Attributes:
        further: runs to repeat, with the seed where it is to be another.
        recorded: runs whose values stand for what was recorded.
        paired: each repetition stands against its own original.
        findings: what has to be said of it.
    """

    further: Sequence[tuple[Run, int | None]]
    recorded: Sequence[Run] = ()
    paired: bool = False
    findings: tuple[Finding, ...] = ()


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
    design = _design(store, run, asked)
    margins = _margins(store, run, asked)
    done = [_carried_out(again, run, None)]
    enough = asked.runs is None and asked.seeds is None and done[0].verdict.verdict in ("identical", "numerical")
    if not (asked.statistical and enough):
        done += [_carried_out(again, original, seed) for original, seed in design.further]
    if asked.learn:
        done = [_with_learned(store, each, done, asked) for each in done]
    verdict = _together(done, design.findings if len(done) > 1 else ())
    if asked.statistical and verdict.verdict == "not reproduced":
        # Late: scipy takes a third of a second to load, and most reproductions come back by themselves.
        from assay.questions.reproduce.statistical import with_equivalence

        verdict = with_equivalence(verdict, done, design, margins)
    return done[0].again, verdict


def _carried_out(again: Again, original: Run, seed: int | None) -> Done:
    return Done(original, (found := again(original, seed))[0], seed, found[1])


def _design(store: Store, run: Run, asked: Asked) -> Design:
    for name, number in (("--runs", asked.runs), ("--seeds", asked.seeds)):
        if number is not None and number < 1:
            raise InvalidValue(f"{name} counts what is carried out", value=number, expected="a number from 1 upwards")
    if not asked.statistical:
        return Design([(run, None)] * ((asked.runs or 1) - 1))
    seed = seed_of(store.objects.record(run.start.recipe, Recipe))
    if seed is None or (asked.runs is not None and asked.seeds is None):
        return _over_runs(store, run, asked, seeded=seed is not None)
    found = sisters(store, run)
    return _over_seeds(run, found, asked) if len(found) > 1 else _over_new_seeds(run, seed.value, asked)


def _over_runs(store: Store, run: Run, asked: Asked, *, seeded: bool) -> Design:
    if asked.seeds is not None and not seeded:
        raise UsageError(
            "this run has no seed that could be varied",
            value=run.id,
            expected="a run recorded with --seed, or one whose command has an argument such as --seed 0",
            next_step=f"Repeat it as it is: --runs {asked.seeds}.",
        )
    # A margin is never learned from what is judged.
    beside = [] if None in asked.margins.values() else equals(store, run)
    return Design([(run, None)] * ((asked.runs or DEFAULT) - 1), [run, *beside])


def _over_seeds(run: Run, found: Mapping[int, Sequence[Run]], asked: Asked) -> Design:
    """Every recorded seed carried out again: the new run of a seed stands against the recorded one."""
    own, *others = [each[0] for _, each in sorted(found.items(), key=lambda item: (item[1][0].id != run.id, item[0]))]
    wanted = (asked.seeds or min(len(found), DEFAULT)) - 1
    findings: tuple[Finding, ...] = ()
    if wanted > len(others):
        text = f"{wanted + 1} seeds were asked for, and {len(found)} are recorded; record the others with the same command to have more"
        findings = (Finding(kind="seeds", about=run.id, text=text),)
    chosen = others[:wanted]
    return Design([(each, None) for each in chosen], [own, *chosen], paired=True, findings=findings)


def _over_new_seeds(run: Run, own: int, asked: Asked) -> Design:
    """Only one seed is recorded: its value against those of seeds that it says nothing of."""
    fresh = [seed for seed in range((asked.seeds or DEFAULT) + 1) if seed != own][: asked.seeds or DEFAULT]
    text = (
        "one seed is recorded, so its value stands alone against those of other seeds; with several recorded they would be paired"
    )
    return Design([(run, seed) for seed in fresh], [run], findings=(Finding(kind="seeds", about=run.id, text=text),))


def _margins(store: Store, run: Run, asked: Asked) -> dict[str, tuple[float, int]]:
    """Each margin, and from how many runs it was learned."""
    if not asked.statistical:
        return {}
    if not asked.margins:
        raise UsageError(
            "means are called equal only up to a margin that is given beforehand",
            expected="--margin METRIC=DELTA, the largest difference that does not matter to you",
            next_step="Write --margin accuracy=0.01, in the metric's own unit.",
        )
    # Late: what chooses a value from a series is of no use to other verdicts.
    from assay.tracking.series import choose

    found: dict[str, tuple[float, int]] = {}
    limits: dict[str, Learned] | None = None
    for name, size in asked.margins.items():
        choose(run.result.metrics if run.result else {}, name)
        if size is None:
            limits = _of_equals(store, run) if limits is None else limits
            size, runs = _learned_margin(run, name, limits)
            found[name] = (size, runs)
        elif not 0 < size < float("inf"):
            raise InvalidValue(f"this is no margin for {name}", value=size, expected="a number above 0, in the metric's unit")
        else:
            found[name] = (size, 0)
    return found


def _learned_margin(run: Run, name: str, limits: Mapping[str, Learned]) -> tuple[float, int]:
    limit = limits.get(name)
    if limit is None or limit.atol == 0:
        why = "equal runs do not differ in it at all" if limit else f"fewer than {FEWEST} other finished runs of its recipe have it"
        raise UsageError(
            f"no margin of {name} can be learned: {why}",
            value=run.id,
            expected=f"at least {FEWEST} other runs of the very same recipe, which scatter",
            next_step=f"Say what does not matter to you: --margin {name}=0.01.",
        )
    return limit.atol, limit.runs


def _of_equals(store: Store, run: Run, others: Sequence[Run] = ()) -> dict[str, Learned]:
    return learned([[curves(store, each) for each in group] for group in (equals(store, run), others)])


def _with_learned(store: Store, one: Done, done: Sequence[Done], asked: Asked) -> Done:
    """The comparison anew, with tolerances from runs that are equal to its two sides and are none of them."""
    if one.seed is not None:
        return one
    others = [each.again for each in done if each is not one and each.original.id == one.original.id and each.seed is None]
    limits = _of_equals(store, one.original, others)
    verdict = compare(store, one.original, one.again, tolerances=asked.tolerances, learned=limits)
    said = one.verdict.findings
    if not limits:
        text = f"no tolerance could be learned: it takes {FEWEST} finished runs of the very same recipe beside the two that are compared"
        said = (*said, Finding(kind="noise", about=one.original.id, text=text))
    return one._replace(verdict=msgspec.structs.replace(verdict, findings=said))


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
