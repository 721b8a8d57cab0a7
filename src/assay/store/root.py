"""Where a project begins, and where its store is."""

# `os.path` and not `Path`: it answers "no" where a folder may not be searched, and leaves "~" alone where a user has no home.
# ruff: noqa: PTH111, PTH112, PTH113

from __future__ import annotations

import os
from pathlib import Path

from assay.errors import InvalidValue

FOLDER = ".assay"


def find_root(start: Path) -> Path:
    """The project's root: the nearest folder upwards with `.assay/`, else the top of the git working tree, else `start` itself.

    The result is absolute, without symbolic links. The root of the file system and the home folder are never a project as a whole,
    whatever they hold: a repository of configuration files in a home folder does not swallow every project below it.

    Args:
        start: folder of the script, or the working directory.

    Raises:
        InvalidValue: `start` is not a folder, or only `/` or the home folder itself could be the root.
    """
    start = Path(os.path.realpath(start))
    if not os.path.isdir(start):
        raise InvalidValue(
            "a project's root is looked for from a folder, and this is none", value=str(start), expected="an existing folder"
        )
    too_wide = {Path(start.anchor), Path(os.path.realpath(os.path.expanduser("~")))}
    folders = [folder for folder in (start, *start.parents) if folder not in too_wide]
    for is_root in (_has_store, _is_git_top):
        for folder in folders:
            if is_root(folder):
                return folder
    if start in too_wide:
        raise InvalidValue(
            "this folder is too wide to be a project as a whole",
            value=str(start),
            expected="a folder of its own for the project",
            next_step="Make a folder for it (`mkdir project`), or run `git init` in the one that holds the script, and start there.",
        )
    return start


def store_folder(root: Path) -> Path:
    """Folder of the store of the project at `root`: `.assay/` in it, or what the variable ASSAY_HOME names (the root stays the root)."""
    chosen = os.environ.get("ASSAY_HOME")
    return Path(os.path.expanduser(chosen)).absolute() if chosen else root / FOLDER


def _has_store(folder: Path) -> bool:
    return os.path.isdir(folder / FOLDER)


def _is_git_top(folder: Path) -> bool:
    # A linked working tree or a submodule has a file `.git`; an empty folder of that name is not a repository.
    return os.path.isfile(folder / ".git") or os.path.isfile(folder / ".git" / "HEAD")
