"""Code from beyond the project, for a run that is carried out again: used where it lies while it is unchanged, else from the store."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from assay.capture.outside import below, import_folders, lay_copies, loaded_outside, moved, named_folders
from assay.execution.again.inputs import Places, changed, content_of, has_content
from assay.records.environment import Environment, Package
from assay.records.finding import Finding
from assay.records.run import Run
from assay.records.trace import FileUse, Trace
from assay.store.store import Store

# Listings leave this folder out, and the user's own root has one of its name.
COPIES: Final = ".assay/outside"


class OutsideCode(NamedTuple):
    """What is to be put on the module path.

    Attributes:
        first: folders that must stand before all others: copies of what is another now.
        last: folders of the user's that the new place of the project would no longer find by a relative path.
        findings: what a reader must know.
    """

    first: tuple[str, ...] = ()
    last: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()


def lay_outside_code(
    places: Places, run: Run, trace: Trace, seen: Environment, packages: Sequence[Package]
) -> tuple[OutsideCode, Trace]:
    """Make the code that a run loaded from beyond the project importable as it was; also the trace without that code.

    Where one file is another now, all of it is laid into the workspace with the data that it read from beside it.

    Raises:
        InputChanged: a file is another, and either the store does not have it or the command names it by its place.
        MissingContent: the store lacks a part of it.
    """
    uses = loaded_outside(trace.loaded, places.environment)
    rest = msgspec.structs.replace(trace, loaded=tuple(use for use in trace.loaded if use not in uses))
    folders = import_folders(uses, named_folders(seen.variables.get("PYTHONPATH", ""), packages))
    others = [use for use in uses if use.id is not None and not has_content(Path(use.path), use.id)]
    if not others:
        return OutsideCode(last=tuple(folders)), rest
    target = places.workspace / COPIES
    beside = [use for use in below(trace.read, folders) if use.id and use.id in places.store.objects]
    for use in others:
        if not use.id or use.id not in places.store.objects or _is_named(use.path, run):
            raise changed(use, content_of(Path(use.path)), Path(use.path))
    lay_copies(places.store.objects, [use for use in uses if use.id and use.id in places.store.objects], target)
    lay_copies(places.store.objects, beside, target)
    return OutsideCode(tuple(str(moved(folder, target)) for folder in folders), (), tuple(map(_finding, others))), rest


def _is_named(path: str, run: Run) -> bool:
    """Whether the command itself names the file, so that it is run from its place whatever the module path says."""
    return any(os.path.normpath(f"{run.start.cwd}/{word}" if word[:1] != "/" else word) == path for word in run.start.command)


def _finding(use: FileUse) -> Finding:
    text = f"{use.path} is {'another' if Path(use.path).exists() else 'missing'} now; the code that the run loaded is taken from the store"
    return Finding(kind="code outside the project", about=use.path, text=text)


def used_in_place(store: Store, run: Run, outside: OutsideCode) -> Iterator[Finding]:
    """What the new run loaded from where it lies, though it is another now: the program looks there before all else.

    Raises:
        MissingContent: the store lacks the run's trace.
    """
    others = {finding.about for finding in outside.findings}
    if others and run.result is not None and run.result.trace is not None:
        for use in store.objects.record(run.result.trace, Trace).loaded:
            if use.path in others:
                text = f"{use.path} was loaded as it is now all the same: the program puts its folder before all others"
                yield Finding(kind="code outside the project", about=use.path, text=text)


def is_copy(path: str) -> bool:
    """Whether a recorded path is that of a copy made here."""
    return path.startswith(COPIES + "/")
