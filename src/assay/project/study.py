"""A study of a Python function, as a user writes it."""

from __future__ import annotations

import functools
import inspect
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from assay.ablation.components import merge
from assay.ablation.configurations import configure, settings_of
from assay.ablation.designs import ADAPTIVE
from assay.ablation.plans import make_blocks
from assay.errors import InvalidStudy, InvalidValue, StoreUnusable
from assay.execution.functions import Callables, FunctionExecutor
from assay.execution.pool import refuse_recursion
from assay.execution.protocol import Executor
from assay.execution.setup import Start
from assay.execution.shipping import check_callable, function_name
from assay.project.progress import progress
from assay.project.study_designs import told
from assay.project.study_plan import Expected, PlanView
from assay.project.study_result import StudyResult as StudyResult
from assay.questions.study.definition import Definition, define, plan_study
from assay.questions.study.estimate import finished_trials, seconds_per_trial
from assay.questions.study.pilot import pilot_noise
from assay.questions.study.running import run_study
from assay.records.factor import Constraint, Factor, Hypothesis, MetricGoal
from assay.records.plan import Configuration
from assay.store.root import find_root
from assay.store.store import Store


class Study:
    """Which components matter?

    Args:
        train: `train(config, seed)` returns a dictionary of metrics. It is called in a process of its own for each trial, which starts
            from a clean interpreter. With `prepare` it is called as `train(config, seed, prepared)`.
        baseline: the configuration as it stands: a dictionary or dataclass, nested; every call gets a fresh copy.
        components: `assay.remove`, `assay.replace`, `assay.change`, `assay.add`, `assay.vary`.
        metrics: `assay.maximize`, `assay.minimize`.
        seeds: how many (0, 1, …), or the seeds themselves; each is given to every configuration.
        configurations: named combinations beside the design's own: name to settings.
        hypotheses: `assay.hypothesis`; sealed before the first trial.
        constraints: `assay.requires`, `assay.excludes`; what they do not allow is not run, and what then cannot be told is named.
        groups: names of groups of components, for the design that flips groups together.
        prepare: `prepare(seed)` makes what the trials of a seed share, such as a trained model that they only evaluate. It is called
            once for each seed, in a run of its own; each trial gets a fresh copy of its value.
        name: what reports call the study.
        root: project root; by default that of the file that defines `train`.
        start: "spawn" starts a fresh interpreter for each trial, where a library forbids forking (CUDA in use while modules load).

    >>> study = Study(lambda config, seed: {"y": 1.0}, baseline={"x": 1}, metrics=[], seeds=2)
    >>> study.plan()
    Traceback (most recent call last):
    assay.errors.InvalidStudy: the study asks about no metric; expected at least one. Add metrics=[assay.maximize("accuracy")].
    """

    def __init__(
        self,
        train: Callable[..., object],
        baseline: object,
        components: Sequence[Factor] = (),
        metrics: Sequence[MetricGoal] = (),
        seeds: int | Sequence[int] = 5,
        configurations: Mapping[str, Mapping[str, Any]] | None = None,
        hypotheses: Sequence[Hypothesis] = (),
        constraints: Sequence[Constraint] = (),
        groups: Mapping[str, Sequence[str]] | None = None,
        prepare: Callable[[int], object] | None = None,
        name: str = "",
        root: str | Path | None = None,
        start: Start = "fork",
    ) -> None:
        self.train = train
        self.baseline = baseline
        self.components = components
        self.metrics = metrics
        self.seeds = seeds
        self.configurations = configurations or {}
        self.hypotheses = hypotheses
        self.constraints = constraints
        self.groups = groups or {}
        self.prepare = prepare
        self.name = name
        self.root = root
        self.start = start

    def plan(
        self, design: str = "leave-one-out", *, resolution: int | None = None, budget: int | None = None, priors: bool = False
    ) -> PlanView:
        """The trials of a design; nothing is run or written.

        Args:
            design: "leave-one-out": each component flipped alone; "full": every combination; the others are in the documentation of designs.
            resolution: of a fraction: 3, 4, 5 or more.
            budget: most configurations that "shapley" and "optimal" may choose; most trials of "adaptive".
            priors: the search of "adaptive", which says when to stop, is told what former studies found; its tests never are.

        Raises:
            InvalidStudy: the study contradicts itself, or the design does not exist.
            UnknownParameter: a component sets a key that the baseline does not have.
            InvalidValue: `train` or `prepare` cannot be called as said, or a value cannot be recorded.
        """
        self._check()
        definition = define(
            name=self.name,
            subject=function_name(self.train).partition("#")[0],
            evaluation=function_name(self.prepare).partition("#")[0] if self.prepare else None,
            baseline=self.baseline,
            components=self.components,
            metrics=self.metrics,
            seeds=[block.seed for block in make_blocks(self.seeds)],
            design=design,
            configurations=self.configurations,
            hypotheses=self.hypotheses,
            options=told(resolution, budget, self.groups, self.constraints, priors),
        )
        plan = plan_study(definition)
        for configuration in plan.configurations:
            self._configured(configuration)  # a class that refuses a value is heard before anything runs
        return PlanView(definition, plan, expected(self._root(), definition))

    def run(self, plan: PlanView | str | None = None, workers: int = 1, *, minutes: float | None = None) -> StudyResult:
        """Carry the plan out; run again after a kill or an interruption, it repeats no trial that has finished.

        Args:
            plan: what `plan` gave, or the name of a design; by default leave-one-out.
            workers: how many trials run at once. Results are the same with any number.
            minutes: of "adaptive" alone: no batch of trials begins later than this; what is known then is the result.

        Raises:
            InvalidStudy, UnknownParameter, InvalidValue: as for `plan`; or the function cannot be loaded in a clean process.
            UnknownMetric: no trial reports a metric that is asked for.
            StoreUnusable: what is recorded cannot be written.
            TrialsFailed: no trial could be started.
            KeyboardInterrupt: stopped by the user; finished trials are kept.
        """
        refuse_recursion()
        view = plan if isinstance(plan, PlanView) else self.plan(plan or "leave-one-out")
        root = self._root()
        store = Store.open(root)
        calls = Callables(self.train, self._configured, self.prepare, self.name)
        measured = frozenset(goal.name for goal in self.metrics if goal.measured)
        return carry_out(store, view, FunctionExecutor(store, root, calls, measured=measured, start=self.start), workers, minutes)

    def _check(self) -> None:
        arguments = ("config", "seed", "prepared") if self.prepare is not None else ("config", "seed")
        check_callable(self.train, "train", arguments)
        if self.prepare is not None:
            check_callable(self.prepare, "prepare", ("seed",))
        if self.start not in ("fork", "spawn"):
            raise InvalidStudy("trials cannot be started in this way", value=self.start, expected='"fork" or "spawn"')

    def _configured(self, configuration: Configuration) -> Any:
        settings = settings_of(configuration, merge(self.components), self.configurations)
        return configure(self.baseline, settings, component=configuration.name)

    def _root(self) -> Path:
        return Path(self.root).resolve() if self.root is not None else find_root(folder_of(self.train))


def carry_out(store: Store, view: PlanView, executor: Executor, workers: int, minutes: float | None = None) -> StudyResult:
    """Run the trials of a plan with progress on standard error.

    Raises:
        InvalidValue: `minutes` is given to a design that runs all of its trials, or is not above 0.
        AssayError: as `assay.questions.study.running.run_study` raises it.
    """
    if minutes is not None and (view.design != ADAPTIVE or not minutes > 0):
        raise InvalidValue(
            "this study cannot be limited in time", value=minutes, expected='minutes above 0, and the design "adaptive"'
        )
    with progress(len(view), workers) as told:
        evidence = run_study(store, view.definition, view.plan, executor, workers=workers, report=told, minutes=minutes)
    return StudyResult(evidence)


def expected(root: Path, definition: Definition) -> Expected:
    """What earlier trials in the project say of the time that the study will take."""
    try:
        store = Store.open(root, create=False)
    except StoreUnusable:  # nothing has been recorded here yet
        return Expected()
    return Expected(seconds_per_trial(store, definition), finished_trials(store, definition), pilot_noise(store, definition))


def folder_of(function: Callable[..., object]) -> Path:
    """Folder of the file that defines it; the working directory for what was typed into a terminal or a notebook."""
    inner = function.func if isinstance(function, functools.partial) else inspect.unwrap(function)
    module = sys.modules.get(getattr(inner, "__module__", None) or "")
    file = getattr(module, "__file__", None)
    return Path(file).resolve().parent if file else Path.cwd()
