"""Points of the search made real: composed, carried out or found, and read."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from assay.ablation.search.records import Point
from assay.errors import AssayError, UnknownMetric
from assay.execution.again import Carried, Original, Terms, carry_out_all
from assay.questions.why.flips import Part, Variant, compose
from assay.questions.why.seeds import SeedHandle
from assay.records.attribution import Tried
from assay.records.finding import Finding
from assay.records.run import Run
from assay.store.store import Store
from assay.tracking.series import choose

_FIRST_SEEDS = 64


class Question(NamedTuple):
    """What is asked, with all that variants are made of.

    Attributes:
        store, root: where the runs are and go; the project's root now.
        good, bad: the two runs.
        parts: their differences.
        metric: its name, or `NAME@min`, `@max`, `@mean`.
        seeds: the handle by which blocks are reseeded; None where there is none.
        workers: runs at once.
        timeout: seconds for each run; None: as long as it takes.
    """

    store: Store
    root: Path
    good: Original
    bad: Original
    parts: Sequence[Part]
    metric: str
    seeds: SeedHandle | None
    workers: int
    timeout: float | None


class Trials:
    """Carries out what a search asks for, and remembers it.

    Attributes:
        tried: every point with what came of it, in the order of their ends.
        findings: what was said before the first run started.
    """

    def __init__(self, question: Question, progress: Callable[[Tried], None]) -> None:
        self._question = question
        self._progress = progress
        self._used: dict[tuple[frozenset[str], int], set[str]] = {}
        self.tried: dict[Point, Tried] = {}
        self.findings: list[Finding] = []
        self._fresh: set[str] = set()

    def carry_out(self, points: Sequence[Point]) -> Iterator[tuple[Point, float | None]]:
        """The value of each point as soon as it is known: NaN where the run reported no number, None where the combination cannot run.

        Raises:
            KeyboardInterrupt: the user stopped it.
        """
        jobs: list[tuple[Point, Original, Terms]] = []
        for point in points:
            try:
                jobs.append(self._job(point))
            except AssayError as error:  # a combination that cannot be made is an outcome
                yield point, self._keep(point, None, str(error))
        known = set(self._question.store.runs.ids())
        question = self._question
        for carried in carry_out_all(question.store, question.root, jobs, workers=question.workers):
            yield carried.key, self._take(carried, known)

    def seed_of(self, point: Point) -> int | None:
        """The seed that a point's block stands for."""
        handle = self._question.seeds
        return None if handle is None else handle.seeds(max(_FIRST_SEEDS, point.block + 1))[point.block]

    def _job(self, point: Point) -> tuple[Point, Original, Terms]:
        question = self._question
        variant = compose(question.good, question.bad, question.parts, point.bad)
        variant = self._seeded(variant, point)
        used = frozenset(self._used.get((point.bad, point.block), set())) if point.repeat else frozenset()
        terms = Terms(
            name=f"why {question.good.run.id[:6]} {question.bad.run.id[:6]}",
            by="variant",
            interpreter=variant.interpreter,
            timeout=question.timeout,
            reuse=True,
            used=used,
        )
        return point, variant.original, terms

    def _seeded(self, variant: Variant, point: Point) -> Variant:
        handle, seed = self._question.seeds, self.seed_of(point)
        if handle is None or seed is None:
            return variant
        return variant._replace(original=handle.set(variant.original, seed))

    def _take(self, carried: Carried[Point], known: set[str]) -> float | None:
        if not self.findings:
            self.findings += carried.findings
        if carried.run is None:
            return self._keep(carried.key, None, str(carried.error))
        self._used.setdefault((carried.key.bad, carried.key.block), set()).add(carried.run.id)
        return self._keep(carried.key, carried.run, "", reused=carried.run.id in known)

    def _keep(self, point: Point, run: Run | None, why: str, *, reused: bool = False) -> float | None:
        value = None
        if run is not None:
            value, why = self._value(run)
        tried = Tried(
            bad=tuple(sorted(point.bad)), seed=self.seed_of(point), run=run.id if run else None, value=value, reused=reused, why=why
        )
        self.tried[point] = tried
        self._progress(tried)
        return value

    def _value(self, run: Run) -> tuple[float | None, str]:
        if run.state != "finished":
            failure = run.result.failure if run.result else None
            said = failure.text.strip().splitlines()[-1:] if failure else []
            return None, f"the run {run.state}" + (f": {said[0]}" if said else "")
        value = metric_of(run, self._question.metric)
        return (math.nan, "the run did not report the metric") if value is None else (value, "")


def metric_of(run: Run, metric: str) -> float | None:
    """The value of the metric that a run has; None where it did not report it."""
    try:
        return choose(run.result.metrics if run.result else {}, metric)
    except UnknownMetric:
        return None
