"""One trial, in the process that is its own: seeded, called, recorded, reported."""

from __future__ import annotations

import atexit
import contextlib
import math
import numbers
import os
import pickle
import signal
import sys
import time
import traceback
import weakref
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

from assay.capture.seeds import set_deterministic_seed
from assay.errors import AssayError
from assay.execution.channel import send
from assay.execution.command_trial import record_command
from assay.execution.patched_trial import record_copied, strays
from assay.execution.setup import Began, CommandTask, Recording, Report, Setup, Task
from assay.execution.shipping import accepts_prepared, ship
from assay.records.run import Failure, State
from assay.store.store import Store
from assay.tracking.recorder import Recorder

PREPARED = "prepared.pickle"
_SIGNALS = (signal.SIGINT, signal.SIGTERM)
OUTPUT = "output.txt"
"""File in a trial's run folder that holds what it printed; gone at the end where it printed nothing."""


class _Refused(Exception):
    """What the function gave back is no result."""


class _Ended(NamedTuple):
    state: State
    value: Any
    failure: Failure | None


def carry_out(setup: Setup, functions: tuple[Any, Any], store: Store, task: Task | CommandTask, pipe: int) -> NoReturn:
    """Run the task in this process, tell `pipe` what came of it, and end the process.

    The signals that stop a trial are held back except while the user's function runs, so that a run is never left half written.
    """
    signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        if isinstance(task, CommandTask):
            record_command(setup, store, task, pipe)
        elif task.copied is not None:
            record_copied(setup, store, task, task.copied, pipe)
        else:
            _record(setup, functions, store, task, pipe)
    except KeyboardInterrupt:
        send(pipe, Report(task.number, None, "interrupted", {}, Failure(kind="KeyboardInterrupt", text="stopped by a signal"), 0.0))
    except AssayError as error:
        send(pipe, Report(task.number, None, "failed", {}, Failure(kind=error.code, text=str(error)), 0.0))
    except BrokenPipeError:
        pass  # the server is gone, and nobody is left to be told
    except BaseException as error:  # noqa: BLE001 - the process ends here, and the study has to learn why
        send(pipe, Report(task.number, None, "failed", {}, _failure(error), 0.0))
    finally:
        os._exit(0)


def _record(setup: Setup, functions: tuple[Any, Any], store: Store, task: Task, pipe: int) -> None:
    recorder = Recorder.begin(
        store,
        setup.root,
        recipe=task.recipe,
        name=task.name,
        params=task.recipe.params,
        seed=task.seed,
        parents=task.parents,
        trial=task.trial,
        snapshot=setup.snapshot,
        environment=setup.environment,
        guarded=False,
    )
    send(pipe, Began(task.number, recorder.id))
    output = store.runs.folder(recorder.id) / OUTPUT
    _redirect(output)
    started = time.monotonic()
    ended = _attempt(functions, store, task)
    send(pipe, Recording(task.number))
    metrics: dict[str, float] = {}
    prepared = None
    if ended.state == "finished":
        ended, metrics, prepared = _keep(recorder, store, setup, task, ended)
    _run_exit_handlers()
    _drop_silence(output)
    run = recorder.finish(ended.state, ended.failure)
    resources = run.result.resources if run.result else None
    send(
        pipe, Report(task.number, recorder.id, ended.state, metrics, ended.failure, time.monotonic() - started, resources, prepared)
    )


def _attempt(functions: tuple[Any, Any], store: Store, task: Task) -> _Ended:
    """The user's function under its seed, with whatever it raises made an ending."""
    try:
        call = _prepare_call(functions, store, task)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)
        try:
            value = call()
        finally:
            signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
    except KeyboardInterrupt:
        return _Ended("interrupted", None, Failure(kind="KeyboardInterrupt", text="stopped by a signal"))
    except SystemExit as error:
        text = f"the function called sys.exit({error.code!r}) instead of returning its metrics"
        return _Ended("failed", None, Failure(kind="SystemExit", text=text))
    except BaseException as error:  # noqa: BLE001 - whatever the user's code raises is a result of the trial
        return _Ended("failed", None, _failure(error))
    return _Ended("finished", value, None)


def _prepare_call(functions: tuple[Any, Any], store: Store, task: Task) -> Any:
    train, prepare = functions
    block = [task.seed] if task.split is None else [task.seed, task.split]
    if task.kind == "prepare":
        _seed(task.seed)
        return lambda: prepare(*block)
    arguments = [pickle.loads(task.configuration), *block]
    if task.prepared is not None and accepts_prepared(train, len(arguments)):
        arguments.append(pickle.loads(store.objects.get(task.prepared)))
    # After the values are made, since making them may draw random numbers.
    _seed(task.seed)
    return lambda: train(*arguments)


def _seed(seed: int) -> None:
    """Seed this process; what it starts keeps the hash seed that it has itself, which is one for the whole study."""
    hashes = os.environ.get("PYTHONHASHSEED")
    set_deterministic_seed(seed)
    if hashes is not None:
        os.environ["PYTHONHASHSEED"] = hashes


def _keep(recorder: Recorder, store: Store, setup: Setup, task: Task, ended: _Ended) -> tuple[_Ended, dict[str, float], str | None]:
    """Metrics into the run, or the prepared value into the store; a value that is neither makes the ending a failure."""
    try:
        if task.kind == "prepare":
            path = store.runs.folder(recorder.id) / PREPARED
            path.write_bytes(ship(ended.value, "what prepare returned"))
            return ended, {}, recorder.save(path)
        _check_imports(setup)
        metrics = as_metrics(ended.value)
    except (_Refused, AssayError) as error:
        return _Ended("failed", None, Failure(kind="InvalidResult", text=str(error))), {}, None
    results = {name: value for name, value in metrics.items() if name not in setup.measured}
    measurements = {name: value for name, value in metrics.items() if name in setup.measured}
    if results:
        recorder.conclude(results)
    if measurements:
        recorder.conclude(measurements, measured=True)
    return ended, metrics, None


def _check_imports(setup: Setup) -> None:
    """Passes where a trial with a copy of the project has none of its code from the project itself, where no patch is made."""
    found = strays(list(sys.modules.values()), setup)
    if found:
        raise _Refused(
            f"{found[0]} was imported from {setup.original} itself, and not from the trial's copy, in which the patches are made;"
            " expected modules that are found by the module path that the study had, or beside their importer"
        )


def as_metrics(value: object) -> dict[str, float]:
    """The dictionary that a trial returned, with plain numbers; NaN and infinities are kept.

    Raises:
        _Refused: it is not a dictionary from text to numbers, or is empty.
    """
    if not isinstance(value, Mapping) or not value:
        raise _Refused(f"the function returned {_brief(value)}; expected a dictionary of metrics such as {{'accuracy': 0.93}}")
    return {_metric_name(name): _number(name, item) for name, item in value.items()}


def _metric_name(name: object) -> str:
    if not isinstance(name, str) or not name:
        raise _Refused(f"the function returned a metric named {name!r}; expected text")
    return name


def _number(name: object, value: Any) -> float:
    """A real number of any library: Python's, NumPy's, or an array or tensor of one element."""
    if getattr(value, "size", None) == 1 or (callable(getattr(value, "numel", None)) and value.numel() == 1):
        value = value.item()
    if not isinstance(value, numbers.Real) and not hasattr(type(value), "__float__"):
        raise _Refused(f"the function returned {_brief(value)} as metric {name!r}; expected a number")
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError) as error:
        raise _Refused(f"the function returned {_brief(value)} as metric {name!r}; expected a number ({error})") from error
    return math.nan if math.isnan(number) else number


def _brief(value: object) -> str:
    return "nothing" if value is None else f"{type(value).__name__} {repr(value)[:80]}"


def _failure(error: BaseException) -> Failure:
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if frame.filename != __file__]
    shown = "".join(traceback.format_list(own) + traceback.format_exception_only(error))
    return Failure(kind=type(error).__name__, text=str(error)[:2000] or type(error).__name__, traceback=shown[-20_000:])


def _redirect(path: Path) -> None:
    """Standard input from nowhere, both outputs into one file, also for native code and child processes."""
    nowhere = os.open(os.devnull, os.O_RDONLY)
    output = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o666)
    for source, target in ((nowhere, 0), (output, 1), (output, 2)):
        os.dup2(source, target)
    for source in (nowhere, output):
        if source > 2:
            os.close(source)


def _drop_silence(path: Path) -> None:
    """Remove the output of a trial that printed nothing and has nobody left who could."""
    with contextlib.suppress(OSError):  # the user's code may have removed it
        if path.stat().st_size == 0 and not _has_children():
            path.unlink()


def _has_children() -> bool:
    try:
        os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        return False
    return True


def forget_server_exits() -> None:
    """Drop the exit handlers and finalizers that the server collected: a temporary folder made at import is the server's to remove."""
    atexit._clear()
    registry: Any = weakref.finalize
    registry._registry.clear()
    registry._registered_with_atexit = False


def _run_exit_handlers() -> None:
    """What the trial's own code left to be done at exit, such as flushing writers: before the run ends, so that it is recorded."""
    with contextlib.suppress(BaseException):  # the interpreter ignores failures at exit too
        atexit._run_exitfuncs()
        sys.stdout.flush()
        sys.stderr.flush()
