"""A part in a run that another process, or a study, began: what is logged lands in that run, and finishing ends nothing."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from assay.capture.injected.tracer import rank
from assay.errors import StoreUnusable
from assay.records.canonical import as_named
from assay.records.journal import Entry, Params, Saved, Sums
from assay.records.run import Failure, State
from assay.store.runs import RunWriter
from assay.store.store import Store
from assay.tracking.ending import Shortfall
from assay.tracking.plain import plain_params
from assay.tracking.recipe import kept_file
from assay.tracking.recorder import Recorder, checked_point, ended, saved_tree


class JoinedRecorder:
    """A part in the run of a recorder of this process, such as a study's trial."""

    def __init__(self, recorder: Recorder) -> None:
        self.id = recorder.id
        self.log = recorder.log
        self.save = recorder.save
        self.set_params = recorder.set_params

    def finish(self, state: State = "finished", failure: Failure | None = None) -> None:
        """Leave the run to who began it."""


class Unrecorded:
    """A run that is not the one which is being recorded: what is logged is checked, and goes nowhere. `left`: it has ended."""

    id = ""

    def __init__(self) -> None:
        self.left = False

    def log(self, values: Mapping[str, float], step: int | None = None, measured: bool = False) -> None:
        """Check the values as `Recorder.log` does."""
        checked_point(values, step, measured)

    def save(self, path: str | os.PathLike[str]) -> str:
        """Keep nothing."""
        return ""

    def set_params(self, values: Mapping[str, Any]) -> None:
        """Check the values as `Recorder.set_params` does."""
        plain_params(values)

    def finish(self, state: State = "finished", failure: Failure | None = None) -> None:
        """Nothing began in the record, and nothing ends in it."""
        self.left = True


class JoinedCommand:
    """A part in the run that `assay run` began above this process, written into a journal of its own. `left`: it says no more.

    Raises:
        UnknownRun: the store has no such run.
        StoreUnusable: the run's folder cannot be written.
    """

    def __init__(self, run_id: str, store: Path) -> None:
        self.id = run_id
        self._store = Store(store.parent, store)
        run = self._store.runs.read(run_id)
        self._root = Path(as_named(run.start.root))
        self._writer: RunWriter = self._store.runs.open_writer(run_id)
        self._journal = self._writer.journal()
        self._pid = os.getpid()
        self._shortfall = Shortfall()
        self.left = False

    def log(self, values: Mapping[str, float], step: int | None = None, measured: bool = False) -> None:
        """As `Recorder.log`. What another rank than the first logs is kept under its own source: the run's metrics are those of rank 0."""
        point = checked_point(values, step, measured)
        number = rank()
        self._append(msgspec.structs.replace(point, source=f"rank{number}") if number else point)

    def save(self, path: str | os.PathLike[str]) -> str:
        """As `Recorder.save`."""
        return saved_tree(self._store, Path(path), self._save)

    def _save(self, path: Path) -> str:
        use = kept_file(self._store, self._root, path, by="save")
        content = use.id or ""
        self._append(Saved(time=time.time(), path=use.path, id=content, size=use.size))
        return content

    def set_params(self, values: Mapping[str, Any]) -> None:
        """As `Recorder.set_params`."""
        self._append(Params(time=time.time(), values=plain_params(values)))

    def sums(self, layers: Mapping[str, tuple[bytes, float]], step: int | None = None) -> None:
        """As `Recorder.sums`, with the rank of this process."""
        self._append(Sums(time.time(), step, dict(layers), rank() or 0))

    def finish(self, state: State = "finished", failure: Failure | None = None) -> None:
        """Say no more; the run ends with its command."""
        if not self.left and self._pid == os.getpid():
            self.left = True
            self._journal.close()

    def _append(self, entry: Entry) -> None:
        if self.left:
            raise ended(self.id)
        try:
            self._journal.append(entry)
        except StoreUnusable as error:
            self._shortfall.add("journal", str(error))
