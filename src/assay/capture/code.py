"""The code of a project as it is now: captured whole into the store, without asking anything of the user's repository.

What is captured is what `assay.capture.listing` lists, each file up to 1 MiB, links as links. A file whose stat record proves that
it is unchanged is not read again; everything else is, so an edit made just before a snapshot is always in it.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Final, Literal, NamedTuple

import msgspec

from assay.capture.code_file import CodeFile, read_code_file
from assay.capture.code_secrets import left_out_of
from assay.capture.git import is_blob
from assay.capture.keep_out import KEPT_OUT, KeepOut
from assay.capture.listing import Listing, make_listing
from assay.capture.own_files import OWN, own_files
from assay.capture.stat_cache import KeptCopy
from assay.records.run import Git
from assay.store.objects import Objects
from assay.store.store import Store
from assay.store.tree import FileKind, write_tree

_NAMED: Final = 1000  # entries of `left_out`; those beyond are counted
_WORTH_KEEPING: Final = 8  # files read anew before the kept copy is written again: reading fewer costs less than writing it
_KEPT_EVERY: Final = 1.0  # seconds

ListingSource = Literal["held", "loaded", "made"]


class Snapshot(NamedTuple):
    """The code tree at one moment.

    Attributes:
        tree: id of the tree, which is in the store with all its files.
        files: path relative to the root (identity.md: text with "/") to content id.
        left_out: what the tree does not hold, with the reason: files, folders with a closing "/", groups of files with a closing "*"; of files
            that it holds, secrets.
        git: where the repository stood; None outside git. Dirty where the commit alone would not give this tree.
        stats: path to (size in bytes, modification time in nanoseconds) as the content was seen, so that it need not be hashed again.
    """

    tree: str
    files: Mapping[str, str]
    left_out: dict[str, str]
    git: Git | None
    stats: Mapping[str, tuple[int, int]] = MappingProxyType({})


class CodeCapture:
    """Snapshots of the project at `root` into `store`.

    All captures of one store and root in a process share what they learnt. Safe to use from threads and in forked children.
    """

    def __init__(self, store: Store, root: Path) -> None:
        self._store = store
        self._root = os.path.realpath(root)
        self._where = os.path.realpath(store.path)

    def snapshot(self) -> Snapshot:
        """The working tree as it is now; every edit made before the call is in it. An unchanged tree has the same id and writes nothing.

        Raises:
            StoreUnusable: the store cannot take the files.
        """
        key = (self._where, self._root)
        memory = _memories.get(key) or _memories.setdefault(key, _Memory(self._root, self._where))
        with memory.lock:
            return memory.snapshot(self._store)


class _Kept(msgspec.Struct, array_like=True):
    """What one process leaves for the next."""

    listing: Listing
    known: dict[str, CodeFile]
    edited: dict[str, tuple[str, str]]


class _Memory:
    """What this process knows of one project: its listing, its files, and the last snapshot made of them."""

    def __init__(self, root: str, where: str) -> None:
        self.lock = threading.Lock()
        self._root = root
        self._where = where
        self._copy = KeptCopy("code-2", [root, where])
        self._listing = Listing()
        self._known: dict[str, CodeFile] = {}
        # Tracked files that are no longer what git called clean when the listing was made: kind and content id of the clean ones.
        self._edited: dict[str, tuple[str, str]] = {}
        self._stored: set[str] = set()  # contents that this process saw in the store
        self._paths: list[tuple[str, str]] = []  # relative and absolute
        self._written: set[str] = set()
        self._own: set[str] = set()
        self._rules = KeepOut()
        self._withheld: set[str] = set()
        self._tracked: set[str] = set()
        self._absent: set[str] = set()
        self._doubtful = False  # whether git has to be asked again to tell if the tree is dirty
        self._left_out: dict[str, str] = {}
        self._entries: dict[bytes, tuple[FileKind, str]] = {}
        self._last: Snapshot | None = None
        self._worth_keeping = 0
        self._keep_after = 0.0

    def snapshot(self, store: Store) -> Snapshot:
        if self._last is not None and not store.objects.renew(self._last.tree):
            self._last = None  # somebody removed the store, and all that this process had put into it
            self._stored.clear()
        source = self._renew_listing()
        chosen = self._choose(store, source)
        absent, read = self._look(store.objects, source)
        if self._doubtful:
            source = self._list_anew()
            chosen = self._choose(store, source)
            absent, read = self._look(store.objects, source)
        if self._last is None or chosen or absent != self._absent:
            self._absent = absent
            last = self._whole(store.objects)
        elif read:
            last = self._with_changes(store.objects, self._last, read)
        else:
            last = self._last
        self._last = last._replace(git=self._git(), left_out=_bounded(self._left_out))
        self._keep(source)
        return self._last

    def _renew_listing(self) -> ListingSource:
        """Make sure that there is a listing, and that it holds."""
        source: ListingSource = "held"
        if not self._listing.moment:
            kept = self._copy.load(_Kept)
            if kept is None:
                return self._list_anew()
            self._listing, self._known, self._edited = kept.listing, kept.known, kept.edited
            source = "loaded"
        return source if self._listing.holds(self._root, self._where) else self._list_anew()

    def _list_anew(self) -> ListingSource:
        self._listing = make_listing(self._root, self._where)
        self._edited = {}
        self._doubtful = False
        return "made"

    def _choose(self, store: Store, source: ListingSource) -> bool:
        """Settle which of the listed files count; whether these may be others than before."""
        others = self._listing.others
        written = store.catalogue.written_among(map(path_text, others)) if others else set[str]()
        kept_out = {path for path in others if path_text(path) in written} if written else set[str]()
        rules = KeepOut.read(self._root)
        if source == "held" and kept_out == self._written and rules == self._rules:
            return False
        self._written, self._rules = kept_out, rules
        listed = (*self._listing.settled, *others)
        self._withheld = {path for path in listed if path not in kept_out and rules.reason(path)} if rules.rules else set()
        # A folder that gets or loses one is listed anew, so that what is held still holds for them.
        self._own = self._own if source == "held" else own_files(self._root, listed).intersection(listed) - kept_out
        kept_out = kept_out | self._withheld | self._own
        self._tracked = set(self._listing.settled)
        base = self._root + "/"
        self._paths = [(path, base + path) for path in (*self._listing.settled, *others) if path not in kept_out]
        return True

    def _look(self, objects: Objects, source: ListingSource) -> tuple[set[str], list[str]]:
        """Read every file that may have changed: the paths that are not there, and those that were read."""
        moment = time.time_ns()
        known, lstat = self._known, os.lstat
        absent: set[str] = set()
        read: list[str] = []
        for path, full in self._paths:
            try:
                found = lstat(full)
            except OSError:
                absent.add(path)
                continue
            before = known.get(path)
            if before is not None and before.mark.matches(found):
                continue
            known[path] = after = read_code_file(objects, path, full, found, moment)
            read.append(path)
            if source != "made" and path in self._tracked:
                self._compare_with_clean(objects, path, before, after)
        self._worth_keeping += len(read)
        return absent, read

    def _compare_with_clean(self, objects: Objects, path: str, before: CodeFile | None, after: CodeFile) -> None:
        """Note whether a tracked file that was read again is what git called clean; git is asked again only where that is in doubt."""
        if before is not None and before.same(after) and after.id:
            return
        if before is None or not before.id or not after.id:
            self._doubtful = True
        elif path in self._listing.unstaged:
            if is_blob(objects.get(after.id), after.kind, self._listing.unstaged[path]):
                del self._listing.unstaged[path]
            else:
                self._doubtful = self._doubtful or self._listing.converts
        else:
            clean = self._edited.pop(path, (before.kind, before.id))
            if clean != (after.kind, after.id):
                self._edited[path] = clean

    def _git(self) -> Git | None:
        """Where the repository stands. An index, an edit, a file that is not tracked or one that vanished makes it dirty."""
        listing = self._listing
        if listing.git is None:
            return None
        untracked = len(listing.others) > len(self._written) + len(self._own - self._tracked)
        dirty = (
            listing.staged
            or bool(listing.unstaged)
            or bool(self._edited)
            or untracked
            or not self._tracked.isdisjoint(self._absent)
        )
        return Git(commit=listing.git.commit, branch=listing.git.branch, dirty=dirty)

    def _whole(self, objects: Objects) -> Snapshot:
        """A snapshot made of all files; each content that this process has not seen in the store is looked for."""
        self._entries, self._left_out = {}, dict(self._listing.left_out)
        self._left_out |= {path_text(path): "written by a former run" for path in self._written}
        self._left_out |= {path_text(path): OWN for path in self._own}
        self._left_out |= {path_text(path): KEPT_OUT for path in self._withheld}
        files: dict[str, str] = {}
        stats: dict[str, tuple[int, int]] = {}
        known, absent = self._known, self._absent
        missing = objects.missing({known[path].id for path, _ in self._paths if path not in absent} - self._stored - {""})
        for path, full in self._paths:
            if path in absent:
                continue
            if known[path].id in missing:
                self._read_again(objects, path, full)
            self._place(path, files, stats)
        return Snapshot(write_tree(objects, self._entries), files, {}, None, stats)

    def _read_again(self, objects: Objects, path: str, full: str) -> None:
        """Put a file into the store whose content another process, or this one before the store was removed, had put there."""
        try:
            self._known[path] = read_code_file(objects, path, full, os.lstat(full), 0)
        except FileNotFoundError:
            self._known[path] = msgspec.structs.replace(self._known[path], id="", reason="vanished while it was read")

    def _with_changes(self, objects: Objects, last: Snapshot, read: list[str]) -> Snapshot:
        """A snapshot that differs from the last one in the files that were read at most."""
        files, stats = dict(last.files), dict(last.stats)
        different = [path for path in read if self._place(path, files, stats)]
        return Snapshot(write_tree(objects, self._entries) if different else last.tree, files, {}, None, stats)

    def _place(self, path: str, files: dict[str, str], stats: dict[str, tuple[int, int]]) -> bool:
        """Enter what is known of a file; whether the tree changes by it."""
        known, name = self._known[path], path_text(path)
        key = path.encode() if path.isascii() else os.fsencode(path)  # of most the first, which takes a third of the time
        before = self._entries.get(key)
        if known.reason:
            self._entries.pop(key, None)
            files.pop(name, None)
            stats.pop(name, None)
            self._left_out[name] = known.reason
            return before is not None
        self._left_out.pop(name, None)
        if known.secrets:
            self._left_out[name] = left_out_of(known.secrets)
        self._stored.add(known.id)
        self._entries[key] = (known.kind, known.id)
        files[name] = known.id
        stats[name] = (known.mark.size, known.mark.mtime)
        return before != (known.kind, known.id)

    def _keep(self, source: ListingSource) -> None:
        """Leave what was learnt for the next process, where it would save more than the writing costs."""
        if source == "made":
            self._worth_keeping += _WORTH_KEEPING
        now = time.monotonic()
        if self._worth_keeping < _WORTH_KEEPING or now < self._keep_after:
            return
        known = {path: self._known[path] for path, _ in self._paths if path in self._known}
        self._copy.save(_Kept(listing=self._listing, known=known, edited=self._edited))
        self._known = known
        self._worth_keeping = 0
        self._keep_after = now + _KEPT_EVERY


def path_text(path: str) -> str:
    """A path as text for records: bytes that are not UTF-8 stand as `\\xNN` (identity.md)."""
    return path if path.isascii() else path.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def _bounded(left_out: dict[str, str]) -> dict[str, str]:
    if len(left_out) <= _NAMED:
        return dict(left_out)
    named = dict(list(left_out.items())[:_NAMED])
    return named | {"*": f"and {len(left_out) - _NAMED} more that are not named here"}


_memories: dict[tuple[str, str], _Memory] = {}
# A lock that another thread held while this process was forked would never be released in the child.
os.register_at_fork(after_in_child=_memories.clear)
