"""What lies in the folder of objects, as the disk has it: for those who look after a store, not for those who read from it."""

# Paths are text here: a store holds hundreds of thousands of objects.
# ruff: noqa: PTH118, PTH208

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from assay.errors import StoreDamaged
from assay.records.canonical import decode
from assay.store.failures import unusable, using
from assay.store.parts import SUFFIX, Parts

SHARDS = tuple(f"{number:02x}" for number in range(256))
_DIGITS = frozenset("0123456789abcdef")


class Stored(NamedTuple):
    """One object: bytes of its file, when that was last written or used again (seconds since 1970), and whether it is a list of parts."""

    size: int
    modified: float
    in_parts: bool = False


def is_content_id(text: str) -> bool:
    """Whether the text has the form of a content's id."""
    return len(text) == 64 and _DIGITS.issuperset(text)


def object_path(store: Path, content_id: str, *, in_parts: bool = False) -> Path:
    """The file that an object is, or would be."""
    return store / "objects" / content_id[:2] / (content_id[2:] + (SUFFIX if in_parts else ""))


def inventory(store: Path, shards: Iterable[str] = SHARDS) -> dict[str, Stored]:
    """The objects of a store by id; where one is there whole and in parts, the whole counts.

    Args:
        store: the store's folder.
        shards: the first two digits of the ids that are asked for.

    Raises:
        StoreUnusable: a folder cannot be read.
    """
    found: dict[str, Stored] = {}
    for shard in shards:
        for entry in _entries(store, shard):
            in_parts = entry.name.endswith(SUFFIX)
            content_id = shard + entry.name.removesuffix(SUFFIX)
            if not is_content_id(content_id) or (in_parts and content_id in found):
                continue
            try:
                status = entry.stat(follow_symlinks=False)
            except FileNotFoundError:
                continue  # collected since the folder was listed
            found[content_id] = Stored(status.st_size, status.st_mtime, in_parts)
    return found


def strangers(store: Path) -> list[str]:
    """Paths in the folder of objects that no object can have, relative to the store.

    Raises:
        StoreUnusable: a folder cannot be read.
    """
    with using(store):
        folders = set(os.listdir(store / "objects"))
    found = [f"objects/{name}" for name in folders - set(SHARDS)]
    for shard in sorted(folders & set(SHARDS)):
        names = (entry.name for entry in _entries(store, shard))
        found.extend(f"objects/{shard}/{name}" for name in names if not is_content_id(shard + name.removesuffix(SUFFIX)))
    return sorted(found)


def parts_of(store: Path, content_id: str) -> Parts:
    """The list of the objects that a content is kept in.

    Raises:
        StoreDamaged: the list cannot be read.
        StoreUnusable: its file cannot be read.
    """
    path = object_path(store, content_id, in_parts=True)
    with using(path):
        data = path.read_bytes()
    return decode_parts(data, str(path))


def decode_parts(data: bytes, where: str) -> Parts:
    """The list of parts that `data` holds.

    Raises:
        StoreDamaged: it is none, or names what cannot be an object.
    """
    try:
        parts = decode(data, Parts)
    except StoreDamaged as error:
        raise _no_list(where) from error
    if not all(is_content_id(piece) and size >= 0 for piece, size in parts.pieces):
        raise _no_list(where)
    return parts


def read_pieces(path: Path, step: int = 1 << 20) -> Iterator[bytes]:
    """The bytes of a file of a store, in pieces.

    Raises:
        FileNotFoundError: there is none.
        StoreUnusable: it cannot be read.
    """
    try:
        with open(path, "rb", buffering=0) as file:
            while piece := file.read(step):
                yield piece
    except FileNotFoundError:
        raise
    except OSError as error:
        raise unusable(error, path) from error


def _entries(store: Path, shard: str) -> list[os.DirEntry[str]]:
    folder = os.path.join(store, "objects", shard)
    try:
        with os.scandir(folder) as entries:
            return list(entries)
    except FileNotFoundError:
        return []
    except OSError as error:
        raise unusable(error, folder) from error


def _no_list(where: str) -> StoreDamaged:
    return StoreDamaged("a stored list of parts cannot be read", value=where, expected="ids of objects with their sizes")
