"""Trials of a function whose levels have patches: the code that each runs in a copy of the project, and what stands for it."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from assay.capture.code import Snapshot
from assay.execution.by_name import name_by_name, ship_by_name
from assay.execution.handed_out import HandedOut
from assay.execution.needed import Needed, inputs_of_calls
from assay.execution.protocol import Job
from assay.execution.reuse import Reuse
from assay.execution.setup import Copied, Report, Task
from assay.execution.shipping import function_name
from assay.execution.variants import Variant, Variants
from assay.execution.workspace import remove_dead_workspaces
from assay.records.factor import Patch
from assay.records.finding import Finding
from assay.records.plan import Configuration
from assay.records.trace import Trace
from assay.store.store import Store


class Call(NamedTuple):
    """What a configuration with patches calls, loaded by name from a copy of the project.

    Attributes:
        function, configuration: shipped.
        name: recorded name of the function.
        variant: the code of the copy.
    """

    function: bytes
    configuration: bytes
    name: str
    variant: Variant


class Patched:
    """What the patched trials of a study share.

    Args:
        store: where runs are recorded.
        root: of the project.
        snapshot: the code as it was when the study began.
        patches: those of a configuration.
        train: the function.
        configured: the object that a configuration of the plan stands for.
        jobs: all trials; a patch that cannot be made, and what cannot be named, is heard before the first of them.

    Raises:
        InvalidStudy: patches do not apply, or the function or a configuration is nothing that the copy has by name.
    """

    def __init__(
        self,
        store: Store,
        root: Path,
        snapshot: Snapshot,
        patches: Callable[[Configuration], tuple[Patch, ...]],
        train: Callable[..., object],
        configured: Callable[[Configuration], Any],
        jobs: Sequence[Job],
    ) -> None:
        self._store = store
        self._variants = Variants(store, root, snapshot, patches)
        self._train = train
        self._configured = configured
        self._calls: dict[str, Call] = {}
        self._tasks: dict[int, Task] = {}
        self._in_place: set[str] = set()
        concerned = {job.configuration.name: job.configuration for job in jobs if patches(job.configuration)}
        for name, configuration in concerned.items():
            self._calls[name] = self._call(configuration)
        self._needed = Needed(root, Path.cwd(), snapshot.files)
        if concerned:
            remove_dead_workspaces()
            names = (function_name(train), name_by_name(train))
            self._needed.add(inputs_of_calls(store, Reuse(store, root), names))
        self._handed_out = HandedOut(store, self._needed, self._variants)

    def _call(self, configuration: Configuration) -> Call:
        variant = self._variants.variant(configuration)
        function = ship_by_name((self._train, None), "the trial's function")
        data = ship_by_name(self._configured(configuration), f"the configuration {configuration.name!r}")
        return Call(function, data, name_by_name(self._train), variant)

    def call(self, configuration: str) -> Call | None:
        """What a configuration calls in its copy; None where it has no patches."""
        return self._calls.get(configuration)

    def reuse(self, call: Call) -> Reuse:
        """Looks for runs that stand for trials of the call."""
        return self._variants.reuse(call.variant.other)

    def copied(self, call: Call) -> Copied:
        """What a trial of the call runs."""
        snapshot = call.variant.snapshot
        plain = snapshot._replace(files=dict(snapshot.files), stats=dict(snapshot.stats))
        return Copied(call.function, plain, {}, tuple(sys.path), os.getcwd())  # noqa: PTH109 - text

    def handed_out(self, task: Task) -> Task:
        """The task as it is given away now: a patched one with the files that it needs."""
        if task.copied is None:
            return task
        self._tasks[task.number] = task
        return task._replace(copied=task.copied._replace(files=self._handed_out.give(task.number)))

    def again(self, report: Report, configuration: str) -> Task | None:
        """The task of a report that is to be handed out again; None where the report stands."""
        task, call = self._tasks.get(report.number), self.call(configuration)
        if task is None or call is None:
            return None
        if self._handed_out.again(report, call.variant.other):
            return task
        self._in_place |= self._read_in_place(report, call)
        return None

    def _read_in_place(self, report: Report, call: Call) -> set[str]:
        """Files that a trial read in the project itself, though its patches change them."""
        if report.state != "finished" or report.run is None:
            return set()
        trace = self.reuse(call).trace(self._store.runs.read(report.run)) or Trace()
        paths = {os.path.relpath(use.path, self._needed.root) for use in trace.read if use.path.startswith("/")}
        return paths & call.variant.other.keys()

    def findings(self) -> list[Finding]:
        """What had to be found by running trials again, and what no patch could reach."""
        advice = "A trial with patches has those files of yours beside its code that trials were seen to read."
        text = "a patch changes it, and trials with the patch read it in the project itself, by a path that names it in full"
        return [
            *self._needed.findings(advice),
            *(Finding(kind="not patched", about=path, text=text) for path in sorted(self._in_place)),
        ]
