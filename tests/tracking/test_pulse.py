"""The quiet thread: it calls what it was given, and nothing that goes wrong in one stops the others."""

from __future__ import annotations

import os
import threading

from assay.tracking.pulse import Pulse


def test_a_failing_act_does_not_stop_the_others() -> None:
    """Both are called again and again."""
    failed, called = threading.Semaphore(0), threading.Semaphore(0)

    def fail() -> None:
        failed.release()
        raise OSError("the folder is gone")

    first, second = Pulse(fail, 0.0, 0.0), Pulse(called.release, 0.0, 0.0)
    for semaphore in (failed, called, failed, called):
        assert semaphore.acquire(timeout=30)
    first.stop()
    second.stop()


def test_a_forked_child_starts_a_thread_of_its_own() -> None:
    """A child has none of its parent's threads; its own runs still give signs of life."""
    parents = Pulse(lambda: None, 100.0, 100.0)
    child = os.fork()
    if child == 0:
        called = threading.Event()
        Pulse(called.set, 0.0, 0.0)
        os._exit(0 if called.wait(30) else 1)
    assert os.waitpid(child, 0)[1] == 0
    parents.stop()
