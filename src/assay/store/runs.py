"""Run folders: the only truth about a run.

    runs/ID/start               the `Start` record; the folder appears with it, whole
    runs/ID/WRITER.journal      what was logged, one file for each writer; none where nothing was, before the end
    runs/ID/heartbeat           its modification time is a sign of life, as is that of any other file here
    runs/ID/result              the `Result` record, written once
    runs/ID/recovered           of a run that crashed: the `Trace` that was put together afterwards, written once

Nothing in it is ever changed or locked, so that a shared network folder works.
"""

from __future__ import annotations

import base64
import math
import os
import re
import shutil
import time
from collections.abc import Iterator
from contextlib import suppress
from heapq import merge
from pathlib import Path
from typing import TypeVar

from assay.errors import InvalidValue, StoreDamaged, UnknownRun
from assay.records.canonical import Record, canonical, decode
from assay.records.journal import Entry, Point
from assay.records.run import Result, Run, Start, State
from assay.records.trace import Trace
from assay.store.failures import unusable, using
from assay.store.journal import SUFFIX, JournalWriter, Report, read_journal
from assay.store.objects import write_new
from assay.store.process import discard, lives, owned_name
from assay.store.process import this_process as this_process

R = TypeVar("R", bound=Record)
_ID = re.compile(r"[a-z2-7]{16}")
_CLOCK_HOLDS = 1.0  # seconds for which what the disk's clock said is used for further runs
_MISSED = 3  # heartbeats that may fail to appear before a run on another machine counts as dead


def new_run_id() -> str:
    """80 random bits, as 16 characters of a-z and 2-7."""
    return base64.b32encode(os.urandom(10)).decode().lower()


def is_run_id(text: str) -> bool:
    """Whether the text has the form of a run's id."""
    return _ID.fullmatch(text) is not None


class RunWriter:
    """Writes into one run's folder: journals, signs of life, and at last the result."""

    def __init__(self, run_id: str, folder: Path, aside: Path) -> None:
        self.id = run_id
        self.folder = folder
        self._aside = aside
        self._journals: list[JournalWriter] = []

    def journal(self) -> JournalWriter:
        """A new journal of this run, for one writer; `finish` closes it.

        Raises:
            StoreUnusable: it cannot be made.
        """
        journal = JournalWriter(self.folder / (owned_name() + SUFFIX))
        self._journals.append(journal)
        return journal

    def beat(self) -> None:
        """Give a sign of life to readers on other machines.

        Raises:
            StoreUnusable: the folder cannot be written.
        """
        path = self.folder / "heartbeat"
        with using(path):
            try:
                os.utime(path)
            except FileNotFoundError:
                path.touch(mode=0o644)

    def finish(self, result: Result) -> None:
        """Write the result, after which the run never changes.

        Raises:
            InvalidValue: it was written before, by this process or another; or it has no canonical form.
            StoreUnusable: it cannot be written.
        """
        data = canonical(result)
        for journal in self._journals:
            journal.close()
        aside = f"{self._aside}/{owned_name()}"
        try:
            write_new(aside, data)
            _appear_once(aside, f"{self.folder}/result")
        except FileExistsError:
            raise InvalidValue(
                "this run has already ended",
                value=self.id,
                expected="a run without a result",
                next_step="A run never changes; start another.",
            ) from None
        except OSError as error:
            raise unusable(error, self.folder) from error
        finally:
            discard(aside)


class Runs:
    """The runs of one store.

    Args:
        store: the store's folder; `runs/` and `tmp/` in it exist.
    """

    def __init__(self, store: Path) -> None:
        self._folder = store / "runs"
        self._aside = store / "tmp"
        self._seen: set[str] = set()
        self._removed = store / "removed"
        self._disk_clock = (-math.inf, 0.0)  # when it was asked, on the monotonic clock, and by how much it is ahead of ours

    def create(self, start: Start) -> RunWriter:
        """Make the folder of a new run, which appears whole.

        Raises:
            InvalidValue: the id is taken, or no run's id.
            StoreUnusable: it cannot be written.
        """
        folder = self._named(start.id)
        aside = f"{self._aside}/{owned_name()}"
        try:
            os.mkdir(aside)  # noqa: PTH102 - every trial comes by here, and each `Path` costs it a hundredth of its time
            write_new(f"{aside}/start", canonical(start))
            os.rename(aside, folder)  # noqa: PTH104 - as above
        except OSError as error:
            discard(aside)
            if folder.exists():
                raise InvalidValue("a run with this id exists", value=start.id, expected="an id of `new_run_id`") from error
            raise unusable(error, folder) from error
        return RunWriter(start.id, folder, self._aside)

    def open_writer(self, run_id: str) -> RunWriter:
        """Write into a run that another process began.

        Raises:
            UnknownRun: there is no such run.
        """
        folder = self.folder(run_id)
        if not (folder / "start").exists():
            raise _unknown(run_id)
        return RunWriter(run_id, folder, self._aside)

    def ids(self) -> list[str]:
        """Ids of all runs, sorted; what else lies in the folder is passed over.

        Raises:
            StoreUnusable: the folder cannot be read.
        """
        with using(self._folder):
            names = set(os.listdir(self._folder))  # noqa: PTH208 - names are wanted, not paths
        # What was an id stays one; looking at each name again would cost a loop of runs more than the listing does.
        self._seen = (self._seen & names) | {name for name in names - self._seen if is_run_id(name)}
        return sorted(self._seen)

    def folder(self, run_id: str) -> Path:
        """The folder of a run, whether it exists or not.

        Raises:
            UnknownRun: this is no run's id.
        """
        if not is_run_id(run_id):
            raise _unknown(run_id)
        return self._folder / run_id

    def remove(self, run_id: str) -> None:
        """Take a run out: its folder is moved aside, whole, under `removed/` in the store, where `bring_back` finds it.

        Raises:
            UnknownRun: there is no such run.
            InvalidValue: it is running.
            StoreUnusable: it cannot be moved.
        """
        if self.read(run_id).state in ("running", "queued"):
            raise InvalidValue(
                "this run is still running", value=run_id, expected="a run that has ended", next_step="End it first."
            )
        folder, removed = self.folder(run_id), self._removed / run_id
        with using(folder):
            self._removed.mkdir(exist_ok=True)
            if removed.exists():  # removed before, and pulled again since: it is the same run
                removed.rename(self._aside / owned_name())
            folder.rename(removed)
            os.utime(removed)  # when it was removed

    def bring_back(self, run_id: str) -> None:
        """Undo `remove`.

        Raises:
            UnknownRun: no run of this id was removed, or it was collected since.
            InvalidValue: it is here.
            StoreUnusable: it cannot be moved.
        """
        folder, removed = self.folder(run_id), self._removed / run_id
        if folder.exists():
            raise InvalidValue("this run is not removed", value=run_id, expected="a run that was removed")
        if not removed.exists():
            raise UnknownRun(
                "no removed run has this id", value=run_id, expected="the id of a run that was removed and not yet collected"
            )
        with using(folder):
            removed.rename(folder)

    def removed(self) -> list[str]:
        """Ids of the runs that were removed and can be brought back, sorted.

        Raises:
            StoreUnusable: the folder cannot be read.
        """
        with using(self._removed):
            try:
                return sorted(filter(is_run_id, os.listdir(self._removed)))  # noqa: PTH208 - names are wanted, not paths
            except FileNotFoundError:
                return []

    def forget_removed(self, before: float) -> None:
        """Drop for good what was removed before a moment, in seconds since 1970.

        Raises:
            StoreUnusable: a folder cannot be read.
        """
        for run_id in self.removed():
            with using(self._removed):
                if (self._removed / run_id).stat().st_mtime < before:
                    shutil.rmtree(self._removed / run_id, ignore_errors=True)

    def changed(self) -> int:
        """When runs were last added or removed, in nanoseconds since 1970.

        Raises:
            StoreUnusable: the folder cannot be read.
        """
        with using(self._folder):
            return self._folder.stat().st_mtime_ns

    def read(self, run_id: str) -> Run:
        """The run as it stands.

        A run without a result runs while its process lives, and has crashed when it does not. Where the process cannot be asked (another
        machine or container), it has crashed when three heartbeats are missing.

        Raises:
            UnknownRun: there is no such run.
            StoreTooNew: a newer Assay wrote it.
            StoreDamaged: its start or its result cannot be read.
            StoreUnusable: its folder cannot be read.
        """
        folder = self.folder(run_id)
        start = _load(folder / "start", Start)
        if start is None:
            raise _unknown(run_id)
        _check_id(start, run_id, folder)
        # Liveness first: a run that ends between the two questions is then seen with its result, never as crashed.
        state = self._unfinished(start, folder)
        result = _load(folder / "result", Result)
        return Run(start=start, state=result.state if result else state, result=result)

    def read_stored(self, run_id: str) -> tuple[Run, bytes, bytes | None]:
        """The run as `read` gives it, with the bytes of its start and result as `stored` does, each read once where the run has ended.

        Raises:
            UnknownRun, StoreTooNew, StoreDamaged, StoreUnusable: as for `read`.
        """
        start, result = self.stored(run_id)
        if result is None:
            run = self.read(run_id)  # whether it lives is asked before its result, which may come just now
            return run, start, self.stored(run_id)[1] if run.result else None
        folder = self.folder(run_id)
        begun, ended = _decoded(start, folder / "start", Start), _decoded(result, folder / "result", Result)
        _check_id(begun, run_id, folder)
        return Run(start=begun, state=ended.state, result=ended), start, result

    def stored(self, run_id: str) -> tuple[bytes, bytes | None]:
        """The bytes of a run's start and result as they are on the disk, fields of later versions included.

        Raises:
            UnknownRun: there is no such run.
            StoreUnusable: its folder cannot be read.
        """
        folder = self.folder(run_id)
        start = _bytes(folder / "start")
        if start is None:
            raise _unknown(run_id)
        return start, _bytes(folder / "result") or None

    def recover(self, run_id: str, trace: Trace) -> None:
        """Write what a crashed run was found to have read and written; where another process has done so, its account stands.

        Raises:
            UnknownRun: there is no such run.
            StoreUnusable: it cannot be written.
        """
        folder = self.folder(run_id)
        if not (folder / "start").exists():
            raise _unknown(run_id)
        aside = f"{self._aside}/{owned_name()}"
        try:
            write_new(aside, canonical(trace))
            _appear_once(aside, f"{folder}/recovered")
        except FileExistsError:
            return
        except OSError as error:
            raise unusable(error, folder) from error
        finally:
            discard(aside)

    def is_recovered(self, run_id: str) -> bool:
        """Whether there is an account of what a crashed run read and wrote."""
        return (self.folder(run_id) / "recovered").exists()

    def recovered(self, run_id: str) -> Trace | None:
        """What a crashed run was found to have read and written; None where nobody has looked, or it did not crash.

        Raises:
            UnknownRun: this is no run's id.
            StoreDamaged, StoreTooNew, StoreUnusable: the account cannot be read.
        """
        return _load(self.folder(run_id) / "recovered", Trace)

    def entries(self, run_id: str, report: Report | None = None) -> Iterator[Entry]:
        """All journals of a run in the order of time; each journal keeps its own order where a clock was set back.

        A run that has none logged nothing before its end: the metrics of its result are its points then.

        Args:
            run_id: the run.
            report: called with a sentence for each place that is damaged and was passed over.

        Raises:
            UnknownRun: there is no such run.
            StoreUnusable: a journal cannot be read.
            StoreDamaged, StoreTooNew: the result that stands for them cannot be read.
        """
        folder = self.folder(run_id)
        if not (folder / "start").exists():
            raise _unknown(run_id)
        with using(folder):
            paths = sorted(path for path in folder.iterdir() if path.suffix == SUFFIX)
        if not paths:
            return points_of(_load(folder / "result", Result))
        journals = [read_journal(path, report or _ignore) for path in paths]
        return journals[0] if len(journals) == 1 else merge(*journals, key=lambda entry: entry.time)

    def _named(self, run_id: str) -> Path:
        if not is_run_id(run_id):
            raise InvalidValue(
                "this is no run's id", value=run_id, expected="16 characters of a-z and 2-7, as `new_run_id` gives them"
            )
        return self._folder / run_id

    def _unfinished(self, start: Start, folder: Path) -> State:
        alive = lives(start.host)
        if alive is None:
            alive = self._disk_time() - _last_sign(folder) <= _MISSED * start.heartbeat
        return "running" if alive else "crashed"

    def _disk_time(self) -> float:
        """Seconds since 1970 by the clock that stamps signs of life, a file server's perhaps; by this machine's where nothing can be written.

        A reader whose clock goes wrong thus takes no run that lives for a dead one, nor the other way round.
        """
        asked, ahead = self._disk_clock
        if time.monotonic() - asked > _CLOCK_HOLDS:
            aside = self._aside / owned_name()
            ahead = 0.0
            with suppress(OSError):
                write_new(str(aside), b"\n")
                ahead = aside.stat().st_mtime - time.time()
            discard(aside)
            self._disk_clock = (time.monotonic(), ahead)
        return time.time() + ahead


def points_of(result: Result | None) -> Iterator[Point]:
    """The points that a result tells of alone: of each metric with one value, that value, together with those of the same kind."""
    alike: dict[tuple[int | None, bool, str], dict[str, float]] = {}
    for name, metric in result.metrics.items() if result is not None else ():
        if metric.n == 1:
            alike.setdefault((metric.step, metric.measured, metric.source), {})[name] = metric.last
    for (step, measured, source), values in alike.items():
        assert result is not None
        yield Point(time=result.ended, step=step, values=values, measured=measured, source=source)


def _last_sign(folder: Path) -> float:
    """Seconds since 1970 of the last heartbeat, or of whatever the run wrote into its folder since: a point is a sign of life too."""
    with using(folder), os.scandir(folder) as files:
        return max((file.stat().st_mtime for file in files), default=0.0)


def _appear_once(aside: str, path: str) -> None:
    """Give a whole file its name, unless the name is taken."""
    try:
        os.link(aside, path)
    except FileExistsError:
        raise
    except OSError:
        # Some file systems have no hard links; two processes that end one run at the same instant are then told apart no finer than this.
        if os.path.exists(path):  # noqa: PTH110
            raise FileExistsError(path) from None
        Path(aside).rename(path)


def _bytes(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise unusable(error, path) from error


def _load(path: Path, kind: type[R]) -> R | None:
    data = _bytes(path)
    if data is None:
        return None
    if not data and kind is not Start:
        return None  # a power cut came before the disk had it: it was not written
    return _decoded(data, path, kind)


def _decoded(data: bytes, path: Path, kind: type[R]) -> R:
    try:
        return decode(data, kind)
    except StoreDamaged as error:
        raise StoreDamaged(
            "a file of a run cannot be read", value=str(path), expected=error.expected, next_step=error.next_step
        ) from error


def _check_id(start: Start, run_id: str, folder: Path) -> None:
    if start.id != run_id:
        raise StoreDamaged(
            "a run's folder holds another run",
            value=str(folder),
            expected=run_id,
            next_step=f"It says it is {start.id}; rename it.",
        )


def _ignore(_: str) -> None:
    """Where nobody asked for reports."""


def _unknown(run_id: str) -> UnknownRun:
    return UnknownRun(
        "no run has this id", value=run_id, expected="the id of a run in this store", next_step="`assay ls` lists the runs."
    )
