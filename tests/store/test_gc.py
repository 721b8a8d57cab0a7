"""Collecting removes what nothing needs, all of it, and never what a run, a study, a data set or a recording in progress needs."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assay.errors import StoreDamaged
from assay.records.dataset import DataEntry, DataVersion
from assay.records.journal import Saved
from assay.records.recipe import Recipe
from assay.records.run import Result, Start, TrialOf
from assay.records.trace import FileUse, Trace
from assay.store.fsck import fsck
from assay.store.gc import collect
from assay.store.inventory import inventory, object_path
from assay.store.process import owned_name
from assay.store.runs import new_run_id, this_process
from assay.store.store import Store
from assay.store.tree import restore_tree, write_tree

DAY = 86400.0
LARGE = os.urandom(5 << 20)


def record(store: Store, code: bytes, artifact: bytes, *, ends: bool = True) -> str:
    """A run of one script in a folder, with an artifact; one that does not end has saved it."""
    objects = store.objects
    tree = write_tree(objects, {b"src/train.py": ("file", objects.put(code)), b"same.py": ("file", objects.put(b"same"))})
    recipe = objects.put_record(Recipe(code=tree, data={"in.csv": objects.put(b"data" + code)}))
    call = objects.put(b"call" + code)
    trial = TrialOf(study="0" * 64, configuration="c", call=call)
    writer = store.runs.create(Start(id=new_run_id(), recipe=recipe, started=1.0, host=this_process(), trial=trial))
    saved = objects.put(artifact)
    if ends:
        trace = Trace(written=(FileUse(path="model.bin", id=saved, kept=True),))
        writer.finish(
            Result(state="finished", ended=2.0, trace=objects.put_record(trace), output={"stdout": objects.put(b"out" + code)})
        )
    else:
        writer.journal().append(Saved(1.0, "model.bin", saved, len(artifact)))
    return writer.id


def remove(store: Store, run_id: str) -> None:
    shutil.rmtree(store.runs.folder(run_id))


def grow_old(store: Store, days: float = 100) -> None:
    """As if everything that is stored now had been stored long ago."""
    for content_id, stored in inventory(store.path).items():
        then = time.time() - days * DAY
        os.utime(object_path(store.path, content_id, in_parts=stored.in_parts), (then, then))


codes = st.sampled_from([b"a", b"b", b"c"])
artifacts = st.sampled_from([b"model 1", b"model 2", LARGE, LARGE[: 4 << 20] + b"end" * 400_000])
deeds = st.lists(st.one_of(st.tuples(codes, artifacts, st.booleans()), st.integers(0, 5), st.just("gc")), max_size=12)


@settings(max_examples=40, deadline=None)
@given(deeds=deeds)
def test_whatever_was_recorded_removed_and_collected_what_is_left_is_whole_and_no_more(
    deeds: list[tuple[bytes, bytes, bool] | int | str], tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("project")
    store = Store.open(folder)
    kept: dict[str, tuple[bytes, bytes]] = {}
    for deed in (*deeds, "gc"):
        if isinstance(deed, tuple):
            kept[record(store, deed[0], deed[1], ends=deed[2])] = deed[:2]
        elif isinstance(deed, int) and deed < len(kept):
            run_id = sorted(kept)[deed]
            remove(store, run_id)
            del kept[run_id]
        elif deed == "gc":
            collect(store, delete=True, grace=0)
    assert fsck(store).problems == []
    for number, (run_id, (code, artifact)) in enumerate(kept.items()):
        tree = store.objects.record(store.runs.read(run_id).start.recipe, Recipe).code
        assert tree is not None
        restore_tree(store.objects, tree, folder / f"restored-{number}")
        assert (folder / f"restored-{number}" / "src" / "train.py").read_bytes() == code
        assert artifact in [store.objects.get(content) for content in _artifacts(store, run_id)]
    assert bool(inventory(store.path)) == bool(kept)
    assert collect(store, grace=0).objects == 0
    assert list((store.path / "tmp").iterdir()) == []
    shutil.rmtree(folder)


def _artifacts(store: Store, run_id: str) -> list[str]:
    run = store.runs.read(run_id)
    if run.result is None or run.result.trace is None:
        return [entry.id for entry in store.runs.entries(run_id) if isinstance(entry, Saved)]
    return [use.id for use in store.objects.record(run.result.trace, Trace).written if use.id]


def test_nothing_is_removed_unless_that_is_asked_for(store: Store) -> None:
    remove(store, record(store, b"a", b"model"))
    before = inventory(store.path)
    found = collect(store, grace=0)
    assert inventory(store.path) == before and not found.deleted
    assert found.objects == len(before) and found.bytes == sum(stored.size for stored in before.values())
    done = collect(store, delete=True, grace=0)
    assert (done.objects, done.bytes, done.deleted) == (found.objects, found.bytes, True) and inventory(store.path) == {}


def test_what_is_young_stays_with_all_that_it_leads_to(store: Store) -> None:
    remove(store, record(store, b"a", b"model"))
    found = collect(store, delete=True)
    assert found.objects == 0 and found.young == found.kept == len(inventory(store.path))
    grow_old(store)
    assert collect(store).objects == found.kept
    # A recording finds its tree there and writes nothing; what the tree leads to is as old as before.
    code = {b"src/train.py": ("file", store.objects.put(b"other")), b"same.py": ("file", store.objects.put(b"same"))}
    grow_old(store)
    tree = write_tree(store.objects, code)  # type: ignore[arg-type]
    grow_old(store)
    assert store.objects.renew(tree)
    collect(store, delete=True)
    restore_tree(store.objects, tree, store.root / "restored")
    assert (store.root / "restored" / "src" / "train.py").read_bytes() == b"other"
    assert len(inventory(store.path)) == 4


def test_putting_what_is_there_makes_it_young(store: Store, root: Path) -> None:
    (root / "large").write_bytes(LARGE)
    contents = [store.objects.put(b"small"), store.objects.put(LARGE)]
    grow_old(store)
    assert [store.objects.put(b"small"), store.objects.put_file(root / "large", expect=contents[1])] == contents
    collect(store, delete=True)
    assert store.objects.get(contents[0]) == b"small" and store.objects.get(contents[1]) == LARGE


def test_data_sets_and_files_that_a_later_version_keeps_hold_their_content(store: Store) -> None:
    objects = store.objects
    tree = write_tree(objects, {b"rows.csv": ("file", objects.put(b"1,2"))})
    version = objects.put_record(DataVersion(content=tree, sizes=(3,)))
    store.datasets.add(DataEntry(name="rows", path="rows", version=version, content=tree, added=1.0))
    pinned = write_tree(objects, {b"train.py": ("file", objects.put(b"pinned"))})
    (store.path / "pins").mkdir()
    (store.path / "pins" / "queue.json").write_text(f'{{"tree": "{pinned}"}}')
    assert collect(store, delete=True, grace=0).objects == 0
    shutil.rmtree(store.path / "pins")
    assert collect(store, delete=True, grace=0).objects == 2
    assert objects.get(objects.put(b"1,2")) == b"1,2" and fsck(store).problems == []


def test_a_removed_run_keeps_its_content_until_its_grace_is_over(store: Store) -> None:
    run_id = record(store, b"a", b"model")
    whole = len(inventory(store.path))
    (store.path / "removed").mkdir()
    removed = store.path / "removed" / run_id
    store.runs.folder(run_id).rename(removed)
    grow_old(store)
    assert collect(store, delete=True).objects == 0
    os.utime(removed, (1.0, 1.0))
    assert collect(store).objects == whole == len(inventory(store.path))
    assert collect(store, delete=True).objects == whole and inventory(store.path) == {}


def test_where_a_record_is_damaged_nothing_is_removed(store: Store) -> None:
    run_id = record(store, b"a", b"model")
    remove(store, record(store, b"b", b"other"))
    path = object_path(store.path, store.runs.read(run_id).start.recipe)
    path.chmod(0o644)
    path.write_bytes(b"\x81\xa5assay?")
    before = inventory(store.path)
    with pytest.raises(StoreDamaged, match="nobody can say what it needs"):
        collect(store, delete=True, grace=0)
    assert inventory(store.path) == before


def test_temporary_files_of_the_dead_go_and_those_of_the_living_stay(store: Store) -> None:
    folder = store.path / "tmp"
    ended = subprocess.run(
        [sys.executable, "-c", "from assay.store.process import owned_name; print(owned_name())"],
        capture_output=True, text=True, check=True,
    ).stdout.strip()  # fmt: skip
    mine, elsewhere, forgotten = folder / owned_name(), folder / "00-00-00-1-1-0", folder / "11-00-00-1-1-0"
    (folder / ended).mkdir()
    (folder / ended / "start").write_bytes(b"x")
    for path in (mine, elsewhere, forgotten):
        path.write_bytes(b"x")
    os.utime(forgotten, (time.time() - 2 * DAY, time.time() - 2 * DAY))
    assert collect(store).temporary == 2
    collect(store, delete=True)
    assert set(folder.iterdir()) == {mine, elsewhere}


def test_a_collection_that_is_killed_takes_nothing_that_is_needed_and_is_finished_by_the_next(store: Store) -> None:
    kept = [record(store, b"kept %d" % number, b"model %d" % number) for number in range(20)]
    for number in range(150):
        remove(store, record(store, b"gone %d" % number, b"gone %d" % number))
    whole = inventory(store.path).keys()
    for _ in range(2 * int(os.environ.get("ASSAY_KILLS", "5"))):
        process = subprocess.Popen(
            [sys.executable, "-m", "assay", "gc", "--delete", "--grace", "0"], cwd=store.root, stdout=subprocess.DEVNULL
        )
        try:
            process.wait(random.uniform(0.1, 0.5))
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        assert fsck(store).problems == []
    # What a killed one had moved, and somebody needs by now, comes back.
    moved = store.objects.put(b"moved")
    object_path(store.path, moved).rename(store.path / "tmp" / f"trash-{moved}")
    assert whole
    collect(store, delete=True)
    assert store.objects.get(moved) == b"moved"
    collect(store, delete=True, grace=0)
    assert store.runs.ids() == sorted(kept) and fsck(store).problems == []
    assert collect(store, grace=0).objects == 0 and list((store.path / "tmp").iterdir()) == []


def test_two_collections_at_once_end_as_one_does(store: Store) -> None:
    kept = record(store, b"kept", b"model")
    for _ in range(3):
        for number in range(100):
            remove(store, record(store, b"gone %d" % number, b"gone %d" % number))
        command = [sys.executable, "-m", "assay", "gc", "--delete", "--grace", "0"]
        processes = [subprocess.Popen(command, cwd=store.root, stdout=subprocess.DEVNULL) for _ in range(3)]
        assert [process.wait() for process in processes] == [0, 0, 0]
        assert fsck(store).problems == [] and store.runs.ids() == [kept]
    collect(store, delete=True, grace=0)
    assert collect(store, grace=0).objects == 0 and list((store.path / "tmp").iterdir()) == []


def test_runs_that_are_recorded_meanwhile_are_never_robbed(project: Path) -> None:
    """Everything that they find in the store is old, and nothing leads to it any more, when they find it."""

    def call(*arguments: str) -> subprocess.Popen[bytes]:
        return subprocess.Popen([sys.executable, "-m", "assay", *arguments], cwd=project, stdout=subprocess.DEVNULL)

    run = ("run", sys.executable, "train.py")
    assert call(*run).wait() == 0
    store = Store.open(project)
    for _ in range(3):
        for run_id in store.runs.ids():
            remove(store, run_id)
        grow_old(store)
        processes = [call(*run), call("gc", "--delete"), call(*run), call("gc", "--delete")]
        assert [process.wait() for process in processes] == [0, 0, 0, 0]
        assert len(store.runs.ids()) == 2 and fsck(store).problems == []
