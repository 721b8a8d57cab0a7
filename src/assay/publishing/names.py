"""Under which name a content lies in a bundle: one that a person knows where there is one, else its id."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath
from typing import NamedTuple

from assay.publishing.contents import Contents
from assay.records.run import Run
from assay.store.store import Store
from assay.store.tree import read_tree

_LONGEST = 200  # bytes of a name that every file system takes


class Named(NamedTuple):
    """Names in a bundle.

    Attributes:
        objects: content id to the member that holds it.
        copies: further member to the content that lies there once more: small files of the code, so that its folder is whole.
    """

    objects: dict[str, str]
    copies: dict[str, str]


def name_contents(store: Store, contents: Contents, runs: Mapping[str, Run]) -> Named:
    """A name for every content. Code is that of the first run; inputs and outputs are named run by run, the first that has one counts.

    Raises:
        MissingContent, StoreDamaged: the code of the first run cannot be read.
    """
    objects: dict[str, str] = {}
    copies: dict[str, str] = {}
    taken: set[str] = set()
    for member, content_id in (*_code(store, contents), *_used(contents, len(runs) > 1)):
        if content_id not in contents.objects or not _is_plain(member) or member.lower() in taken:
            continue
        if content_id not in objects:
            objects[content_id] = member
        elif member.startswith("code/"):
            copies[member] = content_id
        else:
            continue
        taken.add(member.lower())
    for content_id in sorted(contents.objects):
        objects.setdefault(content_id, f"store/objects/{content_id[:2]}/{content_id[2:]}")
    return Named(objects, copies)


def _code(store: Store, contents: Contents) -> Iterator[tuple[str, str]]:
    first = next(iter(contents.recipes.values()))
    if first.code is None or first.code not in contents.objects:
        return
    for path, (kind, content_id) in sorted(read_tree(store.objects, first.code).items()):
        if kind != "link":
            yield f"code/{path.decode('utf-8', 'backslashreplace')}", content_id


def _used(contents: Contents, several: bool) -> Iterator[tuple[str, str]]:
    for run_id, trace in contents.traces.items():
        outputs = f"outputs/{run_id}" if several else "outputs"
        for use in (*trace.read, *trace.loaded):
            if use.id is not None:
                yield _below("inputs", use.path), use.id
        for use in trace.written:
            if use.id is not None:
                yield _below(outputs, use.path), use.id


def _below(folder: str, path: str) -> str:
    return f"{folder}/outside{path}" if path.startswith("/") else f"{folder}/{path}"


def _is_plain(member: str) -> bool:
    """Whether every file system and every reader of zips takes this name for what it is."""
    parts = PurePosixPath(member).parts
    plain = "/".join(parts) == member and ".." not in parts and member.isprintable() and not set(member) & set('\\:*?"<>|')
    return plain and all(len(part.encode("utf-8", "surrogateescape")) <= _LONGEST for part in parts)
