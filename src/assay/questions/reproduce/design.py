"""What is carried out, and how its values are put against what was recorded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from assay.errors import InvalidValue, UsageError
from assay.execution.again import equals, seed_of, sisters
from assay.records.finding import Finding
from assay.records.recipe import Recipe
from assay.records.run import Run
from assay.records.verdict import Verdict
from assay.store.store import Store

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


def design_of(store: Store, run: Run, asked: Asked) -> Design:
    """The repetitions beyond the first that answer what is asked.

    Raises:
        InvalidValue: a number of runs or of seeds is below 1.
        UsageError: seeds are asked for, and the run has none.
    """
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
