"""Jobs that run later: `assay snapshot` and `assay run --from-snapshot`, against folders that change meanwhile."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
import venv
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from assay.store.inventory import object_path
from assay.store.store import Store
from assay.store.tree import read_tree

Assay = Callable[..., Any]

TRAIN = "import model\nprint(f'loss={model.LOSS}')\nopen('out.txt', 'w').write(str(model.LOSS))\n"


@pytest.fixture
def folder(folder: Path) -> Path:
    """The repository, with a script of two files."""
    (folder / "train.py").write_text(TRAIN)
    (folder / "model.py").write_text("LOSS = 0.25\n")
    (folder / ".gitignore").write_text("data/\nlocal.py\n")
    return folder


def last(assay: Assay) -> dict[str, Any]:
    shown: dict[str, Any] = assay("show", "last", "--json").document["run"]
    return shown


def test_a_job_that_waits_runs_the_code_of_when_it_was_asked(assay, folder: Path, tmp_path: Path) -> None:
    """Edits in the folder while the command waits, as in a queue, change nothing; the folder itself is not written."""
    ready, go = tmp_path / "ready", tmp_path / "go"
    for fifo in (ready, go):
        os.mkfifo(fifo)
    waits = f"echo > {ready}; cat {go} > /dev/null; exec {sys.executable} train.py"
    command = [sys.executable, "-m", "assay", "run", "--from-snapshot", "--", "sh", "-c", waits]
    with subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as job:
        ready.read_text()
        (folder / "model.py").write_text("LOSS = 0.75\n")
        (folder / "train.py").write_text("raise SystemExit('too new')\n")
        go.write_text("\n")
        out, err = job.communicate(timeout=60)
    assert (job.returncode, out) == (0, "loss=0.25\n"), err
    assert not (folder / "out.txt").exists()
    assert "out.txt" in err and "restore" in err
    assert last(assay)["metrics"] == {"loss": 0.25}


def test_a_tree_that_was_named_earlier(assay, folder: Path) -> None:
    """`assay snapshot` names the code as it is; hours later that code runs, and what it wrote is given back from the store."""
    tree = assay("snapshot").out.strip()
    assert assay("snapshot", "--json").document["tree"] == tree
    (folder / "model.py").write_text("LOSS = 0.75\n")
    done = assay("run", f"--from-snapshot={tree}", sys.executable, "train.py")
    assert (done.code, done.out) == (0, "loss=0.25\n"), done.err
    assert last(assay)["code"]["tree"] == tree
    assert assay("restore", "last", "out.txt", "--to", "back").code == 0
    assert (folder / "back/out.txt").read_text() == "0.25"


def test_the_code_of_a_run(assay, folder: Path) -> None:
    """An earlier run's code runs again, with the module that git ignores and that it had imported."""
    (folder / "train.py").write_text("import local, model\nprint(f'loss={model.LOSS + local.ADD}')\n")
    (folder / "local.py").write_text("ADD = 1\n")
    assert assay("run", "--name", "first", sys.executable, "train.py").out == "loss=1.25\n"
    (folder / "model.py").write_text("LOSS = 0.75\n")
    (folder / "local.py").unlink()
    assert assay("run", "--from-snapshot=first", "--", sys.executable, "train.py").out == "loss=1.25\n"


def test_data_that_is_no_code(assay, folder: Path) -> None:
    """Files that git ignores come along where they are declared, named by an argument, or were read before; else the user is told."""
    (folder / "data").mkdir()
    (folder / "data/x.txt").write_text("7")
    (folder / "train.py").write_text("import sys\nprint('n=' + open(sys.argv[1] if sys.argv[1:] else 'data/x.txt').read())\n")
    failed = assay("run", "--from-snapshot", sys.executable, "train.py")
    assert failed.code == 1
    assert "--data data/x.txt" in failed.err
    assert assay("run", "--from-snapshot", "--data", "data", sys.executable, "train.py").out == "n=7\n"
    assert assay("run", "--from-snapshot", sys.executable, "train.py", "data/x.txt").out == "n=7\n"
    assert assay("run", "--from-snapshot", sys.executable, "train.py").out == "n=7\n"


def test_it_runs_in_the_same_folder_below(assay, folder: Path) -> None:
    """Asked for in a folder of the project, the command runs in the same folder of its own tree; its options stay its own."""
    (folder / "sub").mkdir()
    (folder / "sub/where.py").write_text("import os, sys\nprint(os.path.basename(os.getcwd()), sys.argv[1:])\n")
    done = assay("run", "--name", "x", "--from-snapshot", sys.executable, "where.py", "--from-snapshot", "3", cwd=folder / "sub")
    assert done.out == "sub ['--from-snapshot', '3']\n", done.err


def test_what_is_written_elsewhere_stays_there(assay, folder: Path, tmp_path: Path) -> None:
    """A file that the command writes by an absolute path beyond the project is where it was put, and the user is told."""
    (folder / "train.py").write_text(f"open({str(tmp_path / 'far.txt')!r}, 'w').write('x')\n")
    done = assay("run", "--from-snapshot", sys.executable, "train.py")
    assert "It wrote no files in it. Elsewhere it wrote " in done.err
    assert (tmp_path / "far.txt").read_text() == "x"


def test_a_source_that_is_none(assay, folder: Path) -> None:
    """A word that names neither a run nor a tree is answered by name, and nothing is run."""
    assay("snapshot")
    done = assay("run", "--from-snapshot=nosuch", sys.executable, "train.py")
    assert done.code == 125
    assert "nosuch" in done.err and "Traceback" not in done.err


def test_large_artifacts_are_kept_though_the_folder_goes(assay, folder: Path) -> None:
    """What would only be hashed in the user's own folder is kept, since nothing else would be left of it."""
    (folder / "train.py").write_text("f = open('big.bin', 'wb'); f.truncate(101 << 20)\n")
    assert assay("run", "--from-snapshot", sys.executable, "train.py").code == 0
    (written,) = last(assay)["trace"]["written"]
    assert written["kept"]


def install_editable(library: Path, name: str, env: Path) -> str:
    """Make a package whose LOSS is 0.5 and install it in editable form into a new environment, whose interpreter is returned."""
    (library / "src" / name).mkdir(parents=True)
    (library / "src" / name / "__init__.py").write_text("LOSS = 0.5\n")
    (library / "pyproject.toml").write_text(
        f'[build-system]\nrequires = ["setuptools"]\nbuild-backend = "setuptools.build_meta"\n[project]\nname = "{name}"\nversion = "1.0"\n'
        '[tool.setuptools.packages.find]\nwhere = ["src"]\n'
    )
    venv.create(env, with_pip=True, symlinks=True)
    python = str(env / "bin/python")
    install = [python, "-m", "pip", "install", "-q", "--no-build-isolation", "--no-index", "-e", str(library)]
    # The build needs setuptools, which is taken from the interpreter of the tests.
    subprocess.run(install, check=True, env={**os.environ, "PYTHONPATH": sysconfig.get_path("purelib")}, capture_output=True)
    return python


def test_editable_installation_of_the_project_itself(assay, folder: Path, tmp_path: Path) -> None:
    """A package installed with `pip install -e .` is imported from the snapshot, not from what the folder has become."""
    (folder / "train.py").write_text("import mine\nprint(f'loss={mine.LOSS} {mine.__file__}')\n")
    python = install_editable(folder, "mine", tmp_path / "env")
    tree = json.loads(assay("snapshot", "--json").out)["tree"]
    (folder / "src/mine/__init__.py").write_text("LOSS = 0.125\n")
    assert assay("run", python, "train.py").out.startswith("loss=0.125")
    assert assay("run", f"--from-snapshot={tree}", python, "train.py").out.startswith("loss=0.5")


def test_editable_installations_beyond_the_project(assay, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A library beside the project, installed in editable form, is part of the snapshot; where it is not, the user is told."""
    library = tmp_path / "library"
    (folder / "train.py").write_text("import other\nprint(f'loss={other.LOSS}')\n")
    python = install_editable(library, "other", tmp_path / "env")
    without = assay("snapshot").out.strip()
    (folder / "notes.py").write_text("")
    monkeypatch.setenv("PATH", f"{tmp_path / 'env/bin'}{os.pathsep}{os.environ['PATH']}")
    tree = assay("snapshot").out.strip()
    (library / "src/other/__init__.py").write_text("LOSS = 0.125\n")
    assert assay("run", python, "train.py").out.startswith("loss=0.125")
    told = assay("run", f"--from-snapshot={tree}", python, "train.py")
    assert told.out.startswith("loss=0.5") and str(library) not in told.err
    told = assay("run", f"--from-snapshot={without}", python, "train.py")
    assert told.out.startswith("loss=0.125") and f"{library} lies beyond the project" in told.err
    assert assay("gc", "--grace", "0", "--delete").code == 0 and assay("fsck").code == 0
    assert assay("run", f"--from-snapshot={tree}", python, "train.py").out.startswith("loss=0.5")


@pytest.mark.parametrize(
    ("way", "then"),
    [("append('../beside')", True), ("append({!r})", True), ("insert(0, '../beside')", True), ("insert(0, {!r})", False)],
)
def test_folders_beside_the_project(assay, folder: Path, way: str, then: bool) -> None:
    """What former runs imported from there goes with a snapshot, packages whole; what is found where it lies all the same is named."""
    beside = folder.parent / "beside"
    (beside / "parts").mkdir(parents=True)
    for name, text in {"near.py": "LOSS = 0.5\n", "parts/__init__.py": "", "parts/later.py": "STEP = 3\n"}.items():
        (beside / name).write_text(text)
    script = f"import sys\nsys.path.{way.format(str(beside))}\nimport near, parts\n"
    (folder / "train.py").write_text(script)
    assert assay("run", "--name", "then", sys.executable, "train.py").code == 0
    (folder / "train.py").write_text(script + "from parts import later\nprint(f'loss={near.LOSS} step={later.STEP}')\n")
    tree = assay("snapshot").out.strip()
    (beside / "near.py").write_text("LOSS = 0.125\n")
    (beside / "parts/later.py").write_text("STEP = 4\n")
    told = assay("run", f"--from-snapshot={tree}", sys.executable, "train.py")
    assert told.out == ("loss=0.5 step=3\n" if then else "loss=0.125 step=4\n")
    assert (f"{beside / 'near.py'} lies beyond the project" in told.err) is not then
    told = assay("run", "--from-snapshot=then", sys.executable, "train.py")
    assert (f"{beside / 'near.py'} lies beyond the project" in told.err) is not then


def test_a_snapshot_is_kept_until_it_is_let_go(assay, folder: Path) -> None:
    """However old it is, collecting takes nothing of what is listed; afterwards what no run needs is collected, and no job can run it."""
    tree = assay("snapshot").out.strip()
    other = assay("snapshot", "--json").document["tree"]
    (folder / "model.py").write_text("LOSS = 0.75\n")
    newer = assay("snapshot").out.strip()
    assert other == tree != newer
    listed = assay("snapshot", "ls", "--json").document["snapshots"]
    assert [kept["tree"] for kept in listed] == [newer, tree] and listed[0]["files"] == len(["train.py", "model.py", ".gitignore"])
    assert assay("gc", "--grace", "0", "--delete", "--json").document["objects"] == 0
    assert tree[:12] in assay("snapshot", "ls").out
    assert assay("run", f"--from-snapshot={tree[:12]}", sys.executable, "train.py").out == "loss=0.25\n"
    assert assay("snapshot", "rm", tree[:6], newer, "--json").document["removed"] == [tree, newer]
    assert assay("snapshot", "ls", "--json").document["snapshots"] == []
    assert assay("gc", "--grace", "0", "--delete", "--json").document["objects"] > 0
    assert assay("run", f"--from-snapshot={newer}", sys.executable, "train.py").code == 125
    assert assay("restore", "last", "model.py", "--to", "back").code == 0 and assay("fsck").code == 0


def test_letting_go_of_what_is_not_kept(assay, folder: Path) -> None:
    """Nothing is let go where one of those named is not there; the answer names what is."""
    tree = assay("snapshot").out.strip()
    done = assay("snapshot", "rm", tree[:12], "0" * 12, "--json")
    assert (done.code, done.document["error"]["value"]) == (2, "0" * 12) and tree[:12] in done.document["error"]["expected"]
    assert len(assay("snapshot", "ls", "--json").document["snapshots"]) == 1
    assert assay("snapshot", "sl").code == 2


def test_a_kept_snapshot_that_is_damaged_is_named(assay, folder: Path) -> None:
    """By fsck, with the snapshot that it touches, though no run needs it yet."""
    tree = assay("snapshot").out.strip()
    store = Store.open(folder)
    (content,) = {content for name, (_, content) in read_tree(store.objects, tree).items() if name == b"model.py"}
    object_path(store.path, content).unlink()
    done = assay("fsck")
    assert done.code == 1 and f"missing object {content}" in done.out and f"touches snapshot {tree[:12]}" in done.out
