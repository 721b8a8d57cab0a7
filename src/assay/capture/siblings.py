"""Code beside the project in a snapshot: what former runs were seen to import from other folders, as it is now.

Which folders a script puts on `sys.path` is known only once it has run. So a snapshot that is taken before takes along what the last runs
loaded: modules, and packages whole, since a package that lacks a part hides the one that has it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath
from typing import Final

from assay.capture.code import CodeCapture
from assay.capture.code_secrets import read_small, without_secrets
from assay.capture.outside import import_folders, interpreter_folders, loaded_outside, named_folders
from assay.errors import MissingContent
from assay.records.environment import Environment
from assay.records.run import Run
from assay.records.trace import FileUse, Trace
from assay.store.store import Store
from assay.store.tree import FileKind, write_tree

_FORMER: Final = 20  # runs that are asked


def snapshot_siblings(store: Store, captured: Sequence[str]) -> dict[str, str]:
    """Folder that former runs imported from, to the tree of what they imported, which is in the store afterwards.

    Args:
        store: of the project.
        captured: folders whose code goes with the snapshot already.

    Raises:
        StoreUnusable: the store cannot take the files.
    """
    found: dict[str, set[str]] = {}
    for run in store.catalogue.runs(limit=_FORMER):
        for folder, name in _imported(store, run):
            if not any(PurePosixPath(folder).is_relative_to(each) for each in captured):
                found.setdefault(folder, set()).add(name)
    trees = {folder: dict(_entries(store, Path(folder), names)) for folder, names in sorted(found.items())}
    return {folder: write_tree(store.objects, entries) for folder, entries in trees.items() if entries}


def _imported(store: Store, run: Run) -> Iterator[tuple[str, str]]:
    """Import folder beyond the project, and the module or package in it, of what a run loaded."""
    result = run.result
    if result is None or result.trace is None:
        return
    try:
        trace = store.objects.record(result.trace, Trace)
        environment = store.objects.record(result.environment, Environment) if result.environment else Environment()
    except MissingContent:
        return
    uses = [use for use in loaded_outside(trace.loaded, interpreter_folders(environment)) if Path(use.path).exists()]
    folders = import_folders(uses, named_folders(environment.variables.get("PYTHONPATH", ""), ()))
    yield from filter(None, (_place(use, folders) for use in uses))


def _place(use: FileUse, folders: Sequence[str]) -> tuple[str, str] | None:
    above = [folder for folder in folders if PurePosixPath(use.path).is_relative_to(folder)]
    folder = max(above, key=len, default="/")
    return (folder, PurePosixPath(use.path).relative_to(folder).parts[0]) if folder != "/" else None


def _entries(store: Store, folder: Path, names: set[str]) -> Iterator[tuple[bytes, tuple[FileKind, str]]]:
    for name in sorted(names):
        if (folder / name).is_dir():
            for path, content in CodeCapture(store, folder / name).snapshot().files.items():
                yield f"{name}/{path}".encode("utf-8", "surrogateescape"), ("file", content)
        elif (data := read_small(folder / name)) is not None:
            yield name.encode("utf-8", "surrogateescape"), ("file", store.objects.put(without_secrets(name, data)[0]))
