"""The end of a process whose run was not finished by its own code: at exit, after an unhandled exception, or by SIGTERM."""

from __future__ import annotations

import atexit
import os
import signal
import sys
import threading
import traceback
from types import FrameType, TracebackType
from typing import Protocol

from assay.records.run import Failure, State


class Unfinished(Protocol):
    """A run of this process that has not ended. `guarded`: nobody else will end it when the process ends."""

    guarded: bool

    def finish(self, state: State = "finished", failure: Failure | None = None) -> object:
        """End it."""

    @property
    def busy(self) -> bool:
        """Whether the main thread is inside it, so that it cannot be ended from a signal handler."""


_open: list[Unfinished] = []
_owner = -1
_installed = False
_unhandled: list[BaseException] = []
_leave_when_free = False


def watch_over(run: Unfinished) -> None:
    """From now on `run` is this process' current one, and is finished when the process ends, however it ends but by SIGKILL.

    One that is not `guarded` is finished by who began it. A forked child never finishes its parent's.
    """
    global _owner
    if _owner != os.getpid():
        _open.clear()
        _owner = os.getpid()
    if run.guarded:
        _install()
    _open.append(run)


def let_go(run: Unfinished) -> None:
    """The run has ended."""
    if run in _open:
        _open.remove(run)


def current() -> Unfinished | None:
    """The run of this process that was begun last and has not ended."""
    return _open[-1] if _open and _owner == os.getpid() else None


def leave_if_asked() -> None:
    """Called when a run is no longer busy: SIGTERM that came meanwhile ends the process now."""
    if _leave_when_free:
        _leave()


def failure_of(error: BaseException) -> Failure:
    """An exception as a record."""
    text = "".join(traceback.format_exception(error))
    return Failure(kind=type(error).__name__, text=str(error), traceback=text)


def state_of(error: BaseException | None) -> State:
    """How a run ends that this exception ends: `SystemExit` with no code or 0 is an ordinary end."""
    if error is None or (isinstance(error, SystemExit) and error.code in (None, 0)):
        return "finished"
    return "interrupted" if isinstance(error, KeyboardInterrupt) else "failed"


def _install() -> None:
    global _installed
    if _installed:  # a forked child has the hooks of its parent
        return
    _installed = True
    atexit.register(_at_exit)
    before = sys.excepthook

    def hook(kind: type[BaseException], value: BaseException, trace: TracebackType | None) -> None:
        _unhandled.append(value)
        before(kind, value, trace)

    sys.excepthook = hook
    in_main = threading.current_thread() is threading.main_thread()
    # A program with a handler of its own knows what it wants; its run then ends as its own code ends.
    if in_main and signal.getsignal(signal.SIGTERM) == signal.SIG_DFL:
        signal.signal(signal.SIGTERM, _terminated)


def _at_exit() -> None:
    if _owner == os.getpid():
        error = _unhandled[-1] if _unhandled else None
        _finish_all(state_of(error), failure_of(error) if state_of(error) == "failed" and error is not None else None)


def _finish_all(state: State, failure: Failure | None) -> None:
    for run in [run for run in reversed(_open) if run.guarded]:
        run.finish(state, failure)


def _terminated(number: int, frame: FrameType | None) -> None:
    global _leave_when_free
    if _owner == os.getpid() and any(run.busy for run in _open):
        _leave_when_free = True
        return
    _leave()


def _leave() -> None:
    """End as SIGTERM ends a process, with its runs recorded as interrupted."""
    if _owner == os.getpid():
        _finish_all("interrupted", None)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    os.kill(os.getpid(), signal.SIGTERM)
