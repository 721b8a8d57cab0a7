"""Who is carrying a study out at this moment, and how it is stopped from elsewhere."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from assay.errors import AssayError
from assay.records.canonical import canonical, decode
from assay.records.run import Host
from assay.store.failures import using
from assay.store.objects import write_new
from assay.store.process import discard, lives, owned_name, this_process
from assay.store.store import Store

_PREFIX = "working-"


class Worker(NamedTuple):
    """A process that carries a study out, and the file that says so while it does."""

    path: Path
    host: Host


@contextmanager
def at_work(store: Store, study: str) -> Iterator[None]:
    """While the block runs, `workers_of` names this process, and SIGTERM ends the block in order, as Ctrl-C does.

    Outside the main thread, which alone hears signals, it does nothing.

    Raises:
        StoreUnusable: the store cannot be written.
        KeyboardInterrupt: SIGTERM came.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    path = store.path / "studies" / study / f"{_PREFIX}{owned_name()}"
    former = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        with using(path):
            write_new(str(path), canonical(this_process()))
        yield
    finally:
        signal.signal(signal.SIGTERM, former)
        discard(path)


def workers_of(store: Store, study: str) -> list[Worker]:
    """The processes that carry the study out, as far as they may still live; what dead ones left is removed."""
    found = []
    for path in sorted((store.path / "studies" / study).glob(f"{_PREFIX}*")):
        host = _host(path)
        if host is None:
            continue
        if lives(host) is False:
            discard(path)
        else:
            found.append(Worker(path, host))
    return found


def stop(worker: Worker) -> bool:
    """Ask a process to stop its study and wait until it has; whether it could be asked: only on its own machine."""
    if lives(worker.host) is not True:
        return False
    try:
        os.kill(worker.host.pid, signal.SIGTERM)
    except (ProcessLookupError, PermissionError):
        return False
    # Trials that are told to stop save what they have, which takes as long as it takes. The process itself may be a notebook's.
    while worker.path.exists() and lives(worker.host):
        time.sleep(0.05)
    return True


def _host(path: Path) -> Host | None:
    try:
        return decode(path.read_bytes(), Host)
    except (OSError, AssayError):  # it has just ended, or is being written
        return None
