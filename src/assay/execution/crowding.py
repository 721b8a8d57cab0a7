"""Trials that share the devices of this machine: one that runs out of their memory beside others is run again by itself."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable
from types import TracebackType

from assay.execution.pool import Pool
from assay.execution.setup import CommandTask, Report, Setup, Task
from assay.records.finding import Finding
from assay.records.run import Failure

_NO_MEMORY = re.compile(
    r"(CUDA|HIP|XPU|MPS)[^\n]{0,40}out of memory"  # PyTorch
    r"|cudaErrorMemoryAllocation|CUDA_ERROR_OUT_OF_MEMORY|\w+_STATUS_ALLOC_FAILED"  # the runtime, the driver, its libraries
    r"|RESOURCE_EXHAUSTED: Out of memory|ResourceExhaustedError",  # JAX, TensorFlow
    re.IGNORECASE,
)


def ran_out_of_device_memory(failure: Failure) -> bool:
    """Whether a library says so, in the words that it has for it.

    >>> ran_out_of_device_memory(Failure(kind="OutOfMemoryError", text="CUDA out of memory. Tried to allocate 2.00 GiB."))
    True
    >>> ran_out_of_device_memory(Failure(kind="MemoryError", text="Unable to allocate 2.00 GiB"))
    False
    """
    return _NO_MEMORY.search(f"{failure.kind}: {failure.text}") is not None


class Uncrowded:
    """A pool on this machine, as `Pool` is one, whose trials may ask for more device memory together than there is.

    What a trial needs is known only once it has run, so as many run at once as the user says. One that runs out of device memory while others were
    in flight waits until all others have ended, and then has the devices to itself. Its failed run is kept.

    Args:
        setup: what all tasks share.
        take: called in this process with the report of each task.
    """

    def __init__(self, setup: Setup, take: Callable[[Report], None]) -> None:
        self._pool = Pool(setup, self._hear)
        self._several = setup.workers > 1
        self._take = take
        self._tasks: dict[int, Task | CommandTask] = {}
        self._waiting: deque[Task | CommandTask] = deque()
        self._alone: set[int] = set()

    def __enter__(self) -> Uncrowded:
        self._pool.__enter__()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._pool.__exit__(kind, error, trace)

    @property
    def has_room(self) -> bool:
        """Whether another task would be taken up soon; not while one has the machine to itself."""
        return self._pool.has_room and not self._alone & self._tasks.keys()

    @property
    def is_busy(self) -> bool:
        """Whether a task is out whose report has not come."""
        return bool(self._tasks)

    @property
    def findings(self) -> list[Finding]:
        """That tasks had to run alone."""
        if not self._alone:
            return []
        text = (
            "Trials ran out of device memory beside others, and ran again alone. Fewer workers would have spared the time; "
            "the failed runs are kept."
        )
        return [Finding(kind="device memory", about="workers", text=text)]

    def submit(self, task: Task | CommandTask) -> None:
        """Hand a task to the server; raises as `Pool.submit` does."""
        self._tasks[task.number] = task
        self._pool.submit(task)

    def gather(self) -> None:
        """Wait until something is reported; raises as `Pool.submit` does."""
        if self._waiting and not self._pool.is_busy:
            task = self._waiting.popleft()
            self._alone.add(task.number)
            self._pool.submit(task)
        self._pool.gather()

    def _hear(self, report: Report) -> None:
        first = self._several and report.number not in self._alone
        if first and report.failure is not None and ran_out_of_device_memory(report.failure):
            self._waiting.append(self._tasks[report.number])
            return
        del self._tasks[report.number]
        self._take(report)
