"""The graph of runs, in both directions, to any depth."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from assay.errors import UnknownRun
from assay.lineage.graph import Edge, ancestors, descendants, joined
from assay.records.run import Parent, Start
from assay.store.runs import new_run_id
from assay.store.store import Store

RecordRun = Callable[..., str]


def test_ancestors_reach_to_any_depth(store: Store, record_run: RecordRun) -> None:
    """Through what was read, and through parents that were said; each run and each edge once."""
    data = record_run(wrote={"data": b"d"})
    left = record_run(read={"data": b"d"}, wrote={"left": b"l"})
    right = record_run(read={"data": b"d"}, wrote={"right": b"r"})
    join = record_run(read={"left": b"l", "right": b"r"}, wrote={"model": b"m"})
    last = record_run(parents=(Parent(run=join, by="resume"),))
    found = ancestors(store, last)
    assert found.runs[0] == last
    assert set(found.runs) == {data, left, right, join, last}
    assert set(found.edges) == {
        Edge(join, last, "resume"),
        Edge(left, join, "read", "left"),
        Edge(right, join, "read", "right"),
        Edge(data, left, "read", "data"),
        Edge(data, right, "read", "data"),
    }
    assert len(found.edges) == 5


def test_parents_that_were_found_at_the_end_are_not_counted_twice(store: Store, record_run: RecordRun) -> None:
    """What the run itself recorded stands."""
    first = record_run(wrote={"data": b"d"})
    record_run(wrote={"data": b"d"})
    second = record_run(read={"data": b"d"}, parents=(Parent(run=first, by="read", path="data"),))
    assert ancestors(store, second).edges == (Edge(first, second, "read", "data"),)


def test_a_circle_comes_to_an_end(store: Store) -> None:
    """Parents that were said may say anything."""
    one, two = new_run_id(), new_run_id()
    for run_id, other in ((one, two), (two, one)):
        store.runs.create(Start(id=run_id, recipe="", started=1.0, parents=(Parent(run=other, by="resume"),)))
    assert set(ancestors(store, one).runs) == {one, two}


def test_a_removed_ancestor_ends_the_graph_and_keeps_its_name(store: Store, record_run: RecordRun) -> None:
    """The edge still says where the result came from."""
    gone = new_run_id()
    run_id = record_run(parents=(Parent(run=gone, by="resume"),))
    assert ancestors(store, run_id).edges == (Edge(gone, run_id, "resume"),)
    assert ancestors(store, run_id).runs == (run_id, gone)


def test_an_unknown_run_has_no_ancestors(store: Store) -> None:
    """It is told."""
    with pytest.raises(UnknownRun):
        ancestors(store, new_run_id())


def test_an_incomplete_store_still_has_lineage(store: Store, record_run: RecordRun) -> None:
    """Where a trace is lost, what was said remains."""
    first = record_run()
    second = record_run(parents=(Parent(run=first, by="resume"),))
    result = store.runs.read(second).result
    assert result is not None
    assert result.trace is not None
    store.objects.path(result.trace).unlink()
    assert ancestors(store, second).edges == (Edge(first, second, "resume"),)


def test_descendants_are_the_runs_whose_ancestor_a_run_is(store: Store, record_run: RecordRun) -> None:
    """Through files, and through what was said; a file that a later run wrote again has its own readers."""
    data = record_run(wrote={"data": b"d"})
    left = record_run(read={"data": b"d"}, wrote={"left": b"l"})
    right = record_run(read={"copy of data": b"d"}, wrote={"right": b"r"})
    join = record_run(read={"left": b"l", "right": b"r"})
    again = record_run(parents=(Parent(run=join, by="reproduction"),))
    record_run(read={"else": b"e"})
    found = descendants(store, data)
    assert found.runs[0] == data
    assert set(found.runs) == {data, left, right, join, again}
    assert set(found.edges) == {
        Edge(data, left, "read", "data"),
        Edge(data, right, "read", "copy of data"),
        Edge(left, join, "read", "left"),
        Edge(right, join, "read", "right"),
        Edge(join, again, "reproduction"),
    }
    assert descendants(store, again).runs == (again,)


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.lists(st.integers(0, 7), max_size=3), min_size=2, max_size=8))
def test_both_directions_tell_the_same(store: Store, record_run: RecordRun, reads: list[list[int]]) -> None:
    """A run is among the descendants of exactly those that are among its ancestors, by the same edges."""
    mark = new_run_id().encode()
    runs: list[str] = []
    for index, wanted in enumerate(reads):
        files = {f"f{other}": mark + b"%d" % other for other in wanted if other < index}
        runs.append(record_run(read=files, wrote={f"f{index}": mark + b"%d" % index}))
    up = {run: ancestors(store, run) for run in runs}
    down = {run: descendants(store, run) for run in runs}
    assert {(a, b) for b in runs for a in up[b].runs} == {(a, b) for a in runs for b in down[a].runs}
    assert set(joined(up.values()).edges) == set(joined(down.values()).edges)
