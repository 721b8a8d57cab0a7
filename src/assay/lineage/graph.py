"""The graph of runs: what a run builds on, and what builds on it, to any depth."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from assay.errors import AssayError
from assay.lineage.parents import parents_of, readable, trace_of
from assay.records.run import Parent, Run
from assay.store.store import Store


class Edge(NamedTuple):
    """`target` builds on `source`, `by` reading a file ("read", with its path), "resume", "reproduction" or "prepare"."""

    source: str
    target: str
    by: str
    path: str = ""


class Graph(NamedTuple):
    """Runs, the ones that were asked for first, and the edges between them. A run that was removed stays named in the edges."""

    runs: tuple[str, ...]
    edges: tuple[Edge, ...]


def ancestors(store: Store, run_id: str) -> Graph:
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
        for parent in parents_of(store, run):
            edges[_edge(parent, run)] = None
            if parent.run not in seen:
                seen[parent.run] = None
                pending.extend(readable(store, parent.run))
    return Graph(tuple(seen), tuple(edges))


def descendants(store: Store, run_id: str) -> Graph:
    """Every run that stands on this one, to any depth.

    Raises:
        UnknownRun: there is no such run.
        StoreUnusable: the runs cannot be read.
    """
    run = store.runs.read(run_id)
    family = _Children(store)
    edges: dict[Edge, None] = {}
    seen = {run_id: None}
    pending = [run]
    while pending:
        current = pending.pop()
        for child, parent in family.of(current):
            edges[_edge(parent, child)] = None
            if child.id not in seen:
                seen[child.id] = None
                pending.append(child)
    return Graph(tuple(seen), tuple(edges))


def readers(store: Store, content: str) -> list[tuple[str, str]]:
    """Runs that read a content, and the path of each; the oldest run first."""
    return store.catalogue.read_by(content)[::-1]


def joined(graphs: Iterable[Graph]) -> Graph:
    """Several graphs as one: the runs that each was asked for first, in their order."""
    parts = list(graphs)
    heads = [graph.runs[0] for graph in parts if graph.runs]
    runs = dict.fromkeys([*heads, *(run for graph in parts for run in graph.runs)])
    return Graph(tuple(runs), tuple(dict.fromkeys(edge for graph in parts for edge in graph.edges)))


class _Children:
    """Runs by what they build on; what is known of each is asked once."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._parents: dict[str, tuple[Run, tuple[Parent, ...]] | None] = {}

    def of(self, run: Run) -> list[tuple[Run, Parent]]:
        """Each run that builds on this one, with the way in which it does."""
        found = []
        for child_id in dict.fromkeys([*self._store.catalogue.built_on(run.id), *self._readers(run)]):
            known = self._known(child_id)
            if known is not None:
                found += [(known[0], parent) for parent in known[1] if parent.run == run.id]
        return found

    def _readers(self, run: Run) -> list[str]:
        try:
            written = [use.id for use in trace_of(self._store, run).written if use.id is not None and use.size > 0]
        except AssayError:
            return []
        found = self._store.catalogue.read_by_any(written)
        return sorted({run_id for uses in found.values() for run_id, _ in uses if run_id != run.id})

    def _known(self, run_id: str) -> tuple[Run, tuple[Parent, ...]] | None:
        if run_id not in self._parents:
            run = next(iter(readable(self._store, run_id)), None)
            self._parents[run_id] = (run, parents_of(self._store, run)) if run is not None else None
        return self._parents[run_id]


def _edge(parent: Parent, child: Run) -> Edge:
    return Edge(parent.run, child.id, parent.by, parent.path)
