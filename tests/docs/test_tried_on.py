"""The tool that runs published scripts again, on a project of ours that has the name and the place of one."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

TOOL = Path(__file__).resolve().parents[2] / "tools" / "tried_on.py"
SCRIPT = "import random\nloss = random.random()\nprint(f'Loss: {loss:.6f} after 7 batches')\n"


def tried(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, str(TOOL), *words], capture_output=True, text=True, check=False)


def test_a_checkout_is_run_and_left_as_it_was(tmp_path: Path) -> None:
    """Two cases of one script: without a seed it does not come back, with one it does."""
    (tmp_path / "regression").mkdir()
    (tmp_path / "regression/main.py").write_text(SCRIPT)
    git = ("git", "-c", "user.name=a", "-c", "user.email=a@b")
    for words in (("init", "-q"), ("add", "-A"), ("commit", "-qm", "first")):
        subprocess.run([*git, *words], cwd=tmp_path, check=True)
    done = tried(f"pytorch-examples={tmp_path}")
    assert done.returncode == 0, done.stderr
    without, seeded = (line.strip("| ").split(" | ") for line in done.stdout.splitlines()[2:])
    assert without[3:] == ["finished", "regression/main.py", "none", "none", "Loss", "full", "not reproduced"]
    assert seeded[3:] == [*without[3:-1], "identical"]
    assert not (tmp_path / ".assay").exists()


def test_what_it_does_not_know_is_refused_with_what_it_knows(tmp_path: Path) -> None:
    """A name of no project, and a folder that is not there."""
    for words in (f"unknown={tmp_path}", f"makemore={tmp_path / 'absent'}"):
        done = tried(words)
        assert done.returncode == 2
        assert words in done.stderr and "nanoGPT" in done.stderr
