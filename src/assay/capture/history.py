"""Commits between two states of a repository, each as the files that it changed."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Final, NamedTuple

from assay.capture.git import GitFailed, git_output
from assay.store.tree import FileKind

_KINDS: Final[dict[str, FileKind]] = {"100644": "file", "100755": "exec", "120000": "link"}
_MOST: Final = 500
"""Commits that are looked at one by one."""


class Blob(NamedTuple):
    """A file of a commit: what it is, and git's name for its content."""

    kind: FileKind
    name: str


class Step(NamedTuple):
    """One commit on the way from one state to another; taken back where `forward` is not set.

    Attributes:
        commit: its id.
        subject: first line of its message.
        changes: path below the root, to the file before and after the step; None where there is none.
        forward: the step makes the commit; else it takes it back.
    """

    commit: str
    subject: str
    changes: dict[bytes, tuple[Blob | None, Blob | None]]
    forward: bool


def steps_between(root: str, a: str, b: str) -> list[Step]:
    """The way from commit `a` to commit `b`: back to where their histories part, then on; merges are one step, by their first parent.

    Commits that changed nothing below `root` are left out.

    Raises:
        GitFailed: the repository does not have the commits, or has no common one, or there are more than 500 between them.
    """
    base = git_output(root, "merge-base", a, b).decode().strip()
    back, on = _commits(root, base, a), _commits(root, base, b)
    if len(back) + len(on) > _MOST:
        raise GitFailed(f"{len(back) + len(on)} commits lie between {a[:12]} and {b[:12]}, more than {_MOST}")
    steps = [_step(root, commit, forward=False) for commit in reversed(back)]
    steps += [_step(root, commit, forward=True) for commit in on]
    return [step for step in steps if step.changes]


def blob(root: str, name: str) -> bytes:
    """The content of a file of a commit. Raises GitFailed where the repository does not have it."""
    return git_output(root, "cat-file", "blob", name)


def tree_files(root: str, commit: str) -> dict[bytes, Blob]:
    """Every file of a commit below `root`, by path relative to it. Raises GitFailed."""
    found = {}
    for line in git_output(root, "ls-tree", "-r", "-z", commit).split(b"\0")[:-1]:
        facts, _, path = line.partition(b"\t")
        mode, _, name = facts.decode().split(" ")
        if mode in _KINDS:
            found[path] = Blob(_KINDS[mode], name)
    return found


def _commits(root: str, base: str, end: str) -> list[str]:
    return git_output(root, "rev-list", "--reverse", "--first-parent", f"{base}..{end}").decode().split()


def _step(root: str, commit: str, *, forward: bool) -> Step:
    subject = git_output(root, "log", "-1", "--format=%s", commit).decode("utf-8", "replace").strip()
    parent = git_output(root, "rev-parse", f"{commit}^1").decode().strip()
    arguments = ("diff-tree", "-r", "-z", "--no-renames", "--relative", parent, commit)
    changes = {path: (before, after) if forward else (after, before) for path, before, after in _changes(root, *arguments)}
    return Step(commit, subject, changes, forward)


def _changes(root: str, *arguments: str) -> Iterator[tuple[bytes, Blob | None, Blob | None]]:
    fields = git_output(root, *arguments).split(b"\0")[:-1]
    for facts, path in zip(fields[::2], fields[1::2], strict=True):
        mode_a, mode_b, name_a, name_b, _ = os.fsdecode(facts).lstrip(":").split(" ")
        before, after = (
            Blob(_KINDS[mode], name) if mode in _KINDS else None for mode, name in ((mode_a, name_a), (mode_b, name_b))
        )
        if before is not None or after is not None:
            yield path, before, after
