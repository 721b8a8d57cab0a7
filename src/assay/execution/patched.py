"""Trials of a function whose levels have patches: the code that each runs in a copy of the project, and what stands for it."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from assay.capture.code import Snapshot
from assay.execution.handed_out import HandedOut
from assay.execution.needed import Needed, inputs_of_calls
from assay.execution.protocol import Job
from assay.execution.reuse import Reuse
from assay.execution.setup import Copied, Report, Task
from assay.execution.variants import Variant, Variants
from assay.execution.workspace import remove_dead_workspaces
from assay.records.factor import Patch
from assay.records.finding import Finding
from assay.records.plan import Configuration
from assay.records.trace import Trace
from assay.store.store import Store

PatchesOf = Callable[[Configuration], tuple[Patch, ...]]
"""The patches of a configuration."""


class Patched:
    """What the patched trials of a study share.

    Args:
        store: where runs are recorded.
        root: of the project.
        snapshot: the code as it was when the study began.
        patches: those of each configuration; None in a study without any.
        function: recorded name of what trials call.
        jobs: all trials; a patch that cannot be made is heard before the first of them.

    Raises:
        InvalidStudy: patches do not apply.
    """

    def __init__(
        self, store: Store, root: Path, snapshot: Snapshot, patches: PatchesOf | None, function: str, jobs: Sequence[Job]
    ) -> None:
        self._store = store
        self._variants = Variants(store, root, snapshot, patches or _none)
        found = {job.configuration.name: self._variants.variant(job.configuration) for job in jobs}
        self._code = {name: variant for name, variant in found.items() if variant.other}
        self._tasks: dict[int, Task] = {}
        self._in_place: set[str] = set()
        self._needed = Needed(root, Path.cwd(), snapshot.files)
        if self._code:
            remove_dead_workspaces()
            self._needed.add(inputs_of_calls(store, Reuse(store, root), function))
        self._handed_out = HandedOut(store, self._needed, self._variants)

    def code(self, configuration: str) -> Variant | None:
        """The code of a configuration with patches; None of one without."""
        return self._code.get(configuration)

    def reuse(self, code: Variant) -> Reuse:
        """Looks for runs that stand for trials of this code."""
        return self._variants.reuse(code.other)

    def copied(self, code: Variant) -> Copied:
        """What a trial of this code runs."""
        snapshot = code.snapshot
        plain = snapshot._replace(files=dict(snapshot.files), stats=dict(snapshot.stats))
        return Copied(plain, {}, tuple(sys.path), os.getcwd())  # noqa: PTH109 - text

    def handed_out(self, task: Task) -> Task:
        """The task as it is given away now: a patched one with the files that it needs."""
        if task.copied is None:
            return task
        self._tasks[task.number] = task
        return task._replace(copied=task.copied._replace(files=self._handed_out.give(task.number)))

    def again(self, report: Report, configuration: str) -> Task | None:
        """The task of a report that is to be handed out again; None where the report stands."""
        task, code = self._tasks.get(report.number), self.code(configuration)
        if task is None or code is None:
            return None
        if self._handed_out.again(report, code.other):
            return task
        self._in_place |= self._read_in_place(report, code)
        return None

    def _read_in_place(self, report: Report, code: Variant) -> set[str]:
        """Files that a trial read in the project itself, though its patches change them."""
        if report.state != "finished" or report.run is None:
            return set()
        trace = self.reuse(code).trace(self._store.runs.read(report.run)) or Trace()
        paths = {os.path.relpath(use.path, self._needed.root) for use in trace.read if use.path.startswith("/")}
        return paths & code.other.keys()

    def findings(self) -> list[Finding]:
        """What had to be found by running trials again, and what no patch could reach."""
        advice = "A trial with patches has those files of yours beside its code that trials were seen to read."
        text = "a patch changes it, and trials with the patch read it in the project itself, by a path that names it in full"
        return [
            *self._needed.findings(advice),
            *(Finding(kind="not patched", about=path, text=text) for path in sorted(self._in_place)),
        ]


def _none(_: Configuration) -> tuple[Patch, ...]:
    return ()
