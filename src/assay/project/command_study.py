"""A study of a command line."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Literal

import msgspec

from assay.ablation.plans import make_blocks
from assay.errors import InvalidStudy
from assay.execution.commands import CommandExecutor, Commands
from assay.execution.pool import refuse_recursion
from assay.project.study import carry_out, expected
from assay.project.study_designs import told
from assay.project.study_plan import PlanView
from assay.project.study_result import StudyResult
from assay.questions.study.archive import keep_evidence
from assay.questions.study.definition import define, plan_study
from assay.records.factor import Constraint, Factor, Hypothesis, MetricGoal
from assay.records.plan import Configuration
from assay.store.store import Store

OverrideStyle = Literal["space", "equals", "hydra"]
_PLACE = re.compile(r"\{([A-Za-z_][\w.-]*)\}")


class CommandStudy:
    """Which components of a command's configuration matter?

    Args:
        command: program and arguments; `{overrides}` stands for the configuration, `{seed}` for the seed, `{key}` for one value of the
            configuration, which is then not among the overrides.
        baseline: the configuration as it stands.
        components, metrics, seeds, configurations, hypotheses, constraints, groups: as for `assay.Study`.
        design, resolution, budget, priors: as for `assay.Study.plan`.
        workers: how many trials run at once where `run` is not told.
        data: files and folders, relative to `directory`, that every trial needs beside the code.
        override_style: "space" (`--key value`), "equals" (`--key=value`) or "hydra" (`key=value`).
        name: what reports call the study.
        root: project root.
        directory: where commands run, relative to the root.
    """

    def __init__(
        self,
        command: Sequence[str],
        baseline: Mapping[str, Any],
        components: Sequence[Factor],
        metrics: Sequence[MetricGoal],
        *,
        root: Path,
        directory: str = ".",
        seeds: int | Sequence[int] = 5,
        design: str = "leave-one-out",
        resolution: int | None = None,
        budget: int | None = None,
        priors: bool = False,
        constraints: Sequence[Constraint] = (),
        groups: Mapping[str, Sequence[str]] | None = None,
        configurations: Mapping[str, Mapping[str, Any]] | None = None,
        hypotheses: Sequence[Hypothesis] = (),
        workers: int = 1,
        data: Sequence[str] = (),
        override_style: OverrideStyle = "space",
        name: str = "",
    ) -> None:
        self.command = tuple(command)
        self.baseline = baseline
        self.components = components
        self.metrics = metrics
        self.root = root
        self.directory = directory
        self.seeds = seeds
        self.design = design
        self.resolution = resolution
        self.budget = budget
        self.priors = priors
        self.constraints = constraints
        self.groups = groups or {}
        self.configurations = configurations or {}
        self.hypotheses = hypotheses
        self.workers = workers
        self.data = data
        self.override_style = override_style
        self.name = name

    def plan(
        self, design: str | None = None, *, resolution: int | None = None, budget: int | None = None, priors: bool = False
    ) -> PlanView:
        """The trials of a design (by default the study's own); nothing is run or written.

        Another design than the study's own is not told the study's resolution and budget.

        Raises:
            InvalidStudy: the study contradicts itself, or the command names a key that the configuration does not have.
            UnknownParameter: a component sets a key that the baseline does not have.
            InvalidValue: a value cannot be recorded.
        """
        other = design is not None and design != self.design
        resolution = resolution if other or resolution is not None else self.resolution
        budget = budget if other or budget is not None else self.budget
        priors = priors or (self.priors and not other)
        definition = define(
            name=self.name,
            subject=shlex.join(self.command),
            baseline=self.baseline,
            components=self.components,
            metrics=self.metrics,
            seeds=[block.seed for block in make_blocks(self.seeds)],
            design=design or self.design,
            configurations=self.configurations,
            hypotheses=self.hypotheses,
            options=told(resolution, budget, self.groups, self.constraints, priors),
        )
        plan = plan_study(definition)
        for configuration in plan.configurations:
            self.arguments(configuration, 0)
        return PlanView(definition, plan, expected(self.root, definition), self.workers)

    def run(self, plan: PlanView | str | None = None, workers: int | None = None, *, minutes: float | None = None) -> StudyResult:
        """Carry the plan out; run again after a kill or an interruption, it repeats no trial that has finished.

        Args:
            plan: what `plan` gave, or the name of a design.
            workers: how many trials run at once; results are the same with any number.
            minutes: as for `assay.Study.run`.

        Raises:
            InvalidStudy, UnknownParameter, InvalidValue: as for `plan`.
            CommandNotFound: the program does not exist.
            MissingContent: a file or folder of `data` does not exist.
            UnknownMetric: no trial reports a metric that is asked for.
            StoreUnusable: what is recorded cannot be written.
            TrialsFailed: no trial could be started.
            KeyboardInterrupt: stopped by the user; finished trials are kept.
        """
        refuse_recursion()
        view = plan if isinstance(plan, PlanView) else self.plan(plan)
        store = Store.open(self.root)
        data = tuple(os.path.normpath(os.path.join(self.directory, path)) for path in self.data)  # noqa: PTH118 - text
        commands = Commands(self.arguments, self.directory, data, self.name, tuple(self.metrics))
        executor = CommandExecutor(store, self.root, commands)
        result = carry_out(store, view, executor, workers or self.workers, minutes)
        if not executor.findings:
            return result
        evidence = msgspec.structs.replace(result.evidence, findings=(*result.evidence.findings, *executor.findings))
        keep_evidence(store, evidence)
        return StudyResult(evidence)

    def arguments(self, configuration: Configuration, seed: int) -> tuple[str, ...]:
        """The command of a configuration under a seed.

        Raises:
            InvalidStudy: the command names a key that the configuration does not have.
        """
        values = dict(_leaves(configuration.params))
        named = {name for word in self.command for name in _PLACE.findall(word)} - {"overrides", "seed"}
        for name in sorted(named):
            if name not in values:
                near = get_close_matches(name, values, n=1)
                raise InvalidStudy(
                    "the command names a key that the configuration does not have",
                    value=f"{{{name}}}",
                    expected=", ".join(["overrides", "seed", *values]),
                    next_step=f"Did you mean {{{near[0]}}}?" if near else "",
                )
        overrides = [
            word for key, value in values.items() if key not in named for word in _override(key, value, self.override_style)
        ]
        words: list[str] = []
        for word in self.command:
            if word == "{overrides}":
                words += overrides
            else:
                words.append(_PLACE.sub(lambda found: _text(seed if found[1] == "seed" else values[found[1]]), word))
        return tuple(words)


def _leaves(params: Mapping[str, Any], prefix: str = "") -> list[tuple[str, Any]]:
    """Every value of a nested configuration by its dotted key."""
    found: list[tuple[str, Any]] = []
    for key, value in params.items():
        found += _leaves(value, f"{prefix}{key}.") if isinstance(value, dict) and value else [(f"{prefix}{key}", value)]
    return found


def _override(key: str, value: Any, style: OverrideStyle) -> list[str]:
    if style == "hydra":
        return [f"{key}={_text(value)}"]
    if value is None or value is False or value == {}:
        return []
    if value is True:
        return [f"--{key}"]
    if isinstance(value, list):
        return [word for item in value for word in _override(key, _text(item), style)]
    return [f"--{key}={_text(value)}"] if style == "equals" else [f"--{key}", _text(value)]


def _text(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return f"[{','.join(_text(item) for item in value)}]"
    return str(value)
