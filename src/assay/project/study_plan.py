"""A plan as a user holds it: printed before anything runs."""

from __future__ import annotations

import textwrap

from assay.questions.study.definition import Definition
from assay.records.plan import Plan, Trial
from assay.report.numbers import duration

_WIDTH = 100
_NAMES = 40
"""Configurations that are listed by name; a factorial may have thousands."""


class PlanView:
    """What a study will run, what its effects will mean, and what it will not be able to show. `print(plan)` says it in words.

    Attributes:
        plan: the plan itself, plain data.
        definition: what is asked; its id is the study's.
        seconds_per_trial: mean of earlier trials in seconds; None where nothing like it was run before.
    """

    def __init__(self, definition: Definition, plan: Plan, seconds_per_trial: float | None = None) -> None:
        self.definition = definition
        self.plan = plan
        self.seconds_per_trial = seconds_per_trial

    @property
    def study(self) -> str:
        """Id of the study that the plan is of."""
        return self.definition.id

    @property
    def design(self) -> str:
        """Name of the design."""
        return self.plan.design

    @property
    def trials(self) -> tuple[Trial, ...]:
        """Block by block."""
        return self.plan.trials

    @property
    def estimand(self) -> str:
        """What an effect means."""
        return self.plan.estimand

    def __len__(self) -> int:
        return len(self.plan.trials)

    def __repr__(self) -> str:
        return str(self)

    def __str__(self) -> str:
        plan = self.plan
        title = f"Study {self.definition.name or self.study[:12]}: {plan.design}"
        size = f"{len(plan.configurations)} configurations x {len(plan.blocks)} seeds = {len(plan.trials)} trials"
        facts = [
            ("Trials", f"{size}; seeds {_seeds([block.seed for block in plan.blocks])}"),
            ("Time", time_in_words(plan, self.seconds_per_trial)),
            ("Metrics", "; ".join(_goals(self.definition))),
            ("Effect", plan.estimand),
            ("Sees", _sees(plan)),
        ]
        lines = [title, *(_paragraph(f"  {label + ':':10}", text) for label, text in facts)]
        lines += _section("Configurations", [configuration.name for configuration in plan.configurations])
        lines += _section("Cannot see", list(plan.cannot_see))
        lines += _section("Hypotheses (sealed before the first trial)", _hypotheses(self.definition))
        return "\n".join(lines)


def time_in_words(plan: Plan, per_trial: float | None, workers: int = 1) -> str:
    """How long the plan will take, at `per_trial` seconds a trial (None: not known) with so many workers."""
    if per_trial is None:
        return "unknown until the first trial"
    total = per_trial * len(plan.trials) / workers
    return f"about {duration(total)} with {workers} worker{'s' * (workers > 1)} (earlier trials took {duration(per_trial)} each)"


def _paragraph(start: str, text: str) -> str:
    return textwrap.fill(text, _WIDTH, initial_indent=start, subsequent_indent=" " * len(start), break_on_hyphens=False)


def _section(title: str, items: list[str]) -> list[str]:
    if not items:
        return []
    shown = items[:_NAMES] + ([f"and {len(items) - _NAMES} more"] if len(items) > _NAMES else [])
    return [f"  {title}:", *(_paragraph("    - ", item) for item in shown)]


def _seeds(seeds: list[int]) -> str:
    if len(seeds) > 2 and seeds == list(range(seeds[0], seeds[0] + len(seeds))):
        return f"{seeds[0]} to {seeds[-1]}"
    return ", ".join(map(str, seeds))


def _goals(definition: Definition) -> list[str]:
    return [
        f"{goal.goal} {goal.name}"
        + (f" (margin {goal.margin:g})" if goal.margin is not None else "")
        + (" (measured)" if goal.measured else "")
        for goal in definition.goals
    ]


def _sees(plan: Plan) -> str:
    if plan.detectable is None:
        return "no interval can be given with these seeds"
    return f"effects from {plan.detectable:.2g} standard deviations of the paired difference on, with 80 % power"


def _hypotheses(definition: Definition) -> list[str]:
    return [
        f"{item.component} {item.direction} {item.metric}" + (f" by at least {item.by:g}" if item.by else "")
        for item in definition.hypotheses
    ]
