"""A history with something to revert and to change: what studies of patches are tested on."""

from __future__ import annotations

import subprocess
from pathlib import Path

BONUS = "def bonus():\n    return 0.05\n"


def git(root: Path, *arguments: str) -> str:
    return subprocess.run(["git", *arguments], cwd=root, check=True, capture_output=True, text=True).stdout


def with_patches(project: Path, script: str) -> Path:
    """The project, with a last commit that gave a bonus, and two patches of its script beside it, whose base is 0.8."""
    (project / "fit.py").write_text(script)
    (project / "part.py").write_text(BONUS.replace("0.05", "0.0"))
    git(project, "add", "-A")
    git(project, "commit", "-q", "-m", "before")
    (project / "part.py").write_text(BONUS)
    git(project, "commit", "-q", "-a", "-m", "Give a bonus")
    for name, value in (("lower", "0.7"), ("higher", "0.9")):
        (project / "fit.py").write_text(script.replace("base = 0.8", f"base = {value}"))
        (project / f"{name}.diff").write_text(git(project, "diff"))
    git(project, "checkout", "-q", "fit.py")
    return project
