"""Several runs carried out again at once, each watched from a process of its own."""

from __future__ import annotations

import multiprocessing
import os
import pickle
import signal
from collections.abc import Iterable, Iterator
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Generic, NamedTuple, NoReturn, TypeVar

from assay.errors import AssayError, TrialsFailed
from assay.execution.again.carry_out import Terms, carry_out
from assay.execution.again.original import Original
from assay.records.finding import Finding
from assay.records.run import Run
from assay.store.store import Store

Key = TypeVar("Key")
_STOPPING = 15.0
"""Seconds that a run has to end, and to be recorded as interrupted, when the user stops what it is for."""


class Carried(NamedTuple, Generic[Key]):
    """What came of one of them: a run that has ended, in whatever way, or why there is none; and what was found before its start."""

    key: Key
    run: Run | None
    error: AssayError | None
    findings: tuple[Finding, ...]


class _Sent(NamedTuple):
    run: str | None
    error: AssayError | None
    findings: tuple[Finding, ...]
    interrupted: bool = False


def carry_out_all(store: Store, root: Path, jobs: Iterable[tuple[Key, Original, Terms]], *, workers: int) -> Iterator[Carried[Key]]:
    """Each of the runs, as soon as it has ended; commands have no input and no terminal.

    Args:
        store, root: as for `carry_out`.
        jobs: what is carried out, by a key of the caller's.
        workers: how many at once.

    Raises:
        KeyboardInterrupt: the user stopped it; runs that were going on are recorded as interrupted.
    """
    waiting = iter(jobs)
    running: dict[Connection, tuple[Key, BaseProcess]] = {}
    try:
        while True:
            while len(running) < workers and (job := next(waiting, None)) is not None:
                key, original, terms = job
                reading, process = _start(store, root, original, terms)
                running[reading] = (key, process)
            if not running:
                return
            ready = wait(list(running))
            for reading in [each for each in running if each in ready]:
                key, process = running.pop(reading)
                sent = _received(reading)
                process.join()
                if sent.interrupted:
                    raise KeyboardInterrupt
                yield Carried(key, store.runs.read(sent.run) if sent.run else None, sent.error, sent.findings)
    finally:
        _stop([process for _, process in running.values()])


def _start(store: Store, root: Path, original: Original, terms: Terms) -> tuple[Connection, BaseProcess]:
    reading, writing = multiprocessing.Pipe(duplex=False)
    # Forked, since all that it needs is here already; the command itself is started afresh.
    process = multiprocessing.get_context("fork").Process(target=_work, args=(store, root, original, terms, writing))
    process.start()
    writing.close()
    return reading, process


def _work(store: Store, root: Path, original: Original, terms: Terms, writing: Connection) -> NoReturn:
    """In the process of its own: carry out, and tell."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    for standard in (0, 1, 2):
        os.dup2(nowhere, standard)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    findings: list[Finding] = []
    try:
        run = carry_out(store, root, original, terms, findings.append)
        sent = _Sent(run.id, None, tuple(findings))
    except AssayError as error:
        sent = _Sent(None, error, tuple(findings))
    except KeyboardInterrupt:
        sent = _Sent(None, None, (), interrupted=True)
    except BaseException as error:  # noqa: BLE001 - the process ends here, and who waits has to learn why
        broken = TrialsFailed("a run could not be carried out", value=original.run.id, next_step=f"{type(error).__name__}: {error}")
        sent = _Sent(None, broken, tuple(findings))
    writing.send_bytes(pickle.dumps(sent))
    os._exit(0)


def _received(reading: Connection) -> _Sent:
    try:
        with reading:
            sent: _Sent = pickle.loads(reading.recv_bytes())
    except EOFError:  # killed
        return _Sent(None, TrialsFailed("the process that watched a run was killed"), ())
    return sent


def _stop(processes: list[BaseProcess]) -> None:
    for process in processes:
        if process.is_alive() and process.pid is not None:
            os.kill(process.pid, signal.SIGTERM)
    for process in processes:
        process.join(_STOPPING)
        if process.is_alive():
            process.kill()
            process.join()
