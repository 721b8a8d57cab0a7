"""What an executor is given, and what it gives back."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import NamedTuple, Protocol, TypeVar

from assay.execution.setup import CommandTask, Report, Setup, Task
from assay.records.finding import Finding
from assay.records.plan import Configuration, Trial
from assay.records.run import Failure, Resources, State


class Job(NamedTuple):
    """One trial to carry out, with its configuration in full.

    One that `repeats` another of the same recipe is a run of its own: no run that stands for another trial stands for it too.
    """

    trial: Trial
    configuration: Configuration
    repeats: bool = False


class Outcome(NamedTuple):
    """What came of a trial.

    Attributes:
        trial: the trial of the plan.
        run: id of its run; None where it could not become one.
        state: of the run; "queued" where the trial was never started.
        metrics: last values, NaN and infinities kept; empty unless the run finished.
        failure: why it did not finish; None where it did.
        reused: an earlier run stands for it.
        seconds: wall time of the run.
        resources: what the run used, where it ended by itself.
    """

    trial: Trial
    run: str | None
    state: State
    metrics: dict[str, float]
    failure: Failure | None
    reused: bool
    seconds: float
    resources: Resources | None = None


class Executor(Protocol):
    """Carries out trials, each from a clean state, several at once.

    Duties: every job has exactly one outcome, in the order of the jobs; a trial that dies in whatever way is an outcome, never an
    exception; results do not depend on `workers`; a finished run with the same recipe and the same observed inputs is reused.
    """

    def carry_out(self, jobs: Sequence[Job], *, study: str, workers: int, report: Callable[[Outcome], None]) -> list[Outcome]:
        """Outcomes in the order of `jobs`; `report` is called in this process with each, as soon as it is known.

        Raises:
            KeyboardInterrupt: the user stopped it; running trials are recorded as interrupted, finished ones kept.
            AssayError: no trial at all could be started.
        """
        ...


class TaskPool(Protocol):
    """Tasks in flight, for as long as the block runs; each is reported once, whatever becomes of it."""

    def __enter__(self) -> TaskPool: ...

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /) -> None: ...

    @property
    def has_room(self) -> bool:
        """Whether another task would be taken up soon."""
        ...

    @property
    def is_busy(self) -> bool:
        """Whether a task is out whose report has not come."""
        ...

    @property
    def findings(self) -> list[Finding]:
        """What readers of the results must know of how they came about."""
        ...

    def submit(self, task: Task | CommandTask) -> None:
        """Hand a task out; raises `AssayError` where no trial can be started."""
        ...

    def gather(self) -> None:
        """Wait until something is heard; raises `AssayError` where no trial can be started."""
        ...


_Ready = TypeVar("_Ready", Task, CommandTask)


def feed(pool: TaskPool, ready: deque[_Ready], handed_out: Callable[[_Ready], _Ready]) -> None:
    """Hand out what is ready, and what becomes so by what is reported, until nothing is left.

    Args:
        pool: takes the tasks; raises as it does.
        ready: tasks in their order; who takes the reports may add to it.
        handed_out: the task as it is given away.
    """
    while ready or pool.is_busy:
        while ready and pool.has_room:
            pool.submit(handed_out(ready.popleft()))
        if pool.is_busy:
            pool.gather()


Pools = Callable[[Setup, Callable[[Report], None]], TaskPool]
"""Makes the pool of a call: with what its tasks share, and what takes each report."""
