"""What a run read, put beside its code: checked by content, copied, never linked."""

from __future__ import annotations

import math
import os
import subprocess
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from assay.capture.code_secrets import is_original
from assay.capture.settle import listing_digest
from assay.errors import InputChanged
from assay.execution.workspace import copy_checked
from assay.records.finding import Finding
from assay.records.trace import FileUse, Trace
from assay.store.objects import hash_file
from assay.store.store import Store

_UNREAD = 16 << 20  # bytes up to which a file that was listed but never read is copied
# Made by the kernel for whoever reads them; their content is the machine's, and is recorded as such.
_VOLATILE = ("/proc", "/sys", "/dev", "/run")


class Places(NamedTuple):
    """Where inputs come from and go to.

    Attributes:
        store: keeps some of them.
        roots: folders that recorded relative paths may still stand under, the likeliest first.
        workspace: folder of the new run.
        environment: folders of the interpreter; what changed there is a change of the environment, and named as one.
        started: when the run started, in seconds since 1970: folders that were made later are its own.
    """

    store: Store
    roots: Sequence[Path]
    workspace: Path
    environment: Sequence[str] = ()
    started: float = 0.0


def lay_inputs(places: Places, trace: Trace, declared: dict[str, str]) -> list[Finding]:
    """Put everything that a run loaded and read into its workspace; the code tree is there already.

    Afterwards every input has the content that was recorded: files below the root as copies in the workspace, all others where they
    always were.

    Returns:
        What could not be checked or put in place, and that need not change the result.

    Raises:
        InputChanged: an input is missing or has another content, and the store does not have it.
    """
    uses = {use.path: use for use in (*trace.loaded, *trace.read)}
    uses |= {path: FileUse(path=path, id=content, by="declared") for path, content in declared.items() if path not in uses}
    found = [finding for use in uses.values() for finding in _lay(places, use)]
    found += [finding for folder, names in sorted(trace.listed.items()) for finding in _lay_folder(places, trace, folder, names)]
    return found


def _lay(places: Places, use: FileUse) -> Iterator[Finding]:
    target = _inside(places.workspace, use.path)
    if target is None:
        yield from _check_in_place(places, use)
        return
    if use.id is None:
        source = _first_file(places.roots, use.path)
        if source is not None and not target.exists():
            _copy(source, target)
        yield _unchecked(use)
    elif not has_content(target, use.id):
        _fetch(places, use, target)


def _fetch(places: Places, use: FileUse, target: Path) -> None:
    """Make `target` a copy that has the recorded content, from where the run read it or from the store, and its time of then.

    Scripts choose their newest checkpoint by its time; and of one that the new run overwrites, the time tells which content it read.
    """
    _copy_recorded(places, use, target)
    if use.mtime > 0:
        os.utime(target, ns=(use.mtime, use.mtime))


def _copy_recorded(places: Places, use: FileUse, target: Path) -> None:
    assert use.id is not None
    found: str | None = None
    for root in places.roots:
        source = root / use.path
        if source.is_file() and os.access(source, os.R_OK):
            target.unlink(missing_ok=True)  # it may be a link of the code tree, which must not be followed
            try:
                copy_checked(source, target, use.id)
                return
            except InputChanged:
                found = found or content_of(source)
    if use.id in places.store.objects:
        places.store.objects.copy_to(use.id, target)
        return
    raise changed(use, found, places.roots[0] / use.path)


def _check_in_place(places: Places, use: FileUse) -> Iterator[Finding]:
    if _is_below(use.path, _VOLATILE):
        return
    if use.id is None:
        yield _unchecked(use)
        return
    place = places.workspace / use.path
    if has_content(place, use.id):
        return
    found = content_of(place)
    if not _belongs_to_environment(use.path, places):
        raise changed(use, found, Path(os.path.realpath(place)))
    text = f"{use.path} belongs to the interpreter and is {'missing' if found is None else 'another'} now"
    yield Finding(kind="environment", about=use.path, text=text)


def changed(use: FileUse, found: str | None, path: Path) -> InputChanged:
    """The error for an input that is not what it was; both contents are named."""
    return InputChanged(
        "a file that the run read is missing" if found is None else "a file that the run read has another content now",
        value=use.path,
        expected=f"content {use.id}" + (f", not {found}" if found else ""),
        next_step=f"Put the file that the run read back at {path} (`b3sum` prints its content), get it from a store that kept it "
        "(`assay pull REMOTE RUN`), or keep inputs with --data when recording.",
    )


def content_of(path: Path) -> str | None:
    """Content id of a file; None where it is none that can be read."""
    try:
        return hash_file(path) if path.is_file() else None
    except OSError:
        return None


def has_content(path: Path, content: str) -> bool:
    """Whether a file has a content, but for secrets that the kept copy misses."""
    return content_of(path) == content or is_original(path, content)


def _unchecked(use: FileUse) -> Finding:
    text = f"what the run read from {use.path} is not known ({use.note or 'no reason was recorded'}), so it was not checked"
    return Finding(kind="input not checked", about=use.path, text=text)


def _is_below(path: str, folders: Iterable[str]) -> bool:
    return any(PurePosixPath(path).is_relative_to(folder) for folder in folders if folder)


def _belongs_to_environment(path: str, places: Places) -> bool:
    """Whether a file is part of an interpreter or of an installed package: what changes there is recorded as such."""
    parts = PurePosixPath(path).parts
    installed = any(part in ("site-packages", "dist-packages") or part.endswith((".dist-info", ".egg-info")) for part in parts)
    return installed or _is_below(path, places.environment)


def _inside(workspace: Path, path: str) -> Path | None:
    """The place of a recorded path in the workspace; None where it lies outside: nothing there is ever written.

    A path may be relative and lead outside all the same, through a link to a folder that is part of the code tree.
    """
    target = workspace / path
    return target if Path(os.path.realpath(target.parent)).is_relative_to(os.path.realpath(workspace)) else None


def _first_file(roots: Iterable[Path], path: str) -> Path | None:
    return next((root / path for root in roots if (root / path).is_file() and os.access(root / path, os.R_OK)), None)


def _copy(source: Path, target: Path) -> None:
    copy_checked(source, target, hash_file(source))


def lay_output_folders(places: Places, trace: Trace) -> None:
    """Make the folders that the run wrote into and that were there before it: a script that expects one does not make it.

    A folder that came into being later was made by the run, which will make it again, and may do so only where it is missing.
    """
    folders = {str(PurePosixPath(use.path).parent) for use in trace.written if not PurePosixPath(use.path).is_absolute()} - {"."}
    for folder in sorted(folders):
        target = _inside(places.workspace, folder)
        if target and not target.exists() and any(_born(root / folder) < places.started for root in places.roots):
            target.mkdir(parents=True)


def _born(folder: Path) -> float:
    """When a folder was made; infinity where it is none."""
    return born(folder) if folder.is_dir() else math.inf


def born(path: Path) -> float:
    """When a file or folder was made, in seconds since 1970; infinity where nobody knows. Python has no call for it on Linux, `stat` does."""
    try:
        answer = subprocess.run(["stat", "-c", "%.W", "--", path], capture_output=True, text=True, check=True)
        return float(answer.stdout.strip().replace(",", ".")) or math.inf
    except (OSError, subprocess.CalledProcessError, ValueError):
        return math.inf


def _lay_folder(places: Places, trace: Trace, folder: str, names: str) -> Iterator[Finding]:
    """Make a folder that the run listed look as it did: same names, of files that were never read too."""
    folder = _relative(folder, places.roots)
    target = _inside(places.workspace, f"{folder}/x")  # the folder itself may be a link that leads outside
    if target is None:
        known = _is_below(folder, (*_VOLATILE, *places.environment))
        if not known and names not in _digests(places.workspace / folder, trace, folder):
            yield _listing_changed(folder)
        return
    target = target.parent
    for root in places.roots:
        found = _digests(root / folder, trace, folder)
        if names in found:
            target.mkdir(parents=True, exist_ok=True)
            made = {
                name for name in found[names] if name in _inner(trace, folder) and _born(root / folder / name) >= places.started
            }
            yield from _lay_names(root / folder, target, [name for name in found[names] if name not in made])
            return
    if names not in _digests(target, trace, folder):
        yield _listing_changed(folder)


def _relative(folder: str, roots: Sequence[Path]) -> str:
    """A folder as the workspace has it; the root itself may be recorded in full."""
    for root in roots:
        if PurePosixPath(folder).is_relative_to(root):
            return str(PurePosixPath(folder).relative_to(root))
    return folder


def _digests(folder: Path, trace: Trace, name: str) -> dict[str, list[str]]:
    """Digest to names of what the folder holds now, and of that without the files, or all, that the run made in it."""
    try:
        now = os.listdir(folder)  # noqa: PTH208 - names are wanted, not paths
    except OSError:
        return {}
    files = {path.name for use in trace.written if str((path := PurePosixPath(use.path)).parent) == name}
    without_files = [each for each in now if each not in files]
    before = [each for each in without_files if each not in _inner(trace, name)]
    return {listing_digest(iter(names)): names for names in (now, without_files, before)}


def _inner(trace: Trace, folder: str) -> frozenset[str]:
    """Names in a folder below which, or as which, the run wrote files."""
    depth = len(PurePosixPath(folder).parts)
    paths = (PurePosixPath(use.path) for use in trace.written)
    return frozenset(
        path.parts[depth] for path in paths if folder == "." or (path.is_relative_to(folder) and path != PurePosixPath(folder))
    )


def _lay_names(source: Path, target: Path, names: Iterable[str]) -> Iterator[Finding]:
    for name in names:
        if name in (".assay", "__pycache__", ".git") or os.path.lexists(target / name):
            continue
        if (source / name).is_dir():
            (target / name).mkdir()
        elif (source / name).is_file() and (source / name).stat().st_size <= _UNREAD:
            _copy(source / name, target / name)
        else:
            text = f"{name} is missing from the listing: the run never read it, and it is too large to copy, or no file"
            yield Finding(kind="listing", about=str(source / name), text=text)


def _listing_changed(folder: str) -> Finding:
    text = f"the run listed {folder}, which holds other names now; if it takes what it finds there, its result may be another"
    return Finding(kind="listing", about=folder, text=text)
