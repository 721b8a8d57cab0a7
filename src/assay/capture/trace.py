"""Traces: what enters the interpreters of a run, what they report, and the same watcher for Assay's own process.

The settled trace is made in `assay.capture.settle`, which this module offers too.
"""

# Paths are text here: observed names need not be valid Unicode, and there can be hundreds of thousands of them.
# ruff: noqa: PTH100, PTH103, PTH120

from __future__ import annotations

import contextlib
import math
import os
import shutil
import sys
import time
from collections.abc import Iterable, Mapping
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from assay.capture.entrance import tracer_file
from assay.capture.injected import tracer
from assay.capture.settle import Settled, settle
from assay.capture.trace_reports import END, Observed, merge, read_folder

# Letters of the records that tell of inputs; see `assay.capture.injected.tracer`.
_INPUTS = frozenset((b"r", b"t", b"q", b"x", b"v"))
_EXPORTED = ("PYTHONPATH", "ASSAY_TRACE")

__all__ = ["LiveTrace", "Observed", "Settled", "collect", "injection", "settle", "trace_here"]


def injection(folder: Path, *, seed: int | None, env: Mapping[str, str], late: bool = False) -> dict[str, str]:
    """Variables to add to `env` so that every Python interpreter started with it reports into `folder`.

    The file that enters is kept in the user's cache folder, where its bytecode survives the run: compiling it at each start would cost
    more than all else that it does. Where that folder cannot be written it is put below `folder`. A hash seed that `env` fixes stays.

    Args:
        folder: a folder of the run's own; `trace` below it takes the reports.
        seed: 0 … 2**32-1 seeds the libraries of each interpreter as they load; None leaves them alone.
        late: `trace` is made by the first interpreter that reports, as long as `folder` holds no result. Most runs of a process start
            none, and a folder costs a short one as much as all else that it writes.
    """
    reports = os.path.abspath(folder / "trace")
    if late:
        reports += "/"  # as `tracer` has it
    else:
        os.makedirs(reports, exist_ok=True)
    entrance = os.path.dirname(tracer_file(folder))
    inherited = env.get("PYTHONPATH", "")
    added = {"PYTHONPATH": entrance + (os.pathsep + inherited if inherited else ""), "ASSAY_TRACE": reports}
    if seed is not None:
        added["ASSAY_SEED"] = str(seed)
        if not env.get("PYTHONHASHSEED", "").isdigit():
            added["PYTHONHASHSEED"] = str(seed)
    return added


def collect(folder: Path) -> Observed:
    """All that the interpreters of a run reported below `folder`, killed ones included; nothing at all where none did."""
    return merge(read_folder(folder / "trace"))


class LiveTrace:
    """The watcher in this process, for one run at a time; started again for the next.

    A second trace that is started while one is on watches nothing: one process, one account.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder
        self._held = _Held()
        self._seen = b""
        self._on = False
        self._before: dict[str, str | None] = {}

    def start(self, earlier: Iterable[bytes] = ()) -> None:
        """Watch what this process and, where a folder was given, its forked children do from now on.

        Args:
            earlier: the `inputs` of a trace that ended now; they count as if they were seen by this one.
        """
        if tracer.watcher.on:
            return
        reports = str((self._folder / "trace").absolute()) if self._folder is not None else None
        self._held = _Held()
        for record in earlier:
            self._held.append(record)
        self._on = True
        self._export()
        tracer.watcher.start(self._held, (str(Path(__file__).parent.parent) + "/",), reports)

    def stop(self) -> Observed:
        """What was seen since `start`, with the modules that this process has loaded; watching ends."""
        if not self._on:
            return Observed()
        self._on = False
        self._take_back()
        tracer.watcher.stop()
        mapped = _libraries(len(sys.modules))
        facts = {
            "s": {**_start_facts(), "skip": tracer.watcher.skip},
            "e": {**tracer.end_facts(mapped), "compiled": _packages(mapped)},
        }
        self._seen, self._held = self._held.records(), _Held()
        own = self._seen + b"".join(_loaded_modules())
        return merge([own, *self._children()], facts)

    def inputs(self) -> list[bytes]:
        """What was read and loaded while it watched, for the `start` of another trace; it is forgotten here."""
        taken = [record + END for record in self._seen.split(END) if record[:1] in _INPUTS]
        self._seen = b""
        return taken

    def _export(self) -> None:
        """Let interpreters that this process starts report too: what enters them is found by variables that children inherit."""
        self._before = {name: os.environ.get(name) for name in _EXPORTED}
        if self._folder is None:
            return
        # Where neither the cache nor the run's folder can be written, children stay unseen, and are named as such.
        with contextlib.suppress(OSError):
            os.environ.update(injection(self._folder, seed=None, env=os.environ, late=True))

    def _take_back(self) -> None:
        for name, value in self._before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value

    def _children(self) -> list[bytes]:
        if self._folder is None:
            return []
        if not (self._folder / "trace").is_dir():  # nobody reported
            return []
        reports = read_folder(self._folder / "trace")
        # Reports hold command lines as they were typed; what may be kept of them is in the account by now. What was set aside is asked later.
        for report in (self._folder / "trace").iterdir():
            if report.suffix != ".aside":
                report.unlink(missing_ok=True)
        return reports

    def forget(self) -> None:
        """Take away what `stop` left for settling."""
        if self._folder is not None:
            shutil.rmtree(self._folder / "trace", ignore_errors=True)


def trace_here(folder: Path | None = None) -> LiveTrace:
    """A trace of this process; forked children report below `folder`, where one is given."""
    return LiveTrace(folder)


class _Held(tracer.Report):
    """Records that this process keeps for itself: each on its own, and in mapped memory once there are many."""

    def __init__(self) -> None:
        super().__init__("")
        self._few: list[bytes] = []

    def append(self, record: bytes) -> None:
        """The record is among `records`."""
        if self._map is None:
            self._few.append(record)
        else:
            super().append(record)

    def segment(self, size: int) -> Any:
        """Mapped memory of `size` bytes."""
        import mmap  # few runs need it

        return mmap.mmap(-1, size)

    def records(self) -> bytes:
        """All that was appended; nothing can be from here on."""
        maps: list[Any] = self._maps
        # `rfind` begins where the map was last written, unless it is told where.
        segments = [segment[: segment.rfind(END, 0) + len(END)] for segment in maps]
        return b"".join((*self._few, *segments))


@cache
def _start_facts() -> dict[str, object]:
    return {**tracer.start_facts(), "began": _began()}


def _began() -> float:
    """When this process started, in seconds since 1970; infinity where the system does not say."""
    try:
        ticks = int(Path("/proc/self/stat").read_text().rpartition(")")[2].split()[19])
        return time.time() - time.clock_gettime(time.CLOCK_BOOTTIME) + ticks / os.sysconf("SC_CLK_TCK")
    except (OSError, ValueError, AttributeError):
        return math.inf


@lru_cache(maxsize=1)
def _libraries(modules: int) -> list[str]:
    """Shared libraries of this process; asked again when the number of imported modules has changed."""
    return tracer.libraries()


def _packages(mapped: list[str]) -> list[str]:
    """The installed packages that shared libraries belong to; libraries of the system and of Python are left out."""
    installed = {path.rpartition("-packages/")[2].partition("/")[0] for path in mapped if "-packages/" in path}
    return sorted(name.partition(".")[0] for name in installed)


_known: dict[str, bytes | None] = {}
_listed: tuple[int, str] = (0, "")
_records: list[bytes] = []


def _loaded_modules() -> list[bytes]:
    """A record for each source file below `sys.modules` that is not the interpreter's own. Names seen before are not looked at again."""
    global _listed, _records
    modules = sys.modules
    # What is added to a dictionary stands last. In a forked process a look at each name would copy the memory of them all.
    state = (len(modules), next(reversed(modules)))
    if state != _listed:
        for name in modules.keys() - _known.keys():
            _known[name] = _module_record(modules.get(name))
        _records = [record for name, record in _known.items() if record is not None and name in modules]
        _listed = state
    return _records


def _module_record(module: object) -> bytes | None:
    path = getattr(module, "__file__", None)
    if not isinstance(path, str) or not path:
        return None
    path = os.path.abspath(path)
    if path.startswith((*tracer.skipped(), str(Path(__file__).parent.parent) + "/")):
        return None
    return os.fsencode(f"x0 ? {path}") + tracer.END
