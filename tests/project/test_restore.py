"""Going back: files of a run put into the project that is in use, and the way back from there. Nothing is lost on either way."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from assay.errors import InputChanged, InvalidValue, MissingContent
from assay.project.project import Project
from assay.project.restore import carry_out, plan, restorations, undo_plan
from assay.records.recipe import Recipe
from assay.records.run import Result, Run, Start
from assay.records.trace import FileUse, Trace
from assay.store.runs import new_run_id, this_process
from assay.store.store import Store
from assay.store.tree import FileKind, write_tree

Files = dict[bytes, tuple[FileKind, bytes]]
RecordRun = Callable[..., Run]


@pytest.fixture
def lab(project: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A project, with the working directory at its root."""
    monkeypatch.chdir(project)
    return Project.open(project, create=True)


@pytest.fixture
def record(lab: Project) -> RecordRun:
    """A function that records a finished run with this code and these files."""

    def record(
        code: Files, *, wrote: dict[str, bytes] | None = None, loaded: dict[str, bytes] | None = None, lost: str = ""
    ) -> Run:
        store = lab.store
        tree = write_tree(store.objects, {path: (kind, store.objects.put(data)) for path, (kind, data) in code.items()})
        recipe = store.objects.put_record(Recipe(code=tree))
        writer = store.runs.create(Start(id=new_run_id(), recipe=recipe, started=time.time(), host=this_process()))
        written = uses(store, wrote or {})
        if lost:
            written += (FileUse(path=lost, id="0" * 64, size=9, note="too large to keep (over 100 MiB)"),)
        trace = Trace(written=written, loaded=uses(store, loaded or {}))
        writer.finish(Result(state="finished", ended=time.time(), trace=store.objects.put_record(trace)))
        return store.runs.read(writer.id)

    return record


def uses(store: Store, files: dict[str, bytes]) -> tuple[FileUse, ...]:
    """Files as a trace has them."""
    return tuple(FileUse(path=path, id=store.objects.put(data), size=len(data), kept=True) for path, data in files.items())


def standing(root: Path) -> Files:
    """Every file and link of a folder but those of git and Assay, as it stands."""
    found: Files = {}
    for path in sorted(root.rglob("*")):
        name = os.fsencode(path.relative_to(root))
        if name.split(b"/")[0] in (b".git", b".assay") or (path.is_dir() and not path.is_symlink()):
            continue
        if path.is_symlink():
            found[name] = ("link", os.fsencode(path.readlink()))
        else:
            found[name] = ("exec" if path.stat().st_mode & 0o100 else "file", path.read_bytes())
    return found


def test_code_comes_back_and_the_way_back_restores_every_byte(lab: Project, record: RecordRun) -> None:
    """Changed, missing, made executable, turned into a link, with odd names; what the run did not have stays."""
    code: Files = {
        b"train.py": ("file", b"print(1)\n"),
        b"run.sh": ("exec", b"#!/bin/sh\n"),
        b"deep/er/model.py": ("file", b"m"),
        b"latest": ("link", b"deep/er"),
        b"odd \xff\nname": ("file", b"odd"),
        b"-rf": ("file", b"option"),
        b"same": ("file", b"same"),
    }
    run = record(code)
    (lab.root / "run.sh").write_text("edited")
    (lab.root / "latest").write_text("a file now")
    (lab.root / "same").write_text("same")
    (lab.root / "mine.txt").write_text("mine")
    before = standing(lab.root)
    rehearsed = lab.put_back(run, dry_run=True)
    assert standing(lab.root) == before and rehearsed.back is None
    done = lab.put_back(run)
    assert done.steps == rehearsed.steps and done.unchanged == 1
    assert standing(lab.root) == code | {b"mine.txt": ("file", b"mine")}
    assert lab.put_back(run).back is None
    undone = lab.undo(done.back or "")
    assert standing(lab.root) == before
    lab.undo(undone.back or "")
    assert standing(lab.root) == code | {b"mine.txt": ("file", b"mine")}


def test_edits_made_after_a_restore_survive_its_undoing(lab: Project, record: RecordRun) -> None:
    """They are kept before the old files come back, and come back themselves."""
    done = lab.put_back(record({b"train.py": ("file", b"old"), b"new.py": ("file", b"new")}))
    (lab.root / "train.py").write_text("edited since")
    (lab.root / "new.py").write_text("edited too")
    undone = lab.undo(done.back or "")
    assert not (lab.root / "new.py").exists()
    lab.undo(undone.back or "")
    assert (lab.root / "train.py").read_text() == "edited since"
    assert (lab.root / "new.py").read_text() == "edited too"


def test_artifacts_folders_and_modules_by_name(lab: Project, record: RecordRun, monkeypatch: pytest.MonkeyPatch) -> None:
    """From the root or from the working directory; a module comes as it was loaded, an ignored one too."""
    run = record(
        {b"src/a.py": ("file", b"a"), b"src/b.py": ("file", b"snapshot")},
        wrote={"out/model.pt": b"weights", "out/log.txt": b"log"},
        loaded={"src/b.py": b"loaded", "src/generated.py": b"g", "/elsewhere/lib.py": b"lib"},
    )
    assert [step.path for step in lab.put_back(run, ["out/model.pt"]).steps] == [b"out/model.pt"]
    assert (lab.root / "out/model.pt").read_bytes() == b"weights"
    monkeypatch.chdir(lab.root / "out")
    assert [step.path for step in lab.put_back(run, ["log.txt"]).steps] == [b"out/log.txt"]
    assert [step.path for step in lab.put_back(run, ["../src"]).steps] == [b"src/a.py", b"src/b.py", b"src/generated.py"]
    assert (lab.root / "src/b.py").read_bytes() == b"loaded"
    whole = lab.put_back(run, dry_run=True)
    assert (whole.steps, whole.unchanged, whole.outside) == ((), 3, ("/elsewhere/lib.py",))


def test_what_cannot_come_back_is_named(lab: Project, record: RecordRun) -> None:
    """Nothing is touched then."""
    run = record({b"a.py": ("file", b"a")}, lost="big.pt")
    before = standing(lab.root)
    with pytest.raises(MissingContent, match="too large to keep"):
        lab.put_back(run, ["a.py", "big.pt"])
    with pytest.raises(MissingContent, match="neither the code"):
        lab.put_back(run, ["nonesuch"])
    with pytest.raises(InvalidValue, match="out of the project"):
        lab.put_back(run, ["/etc/passwd"])
    with pytest.raises(InvalidValue, match="no restoration"):
        lab.undo("last")
    assert standing(lab.root) == before


@pytest.mark.parametrize(
    ("path", "link", "target"),
    [
        (b"out/x", "out", "{outside}"),
        (b"a/b/x", "a", "{outside}"),
        (b"in/x", "in", ".git"),
        (b"in/x", "in", ".assay/objects"),
        (b"gone/x", "gone", "nowhere"),
    ],
)
def test_nothing_is_written_through_a_link_that_leads_astray(
    lab: Project, record: RecordRun, tmp_path: Path, path: bytes, link: str, target: str
) -> None:
    """Out of the project, into git's folder, into the store, or nowhere."""
    outside = tmp_path / "outside"
    (outside / "b").mkdir(parents=True)
    (lab.root / link).symlink_to(target.format(outside=outside))
    with pytest.raises(InvalidValue, match="a link"):
        lab.put_back(record({b"0": ("file", b"first"), path: ("file", b"x")}))
    assert not (lab.root / "0").exists()
    assert [file for file in outside.rglob("*") if file.is_file()] == []


def test_a_link_within_the_project_is_followed(lab: Project, record: RecordRun) -> None:
    """It is the user's way of laying out the project."""
    (lab.root / "real").mkdir()
    (lab.root / "alias").symlink_to("real")
    lab.put_back(record({b"alias/x": ("file", b"x")}))
    assert (lab.root / "real/x").read_bytes() == b"x"


@pytest.mark.parametrize("path", [b".git/hooks/pre-commit", b".assay/format", b"sub/.git/config"])
def test_a_tree_made_by_hand_cannot_reach_git_or_the_store(lab: Project, record: RecordRun, path: bytes) -> None:
    """Whoever shared it."""
    with pytest.raises(InvalidValue, match=r"\.git or \.assay"):
        lab.put_back(record({path: ("exec", b"#!/bin/sh\n")}))


def test_folders_and_pipes_in_the_way_are_told_before_anything_is_touched(lab: Project, record: RecordRun) -> None:
    """They cannot be kept as a file can."""
    (lab.root / "folder").mkdir()
    (lab.root / "file").write_text("x")
    os.mkfifo(lab.root / "pipe")
    for path in (b"folder", b"file/below", b"pipe"):
        with pytest.raises(InvalidValue):
            lab.put_back(record({b"0": ("file", b"first"), path: ("file", b"x")}))
        assert not (lab.root / "0").exists()


def test_a_file_that_changes_meanwhile_is_left_as_it_is(lab: Project, record: RecordRun) -> None:
    """Between being kept and being replaced: here, before a plan is carried out whose later file a hook of the first changes."""
    run = record({b"a": ("file", b"a"), b"b": ("file", b"b")})
    (lab.root / "b").write_text("1")
    store, root = lab.store, lab.root

    class Meddling(type(store.objects)):  # type: ignore[misc]  # the real objects, beside somebody who edits
        def copy_to(self, content_id: str, target: Path, *, executable: bool = False) -> None:
            super().copy_to(content_id, target, executable=executable)
            (root / "b").write_text("edited meanwhile")

    store.objects = Meddling(store.path)
    with pytest.raises(InputChanged, match="changed while"):
        lab.put_back(run)
    assert (root / "b").read_text() == "edited meanwhile"
    lab.undo("last")
    assert not (root / "a").exists()


KILLED = """
import os, signal, sys
from assay.project.project import Project
project = Project.open()
run = project.resolve(sys.argv[1])
left = int(sys.argv[2])

def count(event, arguments):
    global left
    if event in ("open", "os.rename", "os.remove", "os.mkdir"):
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

sys.addaudithook(count)
project.put_back(run)
"""


def test_a_killed_restore_leaves_whole_files_and_a_way_back(lab: Project, record: RecordRun) -> None:
    """Killed at whichever file it opens or renames: each file has its old or its new content, and undoing brings all old ones back."""
    old: Files = {b"f%d" % index: ("file", b"o%d" % index) for index in range(5)}
    new: Files = {b"f%d" % index: ("file", b"n%d" % index) for index in range(5)}
    run = record(new)
    (lab.root / "train.py").unlink()
    for path, (_, data) in old.items():
        (lab.root / os.fsdecode(path)).write_bytes(data)
    found: set[int] = set()
    for instant in range(1, 1000, 2):
        known = len(restorations(lab.store))
        child = subprocess.run([sys.executable, "-c", KILLED, run.id, str(instant)], cwd=lab.root, check=False)
        stands = files_of(lab.root)
        assert stands.keys() == old.keys()
        assert all(entry in (old[path], new[path]) for path, entry in stands.items())
        found.add(sum(entry == new[path] for path, entry in stands.items()))
        if len(restorations(lab.store)) > known:
            lab.undo("last")
        assert files_of(lab.root) == old
        if child.returncode != -signal.SIGKILL:
            break
    lab.put_back(run)
    assert standing(lab.root) == new  # what the kills left half-written is gone too
    assert {0, 1, 2, 3, 4, 5} <= found


def files_of(root: Path) -> Files:
    """What stands in a folder, without what a killed restore was just writing."""
    return {path: entry for path, entry in standing(root).items() if not path.startswith(b".assay-")}


names = st.sampled_from([b"a", b"b", b"c/d", b"c/e", b"f g"])
kinds = st.sampled_from(["file", "exec"])
trees = st.dictionaries(names, st.tuples(kinds, st.binary(max_size=3)), max_size=5)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(trees, trees)
def test_undoing_is_the_inverse_of_putting_back(tmp_path_factory: pytest.TempPathFactory, there: Files, wanted: Files) -> None:
    """For any folder and any wanted files; other files are never touched."""
    root = tmp_path_factory.mktemp("any")
    store = Store.open(root)
    for path, (kind, data) in there.items():
        place = root / os.fsdecode(path)
        place.parent.mkdir(exist_ok=True)
        place.write_bytes(data)
        place.chmod(0o755 if kind == "exec" else 0o644)
    back = carry_out(store, plan(store, root, {path: (kind, store.objects.put(data)) for path, (kind, data) in wanted.items()}))
    assert standing(root) == there | wanted
    assert (back is None) == (there | wanted == there)
    if back is not None:
        carry_out(store, undo_plan(store, back)[1])
    assert standing(root) == there


def test_collecting_keeps_the_way_back(lab: Project, record: RecordRun) -> None:
    """What was overwritten belongs to no run, and is kept all the same."""
    done = lab.put_back(record({b"train.py": ("file", b"old"), b"only here": ("file", b"x")}))
    (lab.root / "stray").write_text("x")
    lab.gc(delete=True, grace=0.0)
    lab.undo(done.back or "")
    assert (lab.root / "train.py").read_text() == "print('loss=0.5')\n"
