"""Trials of a command line: each in a folder of its own, watched from a process of its own."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from assay.capture.code import CodeCapture
from assay.capture.environment import describe
from assay.capture.interpreter import interpreter_of
from assay.capture.secrets import redact_arguments
from assay.execution.command_trial import metrics_of
from assay.execution.crowding import Uncrowded
from assay.execution.functions import outcome_of, picklable, reused
from assay.execution.handed_out import HandedOut
from assay.execution.needed import Needed, inputs_of_former
from assay.execution.pool import refuse_recursion
from assay.execution.prepared import PREPARED, Prepared, files_prepared, prepared_path
from assay.execution.protocol import Job, Outcome, Pools, feed
from assay.execution.reuse import Reuse, Taken
from assay.execution.setup import CommandTask, Report, Setup, trial_environment
from assay.execution.variants import Variants, without
from assay.execution.workspace import remove_dead_workspaces
from assay.records.factor import MetricGoal, Patch
from assay.records.finding import Finding
from assay.records.plan import Configuration, Trial
from assay.records.recipe import Recipe
from assay.records.run import Failure, Parent, TrialOf
from assay.records.trace import Trace
from assay.store.store import Store
from assay.tracking.command import portable
from assay.tracking.notebook import spelled_out
from assay.tracking.process import check_program
from assay.tracking.recipe import recipe_of


class Commands(NamedTuple):
    """What the trials run.

    Attributes:
        arguments: the command of a configuration under the seed and split of a trial.
        directory: working directory relative to the root.
        data: files and folders, relative to the root, that every trial needs beside the code.
        name: names the runs.
        goals: metrics that are asked for, with where they are found.
        patches: changes of the code that a configuration is made of.
        prepare: the command that makes, once for each block and at `PREPARED`, what the trials of the block share.
        splits: what a split is called among the parameters of a run.
        aside: files that are no part of what the trials run, relative to the root.
        side: the trials answer a question about another study.
    """

    arguments: Callable[[Configuration, Trial], tuple[str, ...]]
    directory: str
    data: tuple[str, ...] = ()
    name: str = ""
    goals: tuple[MetricGoal, ...] = ()
    patches: Callable[[Configuration], tuple[Patch, ...]] = lambda _: ()
    prepare: Callable[[Trial], tuple[str, ...]] | None = None
    splits: str = "split"
    aside: tuple[str, ...] = ()
    side: bool = False


class CommandExecutor:
    """Carries out trials of a command.

    Args:
        store: where runs are recorded.
        root: project root; its code is taken once, when the trials begin.
        commands: what is run.
        reuse: take finished runs of the same recipe in place of running them again.
        pools: where the trials run; by default beside this process.

    Attributes:
        findings: files that trials needed and that nobody had named; that trials had to run alone.
    """

    def __init__(self, store: Store, root: Path, commands: Commands, *, reuse: bool = True, pools: Pools = Uncrowded) -> None:
        self._store = store
        self._root = Path(os.path.realpath(root))
        self._commands = commands
        self._former = Reuse(store, self._root, apart=True)
        self._reuse = reuse
        self._pools = pools
        self.findings: list[Finding] = []

    def carry_out(self, jobs: Sequence[Job], *, study: str, workers: int, report: Callable[[Outcome], None]) -> list[Outcome]:
        """Outcomes in the order of `jobs`.

        Raises:
            InvalidStudy: called inside a trial.
            CommandNotFound: the program does not exist.
            MissingContent: a file or folder of `data` does not exist.
            TrialsFailed: the server could not be started.
            KeyboardInterrupt: stopped by the user.
        """
        refuse_recursion()
        remove_dead_workspaces()
        if not jobs:
            return []
        env = trial_environment()
        cwd = self._root / self._commands.directory
        first = spelled_out(self._commands.arguments(jobs[0].configuration, jobs[0].trial), env, cwd)
        check_program(first[0], env, cwd)
        snapshot = without(self._store, CodeCapture(self._store, self._root).snapshot(), self._commands.aside)
        setup = Setup(
            function=None,
            store=self._store.root,
            root=self._root,
            snapshot=picklable(snapshot),
            environment=describe(self._store, interpreter_of(first, env, cwd), env),
            measured=frozenset(goal.name for goal in self._commands.goals if goal.measured),
            workers=workers,
            start="fork",
        )
        common = recipe_of(self._store, self._root, first, cwd=cwd, env=env, seed=jobs[0].trial.seed, snapshot=snapshot)
        needed = Needed(self._root, cwd, snapshot.files)
        needed.add(self._commands.data, required=True)
        if self._reuse:
            needed.add(inputs_of_former(self._store, self._former, common.command))
            if self._commands.prepare is not None:
                needed.add(inputs_of_former(self._store, self._former, self._commands.prepare(jobs[0].trial)))
        variants = Variants(self._store, self._root, snapshot, self._commands.patches)
        for job in jobs:  # a patch that cannot be made is heard before the first trial
            variants.variant(job.configuration)
        work = _Work(self, setup, common, needed, variants, study, report)
        outcomes = work.carry_out(jobs)
        self.findings += [one for one in (*needed.findings(), *work.findings) if one not in self.findings]
        return outcomes


class _Work:
    """One call of `carry_out`."""

    def __init__(
        self,
        executor: CommandExecutor,
        setup: Setup,
        common: Recipe,
        needed: Needed,
        variants: Variants,
        study: str,
        report: Callable[[Outcome], None],
    ) -> None:
        self._executor = executor
        self._setup = setup
        self._common = common
        self._variants = variants
        self._handed_out = HandedOut(executor._store, needed, variants)
        self._taken = Taken()
        self._study = study
        self._report = report
        self._jobs: dict[int, Job] = {}
        self._tasks: dict[int, CommandTask] = {}
        self._other: dict[int, Mapping[str, str | None]] = {}
        self._unprepared: dict[int, list[Job]] = {}
        self._ready: deque[CommandTask] = deque()
        self._outcomes: dict[int, Outcome] = {}
        self.findings: list[Finding] = []

    def carry_out(self, jobs: Sequence[Job]) -> list[Outcome]:
        self._jobs = {job.trial.index: job for job in jobs}
        if self._executor._commands.prepare is None:
            self._ready.extend(self._tasks_of(jobs, Prepared()))
        else:
            for job in jobs:
                self._unprepared.setdefault(job.trial.block, []).append(job)
            for block, waiting in list(self._unprepared.items()):
                self._prepare(block, waiting[0].trial)
        with self._executor._pools(self._setup, self._take) as pool:
            feed(pool, self._ready, lambda task: task._replace(files=self._handed_out.give(task.number)))
            self.findings += pool.findings
        return [self._outcomes[job.trial.index] for job in jobs]

    def _tasks_of(self, jobs: Sequence[Job], prepared: Prepared) -> list[CommandTask]:
        found = [self._task(job, prepared) for job in jobs]
        return [task for task in found if task is not None]

    def _task(self, job: Job, prepared: Prepared) -> CommandTask | None:
        """The job as a task; None where an earlier run stands for it."""
        commands, trial = self._executor._commands, job.trial
        variant = self._variants.variant(job.configuration)
        arguments, recipe = self._recipe(commands.arguments(job.configuration, trial), trial, job.configuration.params)
        recipe = msgspec.structs.replace(recipe, code=variant.snapshot.tree, data={**recipe.data, **prepared.files})
        self._other[trial.index] = other = {**variant.other, **prepared.files}
        reuse = self._variants.reuse(other) if self._executor._reuse else None
        earlier = self._taken.find(reuse, recipe.id, repeats=job.repeats)
        if earlier is not None:
            metrics = metrics_of(self._executor._store, earlier, commands.goals)
            self._end(job, reused(job, earlier)._replace(metrics=metrics))
            return None
        name, levels = job.configuration.name, job.configuration.levels
        place = TrialOf(
            study=self._study,
            configuration=name,
            levels=levels,
            block=trial.block,
            index=trial.index,
            split=trial.split,
            side=commands.side,
        )
        task = CommandTask(
            number=trial.index,
            command=arguments,
            directory=commands.directory,
            seed=trial.seed,
            recipe=recipe,
            name=self._label(name),
            trial=place,
            files={},
            goals=commands.goals,
            snapshot=picklable(variant.snapshot) if variant.other else None,
            prepared=dict(prepared.files),
            parents=(Parent(run=prepared.run, by="prepare"),) if prepared.run else (),
        )
        self._tasks[trial.index] = task
        return task

    def _recipe(self, typed: tuple[str, ...], trial: Trial, params: Mapping[str, Any]) -> tuple[tuple[str, ...], Recipe]:
        """The arguments as they are run, and the recipe in which they stand."""
        executor = self._executor
        folder = executor._root / executor._commands.directory
        arguments = tuple(spelled_out(typed, os.environ, folder))
        words, _ = redact_arguments(arguments)
        split = {} if trial.split is None else {executor._commands.splits: trial.split}
        command = portable(words, executor._root, folder)
        return arguments, msgspec.structs.replace(self._common, command=command, params={**params, **split}, seed=trial.seed)

    def _label(self, name: str) -> str:
        return f"{self._executor._commands.name}: {name}" if self._executor._commands.name else name

    def _prepare(self, block: int, trial: Trial) -> None:
        commands = self._executor._commands
        assert commands.prepare is not None
        typed = commands.prepare(trial)
        arguments, recipe = self._recipe(typed, trial, {})
        earlier = self._variants.reuse({}).find(recipe.id) if self._executor._reuse else None
        if earlier is not None and (files := self._left_by(earlier.id)):
            self._ready.extend(self._tasks_of(self._unprepared.pop(block), Prepared(earlier.id, files)))
            return
        number = -1 - block
        makes = prepared_path(commands.directory) if any(f"{PREPARED}/" in word for word in typed) else ""
        label = self._label("prepare")
        task = CommandTask(number, arguments, commands.directory, trial.seed, recipe, label, None, {}, (), makes=makes)
        self._tasks[number] = task
        self._ready.append(task)

    def _left_by(self, run_id: str) -> dict[str, str]:
        """The files that a preparation left for its block, as far as the store has all of them."""
        store = self._executor._store
        trace = self._executor._former.trace(store.runs.read(run_id)) or Trace()
        files = files_prepared(trace, self._executor._commands.directory)
        return files if all(content in store.objects for content in files.values()) else {}

    def _take(self, report: Report) -> None:
        if self._handed_out.again(report, self._other.get(report.number, {})):
            self._ready.appendleft(self._tasks[report.number])
            return
        if report.number < 0:
            self._take_prepared(self._unprepared.pop(-1 - report.number), report)
        else:
            job = self._jobs[report.number]
            self._end(job, outcome_of(job, report))

    def _take_prepared(self, jobs: Sequence[Job], report: Report) -> None:
        if report.state == "interrupted":  # the study is being stopped
            return
        files = self._left_by(report.run) if report.run is not None and report.failure is None else {}
        if files:
            # In front of what is left to prepare: a block that was begun is finished first.
            self._ready.extendleft(reversed(self._tasks_of(jobs, Prepared(report.run, files))))
            return
        failure = report.failure or Failure(kind="NothingPrepared", text="it wrote nothing to {prepared}")
        said = Failure(kind=failure.kind, text=f"prepare failed: {failure.text}")
        for job in jobs:
            self._end(job, outcome_of(job, Report(job.trial.index, None, "failed", {}, said, 0.0)))

    def _end(self, job: Job, outcome: Outcome) -> None:
        self._outcomes[job.trial.index] = outcome
        self._report(outcome)
