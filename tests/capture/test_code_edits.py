"""Whatever is done to a project between snapshots, a snapshot that reuses what was learnt equals one that knows nothing."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from assay.capture import code
from assay.capture.code import CodeCapture, Snapshot
from assay.store.store import Store

PATHS = ("a.py", "b.txt", "sub/a.py", "sub/deep/c.py", "out/result.json", "kept.log", ".gitignore", "sub/.gitignore")
CONTENTS = ("one\n", "two\n", "*.log\n", "out/\n", "sub/deep\n", "*\n", "")


def write(path: Path, content: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)


def write_with_old_time(path: Path, content: str) -> None:
    status = path.stat()
    path.write_text(content)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


def replace_by_rename(path: Path, content: str) -> None:
    aside = path.with_name("aside")
    aside.write_text(content)
    aside.replace(path)


def flip_mode(path: Path, content: str) -> None:
    path.chmod(path.stat().st_mode ^ 0o100)


def make_link(path: Path, content: str) -> None:
    path.unlink(missing_ok=True)
    path.symlink_to(content.strip() or "nowhere")


def make_folder_of(path: Path, content: str) -> None:
    path.unlink(missing_ok=True)
    path.mkdir()


def make_link_of_folder(path: Path, content: str) -> None:
    shutil.rmtree(path.parent)
    path.parent.symlink_to("elsewhere")


def in_git(*arguments: str) -> Callable[[Path, str], None]:
    def run(path: Path, content: str) -> None:
        subprocess.run(["git", *arguments], cwd=path.parent, capture_output=True, check=False)

    return run


def forget_memory(path: Path, content: str) -> None:
    code._memories.clear()


EDITS: tuple[Callable[[Path, str], None], ...] = (
    *(write, write, write, write_with_old_time, replace_by_rename, flip_mode, make_link, make_folder_of, make_link_of_folder),
    *(lambda path, content: path.unlink(), lambda path, content: path.parent.rmdir(), forget_memory),
    *(in_git("add", "-A"), in_git("commit", "-q", "-am", "x"), in_git("checkout", "-q", "-B", "side"), in_git("reset", "-q")),
    *(in_git("checkout", "-q", "--", "."), in_git("rm", "-q", "-r", "--cached", "."), in_git("config", "core.fileMode", "true")),
)


def apply(root: Path, edit: Callable[[Path, str], None], path: str, content: str) -> None:
    full = root / path
    if os.path.realpath(full.parent) != str(full.parent) or (full.parent == root and edit is make_link_of_folder):
        return  # never through a link, and never the root itself
    try:
        edit(full, content)
    except OSError:
        return  # an edit that is not possible here is no edit


def taken_from_nothing(root: Path) -> Snapshot:
    """A snapshot into the same store, with neither memory nor kept copy, which leaves both as they were."""
    remembered = dict(code._memories)
    cache = os.environ["XDG_CACHE_HOME"]
    code._memories.clear()
    with tempfile.TemporaryDirectory() as empty:
        os.environ["XDG_CACHE_HOME"] = empty
        try:
            return CodeCapture(Store.open(root), root).snapshot()
        finally:
            os.environ["XDG_CACHE_HOME"] = cache
            code._memories.clear()
            code._memories.update(remembered)


@pytest.mark.parametrize("repository", [True, False], ids=["git", "no git"])
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    edits=st.lists(st.tuples(st.sampled_from(EDITS), st.sampled_from(PATHS), st.sampled_from(CONTENTS)), min_size=1, max_size=10)
)
def test_a_cached_snapshot_equals_a_fresh_one(repository: bool, edits: list[tuple[Callable[[Path, str], None], str, str]]) -> None:
    """Same tree, files, git state and reasons after every single edit."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(os.path.realpath(folder))
        for path in PATHS[:4]:
            write(root / path, "first\n")
        if repository:
            subprocess.run("git init -q -b main && git add -A && git commit -q -m first", shell=True, cwd=root, check=True)
        CodeCapture(Store.open(root), root).snapshot()
        for edit, path, content in edits:
            apply(root, edit, path, content)
            cached = CodeCapture(Store.open(root), root).snapshot()
            assert cached == taken_from_nothing(root)
        code._memories.clear()
