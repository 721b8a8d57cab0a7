"""What trials cost, as metrics that a study can ask about by name though no trial reports them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import isnan, nan

import msgspec

from assay.execution.protocol import Executor, Job, Outcome
from assay.records.factor import MetricGoal
from assay.records.run import Resources

COSTS: Mapping[str, Callable[[float, Resources | None], float]] = {
    "seconds": lambda seconds, _: seconds,
    "cpu_seconds": lambda _, used: nan if used is None else used.cpu_user + used.cpu_system,
    "peak_memory": lambda _, used: nan if used is None else float(used.peak_memory),
}
"""What Assay measures of every trial, less being better: wall seconds, CPU seconds, bytes."""


def as_measured(goals: Sequence[MetricGoal]) -> tuple[MetricGoal, ...]:
    """The goals, those of a cost as measurements: no time is ever part of a no-op or of sameness, whoever took it."""
    return tuple(msgspec.structs.replace(goal, measured=True) if goal.name in COSTS else goal for goal in goals)


def costed(executor: Executor, goals: Sequence[MetricGoal]) -> Executor:
    """The executor, whose outcomes have the costs that goals ask for among their metrics, where trials do not report them themselves."""
    asked = [goal.name for goal in goals if goal.name in COSTS]
    return _Costed(executor, asked) if asked else executor


class _Costed:
    def __init__(self, executor: Executor, asked: Sequence[str]) -> None:
        self._executor = executor
        self._asked = asked

    def carry_out(self, jobs: Sequence[Job], *, study: str, workers: int, report: Callable[[Outcome], None]) -> list[Outcome]:
        """As the executor's own."""

        def with_costs(outcome: Outcome) -> None:
            report(self._with_costs(outcome))

        outcomes = self._executor.carry_out(jobs, study=study, workers=workers, report=with_costs)
        return [self._with_costs(one) for one in outcomes]

    def _with_costs(self, outcome: Outcome) -> Outcome:
        if outcome.state != "finished":
            return outcome
        costs = {name: COSTS[name](outcome.seconds, outcome.resources) for name in self._asked}
        return outcome._replace(metrics={name: value for name, value in costs.items() if not isnan(value)} | outcome.metrics)
