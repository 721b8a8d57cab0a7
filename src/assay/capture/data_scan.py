"""The files of a data set as they lie on the disk: one stat record each, and what is known of those that did not change."""

# Paths are bytes here: a data set may have a million files, with names that need not be valid Unicode.
# ruff: noqa: PTH208

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from typing import NamedTuple

from assay.capture.data_known import NO_DATA, Known, Remembered
from assay.capture.watch import mark
from assay.store.tree import FileKind

Files = dict[bytes, Mapping[bytes, Known]]
"""Folder, relative to the data set ("" for itself), to what is known of the files and links in it, by name."""


class Fresh(NamedTuple):
    """A file that has to be read, or a link (`is_link`) that stands for itself."""

    folder: bytes
    name: bytes
    is_link: bool


class Scan(NamedTuple):
    """What lies in a folder.

    Attributes:
        files: what did not change since it was read.
        opened: those folders of `files` of which the records alone did not tell that nothing changed; what is read is added to them.
        fresh: what is new or may have changed.
        left_out: path to the reason, for what is no data or stands for something else than a reader gets.
        same: whether everything is as it was known: nothing fresh, nothing gone.
    """

    files: Files
    opened: dict[bytes, dict[bytes, Known]]
    fresh: list[Fresh]
    left_out: dict[str, str]
    same: bool


def scan(base: bytes, known: Mapping[bytes, Mapping[bytes, Known]]) -> Scan:
    """Look at every file below a folder. A link to a file stands for the file; a link to anything else stands for itself.

    Raises:
        OSError: the folder itself cannot be read.
    """
    found = Scan({}, {}, [], {}, same=False)
    waiting = [b""]
    while waiting:
        path = waiting.pop()
        looking = _Looking(found, path, known.get(path, {}))
        try:
            waiting += looking.through(base + b"/" + path if path else base)
        except OSError as error:
            if not path:
                raise
            found.left_out[readable(path) + "/"] = f"the folder cannot be read ({error.strerror})"
    return found._replace(same=not found.fresh and _as_many(found.files, known))


def readable(path: bytes) -> str:
    """A path as records hold it: bytes that are not UTF-8 as `\\xNN`."""
    return path.decode("utf-8", "backslashreplace")


def known_of(found: os.stat_result, moment: int, kind: FileKind, content_id: str, why: str = "") -> Known:
    """What is known of a file whose stat record was taken at `moment` (nanoseconds since 1970) or later, before it was read."""
    made = mark(found, moment)
    return Known(made.mtime, made.ctime, made.size, made.inode, made.settled, kind, content_id, why)


def kind_of(found: os.stat_result) -> FileKind:
    """The kind that a regular file has in a tree."""
    return "exec" if found.st_mode & stat.S_IXUSR else "file"


class _Looking:
    """A look at one folder, whose files are added to what a scan has found."""

    def __init__(self, found: Scan, path: bytes, known: Mapping[bytes, Known]) -> None:
        self._found = found
        self._path = path
        self._known = known
        self._files = found.files[path] = found.opened[path] = {}

    def through(self, full: bytes) -> list[bytes]:
        """The folders in the folder at `full`, after everything else in it was looked at."""
        below: list[bytes] = []
        known, files = self._known, self._files
        folder = os.open(full, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            same = known.below(folder, full) if isinstance(known, Remembered) else None
            if same is not None:
                self._found.files[self._path] = known
                return [self._path + b"/" + name if self._path else name for name in same]
            for name in os.listdir(full):
                # All of this in one place, and by the folder's descriptor: it is done a million times for a million files.
                try:
                    now = os.stat(name, dir_fd=folder, follow_symlinks=False)
                except OSError:
                    continue  # it vanished since the folder was listed
                before = known.get(name)
                if not stat.S_ISREG(now.st_mode):
                    below += self._look(folder, name, now, before)
                elif before is not None and before.matches(now) and before.kind != "link":
                    files[name] = before
                else:
                    self._found.fresh.append(Fresh(self._path, name, is_link=False))
        finally:
            os.close(folder)
        return below

    def _look(self, folder: int, name: bytes, now: os.stat_result, before: Known | None) -> list[bytes]:
        """Note what is no file; it itself, where it is a folder to look into."""
        path = self._path + b"/" + name if self._path else name
        if stat.S_ISDIR(now.st_mode):
            if name in NO_DATA:
                self._found.left_out[readable(path) + "/"] = NO_DATA[name]
            return [path] if name not in NO_DATA else []
        if not stat.S_ISLNK(now.st_mode):
            self._found.left_out[readable(path)] = "neither a file, a folder nor a link"
            return []
        target = _file_behind(folder, name)
        if target is None:
            self._found.left_out[readable(path)] = "a link that leads to no file: kept as a link, and not followed"
        if before is not None and (before.kind == "link") is (target is None) and before.matches(target or now):
            self._files[name] = before
        else:
            self._found.fresh.append(Fresh(self._path, name, is_link=target is None))
        return []


def _file_behind(folder: int, name: bytes) -> os.stat_result | None:
    """The stat record of the file that a link leads to; None where it leads to none."""
    try:
        found = os.stat(name, dir_fd=folder)
    except OSError:
        return None  # it leads nowhere, to itself, or into a folder that may not be entered
    return found if stat.S_ISREG(found.st_mode) else None


def _as_many(files: Files, known: Mapping[bytes, Mapping[bytes, Known]]) -> bool:
    """Whether each folder has as many files as before; folders without any do not count."""
    nothing: Mapping[bytes, Known] = {}
    pairs = [(files.get(path, nothing), known.get(path, nothing)) for path in files.keys() | known.keys()]
    return all(now is before or len(now) == len(before) for now, before in pairs)
