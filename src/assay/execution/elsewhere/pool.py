"""Trials in flight elsewhere: each server takes one at a time, and what becomes of a job's trial is known whatever becomes of the job."""

from __future__ import annotations

import contextlib
import time
from collections import Counter, deque
from collections.abc import Callable
from typing import NamedTuple

from assay.errors import InvalidStudy, TrialsFailed
from assay.execution.elsewhere.crew import Crew, Hand
from assay.execution.elsewhere.place import Sighting
from assay.execution.setup import Began, CommandTask, NotReady, Ready, Report, Setup, Task
from assay.records.finding import Finding
from assay.records.run import Failure

_IDLE = 60.0
"""Seconds after which a server that has nothing to do gives its machine back."""
_UNKNOWN = 60.0
"""Seconds in which the scheduler has to say what became of a job whose connection was lost."""
_ENDING = 5.0
"""Seconds in which a server whose trial was stopped ends too, where the whole job is being ended."""
_AGAIN = 3
"""Times that a trial begins again because the limit of time came to a job that had carried out others."""
_LOADING = 3
"""Servers in a row that may die while they load the function."""


class _Lost(NamedTuple):
    """A trial whose connection was lost: it is said to have crashed as soon as the scheduler says why."""

    task: Task | CommandTask
    run: str | None
    host: str
    began: float
    since: float


class FarPool:
    """A pool of trials, as `assay.execution.pool.Pool` is one, whose servers are those of a crew.

    Args:
        crew: outlives the pool.
        setup: what all tasks share; `workers` is how many jobs are wanted at once.
        take: called in this process with the report of each task.
    """

    def __init__(self, crew: Crew, setup: Setup, take: Callable[[Report], None]) -> None:
        self._crew = crew
        self._workers = setup.workers
        self._setup = setup._replace(workers=1, far=True)
        self._take = take
        self._tasks: dict[int, Task | CommandTask] = {}
        self._waiting: deque[Task | CommandTask] = deque()
        self._runs: dict[int, str] = {}
        self._lost: dict[str, _Lost] = {}
        self._held: dict[Hand, tuple[Report, float]] = {}
        self._cut: Counter[int] = Counter()
        self._died_loading = 0
        self._stopping = False

    def __enter__(self) -> FarPool:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        try:
            if kind is not None and issubclass(kind, KeyboardInterrupt):
                self._wind_down()
        finally:
            for hand in self._mine():
                self._crew.part(hand)

    @property
    def has_room(self) -> bool:
        """Whether another task would be taken up soon."""
        return len(self._tasks) < 2 * self._workers

    @property
    def is_busy(self) -> bool:
        """Whether a task is out whose report has not come."""
        return bool(self._tasks)

    @property
    def findings(self) -> list[Finding]:
        """None: each job has the devices that the scheduler gave it."""
        return []

    def submit(self, task: Task | CommandTask) -> None:
        """Hand a task out, as soon as a job has come that can take it.

        Raises:
            ExecutorUnusable: the scheduler takes no job.
            StoreUnusable: the store cannot be written.
        """
        self._tasks[task.number] = task
        self._waiting.append(task)
        self._crew.want(min(self._workers, len(self._tasks)), self._setup)
        self._assign()

    def gather(self) -> None:
        """Wait until something is heard, of a server or of a job.

        Raises:
            ExecutorUnusable: jobs end before they have begun a trial.
            InvalidStudy: the function cannot be loaded in a clean process.
            TrialsFailed: a server died over that.
        """
        self._crew.want(min(self._workers, len(self._tasks)), self._setup)
        self._assign()
        for hand in self._crew.wait(_ENDING):
            self._listen(hand)
        for job, seen in self._crew.ended():
            self._bury(job, seen)
        self._let_go_of_the_held()
        self._give_up_the_unknown()
        self._give_back()

    def _mine(self) -> list[Hand]:
        return [hand for hand in self._crew.hands if hand.owner is self]

    def _assign(self) -> None:
        for hand in list(self._crew.hands):
            if hand.owner is None:
                hand.owner = self
                hand.send(self._setup)
                self._return(hand)
            if self._waiting and hand.ready and hand.task is None:
                task = self._waiting.popleft()
                hand.task, hand.since = task.number, time.monotonic()
                hand.send(task)

    def _return(self, hand: Hand) -> None:
        """A job whose connection was lost is back with another server: the former one died, and its trial with it."""
        lost = self._lost.pop(hand.job, None)
        if lost is not None:
            how = f" ({hand.died})" if hand.died else ""
            self._crash(
                lost, f"the process that starts trials in job {hand.job} on {hand.host} was killed{how}, and this trial with it"
            )

    def _listen(self, hand: Hand) -> None:
        if hand not in self._crew.hands:
            return
        for message in hand.inbox.receive():
            if isinstance(message, Ready):
                hand.ready, self._died_loading = True, 0
            elif isinstance(message, NotReady):
                problem = f"on {hand.host}: {message.problem}"
                raise InvalidStudy("the function cannot be loaded in a clean process", value=problem, next_step=message.next_step)
            elif isinstance(message, Began):
                self._runs[message.number] = message.run
            elif isinstance(message, Report):
                self._hear_of(hand, message)
        if hand.inbox.closed:
            self._lose(hand)

    def _hear_of(self, hand: Hand, report: Report) -> None:
        """A trial that was stopped though nobody here asked for it is one whose job is being ended: then its end is told with the reason."""
        if report.state == "interrupted" and not self._stopping:
            self._held[hand] = report, time.monotonic()
        else:
            self._end(hand, report)

    def _let_go_of_the_held(self) -> None:
        """Only the trial was stopped: its server is still there."""
        for hand, (report, since) in list(self._held.items()):
            if time.monotonic() > since + _ENDING:
                del self._held[hand]
                self._end(hand, report)

    def _end(self, hand: Hand, report: Report) -> None:
        self._crew.fruitful(hand.job)
        hand.task, hand.since = None, time.monotonic()
        self._tasks.pop(report.number)
        self._take(report)

    def _lose(self, hand: Hand) -> None:
        self._crew.part(hand)
        held, _ = self._held.pop(hand, (None, 0.0))
        if hand.task is not None:
            run = held.run if held else self._runs.get(hand.task)
            self._lost[hand.job] = _Lost(self._tasks[hand.task], run, hand.host, hand.since, time.monotonic())
        elif not hand.ready and not self._stopping:
            self._died_loading += 1
            if self._died_loading == _LOADING:
                raise TrialsFailed(
                    "the process that starts trials ended while it was loading the function",
                    value=self._crew.said(hand.job),
                    next_step="Check that the function's module can be imported in a fresh interpreter.",
                )

    def _bury(self, job: str, seen: Sighting) -> None:
        """A job has ended. A trial that its limit of time cut off, though others had used part of that time, has another job to itself."""
        lost = self._lost.pop(job, None)
        if lost is None:
            self._crew.bear(job, seen)
        elif seen.timed_out and self._crew.carried[job] and self._cut[lost.task.number] < _AGAIN:
            self._cut[lost.task.number] += 1
            self._waiting.appendleft(lost.task)
        else:
            self._crew.fruitful(job)
            self._crash(lost, f"job {job} of {self._crew.place.name} on {seen.node or lost.host} ended: {seen.words}")

    def _give_up_the_unknown(self) -> None:
        for job, lost in list(self._lost.items()):
            if time.monotonic() > lost.since + _UNKNOWN:
                del self._lost[job]
                self._crew.release(job)
                place = self._crew.place.name
                self._crash(lost, f"the connection to job {job} of {place} on {lost.host} was lost, and {place} did not say why")

    def _crash(self, lost: _Lost, text: str) -> None:
        number = lost.task.number
        self._tasks.pop(number)
        self._take(Report(number, lost.run, "crashed", {}, Failure(kind="JobEnded", text=text), lost.since - lost.began))

    def _give_back(self) -> None:
        for hand in self._mine():
            if hand.task is None and not self._waiting and time.monotonic() > hand.since + _IDLE:
                self._crew.part(hand)
                self._crew.release(hand.job)

    def _wind_down(self) -> None:
        """After Ctrl-C: running trials are told to stop and their endings are waited for; a second Ctrl-C waits no longer."""
        self._stopping = True
        with contextlib.suppress(KeyboardInterrupt):
            for hand in self._mine():
                hand.stop()
            while any(hand.task is not None for hand in self._mine()):
                for hand in self._crew.wait(1.0):
                    self._listen(hand)
