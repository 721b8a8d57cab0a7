"""A study of a Python function, as a user writes it."""

from __future__ import annotations

import copy
import functools
import inspect
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from assay.ablation.components import controls, merge
from assay.ablation.configurations import configure, settings_of
from assay.ablation.plans import make_blocks
from assay.ablation.splits import Said, make_splits
from assay.errors import InvalidStudy, StoreUnusable
from assay.execution.by_name import check_by_name, ship_by_name
from assay.execution.elsewhere.choice import pools_of
from assay.execution.functions import Callables, FunctionExecutor
from assay.execution.patches import Patches, files_below, patches_of
from assay.execution.pool import refuse_recursion
from assay.execution.protocol import Pools
from assay.execution.setup import Start
from assay.execution.shipping import check_callable, function_name
from assay.project.study_aside import aside
from assay.project.study_designs import told
from assay.project.study_gate import carry_out, check_baseline
from assay.project.study_growth import extended, following
from assay.project.study_patches import apart, with_patches
from assay.project.study_plan import Expected, PlanView
from assay.project.study_result import StudyResult as StudyResult
from assay.questions.study.archive import kept_evidence
from assay.questions.study.definition import Definition, define, plan_study
from assay.questions.study.estimate import finished_trials, seconds_per_trial
from assay.questions.study.pilot import pilot_noise
from assay.records.factor import Constraint, Factor, Hypothesis, MetricGoal, Patch
from assay.records.gate import GateAsked
from assay.records.origin import Origin
from assay.records.plan import Configuration, Splits, Until
from assay.store.root import find_root
from assay.store.store import Store


class Study:
    """Which components matter?

    Args:
        train: `train(config, seed)` returns a dictionary of metrics. It is called in a process of its own for each trial, which starts
            from a clean interpreter. With `prepare` it is called as `train(config, seed, prepared)`, with folds or splits as
            `train(config, seed, fold)`, with both as `train(config, seed, fold, prepared)`.
        baseline: the configuration as it stands: a dictionary or dataclass, nested; every call gets a fresh copy.
        components: `assay.remove`, `assay.replace`, `assay.change`, `assay.add`, `assay.vary`. Their settings may have patches as `patch` or
            `commit`, where the baseline has no parameter of that name; trials of such levels call `train` in a copy of the project with
            the patches made in it. Files of patches are named relative to the working directory.
        metrics: `assay.maximize`, `assay.minimize`.
        seeds: how many (0, 1, …), or the seeds themselves; each is given to every configuration.
        configurations: named combinations beside the design's own: name to settings.
        hypotheses: `assay.hypothesis`; sealed before the first trial.
        constraints: `assay.requires`, `assay.excludes`; what they do not allow is not run, and what then cannot be told is named.
        groups: names of groups of components, for the design that flips groups together.
        folds: folds of a cross-validation, beside the seeds: how many. Trials are called as `train(config, seed, fold)`, every seed with
            every fold, and intervals allow for folds sharing their data.
        splits: the same for data splits: how many, their names, or {"count": 5, "test": 0.2}, where `test` is the share of the data that
            each tests on; without it they are taken as data of their own.
        origin: the study that this one goes on from; `extend` and `next` set it.
        prepare: `prepare(seed)` makes what the trials of a seed share, such as a trained model that they only evaluate. It is called
            once for each seed, in a run of its own; each trial gets a fresh copy of its value.
        gate: `assay.gate`, what is asked of the baseline before its ablations run: around which hyperparameters it is checked, and how
            configurations are tuned. Without it, the baseline is run twice and over the seeds.
        name: what reports call the study.
        root: project root; by default that of the file that defines `train`.
        start: "spawn" starts a fresh interpreter for each trial, where a library forbids forking (CUDA in use while modules load); so does a
            study with patches that asks about measurements, such as time.
        graph: what causes what, as `{"attention": ["parameters", "accuracy"], "parameters": ["accuracy"]}`; checked by `result.causal()`.
        spreads: "alike" where all configurations are known to be equally noisy, "unlike" where each is to be tested under its own spread.

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
        gate: GateAsked | None = None,
        name: str = "",
        root: str | Path | None = None,
        start: Start = "fork",
        folds: Said | None = None,
        splits: Said | Splits | None = None,
        origin: Origin | None = None,
        graph: Mapping[str, Sequence[str]] | None = None,
        spreads: str = "unknown",
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
        self.gate = gate
        self.name = name
        self.root = root
        self.start = start
        self.splits = splits if isinstance(splits, Splits) else make_splits(folds, splits)
        self.origin = origin
        self.graph = graph
        self.spreads = spreads
        self.serves = ""

    def plan(
        self,
        design: str = "leave-one-out",
        *,
        resolution: int | None = None,
        budget: int | None = None,
        priors: bool = False,
        until: Until = "confirmed",
    ) -> PlanView:
        """The trials of a design; nothing is run or written.

        Args:
            design: "leave-one-out": each component flipped alone; "full": every combination; the others are in the documentation of designs.
            resolution: of a fraction: 3, 4, 5 or more.
            budget: most configurations that "shapley" and "optimal" may choose; most trials of "adaptive".
            priors: the search of "adaptive", which says when to stop, is told what former studies found; its tests never are.
            until: "adaptive" stops once what its search found is "confirmed", or once it is "found", at about half of the trials.

        Raises:
            InvalidStudy: the study contradicts itself, or the design does not exist; or a patch does not apply to the code as it is, or
                `train` is nothing that a copy of the project has by name, where a component has patches.
            UnknownParameter: a component sets a key that the baseline does not have.
            InvalidValue: `train` or `prepare` cannot be called as said, or a value cannot be recorded.
        """
        study = self.resolved()
        study._check()
        patches = Patches(files_below(study._root()))
        kept_apart = [one for one in apart(merge(study.components), patches) if one not in self.constraints]
        definition = define(
            name=self.name,
            subject=function_name(self.train).partition("#")[0],
            evaluation=function_name(self.prepare).partition("#")[0] if self.prepare else None,
            baseline=self.baseline,
            components=study.components,
            metrics=self.metrics,
            seeds=[block.seed for block in make_blocks(self.seeds)],
            design=design,
            configurations=self.configurations,
            hypotheses=self.hypotheses,
            options=told(resolution, budget, self.groups, (*self.constraints, *kept_apart), priors, until, self.spreads),
            splits=self.splits,
            origin=self.origin,
            gate=self.gate,
            serves=self.serves,
            graph=self.graph,
        )
        plan = plan_study(definition)
        for configuration in plan.configurations:
            study._check_configured(configuration, patches)
        return PlanView(definition, plan, expected(self._root(), definition, len(plan.trials)))

    def run(
        self,
        plan: PlanView | str | None = None,
        workers: int = 1,
        *,
        accept_baseline: str = "",
        minutes: float | None = None,
        executor: str = "local",
        slurm: str | Sequence[str] = "",
        ray: str | Mapping[str, float] = "",
    ) -> StudyResult:
        """Carry the plan out; run again after a kill or an interruption, it repeats no trial that has finished.

        The baseline goes first, through the gate. Where it fails there, nothing else is run, and the result says why (`result.gate`).

        Args:
            plan: what `plan` gave, or the name of a design; by default leave-one-out.
            workers: how many trials run at once. Results are the same with any number.
            accept_baseline: why the study goes on with a baseline that fails at the gate; the report carries the reason.
            minutes: of "adaptive" alone: no batch of trials begins later than this; what is known then is the result.
            executor: where they run: "local", "slurm" (each worker a job), or "ray" (each worker a task). Results are the same anywhere.
            slurm: options for `sbatch`, such as "--partition=gpu --time=2:00:00".
            ray: resources of each task, such as "num_cpus=2 num_gpus=1" or the same as a dictionary.

        Raises:
            InvalidStudy, UnknownParameter, InvalidValue: as for `plan`; or the function cannot be loaded in a clean process.
            ExecutorUnusable: trials cannot be started there.
            UnknownMetric: no trial reports a metric that is asked for.
            StoreUnusable: what is recorded cannot be written.
            TrialsFailed: no trial could be started.
            KeyboardInterrupt: stopped by the user; finished trials are kept.
        """
        study = self.resolved()
        with pools_of(executor, slurm, ray) as pools:
            view, store, ready = study._ready(plan, pools)
            result = carry_out(store, view, ready, workers, accept=accept_baseline, source=study, minutes=minutes)
        return result.kept_with(store, ready.findings)

    def check_baseline(
        self,
        plan: PlanView | str | None = None,
        workers: int = 1,
        *,
        executor: str = "local",
        slurm: str | Sequence[str] = "",
        ray: str | Mapping[str, float] = "",
    ) -> StudyResult:
        """Send the baseline through the gate, and run nothing else; `result.gate` says what was found.

        Raises:
            AssayError: as for `run`.
            KeyboardInterrupt: stopped by the user; finished trials are kept.
        """
        with pools_of(executor, slurm, ray) as pools:
            view, store, ready = self.resolved()._ready(plan, pools)
            return check_baseline(store, view, ready, workers).with_findings(ready.findings)

    def _ready(self, plan: PlanView | str | None, pools: Pools) -> tuple[PlanView, Store, FunctionExecutor]:
        refuse_recursion()
        view = plan if isinstance(plan, PlanView) else self.plan(plan or "leave-one-out")
        root = self._root()
        store = Store.open(root)
        splits = self.splits.parameter if self.splits else "split"
        patched = self._has_patches()
        calls = Callables(
            self.train,
            self._configured,
            self.prepare,
            self.name,
            splits=splits,
            side=bool(self.serves),
            patches=self._patches if patched else None,
            aside=aside(root, os.path.relpath(Path.cwd(), root), self.components) if patched else (),
        )
        measured = frozenset(goal.name for goal in self.metrics if goal.measured)
        # Patched trials are fresh processes, whose time and memory are only comparable with those of others.
        start: Start = "spawn" if patched and any(goal.measured for goal in view.definition.goals) else self.start
        return view, store, FunctionExecutor(store, root, calls, measured=measured, start=start, pools=pools)

    def extend(
        self,
        seeds: int | str | Sequence[int] | None = None,
        components: Sequence[Factor] = (),
        design: str = "leave-one-out",
    ) -> Study:
        """This study, which has been run to its end, with more seeds or components: run it, and what has finished is reused.

        That it was extended after results were known is part of it, and its report says so.

        Args:
            seeds: how many altogether, "+5" for so many more, or all of them.
            components: further ones.
            design: that the study was run with.

        Raises:
            InvalidStudy: it has not been run to its end, or nothing is new, or a former seed is missing.
        """
        return extended(self.resolved(), self.plan(design).definition, Store.open(self._root()), seeds, components)

    def next(self, design: str = "leave-one-out") -> Study:
        """A study whose baseline has every change that clearly helped in this one, with those components the other way round.

        Its seeds are new, since the former ones chose the baseline; hypotheses have to be written anew.

        Args:
            design: that the study was run with.

        Raises:
            InvalidStudy: the study has not been run to its end, or no change clearly helps.
        """
        return following(self.resolved(), kept_evidence(Store.open(self._root()), self.plan(design).study))

    def resolved(self) -> Study:
        """This study with what its components say of patches read: components then have the patches themselves.

        Raises:
            InvalidStudy: there is no such file or commit, or it cannot be read.
        """
        study = copy.copy(self)
        study.components = with_patches(self.components, self.baseline, self._root(), Path.cwd())
        return study

    def _check(self) -> None:
        block = ("seed",) if self.splits is None else ("seed", self.splits.parameter)
        prepared = ("prepared",) if self.prepare is not None else ()
        check_callable(self.train, "train", ("config", *block, *prepared))
        if self.prepare is not None:
            check_callable(self.prepare, "prepare", block)
        if self.start not in ("fork", "spawn"):
            raise InvalidStudy("trials cannot be started in this way", value=self.start, expected='"fork" or "spawn"')
        if self._has_patches():
            check_by_name(self.train, "train", self._root())
            if self.prepare is not None:
                check_by_name(self.prepare, "prepare", self._root())

    def _check_configured(self, configuration: Configuration, patches: Patches) -> None:
        """Passes where a trial can be given the configuration; a class that refuses a value is heard before anything runs."""
        config = self._configured(configuration)
        if self._has_patches():
            patches.composed(self._patches(configuration))
            ship_by_name(config, f"the configuration {configuration.name!r}")

    def _has_patches(self) -> bool:
        return any(level.patches for factor in self.components for level in factor.levels)

    def _patches(self, configuration: Configuration) -> tuple[Patch, ...]:
        """The changes of the code that a configuration is made of."""
        known = {(factor.name, level.name): level.patches for factor in merge(self.components) for level in factor.levels}
        return patches_of(configuration.levels, known)

    def _configured(self, configuration: Configuration) -> Any:
        factors = merge(self.components)
        settings = settings_of(configuration, factors, {**self.configurations, **controls(factors)})
        return configure(self.baseline, settings, component=configuration.name)

    def _root(self) -> Path:
        return Path(self.root).resolve() if self.root is not None else find_root(folder_of(self.train))


def expected(root: Path, definition: Definition, planned: int) -> Expected:
    """What earlier trials in the project say of the time that the study will take."""
    try:
        store = Store.open(root, create=False)
    except StoreUnusable:  # nothing has been recorded here yet
        return Expected()
    finished = finished_trials(store, definition, planned)
    return Expected(seconds_per_trial(store, definition), finished, pilot_noise(store, definition))


def folder_of(function: Callable[..., object]) -> Path:
    """Folder of the file that defines it; the working directory for what was typed into a terminal or a notebook."""
    inner = function.func if isinstance(function, functools.partial) else inspect.unwrap(function)
    module = sys.modules.get(getattr(inner, "__module__", None) or "")
    file = getattr(module, "__file__", None)
    return Path(file).resolve().parent if file else Path.cwd()
