"""Processes that a run starts: those that report are part of it, all others are named as what is missing."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from assay.capture.children import unseen_children
from assay.capture.trace_reports import Observed
from assay.records.run import Result
from assay.records.trace import Trace
from assay.store.store import Store
from assay.tracking.supervise import supervise

READS = "open('data.csv').read()"


@pytest.fixture
def folder(project: Path) -> Path:
    """A project with data and a script that reads it."""
    (project / "data.csv").write_text("1,2\n")
    (project / "part.py").write_text(READS + "\n")
    return project


def recorded(folder: Path, source: str) -> tuple[Store, Result]:
    """The result of `assay run` on a script with this source."""
    (folder / "script.py").write_text(source)
    store = Store.open(folder)
    run = supervise(store, folder, [sys.executable, "script.py"], cwd=folder, relay=False).run
    assert run.state == "finished", run
    assert run.result is not None
    return store, run.result


def live(folder: Path, body: str) -> tuple[Store, Result]:
    """The result of a run that a process records of itself, around these lines."""
    inner = "".join(f"        {line}\n" for line in body.splitlines())
    source = (
        f"import subprocess, sys, os, assay\nif __name__ == '__main__':\n    with assay.run() as run:\n{inner}    print(run.id)\n"
    )
    (folder / "script.py").write_text(source)
    done = subprocess.run([sys.executable, "script.py"], cwd=folder, capture_output=True, text=True, check=True)
    store = Store.open(folder)
    result = store.runs.read(done.stdout.split()[-1]).result
    assert result is not None
    return store, result


def reads(store: Store, result: Result) -> set[str]:
    return {use.path for use in store.objects.record(result.trace or "", Trace).read}


def children(result: Result) -> list[str]:
    return [gap.what for gap in result.fidelity.missing if gap.what.startswith("child process")]


PYTHON_CHILDREN = {
    "subprocess": "subprocess.run([sys.executable, 'part.py'], check=True)",
    "a shell": "subprocess.run(f'{sys.executable} part.py', shell=True, check=True)",
    "os.system": "os.system(f'{sys.executable} part.py')",
    "spawn": "import multiprocessing as m; c = m.get_context('spawn').Process(target=exec, args=(\"open('data.csv').read()\",)); c.start(); c.join()",
    "forkserver": "import multiprocessing as m; c = m.get_context('forkserver').Process(target=exec, args=(\"open('data.csv').read()\",)); "
    "c.start(); c.join()",
    "fork": "pid = os.fork()\nif pid == 0:\n    open('data.csv').read(); os._exit(0)\nos.waitpid(pid, 0)",
    "posix_spawn": "os.waitpid(os.posix_spawn(sys.executable, [sys.executable, 'part.py'], os.environ), 0)",
}


@pytest.mark.parametrize("way", PYTHON_CHILDREN)
@pytest.mark.parametrize("record", [recorded, live])
def test_interpreters_that_a_run_starts_report(folder: Path, way: str, record: Any) -> None:
    """What a child of a command or of a live run reads is read by the run, and no child is missing."""
    body = PYTHON_CHILDREN[way]
    if record is recorded:
        body = "import os, subprocess, sys\nif __name__ == '__main__':\n" + "".join(f"    {line}\n" for line in body.splitlines())
    store, result = record(folder, body)
    assert "data.csv" in reads(store, result)
    assert children(result) == []


@pytest.mark.parametrize("record", [recorded, live])
def test_a_child_with_an_environment_of_its_own_is_named(folder: Path, record: Any) -> None:
    """An interpreter whose environment lacks what would let it report is a gap."""
    body = "import subprocess, sys\nsubprocess.run([sys.executable, 'part.py'], env={'PATH': '/usr/bin'}, check=True)"
    _, result = record(folder, body)
    (gap,) = [gap for gap in result.fidelity.missing if gap.what.startswith("child process")]
    assert "part.py" in gap.what
    assert "environment of its own" in gap.why


@pytest.mark.parametrize("command", [["cat", "data.csv"], [sys.executable, "-I", "part.py"]])
def test_a_child_that_cannot_report_is_named(folder: Path, command: list[str]) -> None:
    """A program that is no interpreter, or one that ignores its environment, is a gap."""
    _, result = recorded(folder, f"import subprocess\nsubprocess.run({command!r}, check=True, stdout=subprocess.DEVNULL)\n")
    assert len(children(result)) == 1
    assert result.fidelity.grade == "partial"


def test_the_environment_is_as_it_was_after_a_live_run(folder: Path) -> None:
    """Variables that children of a live run inherit are gone with it; those of the user are back."""
    script = (
        "import assay, json, os\nbefore = dict(os.environ)\nwith assay.run(): pass\nprint(json.dumps(before == dict(os.environ)))\n"
    )
    (folder / "script.py").write_text(script)
    for added in ({}, {"PYTHONPATH": "somewhere"}):
        done = subprocess.run(
            [sys.executable, "script.py"], cwd=folder, env={**os.environ, **added}, capture_output=True, check=True, text=True
        )
        assert json.loads(done.stdout) is True


def test_data_loader_workers_of_torch_report(folder: Path) -> None:
    """Files that workers open are read by the run, whether they are forked or spawned."""
    pytest.importorskip("torch")
    for number in range(4):
        (folder / f"item{number}.txt").write_text(str(number))
    (folder / "items.py").write_text(
        "from torch.utils.data import Dataset\nclass Items(Dataset):\n    def __len__(self): return 4\n"
        "    def __getitem__(self, i): return int(open(f'item{i}.txt').read())\n"
    )
    for method in ("fork", "spawn"):
        source = (
            "from items import Items\nfrom torch.utils.data import DataLoader\nif __name__ == '__main__':\n"
            f"    print(sum(int(b.sum()) for b in DataLoader(Items(), num_workers=2, multiprocessing_context={method!r})))\n"
        )
        store, result = recorded(folder, source)
        assert {f"item{number}.txt" for number in range(4)} <= reads(store, result), method


def test_which_interpreter_carried_out_which_command() -> None:
    """A command is known by the arguments of an interpreter: direct, through a shell, or by a script's first line."""

    def unseen(words: tuple[str, ...], *argv: str) -> bool:
        return bool(list(unseen_children(Observed(interpreters=({"argv": list(argv)},), children=(words,)))))

    assert not unseen(("python", "a.py", "1"), "python", "a.py", "1")
    assert not unseen(("/bin/sh", "-c", "python 'a b.py'"), "python", "a b.py")
    assert not unseen(("tool", "x"), "/usr/bin/python3", "/opt/bin/tool", "x")
    assert not unseen(("uname", "-a"))
    assert unseen(("cat", "a.py"), "python", "a.py", "1")
    assert unseen(("python", "b.py"), "python", "a.py")


def test_a_secret_in_a_child_s_arguments_is_not_shown() -> None:
    """The command of a gap is redacted, and short."""
    token = "ghp_" + "Zq8Kd3mXv7Lw2Rt9Yb4Nc6Hs1Jf5Pg0TaEuW"
    ((words, _),) = unseen_children(Observed(children=(("curl", "-H", f"Authorization: Bearer {token}", "x" * 500),)))
    assert token not in words
    assert len(words) <= 120
