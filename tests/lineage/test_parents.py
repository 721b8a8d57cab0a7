"""Parents of a run: who wrote what it read, by content, and whether it goes on where another stopped."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import pytest

from assay.lineage.parents import links, trace_of
from assay.records.recipe import Recipe
from assay.records.run import Parent, Start, State
from assay.records.trace import FileUse, Trace
from assay.store.runs import new_run_id, this_process
from assay.store.store import Store
from assay.store.tree import write_tree

RecordRun = Callable[..., str]
TRAIN = ("python", "train.py")


def begun(started: float = 1e6, run: str = "") -> Start:
    """The start of a run that looks for its parents."""
    return Start(id=run or new_run_id(), recipe="", started=started)


def reading(store: Store, files: dict[str, bytes]) -> Trace:
    """A trace that read these files."""
    return Trace(read=tuple(FileUse(path=path, id=store.objects.put(data), size=len(data)) for path, data in files.items()))


def linked(store: Store, trace: Trace, recipe: Recipe | None = None, start: Start | None = None) -> list[tuple[str, str, str]]:
    """Path, run and kind of each parent."""
    found = links(store, trace, start or begun(), recipe or Recipe()).parents
    return [(parent.path, parent.run, parent.by) for parent in found]


def test_a_read_is_linked_to_the_run_that_wrote_it(store: Store, record_run: RecordRun) -> None:
    """By content: under another path too."""
    writer = record_run(wrote={"model.pt": b"weights"})
    trace = reading(store, {"renamed.pt": b"weights", "data.csv": b"1,2"})
    assert linked(store, trace) == [("renamed.pt", writer, "read")]


def test_the_same_path_is_preferred_and_then_the_newest(store: Store, record_run: RecordRun) -> None:
    """Where several runs wrote the same content; the others are named."""
    same_path = record_run(wrote={"model.pt": b"weights"})
    other, newest = (record_run(wrote={"other.pt": b"weights"}) for _ in range(2))
    trace = reading(store, {"model.pt": b"weights", "third.pt": b"weights"})
    assert linked(store, trace) == [("model.pt", same_path, "read"), ("third.pt", newest, "read")]
    findings = links(store, trace, begun(), Recipe()).findings
    assert [finding.about for finding in findings] == ["model.pt", "third.pt"]
    assert newest in findings[0].text and other in findings[0].text and f"{same_path} is taken" in findings[0].text


def test_a_repetition_is_not_taken_for_the_run_that_it_repeats(store: Store, record_run: RecordRun) -> None:
    """It wrote the same, later, and in a folder of its own."""
    original = record_run(wrote={"model.pt": b"weights"})
    for by in ("reproduction", "variant"):
        record_run(wrote={"model.pt": b"weights"}, parents=(Parent(run=original, by=by),))
    assert linked(store, reading(store, {"model.pt": b"weights"})) == [("model.pt", original, "read")]


def test_the_run_of_the_same_root_is_preferred(store: Store, record_run: RecordRun) -> None:
    """Two projects share a store, and the other one wrote the same content last."""
    mine = record_run(wrote={"model.pt": b"weights"}, root="/mine")
    record_run(wrote={"model.pt": b"weights"}, root="/other")
    start = Start(id=new_run_id(), recipe="", started=1e6, root="/mine")
    assert linked(store, reading(store, {"model.pt": b"weights"}), start=start) == [("model.pt", mine, "read")]


def test_one_that_had_ended_is_preferred_to_one_that_still_ran(store: Store, record_run: RecordRun) -> None:
    """The file was finished by then; among those that had ended, the one that ended last."""
    record_run(wrote={"m": b"w"}, began=1.0, lasted=1.0)
    last = record_run(wrote={"m": b"w"}, began=2.0, lasted=5.0)
    record_run(wrote={"m": b"w"}, began=3.0, lasted=2.0)
    record_run(wrote={"m": b"w"}, began=4.0, lasted=100.0)
    assert linked(store, reading(store, {"m": b"w"}), start=begun(10.0)) == [("m", last, "read")]


def test_empty_files_copied_code_and_unknown_contents_link_nothing(store: Store, record_run: RecordRun) -> None:
    """They say nothing about where a result comes from."""
    record_run(wrote={"empty": b"", "out/config.json": b"code", "x": b"x"}, code={b"config.json": b"code"})
    code = write_tree(store.objects, {b"config.json": ("file", store.objects.put(b"code"))})
    trace = reading(store, {"empty": b"", "config.json": b"code"})
    trace = Trace(read=(*trace.read, FileUse(path="x", id=None, size=1)))
    assert linked(store, trace, Recipe(code=code)) == []
    assert [path for path, _, _ in linked(store, trace)] == ["config.json"]
    assert [path for path, _, _ in linked(store, trace, Recipe(code="0" * 64))] == ["config.json"]


def test_a_small_copy_that_counts_as_code_is_linked_all_the_same(store: Store, record_run: RecordRun) -> None:
    """A checkpoint that was copied into the project is a file that git would add; the run that wrote it did not have it."""
    writer = record_run(wrote={"ckpt": b"w"}, code={b"train.py": b"code"}, state="failed", command=TRAIN)
    code = write_tree(store.objects, {b"copy": ("file", store.objects.put(b"w"))})
    assert linked(store, reading(store, {"copy": b"w"}), Recipe(code=code, command=TRAIN)) == [("copy", writer, "resume")]


def test_nobody_is_his_own_parent_nor_a_later_runs_child(store: Store, record_run: RecordRun) -> None:
    """A run that overwrites what it read, and one that made the same content afterwards."""
    early, late = record_run(wrote={"state": b"s"}), record_run(wrote={"state": b"s"})
    trace = reading(store, {"state": b"s"})
    assert linked(store, trace, start=store.runs.read(late).start) == [("state", early, "read")]
    assert linked(store, trace, start=store.runs.read(early).start) == []


@pytest.mark.parametrize("state", ["failed", "interrupted"])
def test_the_same_script_on_what_a_stopped_run_left_resumes_it(store: Store, record_run: RecordRun, state: State) -> None:
    """Whatever else the command line says, and though the checkpoint was copied."""
    stopped = record_run(wrote={"out/ckpt": b"w"}, state=state, command=("/usr/bin/python3", "-u", "train.py", "--lr", "1"))
    trace = reading(store, {"copied": b"w"})
    assert linked(store, trace, Recipe(command=(*TRAIN, "--resume", "copied"))) == [("copied", stopped, "resume")]
    assert linked(store, trace, Recipe(command=("python", "evaluate.py"))) == [("copied", stopped, "read")]
    elsewhere = Start(id=new_run_id(), recipe="", started=1e6, root="/elsewhere")
    assert linked(store, trace, Recipe(command=TRAIN), elsewhere) == [("copied", stopped, "read")]


def test_what_a_finished_run_left_is_read(store: Store, record_run: RecordRun) -> None:
    """It was not stopped, so nothing resumes it."""
    done = record_run(wrote={"ckpt": b"w"}, command=TRAIN)
    assert linked(store, reading(store, {"ckpt": b"w"}), Recipe(command=TRAIN)) == [("ckpt", done, "read")]


def test_a_checkpoint_that_was_overwritten_is_known_by_its_stat_record(store: Store, record_run: RecordRun) -> None:
    """Path, size and time are what is left of it; with them the trace gets the content back."""
    record_run(wrote={"ckpt": b"old"}, command=TRAIN, state="failed", mtime=5)
    stopped = record_run(wrote={"ckpt": b"new"}, command=TRAIN, state="failed", mtime=6)
    record_run(wrote={"ckpt": b"newer"}, command=TRAIN, state="failed", mtime=7)
    trace = Trace(read=(FileUse(path="ckpt", id=None, size=3, mtime=6, note="the run changed it after reading it"),))
    found = links(store, trace, begun(), Recipe(command=TRAIN))
    assert found.parents == (Parent(run=stopped, by="resume", path="ckpt"),)
    (use,) = found.trace.read
    assert (use.id, use.kept) == (store.objects.put(b"new"), True)
    other = Trace(read=(FileUse(path="ckpt", id=None, size=3, mtime=8),))
    assert links(store, other, begun(), Recipe(command=TRAIN)) == ((), other, ())


def test_a_run_that_crashed_is_resumed_by_what_was_found_of_it(store: Store) -> None:
    """Its account is asked as a trace is, by every reader, at once."""
    recipe = Recipe(command=TRAIN)
    gone = msgspec.structs.replace(this_process(), pid=2**22 - 1, started=1)
    crashed = store.runs.create(Start(id=new_run_id(), recipe=store.objects.put_record(recipe), started=1.0, host=gone)).id
    trace = reading(store, {"ckpt": b"w"})
    assert linked(store, trace, recipe) == []
    store.runs.recover(crashed, Trace(written=trace.read))
    store.runs.recover(crashed, Trace())
    assert trace_of(store, store.runs.read(crashed)).written == trace.read
    assert store.runs.read(crashed).state == "crashed"
    assert linked(store, trace, recipe) == [("ckpt", crashed, "resume")]
    assert store.catalogue.wrote(store.objects.put(b"w")) == [(crashed, "ckpt")]
