"""A run of this process: begun, logged to, finished."""

from __future__ import annotations

import os
import sys
import time
import weakref
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from threading import get_ident, main_thread
from typing import Any

from assay.capture.code import CodeCapture, Snapshot
from assay.capture.data import declare
from assay.capture.environment import describe, settings
from assay.capture.injected.tracer import hash_seed
from assay.capture.interpreter import this_interpreter
from assay.capture.secrets import redact_arguments
from assay.capture.trace import Observed, settle, trace_here
from assay.errors import InvalidValue, StoreUnusable
from assay.lineage.parents import links, still_missing
from assay.records.canonical import as_named, legible
from assay.records.environment import Environment
from assay.records.finding import Finding, Gap
from assay.records.journal import Params, Point, Saved, Sums
from assay.records.recipe import Recipe
from assay.records.run import Failure, Metric, Parent, Result, Run, Start, State, TrialOf
from assay.records.trace import FileUse, Trace
from assay.store.journal import SUFFIX, JournalWriter, LateJournal
from assay.store.runs import RunWriter, new_run_id, this_process
from assay.store.store import Store
from assay.store.tree import FileKind, write_tree
from assay.tracking.cells import session, with_cells
from assay.tracking.command import parameters, portable
from assay.tracking.ending import Shortfall, said, user_name, with_uses
from assay.tracking.leaving import leave_if_asked, let_go, watch_over
from assay.tracking.plain import plain_params
from assay.tracking.pulse import Pulse
from assay.tracking.recipe import HASH_SEED, kept_file, put_together
from assay.tracking.recovery import announce, recover_crashed, withdraw
from assay.tracking.resources import GpuWatch, Usage
from assay.tracking.summary import Tally, summarise

_INSIDE = "standard output and standard error of a run that lives inside a program are the program's own"
_now = time.time


class Recorder:
    """A run of this process. `begin` makes one.

    Threads may log at once. In a forked child `log`, `save` and `set_params` write into the same run, and `finish` does nothing.

    Attributes:
        id: the run's id.
        guarded: whether the end of the process finishes it.
        joinable: whether another that this process begins meanwhile is a part of it.
        busy: whether the main thread is inside one of its methods.
    """

    def __init__(
        self, store: Store, start: Start, recipe: Recipe, params: Mapping[str, Any], seed: int | None, *, guarded: bool = True
    ) -> None:
        self.id = start.id
        self.guarded = guarded
        self.joinable = not guarded
        self.busy = False
        self._store = store
        self._start = start
        self._root = Path(as_named(start.root))
        self._recipe = recipe
        self._params = dict(params)
        self._seed = seed
        self._tally = Tally()
        self._shortfall = Shortfall()
        self._saved: list[FileUse] = []
        self._declared: tuple[FileUse, ...] = ()
        self._findings: tuple[Finding, ...] = ()
        self._session = session() if guarded else None
        self._turn = self._session.take_turn() if self._session is not None else 0
        self._clock = time.monotonic()
        self._pid = os.getpid()
        self._main = main_thread().ident
        self._thread = get_ident()
        self._shared = False  # whether the journals hold more than `_tally` has seen
        self._run: Run | None = None
        self._writer: RunWriter = store.runs.create(start)
        # A trial most often says its metrics at its end, and then needs no journal: a file costs it more than all its other writing.
        self._journal: JournalWriter | LateJournal = self._writer.journal() if guarded else LateJournal(self._writer.journal)
        self._last: list[Point] = []

    @classmethod
    def begin(
        cls,
        store: Store,
        root: Path,
        *,
        recipe: Recipe | None = None,
        name: str = "",
        tags: Sequence[str] = (),
        params: Mapping[str, Any] | None = None,
        seed: int | None = None,
        data: Sequence[str | os.PathLike[str]] = (),
        parents: Sequence[Parent] = (),
        trial: TrialOf | None = None,
        snapshot: Snapshot | None = None,
        environment: tuple[str, Environment] | None = None,
        trace: bool = True,
        guarded: bool = True,
    ) -> Recorder:
        """A run that is running: its start is in the store, and what this process does from now on is observed.

        Args:
            store: where it is recorded.
            root: what recorded paths are relative to.
            recipe: recorded in place of the one that follows from this process and the arguments.
            name, tags, parents, trial: as `Start` has them.
            params: parameters; those in this process' own arguments where it is None.
            seed: recorded; the libraries were seeded by the caller.
            data: declared inputs, which are kept.
            snapshot, environment: where the caller has just made them.
            trace: observe files; one run of a process at a time can.
            guarded: finish the run when the process ends. Who carries a trial out does that itself, exit handlers and failure included.

        Raises:
            InvalidValue: parameters that are no mapping with text keys, or a declared input that cannot be read.
            StoreUnusable: the store cannot take the run.
        """
        usage = Usage()
        if guarded:
            recover_crashed(store)
        root, cwd = Path(os.path.realpath(root)), Path.cwd()  # the system gives the working directory without links
        snapshot = snapshot or CodeCapture(store, root).snapshot()
        environment = environment or describe(store, this_interpreter(), os.environ)
        words, findings = redacted_command()
        declared = declare(store, root, cwd, data)
        command = portable(words, root, cwd)
        given = parameters(command) if params is None else plain_params(params)
        recipe = recipe or put_together(root, cwd, command, snapshot, environment[1], declared, _own_settings(), given, seed)
        start = Start(
            id=new_run_id(),
            recipe=store.objects.put_record(recipe),
            name=legible(name),
            tags=tuple(map(legible, tags)),
            parents=tuple(parents),
            trial=trial,
            started=_now(),
            command=tuple(map(legible, words)),
            cwd=legible(str(cwd)),
            root=legible(str(root)),
            user=user_name(),
            host=this_process(),
            environment=environment[0],
            git=snapshot.git,
            left_out=snapshot.left_out,
        )
        recorder = cls(store, start, recipe, given, seed, guarded=guarded)
        if recorder.guarded:  # a trial's folder does not outlive it
            announce(store, start.id)
        recorder._declared, recorder._findings = declared, findings
        recorder._observe(usage, snapshot, trace)
        return recorder

    def _observe(self, usage: Usage, snapshot: Snapshot, trace: bool) -> None:
        self._usage, self._snapshot = usage, snapshot
        every = self._start.heartbeat
        # A trial's sign of life is given by the server that forked it: a thread costs a short trial a tenth of its time.
        self._beat = Pulse(self._writer.beat, every, every) if self.guarded else None
        self._gpu = GpuWatch(self._pid)
        self._trace = trace_here(self._writer.folder) if trace else None
        if self._trace is not None:
            with self._shortfall.border("reads and writes"):
                self._trace.start(self._session.inputs() if self._session is not None else ())
        _alive.add(self)
        watch_over(self)

    def log(self, values: Mapping[str, float], step: int | None = None, measured: bool = False) -> None:
        """Metrics at a step; whatever ends this process afterwards, they are kept.

        Args:
            values: name to number; numbers of any library, NaN and infinities included.
            step: whole number, or None.
            measured: a measurement (time, memory), which is never part of sameness.

        Raises:
            InvalidValue: a value is no number (truth values and text are none), a name is no text, a step is not whole; the run has ended.
        """
        point = checked_point(values, step, measured)
        self._append(point)
        self._tally.add(point.values, point.step, measured)

    def conclude(self, values: Mapping[str, float], measured: bool = False) -> None:
        """Metrics that are known at the end alone; they are kept when `finish` has returned.

        Raises:
            InvalidValue: as for `log`.
        """
        if self._run is not None:
            raise ended(self.id)
        self._last.append(checked_point(values, None, measured))

    def save(self, path: str | os.PathLike[str]) -> str:
        """Keep a file, or all files of a folder, as artifacts: the content's id, or the tree's.

        Raises:
            InvalidValue: it cannot be read; the run has ended.
        """
        return saved_tree(self._store, Path(path), self._save)

    def _save(self, path: Path) -> str:
        use = kept_file(self._store, self._root, path, by="save")
        content = use.id or ""
        self._append(Saved(time=_now(), path=use.path, id=content, size=use.size))
        self._saved.append(use)
        return content

    def set_params(self, values: Mapping[str, Any]) -> None:
        """Parameters that became known while the run was running.

        Raises:
            InvalidValue: `values` is no mapping with text keys; the run has ended.
        """
        plain = plain_params(values)
        self._append(Params(time=_now(), values=plain))
        self._params.update(plain)

    def sums(self, layers: Mapping[str, tuple[bytes, float]], step: int | None = None) -> None:
        """Checksums and norms of arrays by name, as `assay.records.journal.Sums` has them.

        Raises:
            InvalidValue: the run has ended.
        """
        self._append(Sums(_now(), step, dict(layers)))

    def _append(self, entry: Point | Params | Saved | Sums) -> None:
        thread = get_ident()
        if thread != self._thread:
            self._shared = True
        if self._run is not None:
            raise ended(self.id)
        # SIGTERM must not end the run from within: the journal's lock is taken here.
        inside = thread == self._main
        if inside:
            self.busy = True
        try:
            self._journal.append(entry)
        except StoreUnusable as error:
            self._shortfall.add("journal", str(error))
        finally:
            if inside:
                self.busy = False
                leave_if_asked()

    def finish(self, state: State = "finished", failure: Failure | None = None) -> Run:
        """End the run; its result is in the store afterwards. A run that has ended stays as it is.

        What fails here is named in the result's fidelity and raises nothing.
        """
        if self._run is not None:
            return self._run
        if os.getpid() != self._pid:
            return self._store.runs.read(self.id)
        self.busy = True
        try:
            if self._beat is not None:
                self._beat.stop()
            self._gpu.stop()
            result = self._gather(state, failure)
            self._run = Run(start=self._start, state=state, result=result)
            with self._shortfall.border("result"):
                self._writer.finish(result)
            if self.guarded:
                withdraw(self._store, self.id)
            _alive.discard(self)
            let_go(self)
            if self._session is not None and self._trace is not None:
                self._session.take_back(self._trace.inputs())
        finally:
            self.busy = False
        leave_if_asked()
        return self._run

    def _gather(self, state: State, failure: Failure | None) -> Result:
        resources = self._usage.since(self._gpu)
        ended = (
            self._start.started + time.monotonic() - self._clock
        )  # so that a clock that was set meanwhile does not end it before it began
        observed, trace, gaps, findings = self._settled()
        params, saved, metrics = self._reported(trace)
        trace = with_uses(trace, saved=saved, declared=self._declared)
        if self._session is not None:
            with self._shortfall.border("cells"):
                trace, told = with_cells(trace, self._session, self._turn, self._store, self._root)
                gaps = (*gaps, *told)
        parents: tuple[Parent, ...] = ()
        with self._shortfall.border("lineage"):
            linked = links(self._store, trace, self._start, self._recipe)
            gaps = still_missing(gaps, trace, linked.trace)
            parents, trace = linked.parents, linked.trace
            findings = (*findings, *linked.findings)
        trace_id = None
        with self._shortfall.border("trace"):
            trace_id = self._store.objects.put_record(trace)
        cells = ("cells",) if self._session is not None else ()
        captured = (
            "code",
            *cells,
            "hardware",
            "packages",
            "resources",
            "determinism",
            *(("reads", "writes") if self._trace else ()),
        )
        return Result(
            state=state,
            ended=ended,
            metrics=metrics,
            params=params,
            trace=trace_id,
            environment=self._start.environment,
            determinism=observed.determinism,
            resources=resources,
            parents=parents,
            fidelity=self._shortfall.fidelity(captured, (*gaps, *self._unseen()), blind=False),
            findings=(*self._findings, *findings),
            failure=failure,
        )

    def _settled(self) -> tuple[Observed, Trace, Sequence[Gap], Sequence[Finding]]:
        if self._trace is None:
            return Observed(), Trace(), (), ()
        observed = Observed()
        with self._shortfall.border("reads and writes"):
            observed = self._trace.stop()
            settled = settle(self._store, self._root, observed, snapshot=self._snapshot, since=self._start.started)
            self._trace.forget()
            return observed, settled.trace, settled.gaps, settled.findings
        return observed, Trace(), (), ()

    def _unseen(self) -> list[Gap]:
        # What a trial printed is kept by who carries it out.
        return [Gap(what="output", why=_INSIDE)] if self.guarded else []

    def _reported(self, trace: Trace) -> tuple[dict[str, Any], list[FileUse], dict[str, Metric]]:
        """Parameters, saved files and metrics, by this process and by others that wrote into the run."""
        params, saved = self._params, self._saved
        points: list[Point] = []
        for point in self._last:
            self._tally.add(point.values, point.step, point.measured)
        with self._shortfall.border("metrics"):
            points = self._harvested(trace)
            journals = sum(name.endswith(SUFFIX) for name in os.listdir(self._writer.folder))  # noqa: PTH208 - names are wanted
            by_others = journals > self._journal.exists
            if journals or points:
                for point in (*self._last, *points):
                    self._journal.append(point)
            if not by_others and not self._shared and not points:
                return params, saved, self._tally.metrics()
            entries = list(self._store.runs.entries(self.id))
            told = said(entries)
            return params | told.params, told.saved, summarise(entries)
        return params, saved, self._tally.metrics()

    def _harvested(self, trace: Trace) -> list[Point]:
        if not trace.written:
            return []
        # Late: few runs of a process write files for others to read metrics from, and the readers cost every start some milliseconds.
        from assay.tracking.sources.harvest import harvest

        found = harvest(self._root, trace.written, (), self._params)
        self._shortfall.gaps += found.gaps
        return found.points

    def _forked(self) -> None:
        """In a child: write into a journal of its own, so that the parent sees that there is one.

        Most children (workers that load data) never write.
        """
        self._main = get_ident()
        self.busy = False
        self._journal = LateJournal(self._writer.journal)


# Weak, since a run that was never finished must not be kept alive by this.
_alive: weakref.WeakSet[Recorder] = weakref.WeakSet()


def _after_fork() -> None:
    for recorder in _alive:
        recorder._forked()


os.register_at_fork(after_in_child=_after_fork)


def own_command() -> list[str]:
    """The command line of this process; nothing in a terminal or notebook, where it says nothing about what is run."""
    main = sys.modules.get("__main__")
    interactive = hasattr(sys, "ps1") or "ipykernel" in sys.modules or main is None
    return [] if interactive else list(sys.orig_argv)


def redacted_command() -> tuple[tuple[str, ...], tuple[Finding, ...]]:
    """`own_command` without secrets, and a finding for each that was replaced."""
    return _redacted(tuple(own_command()))


# The runs of one process have one command line.
@lru_cache(maxsize=1)
def _redacted(words: tuple[str, ...]) -> tuple[tuple[str, ...], tuple[Finding, ...]]:
    kept, findings = redact_arguments(words)
    return kept, tuple(findings)


def _own_settings() -> tuple[dict[str, str], dict[str, str]]:
    """Thread counts and flags of this process. Its hash seed may have been set for children since; what counts is how it was started."""
    threads, flags = settings(os.environ)
    flags = {name: value for name, value in flags.items() if name != HASH_SEED}
    if hash_seed() != "random":
        flags[HASH_SEED] = hash_seed()
    return threads, flags


def ended(run_id: str) -> InvalidValue:
    """The error for who writes into a run that has ended."""
    return InvalidValue("this run has ended", value=run_id, expected="a run that is running", next_step="Start another.")


def checked_point(values: Mapping[str, float], step: int | None, measured: bool) -> Point:
    """The values as one point of now, every one a float.

    Raises:
        InvalidValue: a value is no number, a name is no text, or the step is not whole.
    """
    for name, value in values.items():
        if type(value) is not float or type(name) is not str:
            values = {_name(name): number_of(name, value) for name, value in values.items()}
            break
    if step is not None and type(step) is not int:
        step = whole_step(step)
    return Point(_now(), step, values, measured)  # type: ignore[arg-type]  # any mapping is encoded alike


def saved_tree(store: Store, path: Path, save: Callable[[Path], str]) -> str:
    """Save a file, or every file of a folder: the content's id, or the tree's."""
    if not path.is_dir():
        return save(path)
    entries: dict[bytes, tuple[FileKind, str]] = {}
    for file in sorted(one for one in path.rglob("*") if one.is_file()):
        kind: FileKind = "exec" if os.access(file, os.X_OK) else "file"
        entries[os.fsencode(file.relative_to(path))] = (kind, save(file))
    return write_tree(store.objects, entries)


def _name(name: object) -> str:
    if isinstance(name, str):
        return str(name)
    raise InvalidValue("a metric's name is text", value=name, expected='a name such as "loss"')


def number_of(name: str, value: Any) -> float:
    """The number that was logged as `name`: of any library, one element of an array or tensor too.

    Raises:
        InvalidValue: it is a truth value, text, or no number at all.
    """
    try:
        # Arrays and tensors with one element give it as a number of Python's, or as a truth value.
        plain = value.item() if callable(getattr(value, "item", None)) else value
        if not isinstance(plain, bool | str | bytes):
            return float(plain)
    except (TypeError, ValueError, OverflowError, RuntimeError):
        pass  # PyTorch says so with a RuntimeError where there are several elements
    raise InvalidValue(
        f"the metric {name!r} is no number",
        value=value,
        expected="a number, or an array or tensor with one element",
        next_step="Log 1.0 or 0.0 for a truth value; words belong to the parameters.",
    )


def whole_step(step: Any) -> int:
    """The step as an integer. Raises InvalidValue where it is no whole number."""
    try:
        whole = int(step)
        if whole == step and not isinstance(step, bool | str):
            return whole
    except (TypeError, ValueError, OverflowError):
        pass
    raise InvalidValue("this is no step", value=step, expected="a whole number, or None")
