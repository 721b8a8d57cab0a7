"""Patches and commits as levels of components: read, sealed as text, and kept apart where they change the same lines."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from itertools import combinations
from pathlib import Path
from typing import Any

import msgspec

from assay.ablation.nodes import keys_of
from assay.capture.git import GitFailed, git_output
from assay.errors import InvalidStudy, PatchConflict
from assay.execution.patches import Patches
from assay.records.factor import Constraint, Factor, Level, Patch

KEYS = ("patch", "commit")
_REVERT = "revert "


def patches_in(settings: Mapping[str, Any], root: Path, folder: Path) -> tuple[dict[str, Any], tuple[Patch, ...]]:
    """The settings of a level without its patches, and the patches.

    `patch` is a file as `git diff` writes it, or "revert" with a commit or such a file; `commit` is a commit, whose change is made
    again. Each may be a list.

    Args:
        settings: of the level.
        root: of the project, which paths in patches are relative to.
        folder: which names of files are relative to.

    Raises:
        InvalidStudy: there is no such file or commit, or it cannot be read.
    """
    rest = {path: value for path, value in settings.items() if path not in KEYS}
    found = [_patch(key, item, root, folder) for key in KEYS if key in settings for item in _items(key, settings[key])]
    return rest, tuple(found)


def with_patches(factors: Sequence[Factor], baseline: object, root: Path, folder: Path) -> list[Factor]:
    """The components, with what their levels say of patches read, where the baseline has no parameter of that name.

    Args:
        factors: as a user of Python makes them, with patches among the settings.
        baseline: the configuration as it stands.
        root: of the project, which paths in patches are relative to.
        folder: which names of files are relative to.

    Raises:
        InvalidStudy: as for `patches_in`.
    """
    own = keys_of(baseline)
    return [
        msgspec.structs.replace(factor, levels=tuple(_read(level, own, root, folder) for level in factor.levels))
        for factor in factors
    ]


def _read(level: Level, own: Sequence[str], root: Path, folder: Path) -> Level:
    if not any(key in level.settings and key not in own for key in KEYS):
        return level
    settings, patches = patches_in(level.settings, root, folder)
    return msgspec.structs.replace(level, settings=settings, patches=(*level.patches, *patches))


def apart(factors: Sequence[Factor], patches: Patches) -> list[Constraint]:
    """Levels of different components whose patches change the same lines, as constraints that keep them apart.

    Raises:
        InvalidStudy: a patch does not apply to the code by itself.
    """
    patched = [(factor, level) for factor in factors for level in factor.levels if level.patches]
    for _, level in patched:
        patches.composed(level.patches)
    found = []
    for one, other in combinations(patched, 2):
        if one[0] is not other[0] and not _together(patches, one[1], other[1]):
            found.append(Constraint(thing=_thing(*one), kind="excludes", others=(_thing(*other),)))
    return found


def _together(patches: Patches, one: Level, other: Level) -> bool:
    try:
        patches.composed((*one.patches, *other.patches))
    except PatchConflict:
        return False
    return True


def _thing(factor: Factor, level: Level) -> str:
    """What constraints call a level."""
    return factor.name if factor.kind == "add" else f"{factor.name}: {level.name}"


def _items(key: str, said: object) -> list[str]:
    items = list(said) if isinstance(said, list | tuple) else [said]
    items = [os.fspath(item) if isinstance(item, os.PathLike) else item for item in items]
    found = [item.strip() for item in items if isinstance(item, str) and item.strip()]
    if not found or len(found) != len(items):
        raise InvalidStudy(
            f"this {key} names nothing",
            value=said,
            expected=_EXPECTED[key],
            # YAML reads 1234567 and 12345e6 as numbers, which lose what was written.
            next_step="Put it in quotes, so that it is read as text."
            if any(isinstance(item, int | float) for item in items)
            else "",
        )
    return found


_EXPECTED = {"patch": 'a file such as fix.diff, or "revert COMMIT"', "commit": "a commit, such as 1a2b3c4"}


def _patch(key: str, said: str, root: Path, folder: Path) -> Patch:
    if key == "commit":
        return _of_commit(said, root, reverse=False)
    if not said.startswith(_REVERT):
        return _of_file(said, folder)
    name = said.removeprefix(_REVERT).strip()
    return _reversed(_of_file(name, folder)) if (folder / name).is_file() else _of_commit(name, root, reverse=True)


def _of_file(name: str, folder: Path) -> Patch:
    try:
        # Every byte as it is: a patch may be of files in any encoding, and carriage returns are part of lines.
        return Patch(name=name, text=(folder / name).read_bytes().decode("utf-8"))
    except OSError as error:
        raise InvalidStudy(
            "a patch cannot be read",
            value=name,
            expected=_EXPECTED["patch"],
            next_step=f"The system says of {folder / name}: {error.strerror}.",
        ) from error
    except UnicodeDecodeError as error:
        raise InvalidStudy("a patch is no text in UTF-8", value=name, expected="the output of `git diff`") from error


def _reversed(patch: Patch) -> Patch:
    """The patch the other way round, as git itself would apply it with --reverse."""
    return Patch(name=f"{_REVERT}{patch.name}", text=patch.text, reverse=True)


def _of_commit(name: str, root: Path, *, reverse: bool) -> Patch:
    try:
        commit = (
            git_output(str(root), "rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}").decode().strip()
        )
        parents = git_output(str(root), "rev-list", "--parents", "-n", "1", commit).decode().split()[1:]
        ends = [parents[0], commit] if parents else ["--root", commit]
        flags = ("-p", "--binary", "--full-index", "--no-renames", "--no-color", "--no-ext-diff", "--no-textconv", "--relative")
        turned = ("-R",) if reverse else ()
        text = git_output(str(root), "diff-tree", "-r", "--no-commit-id", *flags, *turned, *ends)
    except GitFailed as error:
        raise InvalidStudy(
            "the repository has no such commit",
            value=name,
            expected="a commit of the project's repository",
            next_step="`git log --oneline` lists them.",
        ) from error
    if not text:
        raise InvalidStudy("a commit changes nothing below the project's root", value=name, expected=f"a change in {root.name}")
    try:
        return Patch(name=f"{_REVERT if reverse else ''}{commit[:10]}", text=text.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise InvalidStudy("a commit changes text that is not UTF-8", value=name, expected="a commit of files in UTF-8") from error
