"""What was patched between a run and the one that goes on from it."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from assay.comparison.patched import FileChange, patch_text, patched, patched_since
from assay.records.recipe import Recipe
from assay.records.run import Parent, Result, Run, Start
from assay.records.trace import FileUse, Trace
from assay.store.runs import new_run_id, this_process
from assay.store.store import Store
from assay.store.tree import restore_tree, write_tree


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """An empty store."""
    (tmp_path / "project").mkdir()
    return Store.open(tmp_path / "project")


def record(
    store: Store, code: dict[bytes, bytes], loaded: dict[str, bytes], parents: tuple[Parent, ...] = (), root: str = "/r"
) -> Run:
    """A failed run with this code, that loaded these."""
    tree = write_tree(store.objects, {path: ("file", store.objects.put(data)) for path, data in code.items()})
    recipe = store.objects.put_record(Recipe(code=tree))
    writer = store.runs.create(Start(id=new_run_id(), recipe=recipe, started=1.0, root=root, host=this_process(), parents=parents))
    uses = tuple(FileUse(path=path, id=store.objects.put(data), size=len(data), kept=True) for path, data in loaded.items())
    writer.finish(Result(state="failed", ended=2.0, trace=store.objects.put_record(Trace(loaded=uses))))
    return store.runs.read(writer.id)


def test_each_file_has_a_line(store: Store) -> None:
    """Files of the tree, ignored modules as they were loaded, and modules from beyond the root that both loaded."""
    before = record(
        store,
        {b"a.py": b"1\n2\n3\n", b"same.py": b"s\n", b"old.py": b"o\n", b"x.bin": b"\0a"},
        {"ignored.py": b"i\n", "/lib/one.py": b"1\n", "/lib/only.py": b"o\n"},
    )
    after = record(
        store,
        {b"a.py": b"1\n2!\n3\n4\n", b"same.py": b"s\n", b"new.py": b"n\nn\n", b"x.bin": b"\0b"},
        {"ignored.py": b"j\n", "/lib/one.py": b"2\n"},
        (Parent(run="b" * 16, by="resume"),),
    )
    assert patched(store, before, after).files == (
        FileChange(path="/lib/one.py", how="changed", added=1, removed=1),
        FileChange(path="a.py", how="changed", added=2, removed=1),
        FileChange(path="ignored.py", how="changed", added=1, removed=1),
        FileChange(path="new.py", how="added", added=2, removed=0),
        FileChange(path="old.py", how="removed", added=0, removed=1),
        FileChange(path="x.bin", how="changed"),
    )
    assert patched(store, before, before).files == ()


def test_the_text_applies(store: Store, tmp_path: Path) -> None:
    """By git, to what the parent ran."""
    before = record(store, {b"a.py": b"1\n", b"x.bin": b"\0a"}, {"ignored.py": b"i\n"})
    after = record(store, {b"a.py": b"2\n", b"x.bin": b"\0b"}, {"ignored.py": b"j\n"})
    target = tmp_path / "applied"
    restore_tree(store.objects, store.objects.record(before.start.recipe, Recipe).code or "", target)
    (target / "ignored.py").write_bytes(b"i\n")
    subprocess.run(["git", "apply", "-"], input=patch_text(store, before, after).encode(), cwd=target, check=True)
    assert {path.name: path.read_bytes() for path in target.iterdir()} == {"a.py": b"2\n", "x.bin": b"\0b", "ignored.py": b"j\n"}


def test_parents_in_the_same_root_are_compared_each_once(store: Store) -> None:
    """Those that are gone, repeated or from elsewhere are not."""
    here, elsewhere = record(store, {b"a": b"1\n"}, {}), record(store, {b"a": b"1\n"}, {}, root="/other")
    parents = [(here.id, "resume"), (here.id, "read"), (elsewhere.id, "read"), (new_run_id(), "read"), (here.id, "reproduction")]
    child = record(store, {b"a": b"2\n"}, {}, tuple(Parent(run=run, by=by, path=by) for run, by in parents))
    assert [(each.parent, each.run) for each in patched_since(store, child)] == [(here.id, child.id)]
