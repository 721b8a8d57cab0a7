"""A run of a command, carried out as if Assay were not there."""

from __future__ import annotations

import os
import re
import shutil
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from assay.capture.code import Snapshot
from assay.capture.environment import describe
from assay.capture.interpreter import interpreter_from
from assay.capture.secrets import redact
from assay.capture.settle import KEEP_BELOW
from assay.capture.trace import Observed, collect, injection, settle
from assay.errors import StoreUnusable
from assay.lineage.parents import links, still_missing
from assay.records.canonical import as_named, legible
from assay.records.finding import Finding, Gap
from assay.records.journal import Entry, Point
from assay.records.recipe import Recipe
from assay.records.run import Failure, Metric, Parent, Resources, Result, Run, Start, State, TrialOf
from assay.records.trace import FileUse, Trace
from assay.store.runs import RunWriter, new_run_id, this_process
from assay.store.store import Store
from assay.tracking.ending import Shortfall, said, user_name, with_uses
from assay.tracking.notebook import Notebook, notebook_at, spelled_out
from assay.tracking.printed import remove_secrets
from assay.tracking.process import Child, Ended, check_program
from assay.tracking.pulse import Pulse
from assay.tracking.ranks import printed, usage
from assay.tracking.recipe import Prepared, prepare
from assay.tracking.recipe import recipe_of as recipe_of
from assay.tracking.recovery import announce, recover_crashed, withdraw
from assay.tracking.relay import Channel, open_channels
from assay.tracking.resources import GpuWatch, of_child, peak_here
from assay.tracking.signals import Signals
from assay.tracking.sources.harvest import Output, harvest, read_stream
from assay.tracking.summary import summarise

_INTERRUPTING = frozenset((1, 2, 15))  # SIGHUP, SIGINT, SIGTERM
_TAIL = 8192
_ESCAPES = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]")  # what moves the cursor says nothing in a record


class Supervised(NamedTuple):
    """The run as it was recorded, and the command's own exit code (128 + n for signal n)."""

    run: Run
    exit_code: int


def supervise(
    store: Store,
    root: Path,
    command: Sequence[str],
    *,
    cwd: Path,
    env: Mapping[str, str] | None = None,
    name: str = "",
    tags: Sequence[str] = (),
    params: Mapping[str, Any] | None = None,
    seed: int | None = None,
    data: Sequence[str | os.PathLike[str]] = (),
    given: Sequence[FileUse] = (),
    parents: Sequence[Parent] = (),
    trial: TrialOf | None = None,
    recipe: Recipe | None = None,
    snapshot: Snapshot | None = None,
    relay: bool = True,
    timeout: float | None = None,
    keep_below: int = KEEP_BELOW,
) -> Supervised:
    """Run a command and record it; afterwards the store has the run with its result.

    A notebook is a command too, alone or behind a Python interpreter; see `assay.tracking.notebook`.

    From its start on, no failure of Assay stops or alters the command: what could not be recorded stands in the run's fidelity. A run is
    `interrupted` where SIGINT, SIGTERM or SIGHUP came, whatever the command made of it; else its exit code decides.

    Args:
        store: where the run is recorded.
        root: what recorded paths are relative to; a trial's own folder where it has one.
        command: program and arguments.
        cwd: working directory of the command.
        env: its environment; this process' own where it is None.
        name, tags, parents, trial: as `Start` has them.
        params: parameters that win over those in the arguments.
        seed: fixes the hash seed and seeds the libraries of each Python interpreter as they load.
        data: declared inputs, which are kept.
        given: files that were laid out for the command: its inputs, as far as it may have read them unseen.
        recipe: recorded in place of the one that follows from the rest.
        snapshot: of the code, where the caller has just made one.
        relay: pass terminal, output and signals through. Without it the command has no input and a session of its own.
        timeout: seconds after which the command is asked to end, and ended 5 seconds later; the run has then failed.
        keep_below: bytes up to which a file that the command wrote is kept.

    Raises:
        CommandNotFound: the program does not exist or cannot be executed.
        InvalidValue: the seed is none, a declared input cannot be read, or a file that should be a notebook is none that can be run.
        StoreUnusable: the store cannot take the run's start.
    """
    env = dict(os.environ if env is None else env)
    command = spelled_out(command, env, cwd)
    check_program(command[0] if command else "", env, cwd)
    # Before the snapshot, which leaves out what former runs wrote, and before the command overwrites it.
    recover_crashed(store)
    prepared = prepare(
        store, root, command, cwd=cwd, env=env, params=params, seed=seed, data=data, snapshot=snapshot, recipe=recipe
    )
    start = Start(
        id=new_run_id(),
        recipe=store.objects.put_record(prepared.recipe),
        name=legible(name),
        tags=tuple(map(legible, tags)),
        parents=tuple(parents),
        trial=trial,
        started=time.time(),
        command=tuple(map(legible, prepared.command)),
        cwd=legible(os.path.realpath(cwd)),
        root=legible(os.path.realpath(root)),
        user=user_name(),
        host=this_process(),
        environment=prepared.environment[0],
        git=prepared.snapshot.git,
        left_out=prepared.snapshot.left_out,
    )
    carried = _Carried(store, start, prepared, keep_below, tuple(given))
    return carried.out(command, env, seed, relay, timeout)


class _Carried:
    """One command from its start to its result."""

    def __init__(self, store: Store, start: Start, prepared: Prepared, keep_below: int, given: tuple[FileUse, ...]) -> None:
        self.store = store
        self.start = start
        self.prepared = prepared
        self.keep_below = keep_below
        self.given = given
        self.root = Path(as_named(start.root))
        self.shortfall = Shortfall()
        self.channels: list[Channel] = []
        self.notebook: Notebook | None = None
        self.pid: int | None = None
        self.gpu: GpuWatch | None = None
        self.floor = peak_here()
        self.ending: int | None = None

    def out(self, command: Sequence[str], env: dict[str, str], seed: int | None, relay: bool, timeout: float | None) -> Supervised:
        """Run the command, then gather what it left."""
        writer = self.store.runs.create(self.start)
        if self.start.trial is None:  # a trial's folder does not outlive it
            announce(self.store, writer.id)
        try:
            with Signals() as signals:
                ended = self._run(writer, command, env, seed, signals if relay else None, timeout)
                self.ending = signals.ending if relay else None
                run = self._end(writer, ended)
        except BaseException as error:
            self._give_up(writer, error)
            raise
        finally:
            for channel in self.channels:
                channel.close()
            withdraw(self.store, writer.id)
        return Supervised(run, ended.exit_code)

    def _run(
        self,
        writer: RunWriter,
        command: Sequence[str],
        env: dict[str, str],
        seed: int | None,
        signals: Signals | None,
        timeout: float | None,
    ) -> Ended:
        added = {"ASSAY_RUN": writer.id, "ASSAY_STORE": os.path.realpath(self.store.path)}
        with self.shortfall.border("reads and writes"):
            added |= injection(writer.folder, seed=seed, env=env)
        at = notebook_at(command)
        if at is not None:
            self.notebook = Notebook(command, at, Path(self.start.cwd), writer.folder)
            command, added = self.notebook.words, added | self.notebook.variables
        self.channels, out, err = open_channels(writer.folder, signals is not None, self.shortfall.add)
        child = Child(command, Path(as_named(self.start.cwd)), env | added, self.channels, (out, err), apart=signals is None)
        if signals is not None:
            signals.watch()
        beat = Pulse(writer.beat, self.start.heartbeat, self.start.heartbeat)
        self.pid = child.pid
        self.gpu = GpuWatch(child.pid)
        try:
            return child.wait(signals, timeout)
        except BaseException:
            child.kill()
            raise
        finally:
            beat.stop()
            self.gpu.stop()
            if signals is not None:
                signals.unwatch()

    def _give_up(self, writer: RunWriter, error: BaseException) -> None:
        """The command never ran, or this process is to end: say so, that the run is not taken for one that crashed."""
        interrupted = isinstance(error, KeyboardInterrupt)
        failure = None if interrupted else Failure(kind=type(error).__name__, text=str(error))
        with self.shortfall.border("result"):
            ended = max(time.time(), self.start.started)  # the clock may have been set back
            writer.finish(Result(state="interrupted" if interrupted else "failed", ended=ended, failure=failure))

    def _end(self, writer: RunWriter, ended: Ended) -> Run:
        try:
            result = self._gather(writer, ended)
        except KeyboardInterrupt:
            # Asked a second time, and the command has ended already: what is known without looking further is kept.
            self.shortfall.add("everything after the command's end", "the recording was interrupted")
            result = self._result(ended, self._resources(ended))
        with self.shortfall.border("result"):
            self._finish(writer, result)
        return Run(start=self.start, state=result.state, result=result)

    def _finish(self, writer: RunWriter, result: Result) -> None:
        try:
            writer.finish(result)
        except StoreUnusable as error:
            # On a full disk, how the run ended is worth more than a part of its output, which holds the space that the result needs.
            for channel in self.channels:
                channel.path.unlink(missing_ok=True)
            gap = Gap(what="output", why=f"removed so that the result could be written ({error.problem})")
            fidelity = msgspec.structs.replace(result.fidelity, missing=(*result.fidelity.missing, gap))
            writer.finish(msgspec.structs.replace(result, fidelity=fidelity))

    def _gather(self, writer: RunWriter, ended: Ended) -> Result:
        observed, trace = Observed(), Trace()
        result = self._result(ended, self._resources(ended))
        findings = list(self.prepared.findings)
        gaps: list[Gap] = []
        with self.shortfall.border("reads and writes"):
            observed = collect(writer.folder)
            snapshot, since = self.prepared.snapshot, self.start.started
            settled = settle(self.store, self.root, observed, snapshot=snapshot, since=since, keep_below=self.keep_below)
            trace = settled.trace
            findings += settled.findings
            gaps += (*self._unseen(observed), *settled.gaps)
            shutil.rmtree(writer.folder / "trace", ignore_errors=True)
        entries: list[Entry] = []
        with self.shortfall.border("journal"):
            entries = list(self.store.runs.entries(writer.id))
        told = said(entries)
        outputs, output, secrets = self._outputs()
        findings += secrets
        with self.shortfall.border("ranks"):
            outputs = self._ranks(writer, observed, outputs, output)
            entries = list(self.store.runs.entries(writer.id)) if observed.ranks else entries
        params = self.prepared.recipe.params | told.params
        metrics = self._metrics(writer, trace, entries, outputs, params, gaps)
        # Only now: until its metrics are in the journal, readers find them in the output.
        for channel in self.channels:
            if channel.name in output:
                channel.path.unlink(missing_ok=True)
        unseen = self.given if self._unseen(observed) else ()
        trace = with_uses(trace, saved=(*told.saved, *self._executed()), declared=(*unseen, *self.prepared.declared))
        parents: tuple[Parent, ...] = ()
        with self.shortfall.border("lineage"):
            linked = links(self.store, trace, self.start, self.prepared.recipe)
            gaps = still_missing(gaps, trace, linked.trace)
            parents, trace = linked.parents, linked.trace
            findings += linked.findings
        trace_id = None
        with self.shortfall.border("trace"):
            trace_id = self.store.objects.put_record(trace)
        fidelity = self.shortfall.fidelity(self._captured(observed), gaps, blind=not observed.interpreters)
        return msgspec.structs.replace(
            result,
            metrics=metrics,
            params=params,
            trace=trace_id,
            environment=self._environment(observed),
            determinism=observed.determinism,
            output=output,
            parents=parents,
            fidelity=fidelity,
            findings=(*findings, *told.findings),
            failure=self._failure(ended, result.state, outputs),
        )

    def _resources(self, ended: Ended) -> Resources:
        return of_child(ended.used, ended.wall, self.floor, ended.seen, self.gpu)

    def _result(self, ended: Ended, resources: Resources) -> Result:
        return Result(
            state=self._state(ended),
            ended=self.start.started + ended.wall,
            exit_code=ended.exit_code,
            signal=ended.signal,
            params=self.prepared.recipe.params,
            resources=resources,
            fidelity=self.shortfall.fidelity((), (), blind=True),
        )

    def _state(self, ended: Ended) -> State:
        if ended.timed_out:
            return "failed"
        if self.ending in _INTERRUPTING or ended.signal in _INTERRUPTING:
            return "interrupted"
        return "finished" if ended.exit_code == 0 else "failed"

    def _unseen(self, observed: Observed) -> list[Gap]:
        """The command's own program, where it is no interpreter that reported, and so nobody saw what it read and started."""
        if any(fact.get("pid") == self.pid for fact in observed.interpreters):
            return []
        program = self.start.command[0].rpartition("/")[2] if self.start.command else "the command"
        why = "it is no Python interpreter that reported; what it read itself, or through other programs, is not recorded"
        return [Gap(what=f"reads by {program}", why=why)]

    def _captured(self, observed: Observed) -> list[str]:
        captured = ["code", "hardware", "output", "resources"]
        if observed.interpreters:
            captured += ["reads", "writes", "determinism"]
        if self.prepared.interpreter is not None or observed.interpreters:
            captured.append("packages")
        return captured

    def _outputs(self) -> tuple[list[Output], dict[str, str], list[Finding]]:
        """What the command printed, for reading metrics; the ids of its whole streams, kept without secrets; a finding for each of those."""
        outputs: list[Output] = []
        output: dict[str, str] = {}
        secrets: list[tuple[str, str]] = []
        for channel in self.channels:
            with self.shortfall.border("output"):
                outputs.append(read_stream(channel.path, channel.marks))
                secrets += [(channel.name, what) for what in remove_secrets(channel.path)]
                output[channel.name] = self.store.objects.put_file(channel.path)
        told = [
            Finding(kind="secret redacted", about=name, text=f"{what} was taken for a secret and is not stored")
            for name, what in secrets
        ]
        return outputs, output, told

    def _executed(self) -> list[FileUse]:
        """The notebook as it was executed, where the command is one."""
        with self.shortfall.border("executed notebook"):
            return list(self.notebook.executed(self.store, self.root)) if self.notebook is not None else []
        return []

    def _ranks(self, writer: RunWriter, observed: Observed, outputs: list[Output], output: dict[str, str]) -> list[Output]:
        """Keep what each rank printed and used under its name; the output that metrics are read from is then that of rank 0 alone."""
        if not observed.ranks:
            return outputs
        journal = writer.journal()
        for number, one in observed.ranks.items():
            output[f"rank{number}"] = self.store.objects.put(printed(one).data)
            if one.used:
                journal.append(usage(number, one))
        return [printed(observed.ranks[min(observed.ranks)])]

    def _metrics(
        self,
        writer: RunWriter,
        trace: Trace,
        entries: list[Entry],
        outputs: list[Output],
        params: Mapping[str, Any],
        gaps: list[Gap],
    ) -> dict[str, Metric]:
        """Summaries of what the command logged through Assay and of what it wrote and printed, which is added to the journal."""
        points: list[Point] = []
        with self.shortfall.border("metrics"):
            found = harvest(self.root, trace.written, outputs, params)
            points = found.points
            gaps += found.gaps
            if points:
                journal = writer.journal()
                for point in points:
                    journal.append(point)
        return summarise([*entries, *points])

    def _environment(self, observed: Observed) -> str | None:
        """The environment by the end: with the libraries that were loaded, and the interpreter that reported where none was known before."""
        environment_id, environment = self.prepared.environment
        with self.shortfall.border("environment"):
            if self.prepared.interpreter is None and observed.interpreters:
                return describe(self.store, interpreter_from(observed.interpreters[0]), os.environ, observed.blas)[0]
            if observed.blas:
                return self.store.objects.put_record(msgspec.structs.replace(environment, blas=dict(observed.blas)))
        return environment_id

    def _failure(self, ended: Ended, state: State, outputs: list[Output]) -> Failure | None:
        if state == "finished":
            return None
        if ended.timed_out:
            return Failure(kind="timeout", text=f"the command was ended after {ended.wall:.1f} s")
        kind = f"signal {ended.signal}" if ended.signal else f"exit code {ended.exit_code}"
        tail = _ESCAPES.sub("", (outputs[-1].tail or outputs[-1].data)[-_TAIL:].decode("utf-8", "replace")) if outputs else ""
        at = tail.rfind("Traceback (most recent call last)")
        lines = tail.rstrip().splitlines()
        silent = f"it ended with {kind}, and said nothing on standard error"
        text, trace = (redact(part)[0] for part in (lines[-1] if lines else silent, tail[at:] if at >= 0 else ""))
        return Failure(kind=kind, text=text, traceback=trace)
