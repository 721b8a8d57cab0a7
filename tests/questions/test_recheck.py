"""Every run that is marked as a baseline is carried out again, and those that no longer come back are named."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = "import sys\nprint('loss=%s' % (float(open(sys.argv[1]).read()) * 2))\n"


@pytest.fixture
def place(project: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project whose script reads a file that git ignores, in which the test stands."""
    (project / "train.py").write_text(SCRIPT)
    (project / ".gitignore").write_text("*.txt\n")
    monkeypatch.chdir(project)
    return project


def assay(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "assay", *words], capture_output=True, text=True, check=False)


def record(name: str, *words: str, tag: str = "baseline") -> None:
    done = assay("run", "--name", name, "--tag", tag, "--", sys.executable, *words)
    assert done.returncode == 0, done.stderr


def test_baselines_that_come_back_and_that_do_not(place: Path) -> None:
    """One comes back, one is another each time, and one needs a file that is another now: each has its line, and the answer is no."""
    (place / "a.txt").write_text("1")
    (place / "b.txt").write_text("2")
    record("steady", "train.py", "a.txt")
    record("other", "train.py", "a.txt", tag="draft")
    all_back = assay("recheck", "--json")
    assert all_back.returncode == 0, all_back.stderr
    assert [(each["name"], each["verdict"]) for each in json.loads(all_back.stdout)["baselines"]] == [("steady", "identical")]
    record("changed", "train.py", "b.txt")
    record("random", "-c", "import os; print('loss=%d' % int.from_bytes(os.urandom(4), 'big'))")
    (place / "b.txt").write_text("3")
    done = assay("recheck", "--json")
    found = {each["name"]: each for each in json.loads(done.stdout)["baselines"]}
    assert done.returncode == 1 and found.keys() == {"steady", "changed", "random"}
    assert found["steady"]["verdict"] == "identical" and found["steady"]["run"] is not None
    assert found["random"]["verdict"] == "not reproduced" and found["random"]["divergence"]["name"] == "loss"
    assert found["changed"]["verdict"] is None and "b.txt" in found["changed"]["why"]
    shown = assay("recheck")
    assert shown.returncode == 1 and "cannot be carried out" in shown.stdout and "b.txt" in shown.stdout


def test_runs_with_another_tag(place: Path) -> None:
    """Any tag can mark the runs to look at; a tolerance applies to the runs that have its metric."""
    record("a", "-c", "import os; print('loss=%r' % (1 + os.urandom(1)[0] * 1e-9))", tag="draft")
    record("b", "-c", "print('accuracy=1')", tag="draft")
    done = assay("recheck", "--tag", "draft", "--tol", "loss=1e-3", "--json")
    found = {each["name"]: each["verdict"] for each in json.loads(done.stdout)["baselines"]}
    assert done.returncode == 0 and found["a"] in ("numerical", "identical") and found["b"] == "identical"


def test_without_a_baseline(place: Path) -> None:
    """There is nothing to look at, and how to mark a run is said."""
    record("a", "-c", "print('loss=1')", tag="draft")
    done = assay("recheck")
    assert done.returncode == 2 and "assay tag RUN baseline" in done.stderr
