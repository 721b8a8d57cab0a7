"""This process's side of the server: tasks go out, reports come back, and nothing is left running."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import tempfile
from collections.abc import Callable
from typing import Any

from assay.errors import InvalidStudy, TrialsFailed
from assay.execution.channel import Inbox, send
from assay.execution.fresh import command
from assay.execution.setup import INSIDE, CommandTask, NotReady, Ready, Report, Setup, Task, trial_environment
from assay.records.run import Failure


def refuse_recursion() -> None:
    """Nothing in an ordinary process.

    Raises:
        InvalidStudy: this process is a trial, or is loading the function for trials: the study would start itself without end.
    """
    if os.environ.get(INSIDE):
        raise InvalidStudy(
            "a study was started while one of its own trials was being set up or run",
            expected="a module that only defines the function when it is imported",
            next_step='Put the lines that run the study under `if __name__ == "__main__":`.',
        )


class Pool:
    """Tasks in flight, at most twice as many as run at once, so that none of the workers waits for this process.

    Args:
        setup: what all tasks share.
        take: called in this process with the report of each task.
    """

    def __init__(self, setup: Setup, take: Callable[[Report], None]) -> None:
        self._setup = setup
        self._take = take
        self._server: _Server | None = None
        self._in_flight: set[int] = set()

    def __enter__(self) -> Pool:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if self._server is None:
            return
        try:
            if kind is not None and issubclass(kind, KeyboardInterrupt):
                self._wind_down()
        finally:
            self._server.close()

    @property
    def has_room(self) -> bool:
        """Whether another task would be taken up soon."""
        return len(self._in_flight) < 2 * self._setup.workers

    @property
    def is_busy(self) -> bool:
        """Whether a task is out whose report has not come."""
        return bool(self._in_flight)

    def submit(self, task: Task | CommandTask) -> None:
        """Hand a task to the server, which is started for the first.

        Raises:
            InvalidStudy: the function cannot be loaded in a clean process.
            TrialsFailed: the server could not be started.
        """
        if self._server is None:
            self._server = _Server(self._setup)
        self._in_flight.add(task.number)
        self._server.send(task)

    def gather(self) -> None:
        """Wait until something is reported."""
        assert self._server is not None
        for message in self._server.receive():
            self._hear(message)
        if self._server.closed:
            self._bury()

    def _hear(self, message: object) -> None:
        if isinstance(message, Report):
            self._in_flight.discard(message.number)
            self._take(message)

    def _bury(self) -> None:
        """The server itself has died (out of memory, killed): what it had is lost and said; the next task starts another."""
        assert self._server is not None
        self._server.close()
        self._server = None
        failure = Failure(kind="ProcessDied", text="the process that starts trials was killed, and this trial with it")
        lost, self._in_flight = self._in_flight, set()
        for number in sorted(lost):
            self._take(Report(number, None, "crashed", {}, failure, 0.0))

    def _wind_down(self) -> None:
        """After Ctrl-C: running trials are told to stop and their endings are waited for; a second Ctrl-C waits no longer."""
        assert self._server is not None
        with contextlib.suppress(KeyboardInterrupt):
            self._server.stop()
            while not self._server.closed:
                for message in self._server.receive():
                    self._hear(message)


class _Server:
    """This process's end of the server."""

    def __init__(self, setup: Setup) -> None:
        self._socket, theirs = socket.socketpair()
        self._inbox = Inbox(self._socket.fileno())
        self._output = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the server
        with theirs:
            # A session of its own, so that a Ctrl-C in the terminal reaches this process alone, which then stops trials in order.
            self._process = subprocess.Popen(
                command("server", theirs.fileno()),
                pass_fds=[theirs.fileno()],
                env=trial_environment(),
                start_new_session=True,
                stdin=subprocess.DEVNULL,
                stdout=self._output,
                stderr=self._output,
            )
        self.send(setup)
        try:
            self._await_ready()
        except BaseException:
            self.close()
            raise

    @property
    def closed(self) -> bool:
        return self._inbox.closed

    def send(self, message: object) -> None:
        # Where the server has died, the end of what can be received says so.
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            send(self._socket.fileno(), message)

    def receive(self) -> list[Any]:
        return self._inbox.receive()

    def stop(self) -> None:
        """No more tasks; what runs is stopped. Reports can be received until the server closes."""
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_WR)

    def close(self) -> None:
        """The server and everything it started has ended."""
        self.stop()
        self._socket.close()
        self._process.wait()
        self._output.close()

    def _await_ready(self) -> None:
        answers: list[Any] = []
        while not answers and not self.closed:
            answers = self.receive()
        if not answers:
            raise TrialsFailed(
                "the process that starts trials ended while it was loading the function",
                value=self._said(),
                next_step="Check that the function's module can be imported in a fresh interpreter.",
            )
        answer = answers[0]
        if isinstance(answer, NotReady):
            raise InvalidStudy("the function cannot be loaded in a clean process", value=answer.problem, next_step=answer.next_step)
        assert isinstance(answer, Ready)

    def _said(self) -> str | None:
        self._output.seek(0)
        return self._output.read().decode(errors="replace")[-2000:].strip() or None
