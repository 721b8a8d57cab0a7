"""Removing what nothing needs any more: objects that no run, study or data set leads to, and what dead processes left half-written.

How a run that is being recorded now is never robbed:

- What is young stays, with all that it leads to. An object's age begins anew whenever somebody who records asks whether it is there
  (`Objects.put` and its like), so a snapshot that wrote nothing, since all was there, still holds what it is made of.
- What is to go is first moved into `tmp/`, what leads to other things before these; then runs and young objects are looked at again, and
  what they need is moved back; only then is the rest removed. A collection that was killed is finished or undone by the next one.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path

import msgspec

from assay.errors import StoreDamaged, UnknownRun
from assay.store.failures import using
from assay.store.fsck import DAMAGED
from assay.store.inventory import Stored, inventory, object_path
from assay.store.parts import SUFFIX
from assay.store.process import discard, surely_dead
from assay.store.references import Reference, References, files_of, ids_in, of_record, of_run
from assay.store.store import Store

GRACE = 14 * 86400.0
"""Seconds for which an object is kept that nothing leads to: longer than any run takes from its snapshot to its start."""
_FORGOTTEN = 86400.0  # seconds after which a temporary file counts as left by a dead process on another machine
_TRASH = "trash-"
REMOVED = "removed"
_OWN = frozenset({"objects", "runs", "tmp", REMOVED, DAMAGED, "format", ".gitignore"})


class Collected(msgspec.Struct):
    """What is not needed: objects and temporary files, how many and of how many bytes; `deleted`: whether they are gone now.

    `young` counts the objects that nothing leads to and that are kept for their age; `kept` are all that stay. `bundles` lie unpacked in the
    user's cache, for no project in particular, and were not opened for 30 days; `bundles_kept` are the folders of those from which runs were
    carried out since, which are nowhere else.
    """

    objects: int = 0
    bytes: int = 0
    temporary: int = 0
    temporary_bytes: int = 0
    young: int = 0
    young_bytes: int = 0
    kept: int = 0
    kept_bytes: int = 0
    bundles: int = 0
    bundles_bytes: int = 0
    bundles_kept: tuple[str, ...] = ()
    deleted: bool = False


def collect(store: Store, *, delete: bool = False, grace: float = GRACE) -> Collected:
    """Find what nothing needs, and remove it where that is asked for.

    Args:
        store: whose; nothing is changed in it unless `delete`.
        delete: remove what was found.
        grace: seconds for which what nothing leads to is kept.

    Raises:
        StoreDamaged, StoreTooNew: a run, a study, a data set or a record cannot be read, so nobody can say what it needs; nothing was removed.
        StoreUnusable: the store cannot be read or written.
    """
    now = time.time()
    if delete:
        _put_back(store)
        store.runs.forget_removed(now - grace)
    found = inventory(store.path)
    needed = _needed(store, roots(store, now - grace))
    held = _needed(store, _young(found, now - grace))
    dead = {content_id: stored for content_id, stored in found.items() if content_id not in needed and content_id not in held}
    left = list(_left_over(store, now))
    young = [found[content_id].size for content_id in found.keys() & (held - needed)]
    gone = Collected(
        objects=len(dead),
        bytes=sum(stored.size for stored in dead.values()),
        temporary=len(left),
        temporary_bytes=sum(_size(path) for path in left),
        young=len(young),
        young_bytes=sum(young),
        kept=len(found) - len(dead),
        kept_bytes=sum(stored.size for content_id, stored in found.items() if content_id not in dead),
        deleted=delete,
    )
    if delete:
        _remove(store, dead, now - grace)
        for path in left:
            discard(path)
    return gone


def roots(store: Store, since: float = 0.0) -> Iterator[Reference]:
    """What runs, studies and data sets name, and every other file that a later version may keep in the store's folder.

    Args:
        store: whose.
        since: runs that were removed before this moment count no more, in seconds since 1970.

    Raises:
        StoreDamaged, StoreTooNew, StoreUnusable: one of them cannot be read.
    """
    for run_id in store.runs.ids():
        try:
            yield from of_run(files_of(store.runs, run_id))
        except UnknownRun:
            continue  # removed since the folder was listed
    yield from roots_beside_runs(store, since)


def roots_beside_runs(store: Store, since: float = 0.0) -> Iterator[Reference]:
    """As `roots`, without the runs that are there to be seen.

    Raises:
        StoreUnusable: a file cannot be read.
    """
    with using(store.path):
        folders = [path for path in store.path.iterdir() if path.name not in _OWN]
        folders += [path for path in (store.path / REMOVED).glob("*") if _modified(path) >= since]
        for path in (
            file for folder in folders for file in ([folder] if folder.is_file() else folder.rglob("*")) if file.is_file()
        ):
            try:
                data = path.read_bytes()
            except FileNotFoundError:
                continue  # a snapshot that was let go since the folder was listed
            yield from of_record(data, "records")
            yield from (Reference(content_id, "records", None, False) for content_id in ids_in(data))


def _needed(store: Store, begin: Iterable[Reference]) -> set[str]:
    """Ids of all that these lead to.

    Raises:
        StoreDamaged: a record on the way cannot be read.
    """
    references = References(store.path, store.objects)
    found = set(references.closure(begin))
    for content_id, error in references.unreadable.items():
        raise StoreDamaged(
            "a record cannot be read, so nobody can say what it needs", value=content_id, expected="a sound store",
            next_step=f"Nothing was removed. `assay fsck` says what it touches ({error.problem}).",
        ) from error  # fmt: skip
    return found


def _young(found: Mapping[str, Stored], since: float) -> Iterator[Reference]:
    return (Reference(content_id, "records", None, False) for content_id, stored in found.items() if stored.modified >= since)


def _remove(store: Store, dead: Mapping[str, Stored], since: float) -> None:
    """Move the dead aside, look again at what is needed, and remove the rest."""
    trash = {
        content_id: moved for content_id, stored in _leading_first(store, dead) if (moved := _aside(store, content_id, stored))
    }
    young = {content_id for content_id, (path, _) in trash.items() if _modified(path) >= since}
    fresh = _young(inventory(store.path), since)
    _restore(store, trash, young)
    wanted = [*roots(store, since), *fresh, *(Reference(content_id, "records", None, False) for content_id in young)]
    while back := _needed(store, wanted) & trash.keys():
        # What comes back may lead to more that was moved.
        _restore(store, trash, back)
    for path, _ in trash.values():
        path.unlink(missing_ok=True)


def _leading_first(store: Store, dead: Mapping[str, Stored]) -> Iterator[tuple[str, Stored]]:
    """Objects in an order in which none goes before one that leads to it: what is half-removed then never looks whole from above."""
    references = References(store.path, store.objects)
    below = {
        content_id: {each.id for each in references.below(Reference(content_id, "records", None, False))} & dead.keys()
        for content_id in dead
    }
    above = dict.fromkeys(dead, 0)
    for names in below.values():
        for name in names:
            above[name] += 1
    ready = [content_id for content_id, count in above.items() if not count]
    while ready:
        content_id = ready.pop()
        yield content_id, dead[content_id]
        for name in below[content_id]:
            above[name] -= 1
            if not above[name]:
                ready.append(name)


def _aside(store: Store, content_id: str, stored: Stored) -> tuple[Path, Path] | None:
    """Move an object into the trash: where it is now, and where it was; None where another collection was faster."""
    path = object_path(store.path, content_id, in_parts=stored.in_parts)
    trash = store.path / "tmp" / f"{_TRASH}{content_id}{SUFFIX if stored.in_parts else ''}"
    with using(path):
        try:
            path.rename(trash)
        except FileNotFoundError:
            return None
    return trash, path


def _restore(store: Store, trash: dict[str, tuple[Path, Path]], content_ids: Iterable[str]) -> None:
    """Move objects back from the trash, unless another collection has done so."""
    for content_id in content_ids:
        aside, path = trash.pop(content_id)
        with using(path):
            if path.exists():
                aside.unlink(missing_ok=True)
            else:
                with suppress(FileNotFoundError):
                    aside.rename(path)


def _put_back(store: Store) -> None:
    """Undo what a collection that was killed had not finished; what it moved is judged anew."""
    folder = store.path / "tmp"
    with using(folder):
        left = [path for path in folder.iterdir() if path.name.startswith(_TRASH)]
    trash = {}
    for path in left:
        name = path.name.removeprefix(_TRASH)
        content_id = name.removesuffix(SUFFIX)
        trash[name] = (path, object_path(store.path, content_id, in_parts=name != content_id))
    _restore(store, trash, list(trash))


def _left_over(store: Store, now: float) -> Iterator[Path]:
    """Temporary files and folders whose process is dead: known to be, or gone for a day."""
    folder = store.path / "tmp"
    with using(folder):
        for path in folder.iterdir():
            if not path.name.startswith(_TRASH) and (surely_dead(path.name) or now - _modified(path) > _FORGOTTEN):
                yield path


def _modified(path: Path) -> float:
    try:
        return path.lstat().st_mtime
    except FileNotFoundError:
        return time.time()


def _size(path: Path) -> int:
    try:
        return sum(file.lstat().st_size for file in ([path] if not path.is_dir() else path.iterdir()))
    except OSError:
        return 0  # its process has just removed it


__all__ = ["GRACE", "Collected", "collect", "roots", "roots_beside_runs"]
