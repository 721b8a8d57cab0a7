"""What has to happen from time to time while runs last, in one quiet thread for the whole process."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
import time
from collections.abc import Callable

# Nothing here is more urgent; the thread ends by itself when it has had nothing to do for as long.
_TICK = 0.5

_lock = threading.Lock()
_tasks: list[Pulse] = []
_running = False


class Pulse:
    """Calls `act` every so many seconds, give or take a tick, until it is stopped. What `act` raises is passed over.

    Args:
        act: what to call.
        every: seconds between calls.
        first: seconds until the first.
    """

    def __init__(self, act: Callable[[], None], every: float, first: float) -> None:
        self._act = act
        self._every = every
        self._due = time.monotonic() + first
        _add(self)

    def stop(self) -> None:
        """No call begins after this."""
        with _lock:
            if self in _tasks:
                _tasks.remove(self)

    def _maybe(self, now: float) -> None:
        if now < self._due:
            return
        self._due = now + self._every
        # Recording never hurts: a lost folder or a driver's fault must not show up as a traceback.
        with contextlib.suppress(Exception):
            self._act()


def _add(task: Pulse) -> None:
    global _running
    with _lock:
        _tasks.append(task)
        start, _running = not _running, True
    if start:
        threading.Thread(target=_beat, name="assay-pulse", daemon=True).start()


def _beat() -> None:
    global _running
    # Signals are for the program's own threads.
    signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
    while True:
        time.sleep(_TICK)
        with _lock:
            tasks = list(_tasks)
            if not tasks:
                _running = False
                return
        now = time.monotonic()
        for task in tasks:
            task._maybe(now)


def _after_fork() -> None:
    """A forked child has none of its parent's threads, and its runs are not the child's to keep alive."""
    global _running, _lock
    _lock = threading.Lock()
    _tasks.clear()
    _running = False


os.register_at_fork(after_in_child=_after_fork)
