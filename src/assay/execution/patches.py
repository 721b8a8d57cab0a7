"""Changes of code made in a state of it, alone or together: patches as git applies them, merged line by line where they meet."""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from assay.errors import InvalidStudy, PatchConflict
from assay.records.factor import Patch
from assay.store.objects import Objects
from assay.store.tree import FileKind, read_tree, write_tree

_OLD_NAMES = re.compile(r"^(?:rename|copy) from (.+)$", re.MULTILINE)
_FAILED = re.compile(r"error: patch failed: (?P<path>.+):(?P<line>\d+)$", re.MULTILINE)


class Side(NamedTuple):
    """A file as it stands before or after a change."""

    kind: FileKind
    content: bytes


Read = Callable[[str], Side | None]
"""The file of a path relative to the root; None where there is none."""
Changes = Mapping[str, tuple[Side | None, Side | None]]
"""Path to the file before and after."""


class Patches:
    """Patches of one state of the code, each applied once.

    Args:
        read: the files of that state.
    """

    def __init__(self, read: Read) -> None:
        self._read = read
        self._known: dict[Patch, Changes] = {}

    def changes(self, patch: Patch) -> Changes:
        """What a patch alone makes of the files.

        Raises:
            InvalidStudy: it is no patch, or does not apply, or changes nothing; file and hunk are named.
        """
        if patch not in self._known:
            self._known[patch] = _apply(patch, self._read)
        return self._known[patch]

    def composed(self, patches: Iterable[Patch]) -> dict[str, Side | None]:
        """The files that several patches change, as all of them together leave them.

        Raises:
            PatchConflict: two of them change the same lines.
            InvalidStudy: as for `changes`.
        """
        found: dict[str, Side | None] = {}
        for patch in patches:
            for path, (before, after) in self.changes(patch).items():
                current = found.get(path, before) if path in found else before
                if current == before:
                    found[path] = after
                elif current != after:
                    found[path] = _merged(path, patch, current, before, after)
        return found


def files_below(root: Path) -> Read:
    """The files of a folder as they are on the disk."""

    def read(path: str) -> Side | None:
        return _side(root / path)

    return read


def files_of_tree(objects: Objects, tree: str) -> Read:
    """The files of a code tree."""
    entries = read_tree(objects, tree)

    def read(path: str) -> Side | None:
        entry = entries.get(os.fsencode(path))
        return None if entry is None else Side(entry[0], objects.get(entry[1]))

    return read


def changed_tree(objects: Objects, tree: str, files: Mapping[str, Side | None]) -> tuple[str, dict[str, str | None]]:
    """The id of the tree with these files in it, and what is other in it: path to content id, None for what is gone."""
    entries = dict(read_tree(objects, tree))
    contents: dict[str, str | None] = {}
    for path, side in files.items():
        if side is None:
            entries.pop(os.fsencode(path), None)
            contents[path] = None
        else:
            content = objects.put(side.content)
            entries[os.fsencode(path)] = (side.kind, content)
            contents[path] = content
    return write_tree(objects, entries), contents


def three_way(current: bytes, was: bytes, becomes: bytes) -> bytes | None:
    """`current` with the change from `was` to `becomes` made in it, as git merges; None where the lines conflict."""
    with tempfile.TemporaryDirectory() as folder:
        files = [Path(folder, name) for name in ("current", "was", "becomes")]
        for file, content in zip(files, (current, was, becomes), strict=True):
            file.write_bytes(content)
        answer = subprocess.run(["git", "merge-file", "-p", "-q", *map(str, files)], capture_output=True, check=False)
    return answer.stdout if answer.returncode == 0 else None


def _merged(path: str, patch: Patch, current: Side | None, before: Side | None, after: Side | None) -> Side:
    texts = current and before and after and "link" not in (current.kind, before.kind, after.kind)
    merged = three_way(current.content, before.content, after.content) if texts and current and before and after else None
    if merged is None or after is None:
        raise PatchConflict(
            f"the patch {patch.name!r} cannot be made together with another one: both change the same lines",
            value=path,
            expected="patches that change different lines, or levels of one component",
        )
    return Side(after.kind, merged)


def _apply(patch: Patch, read: Read) -> Changes:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(os.path.realpath(name))
        paths = _touched(folder, patch)
        before = {path: read(path) for path in paths}
        for path, side in before.items():
            if side is not None:
                _lay(folder / path, side)
        answer = _git(folder, patch, "--whitespace=nowarn")
        if answer.returncode != 0:
            raise _refused(folder, patch, answer.stderr.decode(errors="replace"))
        found = {path: (before[path], _side(folder / path)) for path in paths}
    changed = {path: sides for path, sides in found.items() if sides[0] != sides[1]}
    if not changed:
        raise InvalidStudy("a patch changes nothing", value=patch.name, expected="a patch that changes a file of the project")
    return changed


def _touched(folder: Path, patch: Patch) -> list[str]:
    answer = _git(folder, patch, "--numstat", "-z")
    names = [os.fsdecode(line.split(b"\t", 2)[2]) for line in answer.stdout.split(b"\0") if line.count(b"\t") == 2]
    names += _OLD_NAMES.findall(patch.text)
    if answer.returncode != 0 or not names:
        said = answer.stderr.decode(errors="replace").strip().splitlines()
        raise InvalidStudy(
            "this is no patch that git can read",
            value=patch.name,
            expected="the output of `git diff`",
            next_step=f"git says: {said[0]}." if said else "",
        )
    for path in names:
        if Path(path).is_absolute() or ".." in Path(path).parts or Path(path).parts[:1] in ((".git",), (".assay",)):
            raise InvalidStudy("a patch reaches out of the project", value=path, expected="paths relative to the project's root")
    return list(dict.fromkeys(names))


def _git(folder: Path, patch: Patch, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    # The folder is no repository, and must not be taken for a part of one that its parents may be in.
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    env = kept | {"GIT_CEILING_DIRECTORIES": str(folder.parent), "LC_ALL": "C"}
    command = ["git", "apply", *_way(patch, arguments), "-"]
    try:
        return subprocess.run(command, cwd=folder, env=env, input=os.fsencode(patch.text), capture_output=True, check=False)
    except FileNotFoundError as error:
        raise InvalidStudy("patches need git, which is not installed", value=patch.name, expected="git on the PATH") from error


def _way(patch: Patch, arguments: Sequence[str]) -> list[str]:
    """The arguments for git; a patch that is reversed and tried the other way round is applied as it is."""
    ways = [*arguments, *(["--reverse"] if patch.reverse else [])]
    return [way for way in ways if way != "--reverse"] if ways.count("--reverse") == 2 else ways


def _refused(folder: Path, patch: Patch, said: str) -> InvalidStudy:
    """Why a patch does not apply: the file, and the hunk where git names one."""
    failed = _FAILED.search(said)
    lines = [line.removeprefix("error: ") for line in said.splitlines() if line.startswith("error: ")]
    where = f"{failed['path']}, {_hunk(patch, failed['path'], failed['line'])}" if failed else lines[0] if lines else patch.name
    there = _git(folder, patch, "--check", "--reverse").returncode == 0
    next_step = "The code has this change already." if there else "Make the patch anew from the code as it is (`git diff`)."
    return InvalidStudy(
        f"the patch {patch.name!r} does not apply to the code as it is",
        value=where,
        expected="lines as the patch found them",
        next_step=next_step,
    )


def _hunk(patch: Patch, path: str, line: str) -> str:
    """The head of the hunk that begins at a line, as the patch has it."""
    part = patch.text.partition(f"+++ b/{path}")[2] or patch.text
    found = re.search(rf"^(@@ -{line}[ ,].*? @@)", part, re.MULTILINE)
    return f"hunk {found[1]}" if found else f"the hunk at line {line}"


def _lay(place: Path, side: Side) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    if side.kind == "link":
        place.symlink_to(os.fsdecode(side.content))
        return
    place.write_bytes(side.content)
    place.chmod(0o755 if side.kind == "exec" else 0o644)


def _side(place: Path) -> Side | None:
    if place.is_symlink():
        return Side("link", os.fsencode(place.readlink()))
    if not place.is_file():
        return None
    return Side("exec" if place.stat().st_mode & 0o100 else "file", place.read_bytes())


def patches_of(levels: Mapping[str, str], known: Mapping[tuple[str, str], Sequence[Patch]]) -> tuple[Patch, ...]:
    """The patches of a combination of levels, by component and level, each once, in the order of the components."""
    return tuple(dict.fromkeys(patch for (factor, level), found in known.items() if levels.get(factor) == level for patch in found))
