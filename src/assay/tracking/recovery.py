"""Runs that crashed: what they wrote is put together before the next run of the project overwrites it.

A run that was killed with all that watched it has no result. What is left are the reports of its interpreters, what it saved, and the
files themselves. A marker for each run that is going on, in the user's cache folder, makes the dead ones found without looking at all runs.
"""

# Paths are text here: observed names need not be valid Unicode.
# ruff: noqa: PTH208

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path, PurePosixPath

import msgspec

from assay.capture.code import Snapshot
from assay.capture.stat_cache import cache_folder
from assay.capture.trace import Observed, collect, settle
from assay.capture.walk import SUFFIXES
from assay.errors import AssayError
from assay.lineage.parents import links
from assay.records.canonical import as_named, digest
from assay.records.recipe import Recipe
from assay.records.run import Run
from assay.records.trace import FileUse, Trace
from assay.store.process import lives, this_process
from assay.store.store import Store
from assay.store.tree import read_tree
from assay.tracking.ending import said, with_uses
from assay.tracking.printed import STREAMS, remove_secrets


def announce(store: Store, run_id: str) -> None:
    """Leave a marker of a run that begins. A cache that cannot be written costs the account of a crash, and nothing else."""
    with suppress(OSError):
        folder = _markers(store)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / run_id).touch()


def withdraw(store: Store, run_id: str) -> None:
    """Take the marker of a run away, if the run has a result by now."""
    with suppress(OSError, AssayError):
        if (store.runs.folder(run_id) / "result").exists():
            (_markers(store) / run_id).unlink(missing_ok=True)


def recover_crashed(store: Store) -> tuple[str, ...]:
    """Put together what each run that crashed on this machine read and wrote; their ids. What fails leaves a run as it was.

    Written files that are as the run left them are kept in the store, up to the size that the files of a finished run are kept to.
    """
    try:
        names = sorted(os.listdir(_markers(store)))
    except OSError:
        return ()
    return tuple(name for name in names if _recover(store, name))


def _recover(store: Store, run_id: str) -> bool:
    try:
        run = store.runs.read(run_id)
        if run.result is None and not store.runs.is_recovered(run_id):
            # Elsewhere, a run that gives no sign may still live: only its own machine can know.
            if run.state != "crashed" or lives(run.start.host) is not False:
                return False
            observed = collect(store.runs.folder(run_id))
            if _goes_on(run_id, observed):
                return False
            account = _account(store, run, observed)
            for name in STREAMS:
                with suppress(FileNotFoundError):
                    remove_secrets(store.runs.folder(run_id) / name)
            store.runs.recover(run_id, account)
    except (AssayError, OSError):
        return False
    with suppress(OSError):
        (_markers(store) / run_id).unlink(missing_ok=True)
    return run.result is None


def _account(store: Store, run: Run, observed: Observed) -> Trace:
    recipe = store.objects.record(run.start.recipe, Recipe)
    entries = read_tree(store.objects, recipe.code) if recipe.code else {}
    files = {
        path.decode("utf-8", "backslashreplace"): content for path, (kind, content) in entries.items() if kind in ("file", "exec")
    }
    snapshot = Snapshot(recipe.code or "", files, {}, None, {})
    settled = settle(store, Path(as_named(run.start.root)), observed, snapshot=snapshot, since=run.start.started)
    latest = int((_last_sign(store, run, observed) + run.start.heartbeat) * 1e9)
    written = tuple(use for use in settled.trace.written if _is_its_own(use, files, latest))
    trace = msgspec.structs.replace(settled.trace, written=written)
    trace = with_uses(trace, saved=said(store.runs.entries(run.id)).saved, declared=())
    return links(store, trace, run.start, recipe).trace


def _is_its_own(use: FileUse, code: dict[str, str], latest: int) -> bool:
    """Whether the run left the file so: nothing has changed it since it died, nor is it source that its user went on editing."""
    if use.mtime > latest:
        return False
    return use.by == "open" or (use.path not in code and PurePosixPath(use.path).suffix not in SUFFIXES)


def _last_sign(store: Store, run: Run, observed: Observed) -> float:
    """Seconds since 1970 of the last thing that is known of the run: a report, an entry of its journal, its output, a heartbeat."""
    times = [use.time for uses in (observed.loaded, observed.reads, observed.writes) for use in uses.values()]
    with os.scandir(store.runs.folder(run.id)) as files:
        times += [file.stat().st_mtime for file in files if file.is_file()]
    return max(times, default=run.start.started)


def _goes_on(run_id: str, observed: Observed) -> bool:
    """Whether a process of the run outlives the one that supervised it: it writes on, and what it leaves is not yet known."""
    mine = b"ASSAY_RUN=" + run_id.encode()
    return any(mine in _environment_of(int(facts.get("pid", 0))) for facts in observed.interpreters)


def _environment_of(pid: int) -> list[bytes]:
    try:
        return Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    except OSError:
        return []


def _markers(store: Store) -> Path:
    place = os.fsencode(f"{this_process().name}\n{os.path.realpath(store.path)}")
    return Path(cache_folder()) / "live" / digest(place)[:32]
