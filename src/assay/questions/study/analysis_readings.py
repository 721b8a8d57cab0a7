"""What the trials reported, as tables by metric, and what has to be said of what they did not report."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from math import isfinite, isinf, isnan
from typing import Protocol

import numpy as np

from assay.errors import InvalidValue, UnknownMetric
from assay.questions.study.analysis_contrasts import Asked
from assay.records.factor import MetricGoal
from assay.records.finding import Finding
from assay.records.plan import Plan, Trial
from assay.records.run import Failure, State
from assay.stats.simultaneous import Array

LARGEST = 1e150
"""Squares of larger values overflow; a trial that reports one has diverged."""

_LONGEST_REASON = 200
_STATES = {"queued": "did not run", "running": "have not ended", "interrupted": "were interrupted"}


class Row(Protocol):
    """What the analysis reads of a trial; `assay.execution.protocol.Outcome` is one."""

    @property
    def trial(self) -> Trial:
        """Which trial of the plan."""

    @property
    def state(self) -> State:
        """State of the run; only what finished counts."""

    @property
    def metrics(self) -> Mapping[str, float]:
        """Values by name, NaN and infinities kept."""

    @property
    def failure(self) -> Failure | None:
        """Why it did not finish; None where it did, or where nobody knows."""


class Readings:
    """The trials of a plan by block and configuration.

    Args:
        plan: what was to be run.
        rows: what came of it, in any order; trials that are missing count as not run.
        goals: metrics that are asked about.

    Raises:
        InvalidValue: a row is of a configuration or block that the plan does not have, or a trial comes twice.
        UnknownMetric: no trial reports a metric that is asked about, though some report others.
    """

    def __init__(self, plan: Plan, rows: Sequence[Row], goals: Sequence[MetricGoal]) -> None:
        self.plan = plan
        self.names = [configuration.name for configuration in plan.configurations]
        self._column = {name: index for index, name in enumerate(self.names)}
        self._line = {block.index: line for line, block in enumerate(plan.blocks)}
        self._rows: dict[tuple[int, int], Row] = {}
        for row in rows:
            self._put(row)
        self.measured = {goal.name for goal in goals if goal.measured}
        self._check(goals)

    def table(self, metric: str) -> Array:
        """Values of a metric, shape (blocks, configurations); NaN where a trial failed, did not report it, or it is not finite."""
        table = np.full((len(self._line), len(self.names)), np.nan)
        for (line, column), row in self._finished.items():
            value = row.metrics.get(metric, np.nan)
            table[line, column] = value if not _unusable(value) else np.nan
        return table

    def changed(self, asked: Asked) -> list[str] | None:
        """Result metrics in which any pair of the comparison differs; None where no pair reports a number, so nothing can be said."""
        return self._differing(zip(asked.contrast.plus.tolist(), asked.contrast.minus.tolist(), strict=True))

    def moved(self, asked: Asked) -> bool:
        """Whether the effect's level changes a result beside any combination that was run, the baseline or another."""
        # The baseline comes first and has no levels, as named configurations have none.
        columns = {
            frozenset(one.levels.items()): column for column, one in enumerate(self.plan.configurations) if one.levels or not column
        }
        pairs = []
        for column, one in enumerate(self.plan.configurations):
            for factor, level in one.levels.items():
                without = columns.get(frozenset(one.levels.items() - {(factor, level)}))
                if without is not None and asked.name in (factor, f"{factor}: {level}"):
                    pairs.append((column, without))
        return bool(self._differing(pairs))

    def _differing(self, pairs: Iterable[tuple[int, int]]) -> list[str] | None:
        different: set[str] = set()
        compared = False
        finished = self._finished
        for plus, minus in pairs:
            for line in range(len(self._line)):
                if (line, plus) in finished and (line, minus) in finished:
                    one, other = self._results(finished[line, plus]), self._results(finished[line, minus])
                    compared = compared or any(isfinite(value) for value in one.values())
                    different |= {name for name in one.keys() | other.keys() if not _equal(one.get(name), other.get(name))}
        return sorted(different) if compared else None

    def findings(self, goals: Sequence[MetricGoal]) -> list[Finding]:
        """Failed, missing and non-finite values, counted by configuration."""
        found: list[Finding] = []
        for column, name in enumerate(self.names):
            found += self._unfinished(column, name)
            for goal in goals:
                found += self._not_numbers(column, name, goal.name)
        return found

    def _put(self, row: Row) -> None:
        trial = row.trial
        if trial.configuration not in self._column or trial.block not in self._line:
            raise InvalidValue(
                "a trial is not of this plan", value=(trial.configuration, trial.block), expected="trials of the plan"
            )
        place = self._line[trial.block], self._column[trial.configuration]
        if place in self._rows:
            raise InvalidValue(
                "a trial comes twice", value=(trial.configuration, trial.block), expected="each trial of the plan once"
            )
        self._rows[place] = row

    @cached_property
    def _finished(self) -> dict[tuple[int, int], Row]:
        return {place: row for place, row in self._rows.items() if row.state == "finished"}

    def _results(self, row: Row) -> dict[str, float]:
        return {name: value for name, value in row.metrics.items() if name not in self.measured}

    def _check(self, goals: Sequence[MetricGoal]) -> None:
        finished = self._finished.values()
        reported = sorted({name for row in finished for name in row.metrics})
        for goal in goals:
            if finished and goal.name not in reported:
                raise UnknownMetric(
                    "no trial reports this metric",
                    value=goal.name,
                    expected="one of " + ", ".join(map(repr, reported)) if reported else "a metric; they report none at all",
                    next_step="Correct the study's metrics, or let the trials report it.",
                )

    def _unfinished(self, column: int, name: str) -> list[Finding]:
        """The configuration's trials that gave nothing, with their seeds and what most of them failed of."""
        by_state: dict[str, list[int]] = {}
        failures: dict[str, list[Failure | None]] = {}
        for line in range(len(self._line)):
            row = self._rows.get((line, column))
            state = "queued" if row is None else row.state
            if state != "finished":
                by_state.setdefault(_STATES.get(state, state), []).append(line)
                failures.setdefault(_STATES.get(state, state), []).append(row.failure if row else None)
        return [
            Finding(
                kind="failed trials",
                about=name,
                text=f"{self._of_all(lines)} {state}{_because(failures[state])}. Their pairs are left out of every comparison; "
                "nothing stands in for them.",
            )
            for state, lines in by_state.items()
        ]

    def _not_numbers(self, column: int, name: str, metric: str) -> list[Finding]:
        kinds: dict[str, list[int]] = {}
        for line in range(len(self._line)):
            row = self._rows.get((line, column))
            if row is not None and row.state == "finished":
                value = row.metrics.get(metric)
                kind = "no value" if value is None else _unusable(value)
                if kind:
                    kinds.setdefault(kind, []).append(line)
        return [
            Finding(
                kind="not reported" if kind == "no value" else "not finite",
                about=name,
                text=f"{metric}: {self._of_all(lines)} gave {kind}. Their pairs are left out of this metric's comparisons, never averaged.",
            )
            for kind, lines in kinds.items()
        ]

    def _of_all(self, lines: Sequence[int]) -> str:
        seeds = ", ".join(map(str, dict.fromkeys(self.plan.blocks[line].seed for line in lines)))
        return f"{len(lines)} of {len(self._line)} trials (seed{'s' if len(lines) > 1 else ''} {seeds})"


def _because(failures: Sequence[Failure | None]) -> str:
    """The reason that was given most often, and how many others there are; empty where none was given."""
    reasons = Counter(reason(failure) for failure in failures if failure is not None)
    if not reasons:
        return ""
    ((first, count),) = reasons.most_common(1)
    others = reasons.total() - count
    return f" ({first})" if not others else f" ({first}; {others} for other reasons, which their rows name)"


def reason(failure: Failure) -> str:
    """A failure in one line."""
    lines = failure.text.strip().splitlines()
    return f"{failure.kind}: {lines[0].strip()[:_LONGEST_REASON].rstrip('.')}" if lines else failure.kind


def _unusable(value: float) -> str:
    """Why a value cannot be compared; empty where it can."""
    value = float(value)  # trials may report NumPy's 32-bit numbers, which overflow at the comparison below
    if isnan(value):
        return "NaN"
    if isinf(value):
        return "an infinite value"
    return "a value too large to be compared" if abs(value) > LARGEST else ""


def _equal(one: float | None, other: float | None) -> bool:
    if one is None or other is None:
        return one is other
    return one == other or (isnan(one) and isnan(other))
