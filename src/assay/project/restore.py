"""Files put back into a folder that is in use, so that nothing is lost: what stands there is kept first, and the way back is recorded.

restores/ID     in the store: the `Restoration`, written before the first file is touched; its trees hold what was there and what came
"""

# Paths are text here: names need not be valid Unicode.
# ruff: noqa: PTH114, PTH115, PTH116, PTH118, PTH120, PTH208

from __future__ import annotations

import os
import stat
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Literal, NamedTuple

from assay.capture.code_secrets import read_small, stands_for, without_secrets
from assay.errors import InputChanged, InvalidValue, MissingContent
from assay.project.restore_choice import Files
from assay.records.canonical import Record, canonical, decode, digest, legible
from assay.store.failures import unusable
from assay.store.hashing import hash_file
from assay.store.objects import write_new
from assay.store.process import discard, owned_name, surely_dead
from assay.store.store import Store
from assay.store.tree import FileKind, read_tree, write_tree

How = Literal["create", "overwrite", "remove"]
_NEVER = frozenset((b".git", b".assay"))
_ASIDE = ".assay-"
_SHOWN = 12


class Restoration(Record, frozen=True, kw_only=True, tag_field="assay", tag="restoration/1"):
    """Files of a folder that were replaced: the trees of what stood there and of what stands there since, for the same paths.

    A path that only `after` has was created; one that only `before` has was removed.
    """

    time: float
    root: str
    before: str
    after: str
    run: str = ""


class Step(NamedTuple):
    """What happens to one file."""

    path: bytes
    how: How


class PutBack(NamedTuple):
    """What was put back, or would be.

    Attributes:
        folder: where.
        steps: what happened to each file that was not there already.
        unchanged: how many were.
        back: the id of the restoration, which leads back; None where nothing was touched.
        outside: code from beyond the project, which was left as it is.
    """

    folder: Path
    steps: tuple[Step, ...]
    unchanged: int
    back: str | None = None
    outside: tuple[str, ...] = ()


class Plan(NamedTuple):
    """What putting files back would do: nothing has been touched. `unchanged` counts those that are there already."""

    root: Path
    steps: tuple[Step, ...]
    wanted: Mapping[bytes, tuple[FileKind, str]]
    unchanged: int


def plan(store: Store, root: Path, wanted: Files, remove: frozenset[bytes] = frozenset()) -> Plan:
    """Look at every file that is to be put back or removed, and refuse what could lose or hit anything else.

    Raises:
        InvalidValue: a path leads through a link out of the root, into `.git` or into a store; or a folder, a device or a file stands in
            the way.
        MissingContent: the store does not have one of the contents.
    """
    base = os.path.realpath(root)
    apart = os.path.realpath(store.path)
    steps: list[Step] = []
    for path in sorted({*wanted, *remove}):
        _check_place(base, apart, path)
        if path in wanted and wanted[path][1] not in store.objects:
            raise MissingContent(
                "a file to put back is not in this store", value=os.fsdecode(path), expected=f"content {wanted[path][1]}",
                next_step="Pull it from where it was recorded, or name only the other files.",
            )  # fmt: skip
        place = os.path.join(os.fsencode(base), path)
        how = _how(place, wanted.get(path))
        if how == "overwrite" and _is_same_with_secrets(store, place, wanted[path]):
            how = None
        if how is not None:
            _check_no_secret(place)
            steps.append(Step(path, how))
    return Plan(Path(base), tuple(steps), wanted, len(wanted) - sum(step.how != "remove" for step in steps))


def carry_out(store: Store, planned: Plan, *, run: str = "") -> str | None:
    """Put the files of a plan back; the id of the restoration, by which `undo_plan` leads back. None where there was nothing to do.

    Each file is replaced in one step: whatever interrupts this leaves the old or the new content in it, and the way back is known.

    Raises:
        InputChanged: a file was changed meanwhile; it and those after it are as they were.
        InvalidValue: a file that would be overwritten cannot be read.
        StoreUnusable: the store or the folder cannot be written.
    """
    if not planned.steps:
        return None
    base = os.fsencode(planned.root)
    try:
        _discard_left(base, planned.steps)
        before, seen = _keep(store, base, planned.steps)
        after: dict[bytes, tuple[FileKind, str]] = {
            step.path: planned.wanted[step.path] for step in planned.steps if step.how != "remove"
        }
        record = Restoration(
            time=time.time(),
            root=legible(str(planned.root)),
            run=run,
            before=write_tree(store.objects, before),
            after=write_tree(store.objects, after),
        )
        made = _write_down(store, record)
        for step in planned.steps:
            _carry_out_step(store, base, step, planned.wanted, seen.get(step.path))
    except OSError as error:
        raise unusable(error, planned.root) from error
    return made


def undo_plan(store: Store, which: str) -> tuple[Restoration, Plan]:
    """What leads back from a restoration: what stood there comes back, and what was created goes, unless it is kept first.

    Args:
        which: its id, the first digits of it, or "last".

    Raises:
        InvalidValue: there is none, or several have these digits; or as for `plan`.
        StoreTooNew, StoreDamaged, MissingContent: it cannot be read.
    """
    record = _read(store, which)
    before, after = read_tree(store.objects, record.before), read_tree(store.objects, record.after)
    return record, plan(store, Path(record.root), before, frozenset(after.keys() - before.keys()))


def restorations(store: Store) -> list[tuple[str, Restoration]]:
    """All restorations with their ids, the newest first."""
    found = [(name, _load(store, name)) for name in _names(store)]
    return sorted(found, key=lambda pair: (pair[1].time, pair[0]), reverse=True)


def _how(place: bytes, entry: tuple[FileKind, str] | None) -> How | None:
    """What has to happen at a place, None where it is as it should be."""
    try:
        found = os.lstat(place)
    except FileNotFoundError:
        return "create" if entry is not None else None
    if stat.S_ISREG(found.st_mode) or stat.S_ISLNK(found.st_mode):
        if entry is None:
            return "remove"
        return None if _now(place, found) == entry else "overwrite"
    raise InvalidValue(
        "something else than a file stands where a file is to be put back",
        value=os.fsdecode(place),
        expected="a file, a link, or nothing",
        next_step="Move it away, or use --to with a new folder.",
    )


def _is_same_with_secrets(store: Store, place: bytes, entry: tuple[FileKind, str]) -> bool:
    """Whether what stands there is what is wanted, with the secrets that no copy has."""
    kind, content = entry
    return kind != "link" and not os.path.islink(place) and stands_for(place, store.objects.get(content)) is not None


def _check_no_secret(place: bytes) -> None:
    """Refuse to replace what could not be kept first."""
    data = None if os.path.islink(place) else read_small(place)
    words = without_secrets(os.fsdecode(place), data)[1] if data is not None else ""
    if words:
        raise InvalidValue(
            "a file that would be replaced holds a secret, so it could not be kept", value=os.fsdecode(place),
            expected=f"a file without {words}", next_step="Move it away, use --to with a new folder, or name only the other files.",
        )  # fmt: skip


def _now(place: bytes, found: os.stat_result) -> tuple[FileKind, str]:
    if stat.S_ISLNK(found.st_mode):
        return "link", digest(os.readlink(place))
    try:
        content = hash_file(place)
    except OSError as error:
        raise InvalidValue(
            "a file that would be overwritten cannot be read, so it could not be kept",
            value=os.fsdecode(place),
            expected="a file that can be read",
            next_step=f"{error.strerror}.",
        ) from error
    return "exec" if found.st_mode & stat.S_IXUSR else "file", content


def _check_place(base: str, apart: str, path: bytes) -> None:
    """Refuse a path below which something else lies, or that links lead astray."""
    parts = path.split(b"/")
    if _NEVER.intersection(parts):
        raise _refused(path, "nothing is put into .git or .assay", "It was not recorded by Assay; name the other files.")
    here = os.fsencode(base)
    for part in parts[:-1]:
        here = os.path.join(here, part)
        try:
            found = os.stat(here)
        except FileNotFoundError:
            if os.path.islink(here):
                raise _refused(path, "a link that leads nowhere stands in its way", "Remove the link, or use --to.") from None
            return
        except OSError as error:
            raise _refused(path, f"its folder cannot be reached ({error.strerror})", "Use --to with a new folder.") from error
        if not stat.S_ISDIR(found.st_mode):
            raise _refused(path, "a file stands where its folder was", "Move that file away, or use --to with a new folder.")
        real = os.path.realpath(here)
        if not _is_below(real, os.fsencode(base)):
            raise _refused(path, "a link leads out of the project", "Remove the link, or use --to with a new folder.")
        if _is_below(real, os.fsencode(apart)) or _NEVER.intersection(os.path.relpath(real, os.fsencode(base)).split(b"/")):
            raise _refused(path, "a link leads into .git or a store", "Remove the link, or use --to with a new folder.")


def _is_below(path: bytes, folder: bytes) -> bool:
    return path == folder or path.startswith(folder.rstrip(b"/") + b"/")


def _refused(path: bytes, why: str, step: str) -> InvalidValue:
    return InvalidValue(
        f"this file cannot be put back: {why}", value=os.fsdecode(path), expected="a place in the project", next_step=step
    )


def _keep(
    store: Store, base: bytes, steps: tuple[Step, ...]
) -> tuple[dict[bytes, tuple[FileKind, str]], dict[bytes, os.stat_result]]:
    """Put everything that will be replaced into the store: kind and content by path, and the stat records that they go with."""
    before: dict[bytes, tuple[FileKind, str]] = {}
    seen: dict[bytes, os.stat_result] = {}
    for step in steps:
        place = os.path.join(base, step.path)
        try:
            found = os.lstat(place)
        except FileNotFoundError:
            continue
        seen[step.path] = found
        if stat.S_ISLNK(found.st_mode):
            before[step.path] = ("link", store.objects.put(os.readlink(place)))
        else:
            before[step.path] = ("exec" if found.st_mode & stat.S_IXUSR else "file", store.objects.put_file(place))
    return before, seen


def _carry_out_step(store: Store, base: bytes, step: Step, wanted: Files, seen: os.stat_result | None) -> None:
    place = os.path.join(base, step.path)
    _check_unchanged(place, seen)
    if step.how == "remove":
        if seen is not None:
            os.unlink(place)  # noqa: PTH108
        return
    kind, content = wanted[step.path]
    if kind == "link":
        os.makedirs(os.path.dirname(place), exist_ok=True)  # noqa: PTH103
        aside = os.path.join(os.path.dirname(place), os.fsencode(_ASIDE + owned_name()))
        os.symlink(store.objects.get(content), aside)  # noqa: PTH211
        os.replace(aside, place)  # noqa: PTH105
    else:
        store.objects.copy_to(content, Path(os.fsdecode(place)), executable=kind == "exec")


def _check_unchanged(place: bytes, seen: os.stat_result | None) -> None:
    """Refuse to touch what has changed since it was kept."""
    try:
        now: os.stat_result | None = os.lstat(place)
    except FileNotFoundError:
        now = None
    marks = [None if each is None else (each.st_mtime_ns, each.st_size, each.st_ino) for each in (now, seen)]
    if marks[0] != marks[1]:
        raise InputChanged(
            "a file was changed while files were put back",
            value=os.fsdecode(place),
            expected="what stood there a moment ago",
            next_step="It is as it was changed. `assay restore --undo last` leads back from what was done before it; or restore again.",
        )


def _discard_left(base: bytes, steps: tuple[Step, ...]) -> None:
    """Remove half-written files that a killed restore left beside those that are put back now."""
    for folder in sorted({os.path.dirname(os.path.join(base, step.path)) for step in steps}):
        try:
            names = os.listdir(os.fsdecode(folder))
        except OSError:
            continue
        for name in names:
            if name.startswith(_ASIDE) and surely_dead(name.removeprefix(_ASIDE)):
                discard(Path(os.fsdecode(folder)) / name)


def _write_down(store: Store, record: Restoration) -> str:
    data = canonical(record)
    name = digest(data)
    folder = store.path / "restores"
    folder.mkdir(exist_ok=True)
    aside = store.path / "tmp" / owned_name()
    try:
        write_new(str(aside), data)
        aside.rename(folder / name)
    finally:
        discard(aside)
    return name


def _names(store: Store) -> Iterator[str]:
    try:
        yield from sorted(name for name in os.listdir(store.path / "restores") if len(name) == 64)
    except FileNotFoundError:
        return


def _load(store: Store, name: str) -> Restoration:
    return decode((store.path / "restores" / name).read_bytes(), Restoration)


def _read(store: Store, which: str) -> Restoration:
    if which == "last":
        known = restorations(store)
        if known:
            return known[0][1]
    found = [name for name in _names(store) if which and name.startswith(which)]
    if len(found) == 1:
        return _load(store, found[0])
    shown = ", ".join(name[:_SHOWN] for name in found[:6])
    raise InvalidValue(
        "several restorations have these digits" if found else "no restoration has this id",
        value=which,
        expected=f"one of {shown}" if found else "the id that `assay restore` printed, or last",
        next_step="Write more of its digits." if found else "Nothing was touched.",
    )
