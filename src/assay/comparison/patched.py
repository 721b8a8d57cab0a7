"""What was patched between a run and the one that goes on from it: files of the code, in a line each, and the text."""

from __future__ import annotations

from typing import Literal

from assay.capture.notebooks import SUFFIX
from assay.comparison.diff import Facts, runs_the_same, show_path
from assay.comparison.notebooks import cells_patch
from assay.comparison.patch import patch_of_trees
from assay.errors import AssayError
from assay.lineage.parents import parents_of
from assay.records.canonical import Record
from assay.records.run import Run
from assay.store.objects import Objects
from assay.store.store import Store

_LARGEST = 1 << 20
_Tree = dict[bytes, tuple[str, str]]


class FileChange(Record, frozen=True, kw_only=True):
    """One file of the code that differs: lines that were added and removed; None where it is no text, or cannot be read any more.

    Of a notebook, the lines are those of its code cells; one that differs in nothing that is run is no change.
    """

    path: str
    how: Literal["added", "removed", "changed"]
    added: int | None = None
    removed: int | None = None


class Patched(Record, frozen=True, kw_only=True):
    """The code of `run` against that of its parent: every file that differs."""

    parent: str
    run: str
    files: tuple[FileChange, ...] = ()


def patched(store: Store, parent: Run, run: Run) -> Patched:
    """What was patched between two runs: in the code tree, and in modules that were loaded from outside it.

    Raises:
        MissingContent: a record of either run is not in this store.
    """
    before, after = _code(Facts(store, parent)), _code(Facts(store, run))
    # What leads from one to the other is lineage, though a small checkpoint lies among the code.
    led = {each.path.encode() for each in run.parents if each.run == parent.id}
    # A module that only one of them happened to load was not patched.
    shared = {path for path in before.keys() | after.keys() if not _is_outside(path) or path in before.keys() & after.keys()}
    changed = sorted(path for path in shared if before.get(path) != after.get(path) and path not in led)
    files = tuple(
        _change(store.objects, path, before.get(path), after.get(path))
        for path in changed
        if not _runs_the_same(store.objects, path, before.get(path), after.get(path))
    )
    return Patched(parent=parent.id, run=run.id, files=files)


def patch_text(store: Store, parent: Run, run: Run) -> str:
    """The same as a patch that `git apply` takes in the project's root; modules outside of it are left out.

    Raises:
        MissingContent: the content of a file is not in this store.
    """
    before, after = (_inside(_code(Facts(store, each))) for each in (parent, run))
    return patch_of_trees(store.objects, before, after)


def patched_since(store: Store, run: Run) -> list[Patched]:
    """What was patched since each run that this one goes on from, or that it read from with the same root; parents that are gone are left out."""
    found = []
    for parent_id in dict.fromkeys(parent.run for parent in parents_of(store, run) if parent.by in ("resume", "read")):
        try:
            parent = store.runs.read(parent_id)
            if parent.start.root == run.start.root:
                found.append(patched(store, parent, run))
        except AssayError:
            continue  # a parent that was removed, or whose records are elsewhere, has nothing to be compared with
    return found


def _code(facts: Facts) -> _Tree:
    """The code tree with what was really loaded in place of what the snapshot had."""
    found: _Tree = dict(facts.tree)
    names = {show_path(path): path for path in found}
    for use in facts.trace.loaded:
        path = names.get(use.path, use.path.encode())
        if use.id is not None and use.kept and (path not in found or found[path][0] != "link"):
            found[path] = (found[path][0] if path in found else "file", use.id)
    return found


def _is_outside(path: bytes) -> bool:
    return path.startswith(b"/")


def _inside(tree: _Tree) -> _Tree:
    return {path: entry for path, entry in tree.items() if not _is_outside(path)}


def _runs_the_same(objects: Objects, path: bytes, a: tuple[str, str] | None, b: tuple[str, str] | None) -> bool:
    return a is not None and b is not None and a[0] == b[0] and runs_the_same(objects, show_path(path), a[1], b[1])


def _change(objects: Objects, path: bytes, before: tuple[str, str] | None, after: tuple[str, str] | None) -> FileChange:
    how: Literal["added", "removed", "changed"] = "added" if before is None else "removed" if after is None else "changed"
    counts = _counts(objects, path, before, after)
    return FileChange(path=show_path(path), how=how, added=counts[0], removed=counts[1])


def _counts(
    objects: Objects, path: bytes, before: tuple[str, str] | None, after: tuple[str, str] | None
) -> tuple[int, int] | tuple[None, None]:
    try:
        cells = (
            cells_patch(objects, show_path(path), before[1], after[1])
            if before and after and path.endswith(SUFFIX.encode())
            else ""
        )
        text = cells or patch_of_trees(objects, {path: before} if before else {}, {path: after} if after else {})
    except AssayError:
        return None, None
    if "\nGIT binary patch\n" in text or len(text) > _LARGEST:
        return None, None
    body = text.partition("\n@@")[2].split("\n")
    return sum(line.startswith("+") for line in body), sum(line.startswith("-") for line in body)
