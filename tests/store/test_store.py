"""The store's folder: made once, by whoever comes first, and refused by name where it cannot be."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from assay.errors import AssayError, StoreTooNew, StoreUnusable
from assay.records.run import Result, Start
from assay.records.trace import Trace
from assay.store.process import owned_name
from assay.store.runs import new_run_id
from assay.store.store import Store

FORMATS = Path(__file__).parent.parent / "fixtures" / "formats"


def test_a_new_store_hides_from_git(project: Path) -> None:
    """The user's repository sees nothing of it."""
    store = Store.open(project)
    assert store.path == project / ".assay"
    assert (store.path / ".gitignore").read_text() == "*\n"
    assert (store.path / "format").read_text() == "1\n"
    assert subprocess.run(["git", "status", "--porcelain"], cwd=project, capture_output=True, check=True).stdout == b""


def test_opening_again_changes_nothing(root: Path) -> None:
    """Whether it may be made or not."""
    first = Store.open(root)
    content = first.objects.put(b"abc")
    for create in (True, False):
        assert Store.open(root, create=create).objects.get(content) == b"abc"
    assert list((first.path / "tmp").iterdir()) == []


def test_a_reader_makes_no_store(root: Path) -> None:
    """Asking for runs where nothing was recorded says so, and leaves no trace."""
    with pytest.raises(StoreUnusable, match=r"nothing has been recorded here.*assay run"):
        Store.open(root, create=False)
    assert list(root.iterdir()) == []


def test_assay_home_holds_the_store(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Folders above it are made; the project's own folder stays clean."""
    monkeypatch.setenv("ASSAY_HOME", str(tmp_path / "deep" / "store"))
    assert Store.open(root).path == tmp_path / "deep" / "store"
    assert list(root.iterdir()) == []


def test_a_folder_of_other_things_is_never_taken(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A mistaken ASSAY_HOME does not put `*` into the .gitignore of somebody's work."""
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "thesis.tex").write_text("…")
    monkeypatch.setenv("ASSAY_HOME", str(tmp_path / "thesis"))
    with pytest.raises(StoreUnusable, match=r"holds other things.*thesis\.tex"):
        Store.open(root)
    assert [path.name for path in (tmp_path / "thesis").iterdir()] == ["thesis.tex"]


def test_a_store_that_was_begun_is_completed(root: Path) -> None:
    """The process that made it was killed halfway."""
    (root / ".assay" / "tmp").mkdir(parents=True)
    (root / ".assay" / "objects").mkdir()
    store = Store.open(root)
    assert store.objects.get(store.objects.put(b"abc")) == b"abc"


def test_a_copy_without_empty_folders_is_completed(root: Path) -> None:
    """Some tools leave them out."""
    shutil.rmtree(Store.open(root).path / "tmp")
    store = Store.open(root)
    assert store.objects.get(store.objects.put(b"abc")) == b"abc"


def test_a_newer_store_is_refused(root: Path) -> None:
    """By both, readers and writers."""
    (Store.open(root).path / "format").write_text("2\n")
    for create in (True, False):
        with pytest.raises(StoreTooNew, match=r"format 1, not 2.*Upgrade assay"):
            Store.open(root, create=create)


@pytest.mark.parametrize("text", [b"", b"one", b"\xff\xfe", b"-1"])
def test_an_unreadable_format_is_told(root: Path, text: bytes) -> None:
    """By the path of the file."""
    (Store.open(root).path / "format").write_bytes(text)
    with pytest.raises(StoreUnusable, match="format"):
        Store.open(root)


@pytest.mark.parametrize("where", [".assay", ".assay/tmp", ".assay/format/x"])
def test_a_file_in_the_way_is_named(root: Path, where: str) -> None:
    """As an error of the store, with a next step."""
    path = root / where
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("mine")
    with pytest.raises(StoreUnusable, match=r"\.assay") as caught:
        Store.open(root)
    assert caught.value.next_step
    assert path.read_text() == "mine"


def in_child(body: Callable[[], object]) -> int:
    """Exit code of a forked child that runs `body`: 0, or 1 for an error that the user would see as one, or 2 for a traceback."""
    child = os.fork()
    if child == 0:
        code = 2
        try:
            body()
            code = 0
        except StoreUnusable as error:
            code = 1 if str(error.value) in str(error) and error.next_step else 2
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def test_a_folder_without_permission_is_refused(root: Path) -> None:
    """For a new store and for one of somebody else."""

    def open_as_nobody() -> None:
        if os.getuid() == 0:
            os.setgroups([])
            os.setgid(65534)
            os.setuid(65534)
        Store.open(root)

    root.chmod(0o555)
    assert in_child(open_as_nobody) == 1
    root.chmod(0o755)
    Store.open(root)
    for folder in (root / ".assay", root / ".assay" / "tmp"):
        folder.chmod(stat.S_IRUSR | stat.S_IXUSR)
    assert in_child(open_as_nobody) == 1


def on_small_disk(folder: Path, script: str) -> subprocess.CompletedProcess[str]:
    """Run Python code in a mount namespace where `folder` is a disk of 256 KiB of its own; `remount` makes it read-only."""
    mount = 'mount -t tmpfs -o size=256k none "$1" && exec "$2" -c "$3" "$1"'
    result = subprocess.run(
        ["unshare", "-rm", "sh", "-c", mount, "sh", str(folder), sys.executable, script],
        capture_output=True,
        text=True,
        check=False,
    )
    if result.returncode and "Traceback" not in result.stderr:
        pytest.skip(f"no namespaces here: {result.stderr.strip()}")
    return result


FULL_DISK = """
import sys, os
from pathlib import Path
from assay.errors import StoreUnusable
from assay.records.recipe import Recipe
from assay.records.run import Start
from assay.store.runs import new_run_id, this_process
from assay.store.store import Store
root = Path(sys.argv[1])
if {made}:
    store = Store.open(root)
try:
    with open(root / "filler", "wb", buffering=0) as file:
        while file.write(bytes(4096)):
            pass
except OSError:
    pass
def attempt(act):
    try:
        act()
    except StoreUnusable as error:
        print("full" if "disk is full" in str(error) and error.next_step and str(root) in str(error) else error)
attempt(lambda: Store.open(root))
if not {made}:
    print((root / ".assay").exists())
else:
    attempt(lambda: store.objects.put(bytes(50_000)))
    (Path("/dev/shm") / "assay-test-{pid}").write_bytes(bytes(3 << 20))
    attempt(lambda: store.objects.put_file("/dev/shm/assay-test-{pid}"))
    os.unlink("/dev/shm/assay-test-{pid}")
    attempt(lambda: store.runs.create(Start(id=new_run_id(), recipe="", command=("x" * 9000,), host=this_process())))
    print(store.runs.ids(), [path.name for path in (store.path / "tmp").iterdir()], len(list((store.path / "objects").rglob("*/*"))))
"""


def test_a_full_disk_is_refused_before_the_start(root: Path) -> None:
    """With what to do, and nothing half-written."""
    new = on_small_disk(root, FULL_DISK.format(made=False, pid=os.getpid()))
    assert (new.stdout.splitlines(), new.stderr) == (["full", "False"], "")
    used = on_small_disk(root, FULL_DISK.format(made=True, pid=os.getpid()))
    assert (used.stdout.splitlines(), used.stderr) == ([*["full"] * 4, "[] [] 0"], "")


FILLING_DISK = """
import os, sys
from pathlib import Path
from assay.errors import StoreUnusable
from assay.records.journal import Params, Point
from assay.records.run import Result, Start
from assay.store.runs import new_run_id, this_process
from assay.store.store import Store
root = Path(sys.argv[1])
runs = Store.open(root).runs
writer = runs.create(Start(id=new_run_id(), recipe="", host=this_process()))
journal = writer.journal()
kept = []
refused = 0
(root / "filler").write_bytes(bytes(100_000))
while refused < 3:
    entry = Params(float(len(kept)), {"text": "x" * 777})
    try:
        journal.append(entry)
        kept.append(entry)
    except StoreUnusable as error:
        refused += 1
        assert "disk is full" in str(error), error
(root / "filler").unlink()
for step in range(10):
    kept.append(Point(float(len(kept)), step, {"loss": 0.5}))
    journal.append(kept[-1])
reports = []
print(list(runs.entries(writer.id, reports.append)) == kept, len(reports))
writer.finish(Result(state="finished", ended=1.0))
print(runs.read(writer.id).state)
"""


def test_a_disk_that_fills_while_a_run_logs_costs_only_what_was_refused(root: Path) -> None:
    """A point that was half-written when the disk was full hides none of those that come after there is space again."""
    result = on_small_disk(root, FILLING_DISK)
    assert result.stderr == ""
    assert result.stdout.splitlines() in (["True 1", "finished"], ["True 0", "finished"])


READ_ONLY = """
import os, subprocess, sys
from pathlib import Path
from assay.errors import StoreUnusable
from assay.records.run import Result, Start
from assay.store.runs import new_run_id
from assay.store.store import Store
root = Path(sys.argv[1])
os.environ["XDG_CACHE_HOME"] = str(root / "cache")
store = Store.open(root)
if os.fork() == 0:  # a connection that stays open would keep the disk from becoming read-only
    print(store.catalogue.count(), flush=True)
    os._exit(0)
os.wait()
run = store.runs.create(Start(id=new_run_id(), recipe="", name="kept"))
run.finish(Result(state="finished", ended=1.0))
subprocess.run(["mount", "-o", "remount,ro", str(root)], check=True)
print(Store.open(root, create=False).catalogue.resolve("kept") == run.id)
try:
    Store.open(root)
except StoreUnusable as error:
    print(error)
"""


def test_a_read_only_disk_can_be_read_and_not_recorded_on(root: Path) -> None:
    """Listing works, though the catalogue lies there too and lacks the newest run; another run is refused before its start."""
    result = on_small_disk(root, READ_ONLY)
    assert result.stderr == ""
    before, listed, refused = result.stdout.splitlines()
    assert (before, listed) == ("0", "True")
    assert "read-only" in refused
    assert str(root) in refused


def test_only_what_dead_processes_left_is_removed(root: Path) -> None:
    """What a living process, another machine or a person put there stays."""
    store = Store.open(root)
    receiver, sender = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(sender, f"{owned_name()} {owned_name()}".encode())
        os._exit(0)
    os.waitpid(child, 0)
    dead_file, dead_folder = os.read(receiver, 1000).decode().split()
    os.close(receiver)
    os.close(sender)
    tmp = store.path / "tmp"
    (tmp / dead_file).write_bytes(b"half")
    (tmp / dead_folder).mkdir()
    (tmp / dead_folder / "start").write_bytes(b"half")
    kept = {owned_name(), "notes", "00-" + dead_file.partition("-")[2]}
    for name in kept:
        (tmp / name).write_bytes(b"")
    Store.open(root)
    assert {path.name for path in tmp.iterdir()} == kept


MAKE = """
import sys
from pathlib import Path
from assay.store.store import Store
sys.stdin.readline()
Store.open(Path(sys.argv[1])).objects.put(b"x")
"""


def test_many_processes_make_one_store(root: Path) -> None:
    """All at once, and all succeed."""
    children = [subprocess.Popen([sys.executable, "-c", MAKE, str(root)], stdin=subprocess.PIPE) for _ in range(6)]
    for child in children:
        child.communicate(b"go\n")
    assert [child.returncode for child in children] == [0] * 6
    assert sorted(path.name for path in (root / ".assay").iterdir()) == [
        ".gitignore",
        "format",
        "objects",
        "runs",
        "studies",
        "tmp",
    ]


def test_an_old_store_is_read(root: Path) -> None:
    """The golden store of format 1: runs, journals, objects and trees are read for ever, on a machine that did not make them."""
    shutil.copytree(FORMATS / "store-1", root / ".assay")
    for path in (root / ".assay" / "runs").rglob("*"):
        os.utime(path, (1789000000, 1789000000))  # a checkout gives every file the time of the checkout
    store = Store.open(root, create=False)
    (finished, crashed) = store.catalogue.runs(sort="name")
    assert (finished.id, finished.state, finished.metrics, finished.params) == (
        "aaaabbbbccccdddd",
        "finished",
        {"loss": 0.25},
        {"lr": 0.1},
    )
    assert (crashed.id, crashed.state) == ("eeeeffffgggghhhh", "crashed")
    assert [entry.time for entry in store.runs.entries(finished.id)] == [1789000001.0, 1789000002.0]
    assert finished.result is not None
    assert finished.result.trace is not None
    trace = store.objects.record(finished.result.trace, Trace)
    assert store.catalogue.wrote(trace.written[0].id or "") == [(finished.id, "out/model.pt")]
    assert store.catalogue.problems == {}


def test_errors_of_the_store_have_a_next_step(root: Path) -> None:
    """A result that cannot be written names the run's folder."""
    store = Store.open(root)
    writer = store.runs.create(Start(id=new_run_id(), recipe=""))
    shutil.rmtree(writer.folder)
    for act in (lambda: writer.finish(Result(state="finished", ended=1.0)), writer.beat, writer.journal):
        with pytest.raises(AssayError, match="disappeared") as caught:
            act()
        assert writer.id in str(caught.value)
        assert caught.value.next_step
