"""Names that file systems allow and programs trip over: through runs, data sets, restores, remotes and lineage, in real processes."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Assay = Callable[..., Any]
NAMES = [
    b"--help", b"-rf", b"new\nline.txt", b"\xff\xfe.bin", b"x" * 255, b"tab\tand \x1b[31m", b"a=b", b"*", b"\\xff", b"~", b"caf\xc3\xa9", b" ",
    b"last",
]  # fmt: skip
TRAIN = """\
import os, sys
os.makedirs("out", exist_ok=True)
for name in os.listdir(b"in"):
    with open(b"in/" + name, "rb") as file, open(b"out/" + name, "wb") as made:
        made.write(b"made of " + file.read())
print("loss=1")
"""


def names_below(folder: Path) -> set[bytes]:
    """Names of the files in a folder, as bytes."""
    return set(os.listdir(os.fsencode(folder)))  # noqa: PTH208 - bytes are wanted, not paths


@pytest.fixture
def hostile(folder: Path) -> Path:
    """The project, with inputs of such names."""
    (folder / "train.py").write_text(TRAIN)
    (folder / ".gitignore").write_text("in/\nout/\n")
    (folder / "in").mkdir()
    for number, name in enumerate(NAMES):
        with open(os.fsencode(folder / "in") + b"/" + name, "wb") as file:
            file.write(b"%d" % number)
    return folder


def test_what_runs_write_is_found_and_given_back(assay: Assay, hostile: Path, tmp_path: Path) -> None:
    """Every file is kept, traced by its content, and comes back under its very name, in a clone too."""
    assert assay("run", "--name", "one", sys.executable, "train.py").code == 0
    shown = assay("show", "one", "--json").document["run"]
    assert len(shown["trace"]["written"]) == len(shown["trace"]["read"]) == len(NAMES) and shown["fidelity"]["grade"] == "full"
    assert assay("show", "one", "--all").code == assay("ls").code == 0
    written = [os.fsdecode(b"out/" + name) for name in NAMES]
    found = assay("origin", "out", "--json").document
    assert [len(file["written"]) for file in found["files"]] == [1] * len(NAMES)
    shutil.rmtree(hostile / "out")
    assert assay("restore", "one", *written).code == 0 and names_below(hostile / "out") == set(NAMES)
    assert assay("push", "../shared").code == 0 and assay("clone", "../shared", "../copy").code == 0
    assert assay("restore", "one", *written, "--to", str(tmp_path / "back"), cwd=tmp_path / "copy").code == 0
    for number, name in enumerate(NAMES):
        with open(os.fsencode(tmp_path / "back" / "out") + b"/" + name, "rb") as file:
            assert file.read() == b"made of %d" % number
    reads = "import os\nfor name in os.listdir(b'out'): open(b'out/' + name).read()\nprint('loss=2')"
    assert assay("run", "--name", "two", sys.executable, "-c", reads).code == 0
    edges = assay("lineage", "two", "--json").document["edges"]
    assert len(edges) == len(NAMES) and assay("lineage", "two").code == 0 and assay("diff", "one", "two").code == 1


def test_data_sets_hold_them(assay: Assay, hostile: Path, tmp_path: Path) -> None:
    """Added, compared, put back, moved to another store and put back there; and each can be a data set or an argument of its own."""
    assert assay("data", "add", "in", "--json").document["data"]["files"] == len(NAMES)
    with open(os.fsencode(hostile / "in") + b"/" + NAMES[3], "wb") as file:
        file.write(b"changed")
    changed = assay("data", "diff", "in", "--json")
    assert changed.code == 1 and len(changed.document["changes"]) == 1
    shutil.rmtree(hostile / "in")
    assert assay("data", "restore", "in").code == 0 and names_below(hostile / "in") == set(NAMES)
    assert assay("push", "../shared").code == 0 and assay("clone", "../shared", "../copy").code == 0
    assert assay("data", "restore", "in", "--to", "back", cwd=tmp_path / "copy").code == 0
    assert names_below(tmp_path / "copy" / "back") == set(NAMES)
    for name in (b"--help", b"-rf", b"\xff\xfe.bin", b"last"):
        shutil.copy(os.fsencode(hostile / "in") + b"/" + name, os.fsencode(hostile) + b"/" + name)
        assert assay("data", "add", "--", os.fsdecode(name)).code == 0
    done = assay(
        "run", "--data", os.fsdecode(b"\xff\xfe.bin"), "--", sys.executable, "train.py", os.fsdecode(b"\xff\xfe.bin"), "--help"
    )
    assert done.code == 0
    assert assay("show", "last", "--json").document["run"]["command"][2:] == ["\\xff\\xfe.bin", "--help"]
    assert assay("fsck").code == 0


def test_a_project_in_a_folder_that_is_no_text(project: Path, tmp_path: Path) -> None:
    """Runs, live ones too, are recorded, cloned and reproduced there; what no record can hold stands as its bytes."""
    root = tmp_path / os.fsdecode(b"pro\xffject")
    project.rename(root)

    def call(*arguments: str, cwd: Path = root) -> str:
        done = subprocess.run([sys.executable, "-m", "assay", *arguments], cwd=cwd, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    call(
        "run",
        "--name",
        os.fsdecode(b"caf\xe9"),
        "--tag",
        os.fsdecode(b"\xe9"),
        "--param",
        os.fsdecode(b"a=\xe9"),
        sys.executable,
        "train.py",
    )
    live = "import assay\nwith assay.run('live') as run:\n    open('w.bin', 'w').write('1'); run.save('w.bin'); run.log(x=1)\n"
    subprocess.run([sys.executable, "-c", live], cwd=root, check=True)
    call("run", sys.executable, "-c", live.replace("'live'", ""))
    (joined, lived, ran) = json.loads(call("ls", "--json"))["runs"]
    assert (ran["name"], ran["tags"], ran["params"]) == ("caf\\xe9", ["\\xe9"], {"a": "\\xe9"})
    for run in (joined, lived):
        written = json.loads(call("show", run["id"], "--json"))["run"]
        assert written["code"]["root"].endswith("pro\\xffject") and [use["path"] for use in written["trace"]["written"]] == [
            "w.bin"
        ]
    assert "identical" in call("reproduce", ran["id"])
    call("push", os.fsdecode(b"../sh\xff"))
    call("clone", os.fsdecode(b"../sh\xff"), os.fsdecode(b"../co\xff"))
    assert json.loads(call("ls", "--json", cwd=tmp_path / os.fsdecode(b"co\xff")))["total"] == 4


def test_what_is_no_file_is_passed_by(assay: Assay, folder: Path, tmp_path: Path) -> None:
    """Pipes, sockets, links out of the tree and to nowhere, and a sparse file: the run ends, and nobody waits."""
    for place in (folder, folder / "in"):
        place.mkdir(exist_ok=True)
        os.mkfifo(place / "pipe")
        (place / "out of it").symlink_to(tmp_path)
        (place / "nowhere").symlink_to("/nowhere")
    with socket.socket(socket.AF_UNIX) as bound:
        bound.bind(os.path.relpath(folder / "in" / "socket"))
    (tmp_path / "secret.txt").write_text("not of the project")
    (folder / "train.py").write_text(
        "import os, threading\n"
        "threading.Thread(target=lambda: open('pipe', 'w').write('x')).start()\n"
        "open('pipe').read()\n"
        "with open('sparse.bin', 'wb') as file: file.truncate(1 << 28)\n"
        "with open('brief.txt', 'w') as file: file.write('x')\n"
        "open('brief.txt').read(); os.unlink('brief.txt')\n"
        "print('loss=1')\n"
    )
    assert assay("run", "--name", "one", sys.executable, "train.py").code == 0
    shown = assay("show", "one", "--json").document["run"]
    uses = {use["path"]: use for use in shown["trace"]["written"]}
    assert not uses["sparse.bin"]["kept"] and uses["sparse.bin"]["size"] == 1 << 28
    (folder / "sparse.bin").unlink()
    added = assay("data", "add", "in", "--json").document["data"]
    assert added["files"] == 2 and set(added["left_out"]) >= {"pipe", "socket"}
    assert assay("restore", "one", "--to", str(tmp_path / "back")).code == 0
    assert (tmp_path / "back" / "nowhere").is_symlink() and not (tmp_path / "back" / "pipe").exists()
    assert (
        assay("data", "restore", "in", "--to", str(tmp_path / "data")).code == 0 and (tmp_path / "data" / "out of it").is_symlink()
    )
    assert assay("fsck").code == 0
