"""All files of a data set: what did not change is known by its stat record, all else is read."""

# Paths are bytes here: a data set may have a million files, with names that need not be valid Unicode.
# ruff: noqa: PTH112

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from assay.capture.data_known import Known
from assay.capture.data_scan import Files, Fresh, readable, scan
from assay.capture.data_take import LeftOut, Refuse, take
from assay.store.hashing import threads
from assay.store.objects import Objects

_BATCH: Final = 256  # files that a thread takes at once


class Gathered(NamedTuple):
    """The files of a data set with their ids, and what is not among them or not quite, with the reason.

    `same` says that nothing is other than it was known.
    """

    files: Files
    left_out: dict[str, str]
    same: bool


def gather(objects: Objects, path: bytes, known: Mapping[bytes, Mapping[bytes, Known]], *, keep: bool, refuse: Refuse) -> Gathered:
    """Everything that the folder at `path` holds, or the one file there; in `objects` afterwards, if it is to be kept.

    Args:
        objects: where to.
        path: absolute.
        known: what an earlier call found, if all that this one is to keep is in `objects` already.
        keep: whether contents are kept, or hashed alone; targets of links are kept always.
        refuse: what is hashed alone all the same.

    Raises:
        OSError: there is no such file or folder, or it cannot be read.
        StoreUnusable: the store cannot take it.
    """
    if not os.path.isdir(path):
        return _gather_file(objects, path, known, keep, refuse)
    found = scan(path, known)
    for fresh, taken in zip(found.fresh, _take_all(objects, path, found.fresh, keep, refuse), strict=True):
        where = readable(fresh.folder + b"/" + fresh.name if fresh.folder else fresh.name)
        if isinstance(taken, LeftOut):
            found.left_out[where] = str(taken)
            continue
        found.opened[fresh.folder][fresh.name], said = taken
        if said:
            found.left_out[where] = said
    return Gathered(found.files, found.left_out, found.same)


def flat(files: Mapping[bytes, Mapping[bytes, Known]]) -> Iterator[tuple[bytes, Known]]:
    """Path and file, ordered by folder, then name, both as bytes."""
    for folder in sorted(files):
        names = files[folder]
        before = folder + b"/" if folder else b""
        for name in sorted(names):
            yield before + name, names[name]


def _gather_file(
    objects: Objects, path: bytes, known: Mapping[bytes, Mapping[bytes, Known]], keep: bool, refuse: Refuse
) -> Gathered:
    base, name = os.path.split(path)
    before = known.get(b"", {}).get(name)
    if before is not None and before.matches(os.stat(path)):  # noqa: PTH116
        return Gathered({b"": {name: before}}, {}, same=True)
    try:
        taken, said = take(objects, base, Fresh(b"", name, is_link=False), keep=keep, refuse=refuse)
    except LeftOut as error:
        if isinstance(error.__cause__, OSError):
            raise error.__cause__ from error
        raise
    return Gathered({b"": {name: taken}}, {readable(name): said} if said else {}, same=False)


def _take_all(
    objects: Objects, base: bytes, fresh: Sequence[Fresh], keep: bool, refuse: Refuse
) -> Iterator[tuple[Known, str] | LeftOut]:
    """What `take` gave for each, in order; what it could not read stands as the reason."""
    batches = [fresh[begin : begin + _BATCH] for begin in range(0, len(fresh), _BATCH)]

    def one_batch(batch: Sequence[Fresh]) -> list[tuple[Known, str] | LeftOut]:
        return [_take(objects, base, one, keep, refuse) for one in batch]

    # Where files are kept, their writing is most of the work, and the kernel lets one thread at a time add to a folder.
    if keep or len(batches) < 2:
        yield from (taken for batch in batches for taken in one_batch(batch))
        return
    # Late: a look that reads nothing needs no threads, and what they come with takes as long to load as 5,000 files to look at.
    from concurrent.futures import ThreadPoolExecutor

    pool = ThreadPoolExecutor(threads(), "assay-data")
    try:
        for taken in pool.map(one_batch, batches):
            yield from taken
    finally:
        pool.shutdown(cancel_futures=True)


def _take(objects: Objects, base: bytes, fresh: Fresh, keep: bool, refuse: Refuse) -> tuple[Known, str] | LeftOut:
    try:
        return take(objects, base, fresh, keep=keep, refuse=refuse)
    except LeftOut as reason:
        return reason
