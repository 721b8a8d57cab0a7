"""Where a project begins (design.md, "The root")."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from assay.errors import InvalidValue
from assay.store.root import find_root, store_folder


def test_the_nearest_store_upwards_wins(project: Path) -> None:
    """A folder with .assay/ is the root, even below the top of a repository, and even far above the script."""
    inner = project / "a" / "b" / "c"
    inner.mkdir(parents=True)
    (project / "a" / ".assay").mkdir()
    assert find_root(inner) == project / "a"


def test_without_a_store_the_git_top_level_is_the_root(project: Path) -> None:
    """From anywhere in a repository."""
    inner = project / "src" / "deep"
    inner.mkdir(parents=True)
    assert find_root(inner) == project


def test_a_linked_working_tree_is_a_root_of_its_own(project: Path, tmp_path: Path) -> None:
    """Its `.git` is a file."""
    subprocess.run(["git", "worktree", "add", "-q", str(tmp_path / "linked")], cwd=project, check=True)
    assert find_root(tmp_path / "linked") == tmp_path / "linked"


def test_outside_git_the_folder_itself_is_the_root(tmp_path: Path) -> None:
    """An empty folder named .git makes no repository."""
    (tmp_path / "work").mkdir()
    (tmp_path / ".git").mkdir()
    assert find_root(tmp_path / "work") == tmp_path / "work"


def test_links_are_resolved(project: Path, tmp_path: Path) -> None:
    """Two ways to one folder are one project."""
    (tmp_path / "short").symlink_to(project)
    assert find_root(tmp_path / "short") == project


def test_a_home_folder_is_never_a_project(own_home: Path) -> None:
    """Neither a repository of dotfiles nor a stray store there swallows the projects below it."""
    (own_home / ".assay").mkdir()
    subprocess.run(["git", "init", "-q"], cwd=own_home, check=True)
    (own_home / "work").mkdir()
    assert find_root(own_home / "work") == own_home / "work"
    with pytest.raises(InvalidValue, match=r"too wide.*git init") as caught:
        find_root(own_home)
    assert caught.value.value == str(own_home)


def test_the_file_system_is_never_a_project() -> None:
    """A script in / is told to move."""
    with pytest.raises(InvalidValue, match="Make a folder"):
        find_root(Path("/"))


@pytest.mark.parametrize("name", ["train.py", "missing"])
def test_only_a_folder_can_be_asked(project: Path, name: str) -> None:
    """The error names what was given."""
    with pytest.raises(InvalidValue, match=name):
        find_root(project / name)


def test_a_user_without_a_home_has_projects(project: Path) -> None:
    """In a container, an unnamed user id with no HOME."""
    code = """
import os, sys
from pathlib import Path
from assay.store.root import find_root, store_folder
root = find_root(Path(sys.argv[1]))
if os.getuid() == 0:
    os.setuid(424242)
os.environ["ASSAY_HOME"] = "~/x"
print(root, find_root(Path("/usr/lib")), store_folder(root).name)
"""
    environment = {name: value for name, value in os.environ.items() if name != "HOME"}
    result = subprocess.run(
        [sys.executable, "-c", code, str(project)], env=environment, capture_output=True, text=True, check=False
    )
    assert (result.stdout.split(), result.stderr) == ([str(project), str(Path("/usr/lib").resolve()), "x"], "")


def test_assay_home_moves_the_store_and_not_the_root(project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Paths stay relative to the project."""
    monkeypatch.setenv("ASSAY_HOME", str(tmp_path / "elsewhere"))
    assert find_root(project) == project
    assert store_folder(project) == tmp_path / "elsewhere"
    monkeypatch.setenv("ASSAY_HOME", "~/stores")
    assert store_folder(project) == Path("~/stores").expanduser()
    monkeypatch.delenv("ASSAY_HOME")
    assert store_folder(project) == project / ".assay"
