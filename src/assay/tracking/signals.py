"""Signals that reach Assay while a command runs, passed on to the command.

What the terminal sends (Ctrl-C, Ctrl-\\, a window that changes its size) the kernel sends to the command as well, since it is in the same
process group. What another process sends to Assay alone must be passed on. The kernel says which of the two a signal is (`si_code`), to
who waits for blocked signals in a thread; an ordinary handler is not told.
"""

from __future__ import annotations

import contextlib
import os
import signal
import threading
import time
from collections import deque
from types import FrameType, TracebackType
from typing import Any, NamedTuple

_ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)
_TAKEN = (*_ENDING, signal.SIGUSR1, signal.SIGUSR2, signal.SIGWINCH)
_FROM_KERNEL = 0x80  # SI_KERNEL in asm-generic/siginfo.h
# Who signals a whole group (timeout, a shell that ends) reaches the command too; it may end before we would tell it once more.
_GRACE = 0.05
_STOP = signal.SIGRTMIN


class Sent(NamedTuple):
    """A signal that came: its number, whether the kernel sent it (and so the command has it), and when."""

    number: int
    by_kernel: bool
    at: float


class Signals:
    """Takes the signals of this process from `__enter__` on; `watch` opens a descriptor that becomes readable with each.

    What the user had ignored (nohup, a shell's background job) stays ignored. Outside the main thread, nothing is taken.

    Attributes:
        descriptor: readable where a signal has come; -1 before `watch`.
        came: every signal that came so far.
    """

    def __init__(self) -> None:
        self.descriptor = -1
        self.came: list[Sent] = []
        self._told = -1
        self._before: dict[int, Any] = {}
        self._thread: threading.Thread | None = None
        self._mask: set[Any] | None = None
        self._due: deque[Sent] = deque()
        self._over = False

    def __enter__(self) -> Signals:
        if threading.current_thread() is threading.main_thread():
            for number in _TAKEN:
                if signal.getsignal(number) not in (signal.SIG_IGN, None):
                    self._before[number] = signal.signal(number, self._handle)
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None) -> None:
        self.unwatch()
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def watch(self) -> None:
        """From now on a thread waits for the signals, which are blocked everywhere else. Called after the command was started, which so
        has none of them blocked."""
        if not self._before:
            return
        self.descriptor, self._told = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        self._mask = signal.pthread_sigmask(signal.SIG_BLOCK, {*self._before, _STOP})
        self._thread = threading.Thread(target=self._wait, name="assay-signals", daemon=True)
        self._thread.start()
        if self.came:
            os.write(self._told, b"\0")

    def unwatch(self) -> None:
        """The command has ended. Signals that come now end nothing, except that an interrupt is raised as usual."""
        self._over = True
        if self._thread is None or self._mask is None:
            return
        signal.pthread_kill(self._thread.ident or 0, _STOP)
        self._thread.join()
        self._thread = None
        signal.pthread_sigmask(signal.SIG_SETMASK, self._mask)
        os.close(self.descriptor)
        os.close(self._told)
        self.descriptor = self._told = -1

    def take(self) -> list[Sent]:
        """Signals that came since the last call."""
        with contextlib.suppress(BlockingIOError):
            os.read(self.descriptor, 4096)
        new = []
        while self._due:
            new.append(self._due.popleft())
        return new

    @property
    def ending(self) -> int | None:
        """The first signal that asks a program to end; None where none came."""
        return next((sent.number for sent in self.came if sent.number in _ENDING), None)

    def _wait(self) -> None:
        wanted = {*self._before, _STOP}
        while True:
            found = signal.sigwaitinfo(wanted)
            if found.si_signo == _STOP:
                return
            self._note(Sent(found.si_signo, found.si_code == _FROM_KERNEL, time.monotonic()))
            os.write(self._told, b"\0")

    def _handle(self, number: int, frame: FrameType | None) -> None:
        if self._over and number == signal.SIGINT:
            raise KeyboardInterrupt
        if not self._over:
            # Another library's thread was interrupted, which had the signal unblocked.
            self._note(Sent(number, False, time.monotonic()))
            if self._told >= 0:
                os.write(self._told, b"\0")

    def _note(self, sent: Sent) -> None:
        self.came.append(sent)
        self._due.append(sent)


def due_at(sent: Sent) -> float | None:
    """When a signal is to be passed on, on the monotonic clock; None where the command has it already."""
    if sent.number == signal.SIGWINCH:
        # The command had it from the kernel, perhaps before the pseudo-terminal knew its new size.
        return sent.at
    if sent.by_kernel:
        return None
    return sent.at + _GRACE if sent.number in _ENDING else sent.at
