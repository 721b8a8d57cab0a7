"""Trials of a Python function: each in a process of its own, started from a clean server."""

from __future__ import annotations

import os
import shlex
import sys
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from assay.capture.code import CodeCapture, Snapshot
from assay.capture.environment import describe, settings
from assay.capture.interpreter import this_interpreter
from assay.capture.secrets import redact_arguments
from assay.execution.by_name import name_by_name, ship_by_name
from assay.execution.calls import record_call
from assay.execution.crowding import Uncrowded
from assay.execution.fingerprint import fingerprint, is_local
from assay.execution.patched import Patched
from assay.execution.pool import refuse_recursion
from assay.execution.protocol import Job, Outcome, Pools, feed
from assay.execution.reuse import Reuse, Taken
from assay.execution.setup import Report, Setup, Start, Task, trial_environment
from assay.execution.shipping import function_name, ship
from assay.execution.trial import PREPARED
from assay.execution.variants import without
from assay.records.factor import Patch
from assay.records.finding import Finding
from assay.records.plan import Configuration, Trial
from assay.records.recipe import Recipe
from assay.records.run import Failure, Parent, Run, TrialOf
from assay.store.store import Store


class Callables(NamedTuple):
    """What the trials call.

    Attributes:
        train: `train(config, seed)` or, with `prepare`, `train(config, seed, prepared)`.
        configuration: the object that a configuration of the plan stands for, with the user's own types in it.
        prepare: `prepare(seed)`, called once for each block in a run of its own; its value goes to every trial of the block.
        name: names the runs; empty: named by their configuration alone.
        train_name: recorded name of the function; by default its own.
        splits: what a split is called among the parameters of a run.
        side: the trials answer a question about another study.
        patches: changes of the code that each configuration is made of; those with any are called in a copy of the project. All trials
            then have functions and configurations by name, so that none has what the others lack. None: no configuration has any.
        aside: files that are no part of what the trials run, relative to the root.
    """

    train: Callable[..., object]
    configuration: Callable[[Configuration], Any]
    prepare: Callable[[int], object] | None = None
    name: str = ""
    train_name: str | None = None
    splits: str = "split"
    side: bool = False
    patches: Callable[[Configuration], tuple[Patch, ...]] | None = None
    aside: tuple[str, ...] = ()

    def ship(self, value: object, what: str) -> bytes:
        """`value` as bytes for another process; raises as `ship` and `ship_by_name` do."""
        return ship(value, what) if self.patches is None else ship_by_name(value, what)

    def name_of(self, function: Callable[..., object]) -> str:
        """Recorded name of a function."""
        return function_name(function) if self.patches is None else name_by_name(function)


class FunctionExecutor:
    """Carries out trials of a function.

    Args:
        store: where runs are recorded.
        root: project root; its code is taken once, when the trials begin.
        calls: the functions.
        measured: metrics that are measurements, never part of sameness.
        start: "fork": each trial is forked from the server, which has the modules loaded; "spawn": a fresh interpreter each, where a
            library forbids forking.
        reuse: take finished runs of the same recipe in place of running them again.
        pools: where the trials run; by default beside this process.

    Attributes:
        findings: files that patched trials needed beside the code, and that had to be found out; that trials had to run alone.
    """

    def __init__(
        self,
        store: Store,
        root: Path,
        calls: Callables,
        *,
        measured: frozenset[str] = frozenset(),
        start: Start = "fork",
        reuse: bool = True,
        pools: Pools = Uncrowded,
    ) -> None:
        self._store = store
        self._root = root
        self._calls = calls
        self._measured = measured
        self._start = start
        self._reuse = Reuse(store, root) if reuse else None
        self.findings: list[Finding] = []
        self._pools = pools

    def carry_out(self, jobs: Sequence[Job], *, study: str, workers: int, report: Callable[[Outcome], None]) -> list[Outcome]:
        """Outcomes in the order of `jobs`.

        Raises:
            InvalidStudy: called inside a trial; or the function's module cannot be loaded in a fresh interpreter; or a patch cannot be
                made, or what has patches cannot be called in a copy of the project.
            InvalidValue: a function or configuration cannot be shipped to another process.
            TrialsFailed: the server could not be started.
            KeyboardInterrupt: stopped by the user.
        """
        refuse_recursion()
        recipes = _Recipes.gather(self._store, self._root, self._calls)
        function = self._calls.ship((self._calls.train, self._calls.prepare), "the trial's function")
        setup = Setup(
            function=function,
            store=self._store.root,
            root=self._root,
            snapshot=picklable(recipes.snapshot),
            environment=recipes.environment,
            measured=self._measured,
            workers=workers,
            start=self._start,
        )
        patched = Patched(self._store, self._root, setup.snapshot, self._calls.patches, recipes.train_name, jobs)
        work = _Work(self._store, self._calls, recipes, self._reuse, setup, function, study, report, patched)
        outcomes = work.carry_out(jobs, self._pools)
        self.findings += [one for one in (*patched.findings(), *work.findings) if one not in self.findings]
        return outcomes


def picklable(snapshot: Snapshot) -> Snapshot:
    """The snapshot without the read-only views that it may share with its cache."""
    return snapshot._replace(files=dict(snapshot.files), stats=dict(snapshot.stats))


class _Recipes(NamedTuple):
    """What all trials of the study share of their recipes, found once."""

    calls: Callables
    snapshot: Snapshot
    environment: tuple[str, Any]
    train_name: str
    common: dict[str, Any]

    @classmethod
    def gather(cls, store: Store, root: Path, calls: Callables) -> _Recipes:
        env = trial_environment()
        snapshot = without(store, CodeCapture(store, root).snapshot(), calls.aside)
        environment = describe(store, this_interpreter(), env)
        threads, flags = settings(env)
        if len(sys.argv) > 1:  # trials are given the arguments too, so what they compute may depend on them
            arguments, _ = redact_arguments(sys.argv[1:])
            flags = {**flags, "sys.argv": shlex.join(arguments).replace(f"{root}{os.sep}", "")}
        record = environment[1]
        common = {"code": snapshot.tree, "threads": threads, "flags": flags, "python": record.python, "packages": record.packages}
        return cls(calls, snapshot, environment, calls.train_name or calls.name_of(calls.train), common)

    def prepare(self, trial: Trial) -> Recipe:
        assert self.calls.prepare is not None
        return Recipe(function=self.calls.name_of(self.calls.prepare), params=self.split(trial), seed=trial.seed, **self.common)

    def split(self, trial: Trial) -> dict[str, Any]:
        """The split of a trial as a parameter of its run; empty where the study has none."""
        return {} if trial.split is None else {self.calls.splits: trial.split}

    def train(self, params: dict[str, Any], local: str | None, trial: Trial, prepared: str | None) -> Recipe:
        """Args:
        params: configuration as plain values.
        local: digest of a configuration that holds functions or classes of the user's own, of which "module:name" would not say enough.
        trial: has the seed and the split.
        prepared: content id of the prepared value.
        """
        name = self.train_name if local is None else f"{self.train_name.partition('#')[0]}#{local[:16]}"
        data = {} if prepared is None else {"prepared value": prepared}
        return Recipe(function=name, params=params | self.split(trial), seed=trial.seed, data=data, **self.common)


class _Shipped(NamedTuple):
    """A configuration for another process; the stored call that it is part of; its digest where it holds what no module has."""

    data: bytes
    call: str
    local: str | None


class _Prepared(NamedTuple):
    """What a block was prepared with: run and content id of the value, or why there is none."""

    run: str | None = None
    value: str | None = None
    failure: Failure | None = None


class _Work:
    """One call of `carry_out`: hands tasks to the server, at most twice as many as it runs at once, and gathers what comes of them."""

    def __init__(
        self,
        store: Store,
        calls: Callables,
        recipes: _Recipes,
        reuse: Reuse | None,
        setup: Setup,
        function: bytes,
        study: str,
        report: Callable[[Outcome], None],
        patched: Patched,
    ) -> None:
        self._store = store
        self._calls = calls
        self._recipes = recipes
        self._reuse = reuse
        self._taken = Taken()
        self._setup = setup
        self._function = function
        self._study = study
        self._report = report
        self._patched = patched
        self._jobs: dict[int, Job] = {}
        self._ready: deque[Task] = deque()
        self._unprepared: dict[int, list[Job]] = {}
        self._outcomes: dict[int, Outcome] = {}
        self._shipped: dict[str, _Shipped] = {}
        self.findings: list[Finding] = []

    def carry_out(self, jobs: Sequence[Job], pools: Pools) -> list[Outcome]:
        self._jobs = {job.trial.index: job for job in jobs}
        with pools(self._setup, self._take) as pool:
            self._enqueue(jobs)
            feed(pool, self._ready, self._patched.handed_out)
            self.findings += pool.findings
        return [self._outcomes[job.trial.index] for job in jobs]

    def _enqueue(self, jobs: Sequence[Job]) -> None:
        """Everything that can be reused is found before the first trial, while the catalogue stands still."""
        if self._calls.prepare is None:
            self._ready.extend(self._tasks(jobs, _Prepared()))
            return
        for job in jobs:
            self._unprepared.setdefault(job.trial.block, []).append(job)
        for block, waiting in list(self._unprepared.items()):
            self._prepare(block, waiting[0].trial)

    def _tasks(self, jobs: Sequence[Job], prepared: _Prepared) -> list[Task]:
        found = [self._task(job, prepared) for job in jobs]
        return [task for task in found if task is not None]

    def _task(self, job: Job, prepared: _Prepared) -> Task | None:
        """The job as a task; None where an earlier run stands for it."""
        name = job.configuration.name
        shipped = self._shipped_for(job.configuration)
        recipe = self._recipes.train(job.configuration.params, shipped.local, job.trial, prepared.value)
        code, reuse = self._patched.code(name), self._reuse
        if code is not None:
            recipe = msgspec.structs.replace(recipe, code=code.snapshot.tree)
            reuse = self._patched.reuse(code) if reuse is not None else None
        earlier = self._taken.find(reuse, recipe.id, repeats=job.repeats)
        if earlier is not None:
            self._end(job, reused(job, earlier))
            return None
        trial = TrialOf(
            study=self._study,
            configuration=name,
            levels=job.configuration.levels,
            block=job.trial.block,
            index=job.trial.index,
            call=shipped.call,
            split=job.trial.split,
            side=self._calls.side,
        )
        return Task(
            number=job.trial.index,
            kind="train",
            configuration=shipped.data,
            seed=job.trial.seed,
            recipe=recipe,
            name=self._label(name),
            trial=trial,
            parents=(Parent(run=prepared.run, by="prepare"),) if prepared.run else (),
            prepared=prepared.value,
            split=job.trial.split,
            copied=None if code is None else self._patched.copied(code),
        )

    def _shipped_for(self, configuration: Configuration) -> _Shipped:
        name = configuration.name
        if name not in self._shipped:
            config = self._calls.configuration(configuration)
            data = self._calls.ship(config, f"the configuration {name!r}")
            call = self._store.objects.put(record_call(self._function, data, self._setup.root))
            by_value = self._calls.patches is None and is_local(config)
            local = fingerprint((self._recipes.train_name, config)) if by_value else None
            self._shipped[name] = _Shipped(data, call, local)
        return self._shipped[name]

    def _label(self, name: str) -> str:
        return f"{self._calls.name}: {name}" if self._calls.name else name

    def _prepare(self, block: int, trial: Trial) -> None:
        recipe = self._recipes.prepare(trial)
        earlier = self._reuse.find(recipe.id) if self._reuse else None
        value = self._value_of(earlier) if earlier else None
        if earlier is not None and value is not None:
            self._ready.extend(self._tasks(self._unprepared.pop(block), _Prepared(earlier.id, value)))
        else:
            self._ready.append(
                Task(-1 - block, "prepare", b"", trial.seed, recipe, self._label("prepare"), None, split=trial.split)
            )

    def _value_of(self, run: Run) -> str | None:
        """Content id of what an earlier preparation left, where the store still has it."""
        trace = self._reuse.trace(run) if self._reuse else None
        for use in trace.written if trace else ():
            if use.path.endswith(f"/{PREPARED}") and use.id is not None and use.id in self._store.objects:
                return use.id
        return None

    def _take(self, report: Report) -> None:
        if report.number >= 0:
            job = self._jobs[report.number]
            again = self._patched.again(report, job.configuration.name)
            if again is not None:
                self._ready.appendleft(again)
            else:
                self._end(job, outcome_of(job, report))
            return
        jobs = self._unprepared.pop(-1 - report.number)
        if report.state == "interrupted":  # the study is being stopped
            return
        if report.failure is None:
            # In front of what is left to prepare: a block that was begun is finished first.
            self._ready.extendleft(reversed(self._tasks(jobs, _Prepared(report.run, report.prepared))))
            return
        for job in jobs:
            failure = Failure(kind=report.failure.kind, text=f"prepare failed: {report.failure.text}")
            self._end(job, outcome_of(job, Report(job.trial.index, None, "failed", {}, failure, 0.0)))

    def _end(self, job: Job, outcome: Outcome) -> None:
        self._outcomes[job.trial.index] = outcome
        self._report(outcome)


def reused(job: Job, run: Run) -> Outcome:
    """The outcome of a trial that an earlier run stands for."""
    resources = run.result.resources if run.result else None
    return Outcome(job.trial, run.id, run.state, run.metrics, None, True, resources.wall if resources else 0.0, resources)


def outcome_of(job: Job, report: Report) -> Outcome:
    """The outcome of a trial that was run."""
    return Outcome(job.trial, report.run, report.state, report.metrics, report.failure, False, report.seconds, report.resources)
