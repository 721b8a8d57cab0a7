"""Files traced back to the runs that wrote them and forward to those that read them; a folder is traced file by file."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from assay.errors import InvalidValue, UnknownRun
from assay.lineage.graph import Graph, ancestors, descendants, joined, readers
from assay.lineage.origin import origin
from assay.store.store import Store

_PASSED_OVER = frozenset((".git", ".assay"))


class FileOrigin(NamedTuple):
    """One file with its content, and the runs that wrote this content, the newest first, with the path of each."""

    path: str
    content: str
    written: tuple[tuple[str, str], ...]


class Traced(NamedTuple):
    """Files with their origins, and the graph of the runs; its heads are the runs from which the graph was drawn."""

    files: tuple[FileOrigin, ...]
    graph: Graph
    heads: tuple[str, ...]


def traced_file(store: Store, what: str | Path, *, down: bool = False) -> Traced:
    """A file, each file of a folder, or a content by its id: who wrote it and all that these runs build on.

    Args:
        store: where to look.
        what: a file or folder, wherever it lies now; or the id of a content, or the first digits of it.
        down: instead, who read it and all that builds on these runs.

    Raises:
        InvalidValue: it is neither; or a file of the folder cannot be read.
    """
    files = tuple(_origin(store, path) for path in _files(what))
    if down:
        found = dict.fromkeys(run for file in files for run, _ in readers(store, file.content))
        return Traced(files, joined(descendants(store, run) for run in found), tuple(found))
    found = dict.fromkeys(run for file in files for run, _ in file.written)
    return Traced(files, joined(ancestors(store, run) for run in found), tuple(found))


def traced(store: Store, what: str, *, down: bool = False) -> Traced:
    """A run, or where no run answers to the text, a file as for `traced_file`.

    Raises:
        UnknownRun: it is neither.
        AmbiguousRun, UnknownMetric: as for `Catalogue.resolve`.
    """
    try:
        run_id = store.catalogue.resolve(what)
    except UnknownRun as unknown:
        try:
            return traced_file(store, what, down=down)
        except InvalidValue as error:
            raise UnknownRun(
                "no run answers to this, and no file",
                value=what,
                expected=f"{unknown.expected}; or a file, or the id of a content",
                next_step=unknown.next_step,
            ) from error
    return Traced((), descendants(store, run_id) if down else ancestors(store, run_id), (run_id,))


def _origin(store: Store, path: str) -> FileOrigin:
    found = origin(store, path)
    return FileOrigin(path, found.content, found.written)


def _files(what: str | Path) -> Iterator[str]:
    """The file itself; every regular file below a folder, in the order of their names. Links to folders are not followed."""
    try:
        is_folder = os.path.isdir(what)  # noqa: PTH112 - names that no file can have are no folders either
    except ValueError:
        is_folder = False
    if not is_folder:
        yield str(what)
        return
    for folder, folders, names in os.walk(what):
        folders[:] = sorted(name for name in folders if name not in _PASSED_OVER)
        yield from (path for path in (os.path.join(folder, name) for name in sorted(names)) if os.path.isfile(path))  # noqa: PTH113, PTH118
