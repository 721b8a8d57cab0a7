"""A run of the user's own process: `assay.run(...)` as a context, or `assay.start(...)` with `run.finish()`."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from pathlib import Path
from types import TracebackType
from typing import Any, Never, Protocol

from assay.capture.seeds import set_deterministic_seed
from assay.errors import InvalidValue
from assay.project.live_arguments import check_arguments, check_given, check_path
from assay.records.run import Failure, State
from assay.store.root import find_root
from assay.store.store import Store
from assay.tracking.cells import session
from assay.tracking.joined import JoinedCommand, JoinedRecorder, Unrecorded
from assay.tracking.leaving import current, failure_of, state_of
from assay.tracking.recorder import Recorder


class _Recording(Protocol):
    id: str

    def log(self, values: Mapping[str, float], step: int | None = None, measured: bool = False) -> None: ...
    def save(self, path: str | os.PathLike[str]) -> str: ...
    def set_params(self, values: Mapping[str, Any]) -> None: ...
    def finish(self, state: State = "finished", failure: Failure | None = None) -> object: ...


class Run:
    """A run that is running. As a context it ends with its block: `failed` where an exception leaves it, which passes on.

    A run that nobody finishes is finished when the process ends.
    """

    def __init__(self, recording: _Recording) -> None:
        self._recording = recording

    @property
    def id(self) -> str:
        """The run's id."""
        return self._recording.id

    def log(
        self,
        values: Mapping[str, float] | None = None,
        /,
        *more: Never,
        step: int | None = None,
        measured: bool = False,
        **metrics: float,
    ) -> None:
        """Log metrics: `run.log(loss=0.3, step=1)`, or `run.log({"val/loss": 0.3}, step=1)` for names that are no identifiers.

        When this returns, the values survive whatever ends the process.

        Args:
            values: name to number.
            step: whole number that counts the points of a series; None where nothing is counted.
            measured: a measurement (time, memory), which no two runs share; shown apart and never part of sameness.
            more: nothing; there so that the error for a second value can say how it is written.
            metrics: more names and numbers.

        Raises:
            InvalidValue: a value is no number, nothing was given, or the run has ended.
        """
        if more or values is not None or not metrics:
            check_given("metrics", values, more, metrics)
        self._recording.log({**values, **metrics} if values else metrics, step, measured)

    def save(self, path: str | os.PathLike[str]) -> str:
        """Keep a file, or a folder's files, as artifacts: the id of the content.

        Raises:
            InvalidValue: it is no path, it cannot be read, or the run has ended.
        """
        check_path("a path to save", path)
        return self._recording.save(path)

    def param(self, values: Mapping[str, Any] | None = None, /, *more: Never, **params: Any) -> None:
        """Record parameters that became known while the run was running: `run.param(batch=32)`.

        Raises:
            InvalidValue: a name is no text, a value cannot be recorded, nothing was given, or the run has ended.
        """
        check_given("params", values, more, params)
        self._recording.set_params({**(values or {}), **params})

    def finish(self, state: State = "finished") -> None:
        """End the run; doing it twice changes nothing. What `assay run` began ends with its command.

        Raises:
            InvalidValue: `state` is none in which a run can end.
        """
        if state not in ("finished", "failed", "interrupted"):
            raise InvalidValue("a run cannot end in this state", value=state, expected="finished, failed or interrupted")
        self._recording.finish(state)

    def __enter__(self) -> Run:
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None) -> None:
        state = state_of(value)
        self._recording.finish(state, failure_of(value) if state == "failed" and value is not None else None)

    def __repr__(self) -> str:
        return f"<assay run {self.id}>"


def run(
    name: str | None = None,
    *,
    params: Mapping[str, Any] | None = None,
    seed: int | None = None,
    tags: Sequence[str] = (),
    data: Sequence[str | os.PathLike[str]] = (),
    root: str | os.PathLike[str] | None = None,
    **unknown: Never,
) -> Run:
    """Begin a run of this process; it is running when this returns. Under `assay run`, and in a study's trial, it joins that run.

    Args:
        name: what to call it.
        params: parameters; those in the script's own arguments where nothing is given.
        seed: given to `assay.set_deterministic_seed`.
        tags: words to find the run by.
        data: inputs to declare and to keep.
        root: the project's root; found from the working directory, then from the script's folder, where nothing is given.
        unknown: nothing; there so that the error for a misspelled argument can name the right one.

    Raises:
        InvalidValue: a run of this process is active; an argument is misspelled or of another kind; the parameters cannot be recorded;
            data cannot be read.
        StoreUnusable: the store cannot be made or written.
    """
    check_arguments(name=name, tags=tags, data=data, root=root, unknown=unknown)
    return Run(_recording(name or "", tuple(tags), params, seed, tuple(data), root))


start = run


def start_session(
    name: str = "", *, params: Mapping[str, Any] | None = None, seed: int | None = None, tags: Sequence[str] = ()
) -> Run:
    """Begin a run of an interactive session: as `run`, but each run that a cell begins while it is open is a part of it.

    Raises:
        InvalidValue: as `run`.
        StoreUnusable: the store cannot be made or written.
    """
    recording = _recording(name, tuple(tags), params, seed, (), None)
    if isinstance(recording, Recorder):
        recording.joinable = True
    return Run(recording)


def _recording(
    name: str,
    tags: Sequence[str],
    params: Mapping[str, Any] | None,
    seed: int | None,
    data: Sequence[str | os.PathLike[str]],
    root: str | os.PathLike[str] | None,
) -> _Recording:
    joined = _join()
    active = current()
    if joined is None and active is not None:
        raise InvalidValue(
            "a run of this process is still active",
            value=getattr(active, "id", ""),
            expected="one run at a time in a process",
            next_step="Finish it first: use `with assay.run(…):`, or call its finish().",
        )
    if seed is not None:
        set_deterministic_seed(seed)
    if joined is not None:
        return _joining(joined, params, data)
    where = Path(root).resolve() if root is not None else _root()
    running = session()
    with running.hand_over() if running is not None else nullcontext():
        return Recorder.begin(Store.open(where), where, name=name, tags=tags, params=params, seed=seed, data=data)


def _join() -> _Recording | None:
    """The run that this process is a part of: a trial's, or that of the `assay run` above it."""
    active = current()
    if isinstance(active, Recorder):
        return JoinedRecorder(active) if active.joinable else None
    if active is None and "ASSAY_RUN" in os.environ:
        return _join_command()
    return None


_turn = 0
_begun: JoinedCommand | Unrecorded | None = None


def _join_command() -> _Recording:
    """A part in the run of the `assay run` above.

    Where that runs the cells of a session in which several runs began (ASSAY_TURN), the one that is recorded, or one of the others.
    """
    global _turn, _begun
    outer = _begun is None or _begun.left
    _turn += outer
    wanted = os.environ.get("ASSAY_TURN", "")
    mine = not wanted.isdigit() or _turn == int(wanted)
    joined = JoinedCommand(os.environ["ASSAY_RUN"], Path(os.environ.get("ASSAY_STORE", ""))) if mine else Unrecorded()
    _begun = joined if outer else _begun
    return joined


def _joining(joined: _Recording, params: Mapping[str, Any] | None, data: Sequence[str | os.PathLike[str]]) -> _Recording:
    if params:
        joined.set_params(params)
    for item in data:
        joined.save(item)
    return joined


def _root() -> Path:
    """The root above the working directory; where that is no project, the one above the script."""
    here = Path.cwd()
    script = getattr(sys.modules.get("__main__"), "__file__", None)
    try:
        found = find_root(here)
    except InvalidValue:
        if script is None:
            raise
        return find_root(Path(script).resolve().parent)
    # A project shows itself; where nothing does, the folder that the process happened to be started in says less than the script's.
    if script is None or (found / ".git").exists() or (found / ".assay").exists() or found != here:
        return found
    return find_root(Path(script).resolve().parent)
