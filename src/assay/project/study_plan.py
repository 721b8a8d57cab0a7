"""A plan as a user holds it: printed before anything runs."""

from __future__ import annotations

import shutil
import textwrap
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from assay.ablation.designs import ADAPTIVE
from assay.errors import InvalidStudy
from assay.project.study_adaptive import configurations_in_words, cost_in_words, rule_in_words, sees_in_words
from assay.project.study_designs import detect
from assay.project.study_others import Other, other_designs
from assay.questions.study.definition import Definition
from assay.questions.study.gate_plan import gate_in_words
from assay.questions.study.pilot import Noise
from assay.records.plan import Plan, Trial
from assay.report.numbers import duration

_NARROWEST, _WIDEST = 40, 100
_NAMES = 40
"""Configurations that are listed by name; a factorial may have thousands."""
_ALIASES = 12


class Expected(NamedTuple):
    """What is known of a plan's time before it starts.

    Attributes:
        seconds: mean of earlier trials; None where nothing like it was run before.
        finished: trials of the plan that have finished before.
        noise: of the metrics, as far as earlier trials tell it.
    """

    seconds: float | None = None
    finished: int = 0
    noise: Mapping[str, Noise] = MappingProxyType({})


class PlanView:
    """What a study will run, what its effects will mean, and what it will not be able to show. `print(plan)` says it in words.

    Attributes:
        plan: the plan itself, plain data.
        definition: what is asked; its id is the study's.
        expected: what earlier trials say of the time it will take.
        workers: how many trials will run at once, as far as is known.
    """

    def __init__(self, definition: Definition, plan: Plan, expected: Expected, workers: int = 1) -> None:
        self.definition = definition
        self.plan = plan
        self.expected = expected
        self.workers = workers

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

    def detect(self, effect: str) -> dict[str, Any]:
        """Seeds and runs with which each design of these components sees an effect, at the noise of earlier trials.

        Args:
            effect: "0.01" for the first metric, or "accuracy=0.01".

        Raises:
            InvalidStudy: it is no size, the study has no such metric or has splits, or no earlier trial tells its noise.
        """
        if self.plan.splits is not None:
            raise InvalidStudy(
                f"how many {self.plan.splits.parameter}s would be needed is not computed: they share their data",
                value=effect,
                expected="a study of seeds alone",
                next_step="Plan it without folds and splits.",
            )
        return detect(self.definition, self.expected.noise, effect, self.expected.seconds, workers=self.workers)

    def __len__(self) -> int:
        return len(self.plan.trials)

    def __repr__(self) -> str:
        return str(self)

    def __str__(self) -> str:
        return self.in_words(self.workers)

    def in_words(self, workers: int) -> str:
        """The plan as it is printed, with the time that it takes so many workers."""
        plan = self.plan
        title = f"Study {self.definition.name or self.study[:12]}: {plan.design}"
        size = f"{len(plan.configurations)} configurations x {_blocks(plan)} = {len(plan.trials)} trials"
        sees = _sees(plan, self.expected.noise)
        if plan.design == ADAPTIVE:
            size = cost_in_words(self.definition, plan)
            sees = sees_in_words(self.definition, plan, self.expected.noise)
        facts = [
            ("Trials", f"{size}; seeds {_seeds(list(dict.fromkeys(block.seed for block in plan.blocks)))}"),
            ("Time", time_in_words(len(plan.trials), self.expected, workers)),
            ("Metrics", "; ".join(_goals(self.definition))),
            ("Effect", plan.estimand),
            ("Sees", sees),
            ("Gate", gate_in_words(self.definition, plan)),
        ]
        if plan.design == ADAPTIVE:
            facts.insert(1, ("Stops", rule_in_words(self.definition)))
        lines = [title, *(_paragraph(f"  {label + ':':10}", text) for label, text in facts)]
        lines += _section("Configurations", configurations_in_words(plan))
        lines += _section("Cannot see", list(plan.cannot_see))
        lines += _section("Aliases (come in one number)", _aliases(plan), most=_ALIASES)
        others = self.others(workers)
        cheaper = [one.words for one in others if one.runs < len(plan.trials)]
        lines += _section("Other designs that cost less", cheaper)
        lines += _section("Other designs that cost as much or more", [one.words for one in others[len(cheaper) :]])
        lines += _section("Hypotheses (sealed before the first trial)", [one.words for one in self.definition.hypotheses])
        return "\n".join(lines)

    def others(self, workers: int = 1) -> list[Other]:
        """Designs that these components can have beside this one, with what they cost and tell; the cheapest first."""
        return other_designs(self.definition, self.plan, self.expected.noise, self.expected.seconds, workers)

    def document(self) -> dict[str, Any]:
        """What is known before anything runs, beside the plan itself: the time, effects that can be seen in each metric's unit, other designs."""
        detectable = self.plan.detectable
        noise = self.expected.noise if detectable is not None else {}
        return {
            "expected": {"seconds_per_trial": self.expected.seconds, "finished": self.expected.finished},
            "detectable": {metric: (detectable or 0.0) * one.deviation for metric, one in noise.items()},
            "others": [one.document() for one in self.others(self.workers)],
        }


def time_in_words(trials: int, expected: Expected, workers: int = 1) -> str:
    """How long so many trials will take with so many workers, and which of them need not be run again.

    >>> time_in_words(12, Expected(10.0, finished=8), workers=2)
    'about 20.0 s with 2 workers (earlier trials took 10.0 s each); 8 of 12 trials have finished before and are reused where nothing changed'
    """
    reused = f"{expected.finished} of {trials} trials have finished before and are reused where nothing changed"
    rest = trials - expected.finished
    if not rest:
        return f"next to none: {reused}"
    if expected.seconds is None:
        return "unknown until the first trial"
    took = f"about {duration(expected.seconds * rest / min(workers, rest))} with {workers} worker{'s' * (workers > 1)}"
    said = f"{took} (earlier trials took {duration(expected.seconds)} each)"
    return f"{said}; {reused}" if expected.finished else said


def _paragraph(start: str, text: str) -> str:
    # Of the terminal, or as COLUMNS says; longer lines than the widest are hard to read.
    width = max(_NARROWEST, min(_WIDEST, shutil.get_terminal_size((_WIDEST, 24)).columns))
    return textwrap.fill(text, width, initial_indent=start, subsequent_indent=" " * len(start), break_on_hyphens=False)


def _section(title: str, items: list[str], most: int = _NAMES) -> list[str]:
    if not items:
        return []
    shown = items[:most] + ([f"and {len(items) - most} more"] if len(items) > most else [])
    return [f"  {title}:", *(_paragraph("    - ", item) for item in shown)]


def _blocks(plan: Plan) -> str:
    number = len({block.seed for block in plan.blocks})
    seeds = f"{number} seed{'s' * (number > 1)}"
    return seeds if plan.splits is None else f"{seeds} x {len(plan.splits.names)} {plan.splits.parameter}s"


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


def _sees(plan: Plan, noise: Mapping[str, Noise]) -> str:
    if plan.detectable is None:
        return "no interval can be given with these seeds"
    known = [f"{metric} {plan.detectable * one.deviation:.2g}" for metric, one in noise.items()]
    said = f"effects from {plan.detectable:.2g} standard deviations of the paired difference on, with 80 % power"
    return f"{said}; at the noise of earlier trials: {', '.join(known)}" if known else said


def _aliases(plan: Plan) -> list[str]:
    # Of designs at one corner each effect is its whole interaction with everything else, which "Cannot see" says in a sentence.
    if plan.design in ("leave-one-out", "add-one-in", "ladder"):
        return []
    return [
        f"{name} = {', '.join(aliases[:6])}{f' and {len(aliases) - 6} more' if len(aliases) > 6 else ''}"
        for name, aliases in plan.aliases.items()
    ]
