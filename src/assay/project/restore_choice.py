"""Which files of a run are put back: its code, and what it loaded, wrote or read by path, as far as the store has it."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from assay.errors import InvalidValue, MissingContent
from assay.lineage.parents import trace_of
from assay.records.canonical import as_named
from assay.records.recipe import Recipe
from assay.records.run import Run
from assay.records.trace import FileUse
from assay.store.store import Store
from assay.store.tree import FileKind, read_tree

Files = Mapping[bytes, tuple[FileKind, str]]


class Chosen(NamedTuple):
    """Files by path relative to the root, and code from beyond the root, which has no place in it."""

    files: Files
    outside: tuple[str, ...] = ()


def choose(store: Store, run: Run, paths: Sequence[str], *, root: Path, cwd: Path) -> Chosen:
    """The whole code of a run, or the files and folders named.

    The code is its tree, with each module as the run really loaded it, those that git ignores included. A name stands for code first, then
    for a file that the run wrote, then for one that it read.

    Args:
        paths: relative to the root, or to `cwd` where that leads below the root; empty: all code and no artifacts.

    Raises:
        MissingContent: the run has no code tree; it has no file of such a name; or the file was not kept, and why.
        InvalidValue: a name leads out of the project.
    """
    trace = trace_of(store, run)
    code = _code(store, run, trace.loaded)
    if not paths:
        return Chosen(code, tuple(use.path for use in trace.loaded if use.path.startswith("/") and use.kept))
    uses = (*trace.read, *trace.written)
    known = {_bytes(use.path): use for use in uses}
    literal = {use.path.encode(): use for use in uses}
    chosen: dict[bytes, tuple[FileKind, str]] = {}
    for path in paths:
        names = _names(path, root, cwd)
        # Somebody may call a file by four characters that also stand for a byte; who names it says which of the two is meant.
        meant = known | {name: literal[name] for name in names if name in literal}
        chosen |= _named(store, run, path, names, code, meant)
    return Chosen(chosen)


def _code(store: Store, run: Run, loaded: Iterable[FileUse]) -> dict[bytes, tuple[FileKind, str]]:
    tree = store.objects.record(run.start.recipe, Recipe).code
    if tree is None:
        raise MissingContent("this run has no code tree", value=run.id, next_step="`assay show` says why, under fidelity.")
    code = read_tree(store.objects, tree)
    for use in loaded:
        path = _bytes(use.path)
        kind = code[path][0] if path in code else "file"
        if not use.path.startswith("/") and use.id is not None and use.id in store.objects and kind != "link":
            code[path] = (kind, use.id)
    return code


def _names(path: str, root: Path, cwd: Path) -> list[bytes]:
    """What a person may mean by a path: as from the root, or as from where they stand."""
    base = os.path.realpath(root)
    meant = os.path.normpath(os.path.join(os.path.realpath(cwd), path))  # noqa: PTH118 - links in the name itself are not followed
    names = [os.path.normpath(path)] if not path.startswith("/") else []
    if (meant + "/").startswith(base + "/"):
        names.append(os.path.relpath(meant, base))
    usable = [os.fsencode(name) for name in dict.fromkeys(names) if name != ".." and not name.startswith("../")]
    if not usable:
        raise InvalidValue(
            "this path leads out of the project",
            value=path,
            expected=f"a path below {base}",
            next_step="`assay restore RUN --to DIR` puts code from beyond the project into a folder of its own.",
        )
    return usable


def _named(store: Store, run: Run, path: str, names: Sequence[bytes], code: Files, known: Mapping[bytes, FileUse]) -> Files:
    lost: FileUse | None = None
    for name in names:
        found = {each: entry for each, entry in code.items() if _is_below(each, name)}
        for each, use in known.items():
            if each in found or not _is_below(each, name) or each.startswith(b"/"):
                continue
            if use.id is not None and use.id in store.objects:
                found[each] = ("file", use.id)
            else:
                lost = use
        if found:
            return found
    if lost is not None:
        raise MissingContent(
            "this file was not kept, so it cannot be put back",
            value=lost.path,
            expected="a file whose content is in the store",
            next_step=f"Its content is {lost.id or 'unknown'}; {lost.note or 'it was only read, and hashed'}.",
        )
    raise MissingContent(
        "neither the code of this run nor what it wrote or read has such a file or folder",
        value=path,
        next_step=f"`assay show {run.id[:8]} --all` names its files.",
    )


def _is_below(path: bytes, name: bytes) -> bool:
    return name == b"." or path == name or path.startswith(name + b"/")


def _bytes(path: str) -> bytes:
    """A path of a trace as the file system has it."""
    return os.fsencode(as_named(path))
