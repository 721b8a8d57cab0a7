"""The clean process that trials start from: it loads the user's function once, then forks (or starts) one process per trial.

It is a fresh interpreter, never a fork of the user's process, so no thread, lock, open file or random state of theirs reaches a trial.
It has one thread, since a fork keeps only the thread that called it. It ends, and its trials with it, when the other end of its
channel closes: a study that is killed leaves nothing behind.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import os
import pickle
import selectors
import signal
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from assay.capture.entrance import tracer_file
from assay.capture.seeds import set_deterministic_seed
from assay.capture.trace import settle, trace_here
from assay.errors import AssayError
from assay.execution.channel import Inbox, send
from assay.execution.elsewhere.here import as_here
from assay.execution.fresh import command
from assay.execution.setup import Began, CommandTask, NotReady, Ready, Recording, Report, Setup, Task
from assay.execution.trial import carry_out, forget_server_exits
from assay.records.run import HEARTBEAT, Failure
from assay.store.runs import new_run_id, this_process
from assay.store.store import Store
from assay.tracking.ending import user_name
from assay.tracking.recorder import redacted_command
from assay.tracking.resources import look_for_gpus

_GRACE = 10.0
"""Seconds between asking a trial to stop and killing it."""
_RECORDING = 120.0
"""The same for one whose function has stopped: only the machine's load keeps it from its end, and its run is lost if it is killed."""
_SET_PARENT_DEATH_SIGNAL = 1  # PR_SET_PDEATHSIG of prctl(2)


def main(facts: dict[str, Any]) -> None:
    """Serve, or carry out one trial, over the inherited descriptor."""
    sys.argv[:] = facts["argv"]
    sys.orig_argv[:] = facts["command"]  # what a trial's run was started by, as far as its user is concerned
    # Held back rather than ignored: a trial inherits this, and lets the signal through only while the user's function runs.
    signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGINT,))
    if facts["role"] == "trial":
        _single(facts["descriptor"])
    else:
        if facts["role"] == "far server":
            die_with_parent()
            # A scheduler sends it to every process of a job that it ends; the keeper, which it reaches too, tells the server.
            signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGTERM,))
        Server(facts["descriptor"]).serve()


@dataclass
class _Running:
    task: Task | CommandTask
    pid: int
    process: int
    inbox: Inbox
    since: float
    run: str | None = None
    recording: bool = False
    report: Report | None = None
    popen: subprocess.Popen[bytes] | None = field(default=None, repr=False)


class Server:
    """Carries out tasks that arrive on a channel, at most `workers` at once, and sends a report for each."""

    def __init__(self, descriptor: int) -> None:
        self._client = Inbox(descriptor)
        self._selector = selectors.DefaultSelector()
        self._waiting: deque[Task | CommandTask] = deque()
        self._running: dict[int, _Running] = {}
        self._stopping: float | None = None
        self._setup: Setup | None = None
        self._functions: tuple[Any, Any] = (None, None)
        self._store: Store | None = None
        self._beaten = time.monotonic()

    def serve(self) -> None:
        """Until the channel closes and every trial has ended."""
        self._selector.register(self._client, selectors.EVENT_READ, self._hear)
        while not self._client.closed or self._running:
            for key, _ in self._selector.select(self._patience()):
                key.data()
            self._start_waiting()
            self._kill_the_late()
            self._give_signs_of_life()

    def _hear(self) -> None:
        for message in self._client.receive():
            if isinstance(message, Setup):
                self._load(message)
            else:
                self._waiting.append(message)
        if self._client.closed:
            self._selector.unregister(self._client)
            self._stop()

    def _tell(self, message: object) -> None:
        # Where the study was killed nobody listens any more; its trials are stopped once the end of the channel is read.
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            send(self._client.descriptor, message)

    def _load(self, setup: Setup) -> None:
        """Open the store and, where trials are forked, load the function: what it imports, every trial has at once."""
        self._setup = setup
        answer: Ready | NotReady = Ready()
        if setup.start == "fork":
            # Modules that draw random numbers while they are imported have to draw the same ones every time.
            set_deterministic_seed(0)
            try:
                self._store = setup.open_store()
                setup = self._setup = as_here(setup, self._store)
                self._functions = load_functions(setup.function) if setup.function is not None else (None, None)
            except AssayError as error:
                answer = NotReady(str(error), "")
            except BaseException as error:  # noqa: BLE001 - importing the user's module can raise anything
                answer = NotReady(
                    f"{type(error).__name__}: {error}", "Check that the module can be imported in a fresh interpreter."
                )
            if isinstance(answer, Ready) and _cuda_is_up():
                answer = NotReady(
                    "importing the function's module initialised CUDA, which does not survive a fork", 'Use start="spawn".'
                )
            if isinstance(answer, Ready) and setup.function is not None:
                assert self._store is not None
                _warm_up(self._store, setup)
            gc.collect()
            gc.freeze()  # the collector of a forked process would copy every page that holds an object
        self._tell(answer)

    def _start_waiting(self) -> None:
        while self._setup and self._waiting and self._stopping is None and self._at_work() < self._setup.workers:
            self._launch(self._waiting.popleft(), self._setup)

    def _at_work(self) -> int:
        """Trials that have not reported yet. One that has is only ending: the next one need not wait until its memory is given back."""
        return sum(running.report is None for running in self._running.values())

    def _launch(self, task: Task | CommandTask, setup: Setup) -> None:
        reading, writing = os.pipe()
        popen = None
        if setup.start == "spawn":
            popen = _spawn(setup, task, writing)
            pid = popen.pid
        else:
            pid = os.fork()
            if pid == 0:
                self._become_trial(task, setup, reading, writing)
            os.setpgid(pid, pid)  # here and in the trial, since either may be first
        os.close(writing)
        running = _Running(task, pid, os.pidfd_open(pid), Inbox(reading), time.monotonic(), popen=popen)
        self._running[pid] = running
        self._selector.register(running.inbox, selectors.EVENT_READ, lambda: self._listen(running))
        self._selector.register(running.process, selectors.EVENT_READ, lambda: self._reap(running))

    def _become_trial(self, task: Task | CommandTask, setup: Setup, reading: int, writing: int) -> None:
        """In the forked process: let go of all that belongs to the server, then carry the task out. Never returns."""
        try:
            die_with_parent()
            os.setpgid(0, 0)
            os.close(self._client.descriptor)
            os.close(reading)
            self._selector.close()
            for other in self._running.values():
                os.close(other.process)
                os.close(other.inbox.descriptor)
            forget_server_exits()
            assert self._store is not None
            carry_out(setup, self._functions, self._store, task, writing)
        finally:
            os._exit(70)

    def _listen(self, running: _Running) -> None:
        if running.pid not in self._running:  # reaped by an earlier event of the same round
            return
        self._take(running, running.inbox.receive())
        if running.inbox.closed:
            self._selector.unregister(running.inbox)

    def _take(self, running: _Running, messages: list[Any]) -> None:
        for message in messages:
            if isinstance(message, Began):
                running.run = message.run
                self._tell(message)
            elif isinstance(message, Recording):
                running.recording = True
            else:
                running.report = message

    def _reap(self, running: _Running) -> None:
        """A trial's process has ended: what it left running ends too, then its report goes out, or one that says how it died."""
        if not running.inbox.closed:
            self._selector.unregister(running.inbox)
            self._take(running, running.inbox.drain())
        _kill_group(running.pid)
        _, status = os.waitpid(running.pid, 0)
        if running.popen is not None:
            running.popen.returncode = os.waitstatus_to_exitcode(status)
        self._selector.unregister(running.process)
        os.close(running.process)
        os.close(running.inbox.descriptor)
        del self._running[running.pid]
        report = running.report or self._obituary(running, os.waitstatus_to_exitcode(status))
        self._tell(report._replace(run=report.run or running.run))

    def _obituary(self, running: _Running, code: int) -> Report:
        seconds = time.monotonic() - running.since
        if self._stopping is not None:
            return Report(
                running.task.number,
                running.run,
                "crashed",
                {},
                Failure(kind="Killed", text="killed: it did not stop when asked"),
                seconds,
            )
        how = f"was killed by {signal_name(-code)}" if code < 0 else f"exited with code {code}"
        failure = Failure(kind="ProcessDied", text=f"the trial's process {how} before the function returned")
        return Report(running.task.number, running.run, "crashed", {}, failure, seconds)

    def _stop(self) -> None:
        """The study ends or is gone: what runs is asked to stop, and is recorded as interrupted where it lets itself be stopped."""
        self._stopping = time.monotonic()
        self._waiting.clear()
        for running in self._running.values():
            _signal_group(running.pid, signal.SIGINT)

    def _patience(self) -> float | None:
        """Seconds that may pass before a trial has to be killed, or said to be alive."""
        if self._stopping is not None:
            return max(0.1, self._stopping + _GRACE - time.monotonic())
        return max(0.0, self._beaten + HEARTBEAT - time.monotonic()) if self._running else None

    def _give_signs_of_life(self) -> None:
        """For the runs of trials, which have no thread of their own for it; readers on other machines look for them."""
        if self._setup is None or time.monotonic() < self._beaten + HEARTBEAT:
            return
        self._beaten = time.monotonic()
        for run_id in [running.run for running in self._running.values() if running.run is not None]:
            # A lost folder ends no study: the run itself says what it could not write.
            with contextlib.suppress(AssayError):
                store = self._store or self._setup.open_store(create=False)
                store.runs.open_writer(run_id).beat()

    def _kill_the_late(self) -> None:
        if self._stopping is None:
            return
        for running in self._running.values():
            if time.monotonic() >= self._stopping + (_RECORDING if running.recording else _GRACE):
                _signal_group(running.pid, signal.SIGKILL)


def load_functions(shipped: bytes) -> tuple[Any, Any]:
    """`(train, prepare)`, with what they name in `__main__` put into this process's, so that pickling by name works inside a trial."""
    functions: tuple[Any, Any] = pickle.loads(shipped)
    main_module = vars(sys.modules["__main__"])
    for function in functions:
        found = getattr(function, "__globals__", {})
        if found.get("__name__") == "__main__":
            main_module.update({name: value for name, value in found.items() if not name.startswith("__")})
    return functions


def _warm_up(store: Store, setup: Setup) -> None:
    """Do once, here, what would be done anew in every trial: look through the loaded modules, build tables, compile patterns.

    Not by recording a run: that would start a thread, and a fork keeps the locks that other threads hold.
    """
    new_run_id()
    this_process()
    user_name()
    look_for_gpus()
    redacted_command()
    with contextlib.suppress(OSError):  # neither the cache can be written nor anything else be done about it here
        tracer_file()
    # Last: what is known of the shared libraries holds for as many modules as are imported now.
    trace = trace_here()
    trace.start()
    # Of what was loaded alone, whose contents are then known: nobody wants the files that changed just now.
    loaded = replace(trace.stop(), compiled=frozenset())
    settle(store, setup.root, loaded, snapshot=setup.snapshot, since=time.time())


_prctl = ctypes.CDLL(None).prctl


def die_with_parent() -> None:
    """SIGKILL this process when its parent dies, whatever the parent dies of (Linux)."""
    _prctl(_SET_PARENT_DEATH_SIGNAL, signal.SIGKILL)


def signal_name(number: int) -> str:
    """ "signal 11 (SIGSEGV)" """
    try:
        return f"signal {number} ({signal.Signals(number).name})"
    except ValueError:
        return f"signal {number}"


def _single(descriptor: int) -> None:
    """A trial in a fresh interpreter: setup and task arrive on standard input."""
    die_with_parent()
    setup, task = pickle.load(sys.stdin.buffer)
    set_deterministic_seed(0)
    try:
        store = setup.open_store()
        setup = as_here(setup, store)
        functions = _loaded(setup, task)
    except BaseException as error:  # noqa: BLE001 - importing the user's module can raise anything
        failure = Failure(kind=type(error).__name__, text=f"the trial's function could not be loaded: {error}")
        send(descriptor, Report(task.number, None, "failed", {}, failure, 0.0))
        return
    carry_out(setup, functions, store, task, descriptor)


def _loaded(setup: Setup, task: Task | CommandTask) -> tuple[Any, Any]:
    """The functions of a trial, where it is this process that calls them.

    In a copy of the project whose code cannot be imported, what stands for the function says so when it is called: then that is what
    became of the trial.
    """
    if setup.function is None or isinstance(task, CommandTask) or task.copied is not None:
        return None, None
    try:
        return load_functions(setup.function)
    except Exception as error:
        if setup.original is None:
            raise
        return _raising(error), None


def _raising(error: Exception) -> Callable[..., object]:
    def train(*_: object) -> object:
        raise error

    return train


def _spawn(setup: Setup, task: Task | CommandTask, writing: int) -> subprocess.Popen[bytes]:
    popen = subprocess.Popen(command("trial", writing), stdin=subprocess.PIPE, pass_fds=[writing], process_group=0)
    assert popen.stdin is not None
    # A trial that dies before it has read this is reported like any other that dies.
    with contextlib.suppress(BrokenPipeError), popen.stdin as pipe:
        pickle.dump((setup, task), pipe)
    return popen


def _cuda_is_up() -> bool:
    torch = sys.modules.get("torch")
    cuda = getattr(torch, "cuda", None)
    return bool(cuda is not None and cuda.is_initialized())


def _signal_group(leader: int, number: int) -> None:
    """The trial and whatever it started. Its leader is not reaped yet, so the group's number cannot belong to anybody else."""
    with contextlib.suppress(ProcessLookupError, PermissionError):  # nobody of the group is alive
        os.killpg(leader, number)


def _kill_group(leader: int) -> None:
    _signal_group(leader, signal.SIGKILL)
