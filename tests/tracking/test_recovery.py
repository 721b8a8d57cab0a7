"""Runs that were killed with all that watched them: what they wrote is found again, and who goes on from it is their child."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from assay.records.run import Run
from assay.records.trace import Trace
from assay.store.gc import collect
from assay.store.store import Store
from assay.tracking.recovery import recover_crashed

Start = Callable[..., "subprocess.Popen[bytes]"]

SCRIPT = """\
import json, os, signal, sys
state = {"epoch": 0}
if "--resume" in sys.argv:
    state = json.load(open(sys.argv[-1]))
for epoch in range(state["epoch"], 9):
    state = {"epoch": epoch + 1, "weights": [epoch] * 100}
    with open("ckpt.json", "w") as file:
        json.dump(state, file)
    if "--die" in sys.argv and epoch == int(sys.argv[sys.argv.index("--die") + 1]):
        if os.environ.get("HOW") == "kill":
            os.kill(os.getppid(), signal.SIGKILL)
            os.kill(os.getpid(), signal.SIGKILL)
        sys.exit(3)
"""


@pytest.fixture
def store(project: Path) -> Store:
    """The project's store; the project has a script that goes on from its own checkpoint."""
    (project / "train.py").write_text(SCRIPT)
    return Store.open(project)


def run(start: Start, store: Store, *arguments: str, how: str = "") -> Run:
    """The run of the script with these arguments, which has come to its end, whatever that was."""
    before = set(store.runs.ids())
    child = start(sys.executable, "train.py", *arguments, env={**os.environ, "HOW": how})
    child.communicate(timeout=60)
    assert (child.returncode == -signal.SIGKILL) == (how == "kill")
    (new,) = set(store.runs.ids()) - before
    wait_for_orphans(new)
    return store.runs.read(new)


def wait_for_orphans(run_id: str) -> None:
    """Until no process of the run is left: those that were killed with it may take the kernel a moment."""
    for _ in range(1000):
        if not any(belongs(path, run_id) for path in Path("/proc").glob("[0-9]*/environ")):
            return
        time.sleep(0.01)


def belongs(environ: Path, run_id: str) -> bool:
    try:
        return f"ASSAY_RUN={run_id}".encode() in environ.read_bytes()
    except OSError:  # it has ended since, or belongs to somebody else
        return False


def test_a_chain_of_failed_and_killed_runs_is_one_lineage(start: Start, store: Store, project: Path) -> None:
    """Each restart overwrites the checkpoint that it read, and is the child of the run that had written it."""
    failed = run(start, store, "--die", "1")
    killed = run(start, store, "--die", "3", "--resume", "ckpt.json", how="kill")
    assert (failed.state, killed.state) == ("failed", "crashed")
    left = (project / "ckpt.json").read_bytes()
    last = run(start, store, "--resume", "ckpt.json")
    assert [(parent.run, parent.by, parent.path) for parent in last.parents] == [(killed.id, "resume", "ckpt.json")]
    assert last.result is not None and last.result.fidelity.grade == "full"  # what it read and overwrote is known by its parent
    recovered = store.runs.recovered(killed.id)
    assert recovered is not None
    (use,) = recovered.written
    assert store.objects.get(use.id or "") == left
    from_failed = next(use for use in recovered.read if use.path == "ckpt.json")
    assert failed.result is not None
    (before,) = store.objects.record(failed.result.trace or "", Trace).written
    assert from_failed.id == before.id


def test_a_copied_checkpoint_of_a_killed_run_is_known_by_content(start: Start, store: Store, project: Path) -> None:
    """The copy has another name and another time."""
    killed = run(start, store, "--die", "3", how="kill")
    (project / "elsewhere").mkdir()
    (project / "elsewhere" / "start.bin").write_bytes((project / "ckpt.json").read_bytes())
    last = run(start, store, "--resume", "elsewhere/start.bin")
    assert [(parent.run, parent.by, parent.path) for parent in last.parents] == [(killed.id, "resume", "elsewhere/start.bin")]


def test_what_was_written_after_the_death_is_not_the_runs(start: Start, store: Store, project: Path) -> None:
    """Source that the user wrote since, and a file that has changed since."""
    killed = run(start, store, "--die", "3", how="kill")
    (project / "fix.py").write_text("x = 1\n")
    late = (project / "ckpt.json").stat().st_mtime + 3600
    os.utime(project / "ckpt.json", (late, late))
    assert recover_crashed(store) == (killed.id,)
    recovered = store.runs.recovered(killed.id)
    assert recovered is not None and recovered.written == ()
    assert [use.path for use in recovered.loaded] == ["train.py"]
    assert recover_crashed(store) == ()


def test_a_run_that_goes_on_is_left_alone(start: Start, store: Store, project: Path) -> None:
    """So is one whose program outlives the process that was killed: it writes on."""
    (project / "wait.py").write_text("open('w', 'w').write('x')\nprint('ready', flush=True)\ninput()\n")
    child = start(sys.executable, "wait.py", stdin=subprocess.PIPE)
    assert child.stdout is not None and child.stdin is not None
    assert child.stdout.readline() == b"ready\n"
    assert recover_crashed(store) == ()
    child.kill()
    child.wait()
    (run_id,) = store.runs.ids()
    assert store.runs.read(run_id).state == "crashed"
    assert recover_crashed(store) == ()
    (orphan,) = (pid for pid in (int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()) if mine(pid, run_id))
    handle = os.pidfd_open(orphan)
    child.stdin.write(b"\n")
    child.stdin.close()
    child.stdout.close()
    waiting = select.poll()  # unlike select(2), it takes descriptors of any number
    waiting.register(handle, select.POLLIN)
    assert waiting.poll(60_000)
    os.close(handle)
    assert recover_crashed(store) == (run_id,)


def mine(pid: int, run_id: str) -> bool:
    """Whether a process belongs to the run."""
    try:
        return f"ASSAY_RUN={run_id}".encode() in Path(f"/proc/{pid}/environ").read_bytes()
    except OSError:
        return False


def test_finished_runs_leave_no_marker(start: Start, store: Store, own_home: Path) -> None:
    """Nothing is left to look at for the runs after them."""
    assert run(start, store).state == "finished"
    assert [path for path in (own_home / ".cache" / "assay" / "live").rglob("*") if path.is_file()] == []


def test_many_that_start_at_once_agree_on_what_was_found(start: Start, store: Store, project: Path) -> None:
    """Whoever is first writes the account down; nobody fails, and nobody overwrites it."""
    killed = run(start, store, "--die", "3", how="kill")
    children = [start(sys.executable, "-c", "pass") for _ in range(4)]
    assert [(child.communicate()[1], child.returncode) for child in children] == [(b"", 0)] * 4
    recovered = store.runs.recovered(killed.id)
    assert recovered is not None
    assert [use.path for use in recovered.written] == ["ckpt.json"]
    assert store.catalogue.wrote(recovered.written[0].id or "") == [(killed.id, "ckpt.json")]


def test_collecting_keeps_what_a_crashed_run_left(start: Start, store: Store, project: Path) -> None:
    """Its account stands for it as a result does."""
    killed = run(start, store, "--die", "3", how="kill")
    left = (project / "ckpt.json").read_bytes()
    recover_crashed(store)
    (project / "ckpt.json").unlink()
    collect(store, delete=True, grace=0.0)
    recovered = store.runs.recovered(killed.id)
    assert recovered is not None
    assert store.objects.get(recovered.written[0].id or "") == left
