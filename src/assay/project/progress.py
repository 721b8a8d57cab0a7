"""Progress of a study on standard error: one line that is rewritten where it is a terminal, plain lines where it is not."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol, TextIO

from assay.execution.protocol import Outcome
from assay.questions.study.analysis_readings import reason
from assay.report.numbers import duration

_EVERY = 10.0
"""Seconds between plain lines, so that a log of a long study stays short."""


class Progress(Protocol):
    """Told of every outcome as it is known."""

    def __call__(self, outcome: Outcome) -> None:
        """One more trial has its outcome."""
        ...


@contextmanager
def progress(total: int, workers: int, stream: TextIO | None = None) -> Iterator[Progress]:
    """A progress display for `total` trials that ends with the block."""
    stream = stream if stream is not None else sys.stderr
    shown = _Bar(total, workers) if stream.isatty() else _Lines(total, workers, stream)
    try:
        yield shown
    except KeyboardInterrupt:
        shown.close()
        print("assay: stopped. What has finished is kept: run it again to go on.", file=stream, flush=True)
        raise
    finally:
        shown.close()


class _Count:
    """How far a study is, and how long the rest will take at the pace seen so far."""

    def __init__(self, total: int, workers: int) -> None:
        self.total = total
        self.done = self.failed = self.reused = 0
        self._seconds = 0.0
        self._workers = workers

    def add(self, outcome: Outcome) -> None:
        self.done += 1
        self.reused += outcome.reused
        self.failed += outcome.state != "finished"
        if not outcome.reused:
            self._seconds += outcome.seconds

    def words(self) -> str:
        parts = [f"{self.done} of {self.total} trials"]
        parts += [f"{self.reused} reused"] if self.reused else []
        parts += [f"{self.failed} failed"] if self.failed else []
        ran = self.done - self.reused
        if ran and self.done < self.total:
            left = self._seconds / ran * (self.total - self.done) / self._workers
            parts.append(f"about {duration(left)} left")
        return ", ".join(parts)


class _Lines:
    def __init__(self, total: int, workers: int, stream: TextIO) -> None:
        self._count = _Count(total, workers)
        self._stream = stream
        self._last = time.monotonic()

    def __call__(self, outcome: Outcome) -> None:
        self._count.add(outcome)
        if outcome.state != "finished" and outcome.failure is not None:
            where = f"{outcome.trial.configuration}, seed {outcome.trial.seed}"
            self._say(f"failed: {where}: {reason(outcome.failure)}")
        if self._count.done == self._count.total or time.monotonic() - self._last >= _EVERY:
            self._last = time.monotonic()
            self._say(self._count.words())

    def _say(self, text: str) -> None:
        print(f"assay: {text}", file=self._stream, flush=True)

    def close(self) -> None:
        """Nothing is left open."""


class _Bar:
    def __init__(self, total: int, workers: int) -> None:
        # Late: rich takes a quarter of a second to load, and only terminals show it.
        from rich.console import Console
        from rich.progress import BarColumn, TextColumn
        from rich.progress import Progress as Display

        self._count = _Count(total, workers)
        self._display = Display(TextColumn("assay"), BarColumn(), TextColumn("{task.description}"), console=Console(stderr=True))
        self._task = self._display.add_task(self._count.words(), total=total)
        self._display.start()

    def __call__(self, outcome: Outcome) -> None:
        self._count.add(outcome)
        self._display.update(self._task, completed=self._count.done, description=self._count.words())

    def close(self) -> None:
        self._display.stop()
