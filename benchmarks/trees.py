"""Source trees to measure on: folders of small Python files in a git repository."""

from __future__ import annotations

import subprocess
from pathlib import Path


def git_tree(root: Path, *, files: int, folders: int = 10) -> Path:
    """A repository with `files` committed files of about 1 KiB, spread over `folders`."""
    for number in range(files):
        path = root / f"part{number % folders}" / f"module{number}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"# module {number}\n" + f"VALUE = {number}\n" * 60)
    identity = ["-c", "user.name=bench", "-c", "user.email=bench@example.org"]
    for arguments in (["init", "-q"], ["add", "-A"], [*identity, "commit", "-q", "-m", "first"]):
        subprocess.run(["git", *arguments], cwd=root, check=True)
    return root
