"""Differences of code: file by file, on demand hunk by hunk."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath
from typing import NamedTuple

import msgspec

from assay.capture.data_rows import is_table
from assay.comparison.diff import show_path
from assay.execution.again import Original
from assay.questions.why.flips import Flip, Variant
from assay.questions.why.links import Links
from assay.records.trace import FileUse, Trace
from assay.store.store import Store
from assay.store.tree import FileKind, read_tree, write_tree

_UNUSED = "neither run loaded or read it"
_UNWATCHED = 0.1
"""Weight of a file that no run was seen to use, where a run was not watched throughout."""
_MOST_LINES = 20_000
Entry = tuple[FileKind, str]


class _Hunk(NamedTuple):
    """A run of lines that differ: `start` to `stop` of the good file become `lines`."""

    number: int
    start: int
    stop: int
    lines: tuple[bytes, ...]


class CodePart:
    """Files of the code tree that differ, as they were really loaded and read.

    Args:
        store: has both trees.
        good, bad: the runs.
        hunks: split a changed text into the groups of lines that changed; tables, and files whose lines are not comparable, stay one flip.
        skipped: paths that another part flips.

    Attributes:
        paths: all paths of both trees, as traces have them, those through links included.
    """

    def __init__(
        self, store: Store, good: Original, bad: Original, *, hunks: bool = False, skipped: frozenset[bytes] = frozenset()
    ) -> None:
        self._store = store
        self._a, self._b = _as_used(store, good), _as_used(store, bad)
        self.paths = {show_path(path) for path in (*self._a, *self._b)}
        reached = _reached(store, good, self._a) | _reached(store, bad, self._b)
        used = {path for pair in reached for path in pair}
        # What was opened through a link of the tree is a file of the tree under another name.
        self.paths |= {opened for opened, path in reached if path in self.paths}
        watched = all(_is_watched(each) for each in (good, bad))
        self._hunks: dict[str, tuple[bytes, _Hunk]] = {}
        self.flips: list[Flip] = []
        for path in sorted(self._a.keys() | self._b.keys()):
            a, b = self._a.get(path), self._b.get(path)
            if a != b and path not in skipped:
                weight = 1.0 if show_path(path) in used else _UNWATCHED
                idle = _UNUSED if watched and show_path(path) not in used and not _may_act_unseen(path) else ""
                self.flips += self._of_file(path, a, b, weight, idle, hunks)

    def apply(self, variant: Variant, bad: frozenset[str]) -> Variant:
        """The variant with the code tree of the combination; what was loaded or read of the tree is what stands in it."""
        mixed = dict(self._a)
        parted: dict[bytes, list[_Hunk]] = {}
        for flip in self.flips:
            # What cannot act is left as it is in the good run.
            if flip.key not in bad:
                continue
            hunk = self._hunks.get(flip.key)
            if hunk is not None:
                parted.setdefault(hunk[0], []).append(hunk[1])
            else:
                _set(mixed, flip.name.encode("utf-8", "surrogateescape"), self._b)
        for path, chosen in parted.items():
            mixed[path] = (self._a[path][0], self._with_hunks(path, chosen))
        tree = write_tree(self._store.objects, mixed)
        original = variant.original
        return variant._replace(
            original=original._replace(
                code=tree,
                recipe=msgspec.structs.replace(original.recipe, code=tree),
                trace=without(original.trace, self.paths),
            )
        )

    def _of_file(self, path: bytes, a: Entry | None, b: Entry | None, weight: float, idle: str, hunks: bool) -> Iterator[Flip]:
        name = show_path(path)
        # Rows of a table are no changes of their own: most of them act together, each by a little.
        found = self._split(path, a, b) if hunks and not idle and not is_table(name) else []
        if len(found) < 2:
            yield Flip("code", name, _shown(a), _shown(b), weight, idle=idle)
            return
        for hunk in found:
            flip = Flip("code", f"{name}:{hunk.start + 1}", *self._lines_of(path, hunk), weight)
            self._hunks[flip.key] = (path, hunk)
            yield flip

    def _split(self, path: bytes, a: Entry | None, b: Entry | None) -> list[_Hunk]:
        if a is None or b is None or a[0] != b[0] or a[0] == "link":
            return []
        before, after = (self._store.objects.get(entry[1]).splitlines(keepends=True) for entry in (a, b))
        if max(len(before), len(after)) > _MOST_LINES or any(b"\0" in line for line in (*before, *after)):
            return []
        matcher = difflib.SequenceMatcher(None, before, after, autojunk=False)
        changed = [opcode for opcode in matcher.get_opcodes() if opcode[0] != "equal"]
        return [
            _Hunk(number, start, stop, tuple(after[first:last])) for number, (_, start, stop, first, last) in enumerate(changed)
        ]

    def _lines_of(self, path: bytes, hunk: _Hunk) -> tuple[str | None, str | None]:
        before = self._store.objects.get(self._a[path][1]).splitlines(keepends=True)[hunk.start : hunk.stop]
        return tuple(b"".join(side).decode("utf-8", "replace").rstrip("\n") or None for side in (before, hunk.lines))  # type: ignore[return-value]

    def _with_hunks(self, path: bytes, chosen: list[_Hunk]) -> str:
        lines = self._store.objects.get(self._a[path][1]).splitlines(keepends=True)
        for hunk in sorted(chosen, key=lambda each: each.number, reverse=True):
            lines[hunk.start : hunk.stop] = hunk.lines
        return self._store.objects.put(b"".join(lines))


def _as_used(store: Store, side: Original) -> dict[bytes, Entry]:
    """The tree with what the run really loaded and read of it, where that differs: it was edited after the snapshot."""
    tree = read_tree(store.objects, side.code)
    names = {show_path(path): path for path in tree}
    for use in (*side.trace.loaded, *side.trace.read):
        path = names.get(use.path)
        if path is not None and use.id and use.id != tree[path][1] and tree[path][0] != "link" and use.id in store.objects:
            tree[path] = (tree[path][0], use.id)
    # Modules of the project that git ignores are loaded all the same.
    for use in side.trace.loaded:
        if use.path not in names and not PurePosixPath(use.path).is_absolute() and use.id and use.id in store.objects:
            tree[use.path.encode("utf-8", "surrogateescape")] = ("file", use.id)
    return tree


def _reached(store: Store, side: Original, tree: Mapping[bytes, Entry]) -> set[tuple[str, str]]:
    """Every path that a run loaded or read, and the one where it ends."""
    links = Links(store.objects, tree)
    return {(use.path, links.resolved(use.path)) for use in (*side.trace.loaded, *side.trace.read)}


def _is_watched(side: Original) -> bool:
    result = side.run.result
    return result is not None and result.trace is not None and result.fidelity.grade != "blind" and not _gaps(side)


def _gaps(side: Original) -> bool:
    """Whether something may have read files of the project unseen."""
    result = side.run.result
    return result is not None and any(gap.what.startswith(("reads", "child")) for gap in result.fidelity.missing)


def _may_act_unseen(path: bytes) -> bool:
    """Whether a file acts without being opened by the interpreter that is watched: native code and scripts of other languages."""
    return PurePosixPath(show_path(path)).suffix in (".so", ".pyd", ".sh", ".c", ".cpp", ".cu", ".pth")


def _set(mixed: dict[bytes, Entry], path: bytes, other: Mapping[bytes, Entry]) -> None:
    if path in other:
        mixed[path] = other[path]
    else:
        mixed.pop(path, None)


def without(trace: Trace, paths: set[str]) -> Trace:
    """The trace without what was loaded and read at these paths: there, what stands in the tree is used."""

    def rest(uses: tuple[FileUse, ...]) -> tuple[FileUse, ...]:
        return tuple(use for use in uses if use.path not in paths)

    return msgspec.structs.replace(trace, loaded=rest(trace.loaded), read=rest(trace.read))


def _shown(entry: Entry | None) -> str | None:
    return None if entry is None else entry[1] if entry[0] == "file" else f"{entry[0]} {entry[1]}"
