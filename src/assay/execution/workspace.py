"""A folder of a trial's own: the project's code as it was when the study began, and the files that the trial needs beside it."""

from __future__ import annotations

import fcntl
import os
import re
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from assay.capture.code_secrets import fill_in
from assay.errors import InputChanged
from assay.store.objects import Objects, hash_file
from assay.store.process import owned_name, surely_dead
from assay.store.tree import restore_tree

_FICLONE = 0x40049409  # ioctl that shares extents between two files (linux/fs.h)


@contextmanager
def workspace(objects: Objects, tree: str, root: Path, files: Mapping[str, str]) -> Iterator[Path]:
    """A fresh folder with a code tree and files of the project in it; gone when the block ends. Secrets, which no tree has, are the project's.

    It lies in the user's cache folder, beside Assay's own: what is below that or below the store is never part of a trace. Nothing in it
    is a link through which the project could be written.

    Args:
        objects: has the code.
        tree: id of the code tree.
        root: the user's project, where `files` are taken from.
        files: path relative to the root, to the content id that it must have.

    Raises:
        InputChanged: a file no longer has its content.
        OSError: the folder cannot be written.
    """
    place = _folder_of_workspaces()
    folder = place / owned_name()
    folder.mkdir(parents=True)
    try:
        restore_tree(objects, tree, folder)
        fill_in(objects, tree, folder, (root,))
        for path, content in files.items():
            if not (folder / path).exists():
                copy_checked(root / path, folder / path, content)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def copy_checked(source: Path, target: Path, content: str) -> None:
    """Make `target` a file of its own with the content of `source`, which is checked in the copy: extents are shared where they can be.

    Raises:
        InputChanged: the content is another, or the file is gone.
        OSError: `target` cannot be written.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        with source.open("rb") as reading, target.open("wb") as writing:
            try:
                fcntl.ioctl(writing.fileno(), _FICLONE, reading.fileno())
            except OSError:  # another file system, or one that cannot share
                shutil.copyfileobj(reading, writing, 1 << 20)
        shutil.copymode(source, target)
    except FileNotFoundError:
        found = None
    else:
        found = hash_file(target)
    if found != content:
        raise InputChanged(
            "a file that the trials need has changed since the study began",
            value=str(source),
            expected=f"content {content[:16]}",
            next_step="Run the study again: trials that have finished with the old content are then not reused.",
        )


def in_project(text: str, root: Path) -> str:
    """The text with paths in folders of trials, which are gone by now, as the project's own."""
    places = {str(_folder_of_workspaces()), os.path.realpath(_folder_of_workspaces())}
    return re.sub(rf"(?:{'|'.join(map(re.escape, places))})/[^/\s'\"]+", lambda _: str(root), text)


def remove_dead_workspaces() -> None:
    """Remove the folders of trials whose process was killed."""
    place = _folder_of_workspaces()
    for folder in place.iterdir() if place.is_dir() else ():
        if surely_dead(folder.name):
            shutil.rmtree(folder, ignore_errors=True)


def _folder_of_workspaces() -> Path:
    cache = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(cache).expanduser() / "assay-trials"
