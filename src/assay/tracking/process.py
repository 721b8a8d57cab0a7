"""A command started, watched and waited for: its output relayed, its signals passed on, its use of the machine counted."""

from __future__ import annotations

import errno
import math
import os
import resource
import select
import signal
import subprocess
import time
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from assay.capture.interpreter import find_program
from assay.errors import BrokenError, CommandNotFound
from assay.tracking.relay import Channel, pass_on
from assay.tracking.resources import peak_of
from assay.tracking.signals import Sent, Signals, due_at

# Between asking a command to end and ending it.
_PATIENCE = 5.0
# Where the kernel has no descriptors of processes: how often to ask whether the command has ended.
_ASK = 0.02


class Ended(NamedTuple):
    """How a command ended: its status as `os.wait4` gives it, what it used, seconds of wall time, and its peak memory seen in /proc."""

    status: int
    used: resource.struct_rusage
    wall: float
    seen: int
    timed_out: bool

    @property
    def exit_code(self) -> int:
        """As a shell says it: 128 + n for signal n."""
        code = os.waitstatus_to_exitcode(self.status)
        return 128 - code if code < 0 else code

    @property
    def signal(self) -> int | None:
        """The signal that ended it."""
        return os.WTERMSIG(self.status) if os.WIFSIGNALED(self.status) else None


def check_program(program: str, env: Mapping[str, str], cwd: Path) -> None:
    """Make sure that a command's first word names a program.

    Raises:
        CommandNotFound: there is none, or it may not be executed.
    """
    if find_program(program, env, cwd) is not None:
        return
    if "/" in program:
        problem = "the command is not executable" if (cwd / program).is_file() else "the command does not exist"
        raise CommandNotFound(problem, value=program, expected="an executable file", next_step=f"It was looked for from {cwd}.")
    raise CommandNotFound(
        "the command was not found",
        value=program,
        expected="a program on PATH, or a path with a slash",
        next_step=_hint(program, cwd),
    )


def _hint(program: str, cwd: Path) -> str:
    if (cwd / program).is_file():
        runner = "python " if program.endswith(".py") else "./"
        return f"A file of this name is in {cwd}: did you mean `{runner}{program}`?"
    return "Check its spelling, or activate the environment that has it."


class Child:
    """A running command.

    Args:
        command: program and arguments.
        cwd: its working directory.
        env: its whole environment.
        channels: of its output, opened; given back to the kernel on our side once it runs.
        outputs: descriptors for its standard output and standard error; None: closed, as ours.
        apart: give it a session of its own and no input, as a trial has.

    Raises:
        CommandNotFound: the kernel cannot execute it.
        BrokenError: the kernel has no process for it.
    """

    def __init__(
        self,
        command: Sequence[str],
        cwd: Path,
        env: Mapping[str, str],
        channels: list[Channel],
        outputs: tuple[int | None, int | None],
        *,
        apart: bool,
    ) -> None:
        self._channels = channels
        self._apart = apart
        self._clock = time.monotonic()
        self._process = _start(command, cwd, env, outputs, apart)
        self.pid = self._process.pid
        for channel in channels:
            channel.started()

    def wait(self, signals: Signals | None, timeout: float | None) -> Ended:
        """Relay until the command has ended, then take what is left of its output.

        A background process that still holds the output delays nobody: another process is left behind that passes its words on to the user,
        as the kernel would have done; it ends with the last writer.
        """
        seen = self._relay(signals, None if timeout is None else self._clock + timeout)
        _, status, used = os.wait4(self.pid, 0)
        wall = time.monotonic() - self._clock
        self._process.returncode = os.waitstatus_to_exitcode(status)
        self._let_go()
        return Ended(status, used, wall, seen, self._expired)

    def kill(self) -> None:
        """End the command at once, with its children where it has a session of its own, and wait for it."""
        self._send(signal.SIGKILL)
        self._process.wait()

    def _relay(self, signals: Signals | None, deadline: float | None) -> int:
        self._expired = False
        watch = _Watch(self.pid, self._channels, signals.descriptor if signals else -1)
        look = _PeakLook(self.pid)
        pending: list[Sent] = []
        try:
            while True:
                events = watch.wait([*(due_at(sent) for sent in pending), deadline, look.due])
                look.maybe()
                if signals is not None and watch.signalled(events):
                    pending += signals.take()
                pending = self._pass_on(pending)
                watch.pump(events)
                if watch.ended(events):
                    return look.seen
                deadline = self._expire(deadline)
        finally:
            watch.close()

    def _expire(self, deadline: float | None) -> float | None:
        """Ask the command to end where its time is over, and end it where it was asked before: the next moment to look at, or None."""
        if deadline is None or time.monotonic() < deadline:
            return deadline
        self._send(signal.SIGKILL if self._expired else signal.SIGTERM)
        again = None if self._expired else time.monotonic() + _PATIENCE
        self._expired = True
        return again

    def _pass_on(self, pending: list[Sent]) -> list[Sent]:
        later = []
        now = time.monotonic()
        for sent in pending:
            due = due_at(sent)
            if due is not None and due > now:
                later.append(sent)
            elif due is not None:
                if sent.number == signal.SIGWINCH:
                    for channel in self._channels:
                        channel.resize()
                self._send(sent.number)
        return later

    def _send(self, number: int) -> None:
        try:
            if self._apart:
                os.killpg(self.pid, number)
            else:
                os.kill(self.pid, number)
        except ProcessLookupError:
            return

    def _let_go(self) -> None:
        held = [channel for channel in self._channels if channel.source >= 0 and channel.drain()]
        shown = [channel for channel in held if channel.target is not None]
        if shown:
            _leave_behind(shown)


class _Watch:
    """What can happen while a command runs: output, signals, its end."""

    def __init__(self, pid: int, channels: list[Channel], signals: int) -> None:
        self._pid = pid
        self._sources = {channel.source: channel for channel in channels}
        self._signals = signals
        self._poll = select.poll()
        try:
            self._end = os.pidfd_open(pid)
        except OSError:
            self._end = -1
        for descriptor in (*self._sources, signals, self._end):
            if descriptor >= 0:
                self._poll.register(descriptor, select.POLLIN)

    def wait(self, moments: list[float | None]) -> set[int]:
        """Descriptors on which something happened before the earliest of the moments on the monotonic clock."""
        times = [moment for moment in moments if moment is not None]
        pause = max(0.0, min(times) - time.monotonic()) if times else None
        if self._end < 0:
            pause = _ASK if pause is None else min(pause, _ASK)
        return {descriptor for descriptor, _ in self._poll.poll(None if pause is None else math.ceil(1000 * pause))}

    def signalled(self, events: set[int]) -> bool:
        return self._signals in events

    def pump(self, events: set[int]) -> None:
        for source in events & self._sources.keys():
            if self._sources[source].pump() == 0:
                self._poll.unregister(source)
                self._sources.pop(source).close_source()

    def ended(self, events: set[int]) -> bool:
        if self._end >= 0:
            return self._end in events
        return os.waitid(os.P_PID, self._pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None

    def close(self) -> None:
        if self._end >= 0:
            os.close(self._end)


class _PeakLook:
    """Reads a process' peak memory from time to time: often at first, since short commands are the ones whose peak the kernel mixes with
    ours (see `assay.tracking.resources.of_child`)."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._pause = 0.01
        self.due = time.monotonic() + self._pause
        self.seen = 0

    def maybe(self) -> None:
        now = time.monotonic()
        if now >= self.due:
            self.seen = max(self.seen, peak_of(self._pid))
            self._pause = min(1.2 * self._pause, 5.0)
            self.due = now + self._pause


def _start(
    command: Sequence[str], cwd: Path, env: Mapping[str, str], outputs: tuple[int | None, int | None], apart: bool
) -> subprocess.Popen[bytes]:
    def start(words: Sequence[str]) -> subprocess.Popen[bytes]:
        # What the user's shell left open for the command stays open; of Assay's own descriptors none can be inherited.
        return subprocess.Popen(
            words,
            cwd=cwd,
            env=dict(env),
            stdin=subprocess.DEVNULL if apart else None,
            stdout=outputs[0],
            stderr=outputs[1],
            close_fds=False,
            start_new_session=apart,
        )

    try:
        try:
            return start(command)
        except OSError as error:
            if error.errno != errno.ENOEXEC:
                raise
            # A script without a first line that names its interpreter: shells run it themselves.
            return start(["/bin/sh", find_program(command[0], env, cwd) or command[0], *command[1:]])
    except (FileNotFoundError, NotADirectoryError, PermissionError) as error:
        raise CommandNotFound(
            "the command cannot be executed",
            value=command[0],
            expected="a program",
            next_step=f"The system says: {error.strerror}.",
        ) from error
    except OSError as error:
        raise BrokenError(
            "the command could not be started", value=command[0], next_step=f"The system says: {error.strerror}."
        ) from error


def _leave_behind(channels: list[Channel]) -> None:
    with warnings.catch_warnings():
        # Python warns of forks beside threads; the child below calls nothing but read, write and poll.
        warnings.simplefilter("ignore", DeprecationWarning)
        if os.fork() != 0:
            return
    try:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT, signal.SIGUSR1, signal.SIGUSR2):
            if signal.getsignal(number) is not signal.SIG_IGN:
                signal.signal(number, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_SETMASK, set())
        pass_on(channels)
    finally:
        os._exit(0)
