"""Who wrote what: from a content back to the runs that made it, and from a run back to those it stands on."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from assay.errors import AssayError, InvalidValue
from assay.records.recipe import Recipe
from assay.records.run import Parent, Run
from assay.records.trace import FileUse, Trace
from assay.store.objects import hash_file
from assay.store.store import Store
from assay.store.tree import read_tree


class Origin(NamedTuple):
    """Which runs wrote a content: pairs of run id and path, the newest run first; empty where none did."""

    content: str
    written: tuple[tuple[str, str], ...]


class Edge(NamedTuple):
    """`target` builds on `source`, `by` reading a file ("read", with its path), "resume", "reproduction" or "prepare"."""

    source: str
    target: str
    by: str
    path: str = ""


class Ancestors(NamedTuple):
    """The runs that a run stands on, itself first, and the edges between them. A run that was removed stays named in the edges."""

    runs: tuple[str, ...]
    edges: tuple[Edge, ...]


def origin(store: Store, what: str | Path) -> Origin:
    """The runs that wrote a content, wherever they had it and wherever it lies now.

    Args:
        store: where to look.
        what: a file, or the id of a content (64 hexadecimal digits).

    Raises:
        InvalidValue: it is neither an id nor a file that can be read.
        StoreUnusable: the runs cannot be read.
    """
    content = _content_of(what)
    return Origin(content, tuple(store.catalogue.wrote(content)))


def ancestors(store: Store, run_id: str) -> Ancestors:
    """Every run that this one stands on, to any depth: parents that were said, and the writers of what it read.

    Raises:
        UnknownRun: there is no such run.
        StoreTooNew, StoreDamaged, StoreUnusable: the run itself cannot be read; an ancestor that cannot be is an end of the graph.
    """
    edges: dict[Edge, None] = {}
    seen = {run_id: None}
    pending = [store.runs.read(run_id)]
    while pending:
        run = pending.pop()
        for parent in _parents(store, run):
            edges[Edge(parent.run, run.id, parent.by, parent.path)] = None
            if parent.run not in seen:
                seen[parent.run] = None
                pending.extend(_readable(store, parent.run))
    return Ancestors(tuple(seen), tuple(edges))


def links(
    store: Store, trace: Trace, *, code: str | None = None, run: str | None = None, started: float | None = None
) -> tuple[Parent, ...]:
    """Parents of a run by what it read: for each file, the run that wrote its content.

    Where several runs wrote the same content, one that wrote it to the same path is preferred, then the newest. Empty files, and files
    that are part of the code, say nothing about where a result comes from.

    Args:
        store: where to look.
        trace: of the run that just ended.
        code: its code tree.
        run: its id, which is never its own parent.
        started: when it started, in seconds since 1970: what a later run wrote is not where it comes from.

    Raises:
        StoreUnusable: the runs cannot be read.
    """
    reads = {file.path: file for file in trace.read if file.id is not None and file.size > 0}
    if not reads:
        return ()
    known = store.catalogue.wrote_any(file.id for file in reads.values() if file.id is not None)
    if not known:
        return ()
    code_ids = _contents(store, code)
    chosen = (
        _writer(store, file, known.get(file.id or "", ()), run, started) for file in reads.values() if file.id not in code_ids
    )
    return tuple(parent for parent in chosen if parent is not None)


def _writer(
    store: Store, file: FileUse, writers: Iterable[tuple[str, str]], run: str | None, started: float | None
) -> Parent | None:
    candidates = [(writer, path) for writer, path in writers if writer != run and _before(store, writer, started)]
    # The sort is stable, and the newest writer stands first.
    candidates.sort(key=lambda pair: pair[1] != file.path)
    return Parent(run=candidates[0][0], by="read", path=file.path) if candidates else None


def _before(store: Store, writer: str, started: float | None) -> bool:
    """Whether a run had begun before another did; runs that overlap may still have handed a file over."""
    return started is None or any(run.start.started < started for run in _readable(store, writer))


def _parents(store: Store, run: Run) -> tuple[Parent, ...]:
    """Parents that were said, and the writers of what was read that was not said."""
    said = run.parents
    if run.result is None or run.result.trace is None:
        return said
    try:
        trace = store.objects.record(run.result.trace, Trace)
        code = store.objects.record(run.start.recipe, Recipe).code
    except AssayError:
        return said  # an incomplete store still has the lineage that was said
    found = links(store, trace, code=code, run=run.id, started=run.start.started)
    paths = {parent.path for parent in said if parent.by == "read"}
    return (*said, *(parent for parent in found if parent.path not in paths))


def _contents(store: Store, code: str | None) -> frozenset[str]:
    try:
        return frozenset(content for _, content in read_tree(store.objects, code).values()) if code else frozenset()
    except AssayError:
        return frozenset()  # as above


def _readable(store: Store, run_id: str) -> list[Run]:
    try:
        return [store.runs.read(run_id)]
    except AssayError:
        return []


def _content_of(what: str | Path) -> str:
    text = str(what)
    if isinstance(what, str) and len(text) == 64 and not set(text) - set("0123456789abcdef"):
        return text
    try:
        return hash_file(what)
    except (OSError, ValueError) as error:
        raise InvalidValue(
            "this is neither a file that can be read nor the id of a content",
            value=text,
            expected="a path, or 64 hexadecimal digits",
            next_step=f"{getattr(error, 'strerror', None) or error}.",
        ) from error
