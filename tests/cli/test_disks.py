"""Disks that are full or read-only: what can be answered is, what cannot is told by name, nothing half-written can be seen."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

MOUNT = 'mount -t tmpfs -o size="$1" none "$2" && exec "$3" -c "$4" "$2"'
CALL = """
import contextlib, io, json, os, subprocess, sys
from pathlib import Path
from assay.cli.boundary import guarded
from assay.cli.main import assay
disk = Path(sys.argv[1])
told = {}
def call(name, *arguments, cwd=None):
    out, err = io.StringIO(), io.StringIO()
    before = os.getcwd()
    os.chdir(cwd or before)
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        told[name] = [guarded(assay, arguments), out.getvalue(), err.getvalue()]
    os.chdir(before)
"""
Told = dict[str, tuple[int, str, str]]


def on_disk(folder: Path, size: str, script: str) -> Told:
    """What commands said, in a mount namespace where `folder` is a disk of its own: name to exit code, answer and complaints."""
    folder.mkdir()
    command = [
        "unshare",
        "-rm",
        "sh",
        "-c",
        MOUNT,
        "sh",
        size,
        str(folder),
        sys.executable,
        CALL + script + "\nprint(json.dumps(told))",
    ]
    done = subprocess.run(command, cwd=folder.parent, capture_output=True, text=True, check=False)
    if done.returncode and "Traceback" not in done.stderr:
        pytest.skip(f"no namespaces here: {done.stderr.strip()}")
    assert done.returncode == 0, done.stderr
    found: Told = json.loads(done.stdout.splitlines()[-1])
    return found


FULL = """
project = Path.cwd()
for number in range(40):
    (project / "set").mkdir(exist_ok=True)
    (project / "set" / f"file{number}").write_bytes(os.urandom(100_000))
call("kept", "data", "add", "set")
call("recorded", "run", "--name", "one", sys.executable, "-c", "open('out.bin', 'wb').write(bytes(range(256)) * 20_000)")
def empty():
    subprocess.run(["find", str(disk), "-mindepth", "1", "-delete"], check=True)
for name, arguments in {
    "push": ["push", str(disk / "shared")],
    "clone": ["clone", str(project), str(disk / "copy")],
    "data restore": ["data", "restore", "set", "--to", str(disk / "back")],
    "restore": ["restore", "one", "out.bin", "--to", str(disk / "back")],
}.items():
    empty()
    call(name, *arguments)
    told[name].append(sorted(path.stat().st_size for path in disk.rglob("*") if path.is_file() and path.parent.name == "back"))
    for store in disk.rglob(".assay"):
        call(f"fsck after {name}", "fsck", cwd=store.parent)
        told[name].append(os.listdir(store / "tmp"))
empty()
(disk / "other").mkdir()
subprocess.run(["git", "init", "-q", str(disk / "other")], check=True)
call("pull", "pull", str(project), cwd=disk / "other")
call("fsck after pull", "fsck", cwd=disk / "other")
os.environ["ASSAY_HOME"] = str(disk / "store")
empty()
writes = "import os; open('large.bin', 'wb').write(os.urandom(5_000_000)); print('loss=1'); raise SystemExit(7)"
done = subprocess.run([sys.executable, "-m", "assay", "run", sys.executable, "-c", writes], capture_output=True, text=True)
told["run"] = [done.returncode, done.stdout, done.stderr]
empty()
call("data add", "data", "add", "set", "--json")
call("fsck after data add", "fsck")
call("data ls", "data", "ls", "--json")
subprocess.run(["find", str(disk), "-name", "*", "-type", "f", "-size", "+90k", "-delete"], check=True)
subprocess.run(["find", "set", "-name", "file?*[1-9]", "-delete"], check=True)
call("data add again", "data", "add", "set")
call("fsck at last", "fsck")
"""


def test_a_full_disk_is_named_and_leaves_nothing_half(project: Path, tmp_path: Path) -> None:
    """Of a remote, a clone, a store, or a folder that something is put back into; with less to write, the same command completes."""
    (project / ".gitignore").write_text("set/\n*.bin\n")
    told = on_disk(project.parent / "disk", "2m", f"os.chdir({str(project)!r})\n" + FULL)
    assert (told["kept"][0], told["recorded"][0]) == (0, 0)
    for name in ("push", "clone", "pull", "data restore", "restore"):
        code, out, err = told[name][:3]
        assert (code, out) == (3, "") and "the disk is full" in err and str(tmp_path / "disk") in err, name
        assert ("ASSAY_HOME" in err) == (name == "pull")
    assert set(told["data restore"][3]) == {100_000} and told["restore"][3] == []
    assert told["push"][4] == told["clone"][4] == []
    code, out, err = told["run"]
    assert (code, out) == (7, "loss=1\n") and "large.bin: could not be kept (the disk is full" in err and err.count("warning") == 1
    code, out, _ = told["data add"]
    assert (code, json.loads(out)["error"]["code"]) == (3, "store_unusable")
    assert json.loads(told["data ls"][1])["data"] == []
    assert told["data add again"][0] == 0
    assert {name: said[0] for name, said in told.items() if name.startswith("fsck")} == dict.fromkeys(
        [*(f"fsck after {name}" for name in ("push", "clone", "pull", "data add")), "fsck at last"], 0
    )


READ_ONLY = """
os.chdir(disk)
subprocess.run(["git", "init", "-q"], check=True)
Path(".gitignore").write_text("set/\\n*.bin\\n")
Path("train.py").write_text("print('loss=1'); open('out.bin', 'wb').write(b'weights')")
Path("set").mkdir()
Path("set/a").write_text("1")
def prepare(*arguments):
    subprocess.run([sys.executable, "-m", "assay", *arguments], check=True, stdout=subprocess.DEVNULL)
prepare("run", "--name", "one", sys.executable, "train.py")
prepare("run", "--name", "two", sys.executable, "-c", "open('out.bin').read(); print('loss=2')")
killed = "import os; os.kill(os.getppid(), 9); os.kill(os.getpid(), 9)"
subprocess.run([sys.executable, "-m", "assay", "run", "--name", "killed", sys.executable, "-c", killed])
prepare("data", "add", "set")
prepare("snapshot")
prepare("remote", "add", "origin", "/nowhere")
Path("train.py").write_text("edited")
subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
out = disk.parent
for line in '''ls|ls --where loss|ls --json|show one|show last|show one --fidelity|log one|diff one two|lineage two|lineage one --down|origin out.bin
data ls|data diff set|data card set|fsck|gc|du|reindex|snapshot ls|remote ls|study ls|restore one --dry-run'''.replace("|", "\\n").splitlines():
    call(line, *line.replace("loss", "metrics.loss>0").split())
for number, line in enumerate(("restore one --to", "restore one out.bin --to", "data restore set --to", "push", "clone .")):
    call(line, *line.split(), str(out / f"to{number}"))
for line in '''run true|snapshot|tag one x|note one x|rm two|data add set|restore one train.py|remote add b /x
remote rm origin|snapshot rm a|pull ../to3|push ../disk'''.replace("|", "\\n").splitlines():
    call("! " + line, *line.split())
    if line == "snapshot":
        (out / "other").mkdir()
        subprocess.run(["git", "init", "-q", str(out / "other")], check=True)
        call("pull", "pull", str(disk), cwd=out / "other")
        call("! push there", "push", str(disk), cwd=out / "other")
"""


def test_a_read_only_store_answers_every_question(tmp_path: Path) -> None:
    """Whoever only asks gets the answer, a run that was killed among them; whoever would write is told why not, before anything is run."""
    told = on_disk(tmp_path / "disk", "20m", READ_ONLY)
    asked = {name: said for name, said in told.items() if not name.startswith("!")}
    assert {name: said[2] for name, said in asked.items() if said[0] not in (0, 1)} == {}
    assert [name for name, said in asked.items() if said[0] == 1] == ["diff one two"]
    states = {run["name"]: run["state"] for run in json.loads(told["ls --json"][1])["runs"]}
    assert states == {"one": "finished", "two": "finished", "killed": "crashed"}
    assert "one" in told["lineage two"][1] and "one" in told["origin out.bin"][1]
    assert (tmp_path / "to1" / "out.bin").read_bytes() == b"weights" and (tmp_path / "to2" / "a").read_text() == "1"
    refused = {name: said for name, said in told.items() if name.startswith("!")}
    assert {name: said for name, said in refused.items() if "read-only" not in said[2] or said[1]} == {}
    assert {name: said[0] for name, said in refused.items() if said[0] != 3} == {"! run true": 125}
