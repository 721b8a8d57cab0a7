"""Trials of a command line: each in a folder of its own, watched from a process of its own."""

from __future__ import annotations

import os
import re
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec

from assay.capture.code import CodeCapture
from assay.capture.environment import describe
from assay.capture.interpreter import interpreter_of
from assay.capture.secrets import redact_arguments
from assay.errors import MissingContent
from assay.execution.command_trial import metrics_of
from assay.execution.functions import outcome_of, picklable, reused
from assay.execution.pool import Pool, refuse_recursion
from assay.execution.protocol import Job, Outcome
from assay.execution.reuse import Reuse, content_now
from assay.execution.setup import CommandTask, Report, Setup, trial_environment
from assay.execution.workspace import remove_dead_workspaces
from assay.records.factor import MetricGoal
from assay.records.finding import Finding
from assay.records.plan import Configuration
from assay.records.recipe import Recipe
from assay.records.run import Run, TrialOf
from assay.records.trace import Trace
from assay.store.store import Store
from assay.tracking.command import portable
from assay.tracking.notebook import spelled_out
from assay.tracking.process import check_program
from assay.tracking.recipe import recipe_of

_FORMER = 20
"""Earlier runs of the same program whose inputs are looked at."""
_AGAIN = 3
"""Times that a trial is run again with files that it missed."""
_FILES = 20_000
"""Files that one folder may add to a trial's own."""
_QUOTED = re.compile(r"""['"`]([^'"`\n]{1,400})['"`]|([^\s'"`:,;()\[\]]{1,400})""")


class Commands(NamedTuple):
    """What the trials run.

    Attributes:
        arguments: the command of a configuration under a seed.
        directory: working directory relative to the root.
        data: files and folders, relative to the root, that every trial needs beside the code.
        name: names the runs.
        goals: metrics that are asked for, with where they are found.
        side: the trials answer a question about another study.
    """

    arguments: Callable[[Configuration, int], tuple[str, ...]]
    directory: str
    data: tuple[str, ...] = ()
    name: str = ""
    goals: tuple[MetricGoal, ...] = ()
    side: bool = False


class CommandExecutor:
    """Carries out trials of a command.

    Args:
        store: where runs are recorded.
        root: project root; its code is taken once, when the trials begin.
        commands: what is run.
        reuse: take finished runs of the same recipe in place of running them again.

    Attributes:
        findings: files that trials needed and that nobody had named.
    """

    def __init__(self, store: Store, root: Path, commands: Commands, *, reuse: bool = True) -> None:
        self._store = store
        self._root = Path(os.path.realpath(root))
        self._commands = commands
        self._former = Reuse(store, self._root, apart=True)
        self._reuse = self._former if reuse else None
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
        first = spelled_out(self._commands.arguments(jobs[0].configuration, jobs[0].trial.seed), env, cwd)
        check_program(first[0], env, cwd)
        snapshot = CodeCapture(self._store, self._root).snapshot()
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
        if self._reuse is not None:
            needed.add(inputs_of_former(self._store, self._reuse, common.command))
        work = _Work(self, setup, common, needed, study, report)
        outcomes = work.carry_out(jobs)
        self.findings = needed.findings()
        return outcomes


class Needed:
    """Files of the project that trials need beside the code, with the content that they had when they were first needed.

    Args:
        root: the project.
        cwd: where commands run; what they name is relative to it.
        code: files of the code tree, which every trial has.
    """

    def __init__(self, root: Path, cwd: Path, code: Iterable[str]) -> None:
        self._root = root
        self._cwd = cwd
        self._code = frozenset(code)
        self._found: set[str] = set()
        self.files: dict[str, str] = {}

    def add(self, paths: Iterable[str], *, required: bool = False) -> list[str]:
        """Add files, and those below folders, given relative to the root; what was new. What lies elsewhere or is code adds nothing.

        Raises:
            MissingContent: `required`, and a path does not exist.
        """
        new = []
        for path in paths:
            whole = Path(os.path.normpath(self._root / path))
            if required and not whole.exists():
                raise MissingContent(
                    "the study names data that does not exist", value=path, expected=f"a file or folder below {self._root}"
                )
            new += [name for file in self._below(whole) if (name := self._add(file)) is not None]
        return new

    def add_missed(self, text: str) -> list[str]:
        """Add what a failed command's last words name and the user's folder has: what was new."""
        words = [quoted or bare for quoted, bare in _QUOTED.findall(text)]
        paths = [os.path.relpath(os.path.normpath(self._cwd / word), self._root) for word in words]
        new = self.add(path for path in dict.fromkeys(paths) if not path.startswith("..") and path != ".")
        self._found.update(new)
        return new

    def add_listed(self, folders: Iterable[str]) -> None:
        """Add all files of folders that a command listed."""
        self._found.update(self.add(folder for folder in folders if not Path(folder).is_absolute()))

    def findings(self) -> list[Finding]:
        """What had to be found by running trials again."""
        if not self._found:
            return []
        shown = ", ".join(sorted(self._found)[:5]) + (f" and {len(self._found) - 5} more" if len(self._found) > 5 else "")
        text = f"Trials were run again with {shown}, which they had missed. Name it under `data:` to spare that."
        return [Finding(kind="data found", about="data", text=text)]

    def _below(self, whole: Path) -> Iterator[Path]:
        if whole.is_file():
            yield whole
        elif whole.is_dir():
            for count, file in enumerate(file for file in sorted(whole.rglob("*")) if file.is_file()):
                if count >= _FILES:
                    raise MissingContent(
                        "a folder has too many files to give every trial a copy",
                        value=str(whole),
                        expected=f"at most {_FILES:,}",
                        next_step="Name it by its absolute path in the command: it is then used in place.",
                    )
                yield file

    def _add(self, file: Path) -> str | None:
        if not file.is_relative_to(self._root):
            return None
        name = file.relative_to(self._root).as_posix()
        if name in self._code or name in self.files or name.startswith((".git/", ".assay/")):
            return None
        content = content_now(file)
        if content is None:
            return None
        self.files[name] = content
        return name


def inputs_of_former(store: Store, reuse: Reuse, command: tuple[str, ...]) -> list[str]:
    """Paths below the root that earlier runs of the same program were seen to read or to import, be they part of the code or not."""
    paths: dict[str, None] = {}
    program = _program(command)
    runs = [run for run in store.catalogue.runs(limit=200) if run.state == "finished" and _runs(store, run, program)]
    for run in runs[:_FORMER]:
        trace = reuse.trace(run) or Trace()
        paths |= dict.fromkeys(use.path for use in (*trace.read, *trace.loaded) if not Path(use.path).is_absolute())
    return list(paths)


def _program(command: Sequence[str]) -> tuple[str, ...]:
    """The words up to the first option of the program's own: the interpreter and the script."""
    words: list[str] = []
    for word in command:
        if word.startswith("-") and len(words) > 1:
            break
        words.append(word)
    return tuple(words)


def _runs(store: Store, run: Run, program: tuple[str, ...]) -> bool:
    try:
        recipe = store.objects.record(run.start.recipe, Recipe)
    except MissingContent:
        return False
    return _program(recipe.command)[:2] == program[:2]


class _Work:
    """One call of `carry_out`."""

    def __init__(
        self,
        executor: CommandExecutor,
        setup: Setup,
        common: Recipe,
        needed: Needed,
        study: str,
        report: Callable[[Outcome], None],
    ) -> None:
        self._executor = executor
        self._setup = setup
        self._common = common
        self._needed = needed
        self._study = study
        self._report = report
        self._jobs: dict[int, Job] = {}
        self._tasks: dict[int, CommandTask] = {}
        self._given: dict[int, frozenset[str]] = {}
        self._again: dict[int, int] = {}
        self._ready: deque[CommandTask] = deque()
        self._outcomes: dict[int, Outcome] = {}

    def carry_out(self, jobs: Sequence[Job]) -> list[Outcome]:
        self._jobs = {job.trial.index: job for job in jobs}
        for job in jobs:
            self._enqueue(job)
        with Pool(self._setup, self._take) as pool:
            while self._ready or pool.is_busy:
                while self._ready and pool.has_room:
                    task = self._ready.popleft()._replace(files=dict(self._needed.files))
                    self._given[task.number] = frozenset(task.files)
                    pool.submit(task)
                if pool.is_busy:
                    pool.gather()
        return [self._outcomes[job.trial.index] for job in jobs]

    def _enqueue(self, job: Job) -> None:
        executor = self._executor
        commands, trial = executor._commands, job.trial
        typed = commands.arguments(job.configuration, trial.seed)
        arguments = tuple(spelled_out(typed, os.environ, executor._root / commands.directory))
        words, _ = redact_arguments(arguments)
        recipe = msgspec.structs.replace(
            self._common,
            command=portable(words, executor._root, executor._root / commands.directory),
            params=job.configuration.params,
            seed=trial.seed,
        )
        earlier = executor._reuse.find(recipe.id) if executor._reuse else None
        if earlier is not None:
            metrics = metrics_of(executor._store, earlier, commands.goals)
            self._end(job, reused(job, earlier)._replace(metrics=metrics))
            return
        name = job.configuration.name
        place = TrialOf(
            study=self._study,
            configuration=name,
            levels=job.configuration.levels,
            block=trial.block,
            index=trial.index,
            side=commands.side,
        )
        label = f"{commands.name}: {name}" if commands.name else name
        task = CommandTask(
            trial.index, arguments, commands.directory, trial.seed, recipe, label, place, files={}, goals=commands.goals
        )
        self._tasks[trial.index] = task
        self._ready.append(task)

    def _take(self, report: Report) -> None:
        job = self._jobs[report.number]
        if report.state in ("failed", "finished") and self._run_again(report):
            return
        self._end(job, outcome_of(job, report))

    def _run_again(self, report: Report) -> bool:
        """Whether the trial had too few of the user's files, and was handed out again with them: it failed over one that it named, or saw
        other names in a folder than the user's has."""
        if self._again.get(report.number, 0) >= _AGAIN:
            return False
        before = self._given[report.number]
        if report.failure is not None:
            self._needed.add_missed(f"{report.failure.text}\n{report.failure.traceback}")
        elif report.run is not None:
            self._needed.add_listed(self._listed(report.run))
        if self._needed.files.keys() <= before:
            return False
        self._again[report.number] = self._again.get(report.number, 0) + 1
        self._ready.appendleft(self._tasks[report.number])
        return True

    def _listed(self, run_id: str) -> list[str]:
        former = self._executor._former
        trace = former.trace(self._executor._store.runs.read(run_id))
        return former.changed_folders(trace) if trace is not None else []

    def _end(self, job: Job, outcome: Outcome) -> None:
        self._outcomes[job.trial.index] = outcome
        self._report(outcome)
