"""What git knows of a working tree: which files it tracks or would add, and where the tree stands.

The user's repository is only read: git runs without optional locks, so that it never writes a refreshed index.
"""

# Paths are text here: making a `Path` for each of a tree's thousand files would double the cost of a snapshot.
# ruff: noqa: PTH111, PTH113, PTH118, PTH120

from __future__ import annotations

import os
from typing import Final, NamedTuple

from assay.records.run import Git

# Set by hooks and aliases; they would point git at another repository or index than the one that holds the folder.
_MISLEADING: Final = (
    "GIT_DIR",
    "GIT_WORK_TREE",
    "GIT_INDEX_FILE",
    "GIT_COMMON_DIR",
    "GIT_NAMESPACE",
    "GIT_PREFIX",
    "GIT_OBJECT_DIRECTORY",
    "GIT_TRACE",
    "GIT_TRACE2",
    "GIT_TRACE2_EVENT",
    "GIT_LITERAL_PATHSPECS",
    "GIT_GLOB_PATHSPECS",
    "GIT_NOGLOB_PATHSPECS",
    "GIT_ICASE_PATHSPECS",
)
# A monitor would be started as a daemon that stays behind.
_ALWAYS: Final = ("-c", "core.fsmonitor=false", "-c", "core.quotePath=false")
_STATUS: Final = (
    *("status", "--porcelain=v2", "-z", "--branch", "--no-ahead-behind", "--no-renames"),
    *("--untracked-files=all", "--ignored=matching", "--ignore-submodules=dirty", "--", "."),
)


_MODES: Final = {"file": "100644", "exec": "100755", "link": "120000"}


class GitFailed(Exception):
    """Git is not installed, or refuses this repository; the text is its own. Callers say it in what was left out: no user meets it."""


class Repository(NamedTuple):
    """Where a repository keeps its things: absolute paths without symbolic links, as text that `os.fsencode` turns back into bytes."""

    top: str
    folder: str  # of this working tree: HEAD, index
    common: str  # shared by all working trees: refs, config

    @classmethod
    def of(cls, top: str) -> Repository:
        """The repository whose working tree is `top`, which has an entry `.git`."""
        folder = os.path.join(top, ".git")
        if os.path.isfile(folder):
            named = _first_line(folder).removeprefix("gitdir:").strip()
            folder = os.path.normpath(os.path.join(top, named))
        common = os.path.join(folder, _first_line(os.path.join(folder, "commondir")) or ".")
        return cls(top=top, folder=folder, common=os.path.normpath(common))


class Status(NamedTuple):
    """What git said of the files below a folder, as paths relative to it.

    `unstaged` maps tracked files that differ from the index to "MODE ID" of the index's object; `ignored` holds folders only.
    """

    git: Git
    tracked: list[str]
    others: list[str]
    ignored: set[str]
    staged: bool
    unstaged: dict[str, str]


def find_repository(folder: str) -> Repository | None:
    """The repository whose working tree holds `folder` (an absolute path without symbolic links); None where there is none."""
    while True:
        if os.path.lexists(os.path.join(folder, ".git")):
            return Repository.of(folder)
        above = os.path.dirname(folder)
        if above == folder:
            return None
        folder = above


def is_linked_worktree(folder: str) -> bool:
    """Whether `folder` is a second working tree of some repository (`git worktree add`)."""
    found = Repository.of(folder)
    return found.folder != found.common


def _first_line(path: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="surrogateescape") as file:
            return file.readline().strip()
    except OSError:
        return ""


def read_status(repository: Repository, root: str) -> Status:
    """What git says of the files below `root`, now.

    Raises:
        GitFailed: git is not installed or refuses.
    """
    tracked = list(dict.fromkeys(_lines(root, "ls-files", "-z", "--cached")))
    prefix = "" if root == repository.top else os.path.relpath(root, repository.top) + "/"
    return _parse(_lines(root, *_STATUS), tracked, prefix)


def _parse(lines: list[str], tracked: list[str], prefix: str) -> Status:
    others: list[str] = []
    ignored: set[str] = set()
    unstaged: dict[str, str] = {}
    staged = False
    head: dict[str, str] = {}
    for line in lines:
        kind = line[0]
        if kind == "?":
            others.append(line[2:].removeprefix(prefix))
        elif kind == "!":
            if line.endswith("/"):
                # The folder itself, or one above it, may be ignored by a repository further up.
                ignored.add("" if prefix.startswith(line[2:]) else line[2:-1].removeprefix(prefix))
        elif kind == "1":
            _, changed, _, _, mode, _, _, oid, path = line.split(" ", 8)
            staged = staged or changed[0] != "."
            if changed[1] != ".":
                unstaged[path.removeprefix(prefix)] = f"{mode} {oid}"
        elif kind == "u":
            staged = True
        elif line.startswith("# branch."):
            name, _, value = line[9:].partition(" ")
            head[name] = value
    commit, branch = head.get("oid", "(initial)"), head.get("head", "(detached)")
    git = Git(
        commit=None if commit == "(initial)" else commit,
        branch=None if branch == "(detached)" else branch,
        dirty=staged or bool(unstaged) or bool(others),
    )
    return Status(git=git, tracked=tracked, others=others, ignored=ignored, staged=staged, unstaged=unstaged)


def is_blob(data: bytes, kind: str, index: str) -> bool:
    """Whether a file with this content and kind is what the index holds ("MODE ID", as in `Status.unstaged`), taken without conversion."""
    # Late: it loads OpenSSL, and few processes come here.
    import hashlib

    mode, _, oid = index.partition(" ")
    hasher = hashlib.sha1 if len(oid) == 40 else hashlib.sha256
    return mode == _MODES.get(kind) and hasher(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest() == oid


def deciding_files(repository: Repository, root: str) -> list[str]:
    """Absolute paths of the files outside the listed folders whose content decides what `read_status` says."""
    home = os.path.expanduser("~")
    user = os.path.join(os.environ.get("XDG_CONFIG_HOME") or os.path.join(home, ".config"), "git")
    configs = [os.path.join(repository.common, "config"), os.path.join(repository.folder, "config.worktree")]
    configs += [os.path.join(home, ".gitconfig"), os.path.join(user, "config"), "/etc/gitconfig"]
    files = [*configs, os.path.join(repository.top, ".git"), os.path.join(user, "ignore"), os.path.join(user, "attributes")]
    files += [os.path.join(repository.folder, name) for name in ("HEAD", "index")]
    files += [os.path.join(repository.common, name) for name in ("packed-refs", "info/exclude", "info/attributes")]
    files.append(os.path.join(repository.common, "reftable", "tables.list"))
    head = _first_line(os.path.join(repository.folder, "HEAD"))
    if head.startswith("ref: "):
        files.append(os.path.join(repository.common, head[5:]))
    excludes = _excludes_file(configs, root)
    if excludes:
        files.append(excludes)
    above = root
    while above != repository.top:
        above = os.path.dirname(above)
        files += [os.path.join(above, name) for name in (".gitignore", ".gitattributes")]
    return files


def _excludes_file(configs: list[str], root: str) -> str | None:
    """The file that `core.excludesFile` names; git is asked only where some configuration may set it."""
    if (
        not any(word in _text(path) for path in configs for word in ("excludesfile", "[include"))
        and "GIT_CONFIG_COUNT" not in os.environ
    ):
        return None
    try:
        return next(iter(_lines(root, "config", "-z", "--type=path", "--get", "core.excludesFile")), None)
    except GitFailed:
        return None


def converts_content(repository: Repository, attributes: bool) -> bool:
    """Whether git may keep a file's content in another form than the working tree (line ends, filters)."""
    configs = (os.path.join(repository.common, "config"), os.path.expanduser("~/.gitconfig"), "/etc/gitconfig")
    return attributes or any("autocrlf" in _text(path) for path in configs)


def _text(path: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read().lower()
    except OSError:
        return ""


def git_output(root: str, *arguments: str) -> bytes:
    """What a git command says in the folder `root`; it takes no lock and fetches nothing.

    Raises:
        GitFailed: git is not installed or refuses.
    """
    return _run(["git", "-C", root, *_ALWAYS, *arguments])


def _lines(root: str, *arguments: str) -> list[str]:
    return os.fsdecode(git_output(root, *arguments)).split("\0")[:-1]


def _environment() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name not in _MISLEADING}
    return kept | {"GIT_OPTIONAL_LOCKS": "0", "GIT_NO_LAZY_FETCH": "1", "GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C"}


def _run(command: list[str]) -> bytes:
    """Standard output of git. `posix_spawn` into files in memory: cheaper than `subprocess`, and no pipe can fill."""
    output, errors = os.memfd_create("git-output"), os.memfd_create("git-errors")
    try:
        actions = [
            (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
            (os.POSIX_SPAWN_DUP2, output, 1),
            (os.POSIX_SPAWN_DUP2, errors, 2),
        ]
        try:
            child = os.posix_spawnp("git", command, _environment(), file_actions=actions)
        except OSError as error:
            raise GitFailed(f"git could not be started ({error.strerror})") from error
        if _status_of(child) != 0:
            said = _content(errors).decode("utf-8", "replace").strip()
            raise GitFailed(said.partition("\n")[0] or "git failed without a word")
        return _content(output)
    finally:
        os.close(output)
        os.close(errors)


def _status_of(child: int) -> int:
    try:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    except ChildProcessError:
        # A program that ignores SIGCHLD has its children reaped by the kernel. The end of the child was awaited all the same.
        return 0


def _content(descriptor: int) -> bytes:
    return os.pread(descriptor, os.fstat(descriptor).st_size, 0)
