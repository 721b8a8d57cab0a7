"""What a cheaper or a stronger design of the same components would cost and tell, beside a plan."""

from __future__ import annotations

from collections.abc import Mapping
from math import sqrt
from typing import Any, NamedTuple

import msgspec

from assay.ablation.adaptive.plans import first_stop
from assay.ablation.alternatives import Alternative
from assay.ablation.components import merge
from assay.ablation.designs import ADAPTIVE
from assay.errors import InvalidStudy
from assay.project.study_adaptive import smallest
from assay.project.study_designs import others
from assay.questions.study.definition import Definition, plan_study
from assay.questions.study.pilot import Noise
from assay.records.plan import Plan
from assay.report.numbers import duration


class Other(NamedTuple):
    """A design that the study could have in place of its own.

    Attributes:
        design: its name, with the resolution of a fraction.
        configurations: how many it has; None where it draws them.
        fewest: trials that it runs at least.
        runs: trials that it runs at most.
        seconds: that these take; None where no earlier trial tells.
        sees: smallest effect that it shows with 80 % power, in standard deviations of a paired difference; None where that cannot be said.
        detectable: the same in the unit of each metric whose noise is known.
        tells: what it is good for, in a clause.
    """

    design: str
    configurations: int | None
    fewest: int
    runs: int
    seconds: float | None
    sees: float | None
    detectable: Mapping[str, float]
    tells: str

    @property
    def words(self) -> str:
        """Its cost, and what it tells, in a sentence."""
        cost = f"{self.configurations} configurations, {self.runs} trials"
        if self.configurations is None:
            cost = f"{self.fewest} to {self.runs} trials" if self.fewest < self.runs else f"{self.runs} trials"
        time = "" if self.seconds is None else f", {'at most' if self.configurations is None else 'about'} {duration(self.seconds)}"
        return f"{self.design}: {cost}{time}{self._smallest()}; {self.tells}"

    def _smallest(self) -> str:
        if self.sees is None:
            return ""
        known = ", ".join(f"{size:.2g} on {metric}" for metric, size in self.detectable.items())
        return f"; sees effects down to {known or f'{self.sees:.2g} standard deviations'}"

    def document(self) -> dict[str, Any]:
        """It as plain values."""
        return {**self._asdict(), "detectable": dict(self.detectable)}


def other_designs(
    definition: Definition, plan: Plan, noise: Mapping[str, Noise], seconds: float | None, workers: int
) -> list[Other]:
    """Every other design that these components can have, the cheapest first.

    Args:
        definition: the study.
        plan: its own, under whose seeds and splits the others would run.
        noise: of its metrics, from earlier trials.
        seconds: that a trial takes; None where it is not known.
        workers: trials at once.
    """
    own = (plan.design, len(plan.configurations))
    apart = [one for one in others(definition) if (one.design.partition(",")[0], one.configurations) != own]
    found = [_fixed(one, plan, noise) for one in apart]
    adaptive = _adaptive(definition, noise) if plan.design != ADAPTIVE else None
    found += [adaptive] if adaptive is not None else []
    timed = [one._replace(seconds=None if seconds is None else seconds * one.runs / min(workers, one.runs)) for one in found]
    return sorted(timed, key=lambda one: one.runs)


def _fixed(one: Alternative, plan: Plan, noise: Mapping[str, Noise]) -> Other:
    runs = one.configurations * len(plan.blocks)
    # Trials of one split share its data, so that blocks are no count of what is independent.
    sees = one.detectable(len(plan.blocks)) if plan.splits is None else None
    return Other(one.design, one.configurations, runs, runs, None, sees, _in_units(sees, noise), one.tells)


def _adaptive(definition: Definition, noise: Mapping[str, Noise]) -> Other | None:
    """The adaptive design with the budget that it has where nothing is said; None where these components cannot have it."""
    options = msgspec.structs.replace(definition.options, resolution=None, budget=None)
    try:
        plan = plan_study(msgspec.structs.replace(definition, design=ADAPTIVE, options=options))
    except InvalidStudy:
        return None
    counts = [len(factor.levels) for factor in merge(definition.factors)]
    # Its effects are in standard deviations of a trial; those of the others of a difference of two.
    sees = smallest(len(plan.trials), max(counts)) / sqrt(2)
    tells = "main effects and interactions of two, and it stops once they are decided; large effects are seen sooner"
    return Other(ADAPTIVE, None, first_stop(plan, sum(counts)), len(plan.trials), None, sees, _in_units(sees, noise), tells)


def _in_units(sees: float | None, noise: Mapping[str, Noise]) -> dict[str, float]:
    return {} if sees is None else {metric: sees * one.deviation for metric, one in noise.items()}
