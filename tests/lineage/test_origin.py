"""Lineage: by content, whatever a file is called and wherever it lies."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from assay.errors import InvalidValue, UnknownRun
from assay.lineage.origin import Edge, ancestors, links, origin
from assay.records.recipe import Recipe
from assay.records.run import Parent, Result, Start
from assay.records.trace import FileUse, Trace
from assay.store.runs import new_run_id, this_process
from assay.store.store import Store
from assay.store.tree import write_tree

RecordRun = Callable[..., str]


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """An empty store."""
    root = tmp_path / "project"
    root.mkdir()
    return Store.open(root)


@pytest.fixture
def record_run(store: Store) -> RecordRun:
    """A function that records a finished run, each begun after the one before."""
    clock = iter(range(1, 1000))

    def record(
        *,
        read: dict[str, bytes] | None = None,
        wrote: dict[str, bytes] | None = None,
        code: dict[bytes, bytes] | None = None,
        parents: tuple[Parent, ...] = (),
    ) -> str:
        tree = write_tree(store.objects, {path: ("file", store.objects.put(data)) for path, data in (code or {}).items()})
        begun = float(next(clock))
        recipe = store.objects.put_record(Recipe(code=tree))
        writer = store.runs.create(Start(id=new_run_id(), recipe=recipe, started=begun, host=this_process(), parents=parents))
        trace = Trace(read=uses(store, read or {}), written=uses(store, wrote or {}))
        writer.finish(Result(state="finished", ended=begun, trace=store.objects.put_record(trace)))
        return writer.id

    return record


def uses(store: Store, files: dict[str, bytes]) -> tuple[FileUse, ...]:
    """Files as a trace has them."""
    return tuple(FileUse(path=path, id=store.objects.put(data), size=len(data)) for path, data in files.items())


def test_a_file_leads_to_the_runs_that_wrote_its_content(store: Store, record_run: RecordRun, tmp_path: Path) -> None:
    """Renamed and moved out of the project, by its content alone; the newest run first."""
    first = record_run(wrote={"model.pt": b"weights"})
    second = record_run(wrote={"out/best.pt": b"weights", "log": b"text"})
    (tmp_path / "from-a-colleague.bin").write_bytes(b"weights")
    found = origin(store, tmp_path / "from-a-colleague.bin")
    assert found.written == ((second, "out/best.pt"), (first, "model.pt"))
    assert origin(store, found.content) == found
    assert origin(store, str(tmp_path / "from-a-colleague.bin")) == found


def test_a_content_that_no_run_wrote_has_no_origin(store: Store, record_run: RecordRun) -> None:
    """An answer, not an error."""
    record_run(wrote={"model.pt": b"weights"})
    assert origin(store, "0" * 64).written == ()


@pytest.mark.parametrize("what", ["missing.pt", "abc", "", "a\0b", "0" * 63])
def test_what_is_neither_file_nor_id_is_told(store: Store, what: str) -> None:
    """With what was given."""
    with pytest.raises(InvalidValue, match="neither a file") as caught:
        origin(store, what)
    assert caught.value.value == what


def test_a_folder_is_no_file(store: Store, tmp_path: Path) -> None:
    """And says so."""
    with pytest.raises(InvalidValue, match="directory"):
        origin(store, tmp_path)


def test_a_read_is_linked_to_the_run_that_wrote_it(store: Store, record_run: RecordRun) -> None:
    """By content: under another path too."""
    writer = record_run(wrote={"model.pt": b"weights"})
    trace = Trace(read=uses(store, {"renamed.pt": b"weights", "data.csv": b"1,2"}))
    assert links(store, trace) == (Parent(run=writer, by="read", path="renamed.pt"),)


def test_the_same_path_is_preferred_and_then_the_newest(store: Store, record_run: RecordRun) -> None:
    """Where several runs wrote the same content."""
    same_path = record_run(wrote={"model.pt": b"weights"})
    newest = [record_run(wrote={"other.pt": b"weights"}) for _ in range(2)][-1]
    trace = Trace(read=uses(store, {"model.pt": b"weights", "third.pt": b"weights"}))
    assert [(parent.path, parent.run) for parent in links(store, trace)] == [("model.pt", same_path), ("third.pt", newest)]


def test_empty_files_code_and_unknown_contents_link_nothing(store: Store, record_run: RecordRun) -> None:
    """They say nothing about where a result comes from."""
    record_run(wrote={"empty": b"", "generated.py": b"code", "x": b"x"})
    code = write_tree(store.objects, {b"generated.py": ("file", store.objects.put(b"code"))})
    reads = Trace(read=(*uses(store, {"empty": b"", "generated.py": b"code"}), FileUse(path="x", id=None, size=1)))
    assert links(store, reads, code=code) == ()
    assert [parent.path for parent in links(store, reads)] == ["generated.py"]
    assert [parent.path for parent in links(store, reads, code="0" * 64)] == ["generated.py"]


def test_nobody_is_his_own_parent_nor_a_later_runs_child(store: Store, record_run: RecordRun) -> None:
    """A run that overwrites what it read, and one that made the same content afterwards."""
    early, late = record_run(wrote={"state": b"s"}), record_run(wrote={"state": b"s"})
    trace = Trace(read=uses(store, {"state": b"s"}))
    assert [parent.run for parent in links(store, trace, run=late)] == [early]
    assert [parent.run for parent in links(store, trace, started=store.runs.read(late).start.started)] == [early]
    assert links(store, trace, run=early, started=store.runs.read(early).start.started) == ()


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
