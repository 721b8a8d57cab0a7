"""The adaptive design carried out: a batch of trials, a look, and so on until every metric is decided, or budget or time is used up."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from itertools import pairwise

import msgspec
import numpy as np

from assay.ablation.adaptive.course import Course
from assay.ablation.adaptive.order import BATCH, Coins, alternatives, coins
from assay.ablation.adaptive.plans import batches
from assay.ablation.components import merge
from assay.ablation.models import codes_of
from assay.execution.protocol import Outcome
from assay.questions.study.analysis_readings import LARGEST, Row
from assay.questions.study.definition import Definition
from assay.questions.study.former import Former
from assay.records.plan import Plan
from assay.stats.factorial_levels import centred, levelled, signs
from assay.stats.factorial_models import Space
from assay.stats.simultaneous import Array


class Courses:
    """What the trials say so far, metric by metric. The same trials give the same, told one batch at a time or all at once.

    Attributes:
        of: the terms.
        by_metric: one course for each metric.
        former: what former studies say; None where nobody asked.
    """

    def __init__(self, definition: Definition, plan: Plan, former: Former | None = None) -> None:
        factors = merge(definition.factors)
        counts = alternatives(factors)
        self.of: Space = levelled(counts)
        self.former = former
        informed = {name: levelled(counts, belief) for name, belief in former.belief.items()} if former is not None else {}
        until = definition.options.until
        self.by_metric = {goal.name: Course(self.of, goal.margin, informed.get(goal.name), until) for goal in definition.goals}
        self._told = 0
        self._edges = [0, *batches(plan, self.of.factors)]
        levels = {one.name: one.levels for one in plan.configurations}
        self._drawn = [trial.index for trial in plan.trials if trial.configuration not in plan.named]
        trials = [plan.trials[index] for index in self._drawn]
        codes = codes_of([levels[trial.configuration] for trial in trials], factors, {})
        self._blocks = np.array([trial.block for trial in trials])
        self._columns = self.of.columns(centred(codes, counts))
        self._signs = self.of.columns(signs(codes, counts))
        self._coins: Coins = coins(self.of, codes, self._blocks.tolist(), factors, plan.options.constraints)
        # Not drawn: the baseline, of which there is one under every seed where named configurations are compared with it.
        self._coins[[not levels[trial.configuration] for trial in trials]] = False

    @property
    def decided(self) -> bool:
        """Nothing is open for any metric."""
        return all(one.decided for one in self.by_metric.values())

    def tell(self, outcomes: Sequence[Row]) -> None:
        """All outcomes so far, in the order of the plan; those told before are passed over."""
        for begin, end in pairwise(self._edges):
            if begin >= self._told and begin < len(outcomes):
                self._batch(outcomes, begin, min(end, len(outcomes)))
        self._told = len(outcomes)

    def _batch(self, outcomes: Sequence[Row], begin: int, end: int) -> None:
        places = [place for place, index in enumerate(self._drawn) if begin <= index < end]
        rows = [outcomes[self._drawn[place]] for place in places]
        for metric, course in self.by_metric.items():
            values: Array = np.array([value_of(row, metric) for row in rows])
            course.tell(self._columns[places], values, self._blocks[places], self._coins[places], self._signs[places])


def value_of(row: Row, metric: str) -> float:
    """The metric's value where the trial finished and gave a number that can be compared; else NaN."""
    value = float(row.metrics.get(metric, np.nan)) if row.state == "finished" else np.nan
    return value if abs(value) <= LARGEST else np.nan


def realised(plan: Plan, trials: int) -> Plan:
    """The plan of the trials that were run: the first so many, and what they are of."""
    kept = plan.trials[:trials]
    used = {trial.configuration for trial in kept} | {"baseline", *plan.named}
    return msgspec.structs.replace(plan, trials=kept, configurations=tuple(one for one in plan.configurations if one.name in used))


def looked(
    definition: Definition,
    plan: Plan,
    carry_out: Callable[[int, int], list[Outcome]],
    seen: Callable[[list[Outcome], Courses], None],
    minutes: float | None = None,
    former: Former | None = None,
    ahead: int = 1,
) -> None:
    """Trials are run, with looks between them, until every metric is decided or the plan, or the time, is used up.

    Args:
        definition: what is asked.
        plan: all trials that may be run.
        carry_out: gives the outcomes of the trials from one number up to another.
        seen: is shown all outcomes so far, in the order of the plan, and what they say, after each batch.
        minutes: no batch begins later than this after the start; None: only the budget ends it.
        former: what former studies say; None where nobody asked.
        ahead: trials that may be run at once. More than the next look needs wait for theirs: where it ends does not depend on it.
    """
    courses, outcomes = Courses(definition, plan, former), list[Outcome]()
    began = time.monotonic()
    for end in batches(plan, courses.of.factors):
        if len(outcomes) < end:
            outcomes += carry_out(len(outcomes), min(len(plan.trials), max(end, len(outcomes) + min(ahead, BATCH))))
        courses.tell(outcomes[:end])
        seen(outcomes[:end], courses)
        if courses.decided or (minutes is not None and time.monotonic() - began >= minutes * 60):
            break
