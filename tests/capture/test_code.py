"""The code tree: what git tracks or would add, what source files there are outside git, and nothing written to the user's repository."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from assay.capture import code
from assay.capture.code import CodeCapture, Snapshot
from assay.records.recipe import Recipe
from assay.records.run import Result, Start
from assay.records.trace import FileUse, Trace
from assay.store.process import this_process
from assay.store.runs import new_run_id
from assay.store.store import Store
from assay.store.tree import read_tree


def git(root: Path, *arguments: str) -> str:
    return subprocess.run(["git", *arguments], cwd=root, check=True, capture_output=True, text=True).stdout


@pytest.fixture(autouse=True)
def forget() -> Iterator[None]:
    yield
    code._memories.clear()


@pytest.fixture
def plain(tmp_path: Path) -> Path:
    """A folder that no repository holds."""
    root = tmp_path / "plain"
    root.mkdir()
    (root / "train.py").write_text("print(1)\n")
    return root


def snap(root: Path) -> Snapshot:
    return CodeCapture(Store.open(root), root).snapshot()


def snap_as_new_process(root: Path) -> Snapshot:
    """A snapshot that knows only what an earlier process left on disk."""
    code._memories.clear()
    return snap(root)


def snap_from_nothing(root: Path) -> Snapshot:
    """A snapshot without anything learnt before."""
    code._memories.clear()
    shutil.rmtree(Path(os.environ["XDG_CACHE_HOME"]) / "assay" / "code-2", ignore_errors=True)
    return snap(root)


def contents(root: Path, snapshot: Snapshot) -> dict[bytes, tuple[str, bytes]]:
    objects = Store.open(root).objects
    return {path: (kind, objects.get(oid)) for path, (kind, oid) in read_tree(objects, snapshot.tree).items()}


def test_a_committed_tree_is_captured_with_bytes_and_commit(project: Path) -> None:
    """Every tracked file is in the tree with its bytes, and the state names commit and branch."""
    taken = snap(project)
    assert contents(project, taken) == {b"train.py": ("file", b"print('loss=0.5')\n")}
    assert taken.git is not None
    assert (taken.git.commit, taken.git.branch, taken.git.dirty) == (git(project, "rev-parse", "HEAD").strip(), "main", False)
    assert taken.left_out == {}
    assert taken.stats["train.py"] == ((project / "train.py").stat().st_size, (project / "train.py").stat().st_mtime_ns)


def test_dirty_untracked_staged_and_deleted_files_are_as_they_are(project: Path) -> None:
    """The tree is the working tree, whatever git has been told of it."""
    for name in ("gone.py", "staged_then_edited.py", "removed_from_index.py"):
        (project / name).write_text("old\n")
    (project / ".gitignore").write_text("*.log\nout/\n")
    git(project, "add", "-A")
    git(project, "commit", "-q", "-m", "second")
    (project / "train.py").write_text("edited\n")
    (project / "gone.py").unlink()
    (project / "staged_then_edited.py").write_text("staged\n")
    (project / "new_and_staged.py").write_text("new\n")
    git(project, "add", "staged_then_edited.py", "new_and_staged.py")
    (project / "staged_then_edited.py").write_text("edited after\n")
    git(project, "rm", "-q", "--cached", "removed_from_index.py")
    (project / "untracked.py").write_text("untracked\n")
    (project / "ignored.log").write_text("log\n")
    (project / "out").mkdir()
    (project / "out" / "made.py").write_text("made\n")
    taken = snap(project)
    assert {path: data for path, (_, data) in contents(project, taken).items()} == {
        b".gitignore": b"*.log\nout/\n",
        b"train.py": b"edited\n",
        b"staged_then_edited.py": b"edited after\n",
        b"new_and_staged.py": b"new\n",
        b"removed_from_index.py": b"old\n",
        b"untracked.py": b"untracked\n",
    }
    assert taken.git is not None
    assert taken.git.dirty


def test_the_users_repository_is_not_touched(project: Path) -> None:
    """Index (bytes and stat record), references, branch and files are the same afterwards, although the index is stale."""
    os.utime(project / "train.py", (1, 1))  # git would refresh the index, had it the permission
    (project / "untracked.py").write_text("x\n")

    def state() -> dict[str, tuple[bytes, int, int, int]]:
        found = {}
        for path in sorted(project.rglob("*")):
            if path.is_file() and ".assay" not in path.parts:
                status = path.stat()
                found[str(path)] = (path.read_bytes(), status.st_mtime_ns, status.st_ctime_ns, status.st_ino)
        return found

    before = state()
    snap(project)
    (project / ".assay" / "x").touch()
    snap_as_new_process(project)
    assert state() == before
    assert not list((project / ".git").glob("*.lock"))


def test_an_unchanged_tree_has_the_same_id_and_writes_nothing(project: Path) -> None:
    """A second snapshot adds no object; one by a new process neither."""
    first = snap(project)
    objects = sorted((project / ".assay" / "objects").rglob("*"))
    assert snap(project) == first
    assert snap_as_new_process(project) == first
    assert sorted((project / ".assay" / "objects").rglob("*")) == objects


def test_an_edit_of_equal_size_and_time_is_seen(project: Path) -> None:
    """An edit within the same tick of the clock, of the same size and with the same modification time, is in the next snapshot."""
    script = project / "train.py"
    script.write_text("a = 1\n")
    status = script.stat()
    first = snap(project)
    script.write_text("a = 2\n")
    os.utime(script, ns=(status.st_atime_ns, status.st_mtime_ns))
    second = snap(project)
    assert second.tree != first.tree
    assert contents(project, second)[b"train.py"] == ("file", b"a = 2\n")


def test_every_edit_in_a_row_is_seen(project: Path) -> None:
    """A hundred edits without a pause between them give a hundred trees."""
    script = project / "train.py"
    trees = set()
    for number in range(100):
        script.write_text(f"{number:03d}\n")
        trees.add(snap(project).tree)
    assert len(trees) == 100


def test_links_modes_and_strange_names_are_kept(project: Path) -> None:
    """Links are kept as links, whatever they lead to; the execute bit counts; names need not be UTF-8."""
    (project / "run.sh").write_text("#!/bin/sh\n")
    (project / "run.sh").chmod(0o755)
    (project / "to_secret").symlink_to("/etc/shadow")
    (project / "to_folder").symlink_to(".")
    (project / "broken").symlink_to("nowhere")
    strange = os.fsencode(project) + b"/caf\xe9 \n.py"
    with open(strange, "wb") as file:
        file.write(b"odd\n")
    taken = snap(project)
    found = contents(project, taken)
    assert found[b"run.sh"][0] == "exec"
    assert found[b"to_secret"] == ("link", b"/etc/shadow")
    assert found[b"to_folder"] == ("link", b".")
    assert found[b"broken"] == ("link", b"nowhere")
    assert found[b"caf\xe9 \n.py"] == ("file", b"odd\n")
    assert "caf\\xe9 \n.py" in taken.files
    assert snap_as_new_process(project).tree == taken.tree


def test_a_changed_mode_or_kind_is_seen(project: Path) -> None:
    """chmod changes the tree and changing it back restores it; a file that becomes a link is a link."""
    script = project / "train.py"
    before = snap(project).tree
    script.chmod(0o755)
    assert snap(project).tree != before
    script.chmod(0o644)
    assert snap(project).tree == before
    script.unlink()
    script.symlink_to("other.py")
    assert contents(project, snap(project)) == {b"train.py": ("link", b"other.py")}


def test_what_is_left_out_is_named(project: Path) -> None:
    """Large files, secrets, FIFOs, sockets and unreadable folders are left out with a reason each."""
    (project / "just_right.bin").write_bytes(b"x" * (1 << 20))
    (project / "large.bin").write_bytes(b"x" * ((1 << 20) + 1))
    (project / ".env").write_text("A=1\n")
    (project / "token.py").write_text("\nT = 'ghp_" + "aB3dE6gH9kL2mN5pQ8sT1vW4yZ7cF0hJ3nR6" + "'\n")
    os.mkfifo(project / "pipe.py")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(project / "s"))
        taken = snap(project)
    assert set(taken.files) == {"train.py", "just_right.bin", "token.py"}
    assert set(taken.left_out) == {"large.bin", ".env", "token.py", "pipe.py", "s"}
    assert "1 MiB" in taken.left_out["large.bin"]
    assert taken.left_out["token.py"] == "kept without its secrets: a GitHub token (line 2)"
    assert contents(project, taken)[b"token.py"] == ("file", b"\nT = 'REDACTED-BY-ASSAY'\n")
    assert not any(b"ghp_" in path.read_bytes() for path in (project / ".assay" / "objects").rglob("*") if path.is_file())


def test_what_the_project_keeps_out_is_in_no_snapshot(project: Path) -> None:
    """Tracked files too, from the next snapshot after the rule on, and back again without it."""
    (project / "notes").mkdir()
    (project / "notes" / "private.md").write_text("mine\n")
    git(project, "add", "-A")
    assert "notes/private.md" in snap(project).files
    (project / ".assayignore").write_text("notes/\n")
    taken = snap(project)
    assert set(taken.files) == {"train.py", ".assayignore"}
    assert taken.left_out == {"notes/private.md": "kept out by .assayignore"}
    (project / ".assayignore").write_text("notes/\n!private.md\n")
    assert "notes/private.md" in snap(project).files


def test_another_process_knows_which_copies_miss_secrets(project: Path) -> None:
    """Without reading them again: what was found is kept with their stat records."""
    (project / "config.yaml").write_text("password: hunter2\n")
    taken = snap(project)
    script = (
        "import sys; from pathlib import Path; from assay.capture.code import CodeCapture; from assay.store.store import Store\n"
        "root = Path(sys.argv[1]); print(CodeCapture(Store.open(root), root).snapshot().left_out)\n"
    )
    done = subprocess.run([sys.executable, "-c", script, str(project)], capture_output=True, text=True, check=True)
    assert (
        done.stdout.strip() == str(taken.left_out) == "{'config.yaml': 'kept without its secrets: the value of password (line 1)'}"
    )


def test_a_file_that_shrinks_or_loses_its_secret_comes_back(project: Path) -> None:
    """What is left out is judged anew with each content."""
    script = project / "train.py"
    script.write_bytes(b"x" * ((1 << 20) + 1))
    assert snap(project).files == {}
    script.write_text("ok\n")
    taken = snap(project)
    assert set(taken.files) == {"train.py"}
    assert taken.left_out == {}


def test_environments_and_compiled_files_are_no_code(project: Path) -> None:
    """A virtual environment, installed packages and compiled files that nobody ignored are left out by folder; tracked files count."""
    for name in ("venv/pyvenv.cfg", "venv/lib/a.py", "node_modules/b.js", "pkg/__pycache__/c.pyc", "pkg/__init__.py"):
        (project / name).parent.mkdir(parents=True, exist_ok=True)
        (project / name).write_text("x\n")
    git(project, "add", "-f", "node_modules/b.js")
    taken = snap(project)
    assert set(taken.files) == {"train.py", "pkg/__init__.py", "node_modules/b.js"}
    assert set(taken.left_out) == {"venv/", "node_modules/", "pkg/__pycache__/"}


def test_outside_git_sources_are_taken_and_the_rest_counted(plain: Path) -> None:
    """Source and configuration files are taken; other files are counted by folder; hidden folders are not walked."""
    for name in (
        "conf/model.yaml",
        "data/a.png",
        "data/b.png",
        "data/c.npy",
        ".hidden/x.py",
        "Makefile",
        "venv/pyvenv.cfg",
        "venv/x.py",
    ):
        (plain / name).parent.mkdir(parents=True, exist_ok=True)
        (plain / name).write_text("x\n")
    taken = snap(plain)
    assert set(taken.files) == {"train.py", "conf/model.yaml", "Makefile"}
    assert taken.git is None
    assert taken.left_out["data/*"] == "3 files without a suffix of source or configuration (.png, .npy)"
    assert taken.left_out["venv/"] == "a virtual environment"


def test_the_store_is_never_part_of_the_tree(plain: Path, project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither `.assay` nor a store elsewhere below the root is captured."""
    for root in (plain, project):
        monkeypatch.setenv("ASSAY_HOME", str(root / "records.py"))
        assert set(snap(root).files) == {"train.py"}
        assert set(snap(root).files) == {"train.py"}


def test_a_new_repository_around_the_folder_decides_from_then_on(plain: Path) -> None:
    """`git init`, and a first commit, are seen by the next snapshot."""
    (plain / "data.bin").write_text("x\n")
    assert snap(plain).git is None
    git(plain, "init", "-q", "-b", "trunk")
    taken = snap(plain)
    assert set(taken.files) == {"train.py", "data.bin"}
    assert taken.git is not None
    assert (taken.git.commit, taken.git.branch, taken.git.dirty) == (None, "trunk", True)
    git(plain, "add", "-A")
    git(plain, "commit", "-q", "-m", "first")
    after = snap(plain).git
    assert after is not None
    assert (after.commit, after.dirty) == (git(plain, "rev-parse", "HEAD").strip(), False)


def test_a_root_below_the_top_of_the_repository(project: Path) -> None:
    """A root that is a folder of a repository has the files of that folder, by paths relative to it, and its ignore rules from above."""
    (project / ".gitignore").write_text("*.log\n")
    root = project / "exp" / "one"
    root.mkdir(parents=True)
    (root / "a.py").write_text("a\n")
    git(project, "add", "-A")
    git(project, "commit", "-q", "-m", "second")
    (root / "b.log").write_text("b\n")
    (project / "train.py").write_text("elsewhere\n")
    taken = snap(root)
    assert set(taken.files) == {"a.py"}
    assert taken.git is not None
    assert not taken.git.dirty
    (project / ".gitignore").write_text("\n")
    assert set(snap(root).files) == {"a.py", "b.log"}


def test_a_linked_worktree_is_captured_by_itself(project: Path, tmp_path: Path) -> None:
    """A working tree whose `.git` is a file is captured; one that lies inside the project is named and left to itself."""
    other = tmp_path / "other"
    git(project, "worktree", "add", "-q", "-b", "feature", str(other))
    taken = snap(other)
    assert set(taken.files) == {"train.py"}
    assert taken.git is not None
    assert (taken.git.branch, taken.git.dirty) == ("feature", False)
    git(project, "worktree", "add", "-q", "-b", "inner", str(project / "inner"))
    assert snap(project).left_out == {"inner/": "another working tree of a repository"}


def test_submodules_and_nested_clones_are_captured(project: Path, tmp_path: Path) -> None:
    """Code in a submodule or a clone inside the project is code of the project, by the rules of its own repository."""
    library = tmp_path / "library"
    library.mkdir()
    (library / "lib.py").write_text("v1\n")
    (library / ".gitignore").write_text("*.tmp\n")
    git(library, "init", "-q", "-b", "main")
    git(library, "add", "-A")
    git(library, "commit", "-q", "-m", "first")
    git(project, "-c", "protocol.file.allow=always", "submodule", "add", "-q", str(library), "deps/library")
    git(project, "commit", "-q", "-m", "with a submodule")
    taken = snap(project)
    assert set(taken.files) == {"train.py", ".gitmodules", "deps/library/lib.py", "deps/library/.gitignore"}
    assert taken.git is not None
    assert not taken.git.dirty
    inside = project / "deps" / "library"
    (inside / "x.tmp").write_text("x\n")
    assert set(snap(project).files) == set(taken.files)
    (inside / "lib.py").write_text("v2\n")
    edited = snap(project)
    assert contents(project, edited)[b"deps/library/lib.py"] == ("file", b"v2\n")
    assert edited.git is not None
    assert edited.git.dirty
    (project / "cloned").mkdir()
    git(project / "cloned", "init", "-q")
    (project / "cloned" / "c.py").write_text("c\n")
    assert "cloned/c.py" in snap(project).files


def test_a_submodule_that_is_not_checked_out_is_named(project: Path, tmp_path: Path) -> None:
    """An empty folder of a submodule has no files, and that is said."""
    git(project, "update-index", "--add", "--cacheinfo", "160000," + "1" * 40 + ",empty")
    (project / "empty").mkdir()
    taken = snap(project)
    assert set(taken.files) == {"train.py"}
    assert "submodule" in taken.left_out["empty"]


def test_a_folder_replaced_by_a_link_is_a_link(project: Path, tmp_path: Path) -> None:
    """Tracked files below a folder that became a link are deleted files, as for git; what the link leads to is not captured."""
    (project / "pkg").mkdir()
    (project / "pkg" / "a.py").write_text("a\n")
    git(project, "add", "-A")
    git(project, "commit", "-q", "-m", "second")
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "a.py").write_text("other\n")
    shutil.rmtree(project / "pkg")
    (project / "pkg").symlink_to(tmp_path / "elsewhere")
    assert contents(project, snap(project))[b"pkg"] == ("link", os.fsencode(tmp_path / "elsewhere"))


@pytest.mark.parametrize("how", ["missing", "refusing"])
def test_where_git_cannot_be_asked_files_are_chosen_by_suffix(project: Path, monkeypatch: pytest.MonkeyPatch, how: str) -> None:
    """Without git, or with a git that refuses, sources are still captured and the reason is said; with git again, git decides."""
    (project / "weights.bin").write_text("x\n")
    tools = project.parent / "tools"
    tools.mkdir()
    if how == "refusing":
        (tools / "git").write_text("#!/bin/sh\necho 'fatal: detected dubious ownership in repository' >&2\nexit 128\n")
        (tools / "git").chmod(0o755)
    with monkeypatch.context() as without:
        without.setenv("PATH", f"{tools}:/bin:/usr/sbin" if how == "refusing" else str(tools))
        taken = snap(project)
    assert set(taken.files) == {"train.py"}
    assert taken.git is None
    assert ("dubious ownership" if how == "refusing" else "could not be started") in taken.left_out[".git"]
    again = snap(project)
    assert set(again.files) == {"train.py", "weights.bin"}
    assert ".git" not in again.left_out


def test_a_folder_that_an_outer_repository_ignores_is_outside_git(project: Path) -> None:
    """A project within an ignored folder is captured by suffix, not lost."""
    (project / ".gitignore").write_text("scratch/\n")
    root = project / "scratch" / "mine"
    root.mkdir(parents=True)
    (root / "a.py").write_text("a\n")
    assert set(snap(root).files) == {"a.py"}


def test_misleading_variables_of_a_hook_do_not_matter(project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A snapshot taken within a git hook is of the project, not of what the hook's variables point to."""
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "nowhere"))
    monkeypatch.setenv("GIT_INDEX_FILE", str(tmp_path / "index"))
    taken = snap(project)
    assert set(taken.files) == {"train.py"}
    assert taken.git is not None


def test_dirty_follows_every_edit(project: Path) -> None:
    """Dirty is what git would say, with a listing from before the edit, from before the process, and without any."""
    script = project / "train.py"

    def dirty(snapshot: Snapshot) -> bool:
        assert snapshot.git is not None
        return snapshot.git.dirty

    assert not dirty(snap(project))
    script.write_text("edited\n")
    assert dirty(snap(project))
    assert dirty(snap_as_new_process(project))
    script.write_text("edited again\n")
    assert dirty(snap(project))
    script.write_text("print('loss=0.5')\n")
    assert not dirty(snap(project))
    assert not dirty(snap_as_new_process(project))
    script.chmod(0o755)
    assert dirty(snap(project))
    assert dirty(snap_from_nothing(project))
    script.chmod(0o644)
    assert not dirty(snap(project))
    git(project, "commit", "-q", "--allow-empty", "-m", "empty")
    after = snap(project).git
    assert after is not None
    assert (after.commit, after.dirty) == (git(project, "rev-parse", "HEAD").strip(), False)


def test_a_reverted_edit_is_clean_where_git_converts_line_ends(project: Path) -> None:
    """With automatic line ends, a file edited before the first snapshot and reverted after it is clean again."""
    git(project, "config", "core.autocrlf", "true")
    script = project / "train.py"
    script.write_bytes(b"print('loss=0.5')\r\n")
    git(project, "add", "-A")
    script.write_bytes(b"edited\r\n")
    first = snap(project).git
    assert first is not None
    assert first.dirty
    script.write_bytes(b"print('loss=0.5')\r\n")
    second = snap(project).git
    assert second is not None
    assert second.dirty == bool(git(project, "status", "--porcelain"))


def test_a_store_that_was_removed_gets_everything_again(project: Path) -> None:
    """Content known from memory or from the kept copy is not taken for stored where the store has lost it."""
    first = snap(project)
    shutil.rmtree(project / ".assay")
    assert contents(project, snap(project))[b"train.py"][1] == b"print('loss=0.5')\n"
    shutil.rmtree(project / ".assay")
    again = snap_as_new_process(project)
    assert again.tree == first.tree
    assert contents(project, again)[b"train.py"][1] == b"print('loss=0.5')\n"


@pytest.mark.parametrize("garbage", [b"", b"garbage", b"\0" * 5000])
def test_a_damaged_kept_copy_is_ignored(project: Path, garbage: bytes) -> None:
    """Whatever stands in the cache folder, the snapshot is right."""
    first = snap(project)
    kept = list((Path(os.environ["XDG_CACHE_HOME"]) / "assay" / "code-2").iterdir())
    assert len(kept) == 1
    kept[0].write_bytes(garbage)
    (project / "train.py").write_text("new\n")
    assert snap_as_new_process(project).tree != first.tree
    kept[0].write_bytes(bytes(32) + kept[0].read_bytes()[32:])
    assert snap_as_new_process(project).tree == snap_from_nothing(project).tree


def test_a_cache_folder_that_cannot_be_written_does_not_matter(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file in place of the cache folder costs time, nothing else."""
    blocked = project.parent / "file"
    blocked.write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(blocked))
    assert set(snap(project).files) == {"train.py"}


def test_threads_share_one_capture(project: Path) -> None:
    """Snapshots from several threads at once are all right."""
    taken: list[str] = []
    threads = [threading.Thread(target=lambda: taken.append(snap(project).tree)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert taken == [snap_from_nothing(project).tree] * 8


def test_a_forked_child_is_not_stopped_by_a_lock_of_its_parent(project: Path) -> None:
    """A child that was forked while another thread took a snapshot can take its own."""
    expected = snap(project).tree
    memory = next(iter(code._memories.values()))
    with memory.lock:
        child = os.fork()
        if child == 0:
            os._exit(0 if snap(project).tree == expected else 1)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


@pytest.mark.parametrize(
    "where", ["nested .gitignore", "info/exclude", "user's ignore file", "core.excludesFile", "included configuration"]
)
def test_every_place_of_ignore_rules_is_watched(project: Path, own_home: Path, where: str) -> None:
    """A rule that is added, and then removed, counts at once, wherever git reads rules."""
    (project / "pkg").mkdir()
    (project / "pkg" / "notes.tmp").write_text("x\n")
    rules = {
        "nested .gitignore": project / "pkg" / ".gitignore",
        "info/exclude": project / ".git" / "info" / "exclude",
        "user's ignore file": own_home / ".config" / "git" / "ignore",
    }.get(where, own_home / "rules")
    if where == "core.excludesFile":
        (own_home / ".gitconfig").write_text(f"[core]\n\texcludesFile = {rules}\n")
    elif where == "included configuration":
        (own_home / "more").write_text(f"[core]\n\texcludesFile = {rules}\n")
        (own_home / ".gitconfig").write_text(f"[include]\n\tpath = {own_home / 'more'}\n")
    rules.parent.mkdir(parents=True, exist_ok=True)
    assert "pkg/notes.tmp" in snap(project).files
    rules.write_text("*.tmp\n")
    assert "pkg/notes.tmp" not in snap(project).files
    rules.write_text("*.log\n")
    assert "pkg/notes.tmp" in snap(project).files
    rules.unlink()
    assert "pkg/notes.tmp" in snap(project).files


def test_files_that_runs_wrote_are_left_out_unless_git_tracks_them(project: Path) -> None:
    """A former run's outputs are no code; a tracked file that a run wrote is."""
    store = Store.open(project)
    for name in ("result.json", "train.py"):
        (project / name).write_text("written\n")
    assert set(snap(project).files) == {"result.json", "train.py"}
    uses = tuple(FileUse(path=name, id=store.objects.put(b"written\n")) for name in ("result.json", "train.py"))
    writer = store.runs.create(Start(id=new_run_id(), recipe=store.objects.put_record(Recipe()), host=this_process()))
    writer.finish(Result(state="finished", ended=1.0, trace=store.objects.put_record(Trace(written=uses))))
    for taken in (snap(project), snap_as_new_process(project), snap_from_nothing(project)):
        assert set(taken.files) == {"train.py"}
        assert taken.left_out == {"result.json": "written by a former run"}


@pytest.mark.parametrize("tracked", [True, False])
def test_a_report_that_assay_wrote_is_no_code_and_files_of_its_names_are(project: Path, tracked: bool) -> None:
    """To look at a study, or to commit what it found, must not make its trials other ones."""
    (project / "train.py").write_text("x\n")
    before = snap(project).tree
    for folder, study in (("report", "5f" * 32), ("mine", "none")):
        (project / folder).mkdir()
        for name in ("index.html", "table.md", "table.tex"):
            (project / folder / name).write_text("x\n")
        (project / folder / "effects.json").write_text(f'{{\n  "version": 1,\n  "study": "{study}",\n  "name": "toy"\n}}\n')
    (project / "report" / "side-effects.json").write_text("{}\n")
    if tracked:
        git(project, "add", "-A")
    for taken in (snap(project), snap_as_new_process(project), snap_from_nothing(project)):
        assert {path for path in taken.files if path.startswith("report/")} == {"report/side-effects.json"}
        assert "mine/effects.json" in taken.files and "mine/table.md" in taken.files
        assert taken.left_out["report/effects.json"] == "written by Assay: a report or a bundle"
    (project / "report" / "side-effects.json").unlink()
    shutil.rmtree(project / "mine")
    assert snap(project).tree == before


@pytest.mark.parametrize("change", ["touch late.py", "echo late.py >> .gitignore"])
def test_what_changes_while_git_is_asked_is_seen_by_the_next_snapshot(
    project: Path, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    """A file or rule that appears between git's answer and our own look is not taken for listed."""
    (project / ".gitignore").write_text("\n")
    if "ignore" in change:
        (project / "late.py").write_text("late\n")
    tools = project.parent / "tools"
    tools.mkdir()
    (tools / "git").write_text(
        f'#!/bin/sh\n{shutil.which("git", path=os.defpath)} "$@"\ncase "$*" in *status*) cd {project}; {change};; esac\n'
    )
    (tools / "git").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tools}:{os.environ['PATH']}")
    snap(project)
    (tools / "git").write_text(f'#!/bin/sh\nexec {shutil.which("git", path=os.defpath)} "$@"\n')
    assert ("late.py" in snap(project).files) is ("touch" in change)
