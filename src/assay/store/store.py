"""The store: one folder that holds objects, runs and studies, made at first use.

.assay/.gitignore    "*"
.assay/format        version of this layout, written last: a folder without it is not a store yet
.assay/objects/      content by its id
.assay/runs/         a folder for each run
.assay/studies/      a folder for each study
.assay/data/         histories of data sets; made with the first one
.assay/marks/        what was said about runs after they were recorded; as the next two, made when first needed
.assay/restores/     what restores into the project replaced
.assay/removed/      runs that were removed, until they are collected
.assay/snapshots/    code that is kept for jobs that wait
.assay/remotes/      names of remotes
.assay/tmp/          what is being written; everything else appears by rename from here
"""

from __future__ import annotations

import os
from collections import deque
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING
from weakref import WeakValueDictionary

from assay.errors import StoreTooNew, StoreUnusable
from assay.store.datasets import FOLDER as DATA_FOLDER
from assay.store.datasets import Datasets
from assay.store.failures import unusable, using
from assay.store.marks import Marks
from assay.store.objects import Objects, write_new
from assay.store.process import discard, owned_name, surely_dead
from assay.store.remotes.names import RemoteNames
from assay.store.root import store_folder
from assay.store.runs import Runs
from assay.store.snapshots import Snapshots
from assay.store.studies import Studies

if TYPE_CHECKING:
    from assay.store.catalogue import Catalogue

FORMAT = 1
_FOLDERS = ("objects", "runs", "studies", "tmp")
_PARTS = frozenset({*_FOLDERS, DATA_FOLDER, "marks", "restores", "removed", "snapshots", "remotes", ".gitignore", "format"})
_Place = tuple[Path, str | None, str | None]  # the store's folder, and what decides where the cache is
# One catalogue holds three descriptors, and a process may visit any number of stores: beyond the last few that were asked for, each is
# kept as long as somebody has its store.
_catalogues: WeakValueDictionary[_Place, Catalogue] = WeakValueDictionary()
_recent: deque[Catalogue] = deque(maxlen=8)


class Store:
    """What a project has recorded. Cheap to open; safe to use from threads, and from processes that were forked.

    Attributes:
        root: the project's root.
        path: the store's folder.
        objects, runs, studies, datasets, marks, snapshots, remotes: what it holds.
    """

    def __init__(self, root: Path, path: Path) -> None:
        self.root = root
        self.path = path
        self.objects = Objects(path)
        self.runs = Runs(path)
        self.studies = Studies(path)
        self.datasets = Datasets(path)
        self.marks = Marks(path)
        self.snapshots = Snapshots(path)
        self.remotes = RemoteNames(path)
        self._catalogue: Catalogue | None = None

    @classmethod
    def open(cls, root: Path, *, create: bool = True) -> Store:
        """The store of the project at `root`.

        Args:
            root: as `find_root` gives it. ASSAY_HOME names the store's folder where it is not `root/.assay`.
            create: make the store where there is none, and make sure that it can be written. Without it, reading is all that is
                asked: a store on a read-only disk opens.

        Raises:
            StoreUnusable: there is none and `create` is false; it cannot be made, read or written; its path is something else.
            StoreTooNew: a newer Assay made it.
        """
        return cls.at(root, store_folder(root), create=create)

    @classmethod
    def at(cls, root: Path, path: Path, *, create: bool = True) -> Store:
        """The store in the folder `path` itself, whatever ASSAY_HOME names: as `open` in all else.

        Raises:
            StoreUnusable, StoreTooNew: as for `open`.
        """
        version = _version(path)
        if version is None:
            if not create:
                raise StoreUnusable(
                    "nothing has been recorded here yet",
                    value=str(path),
                    expected="a store",
                    next_step="`assay run CMD` records a first run and makes it; or go to the project's folder.",
                )
            _make(path)
        elif version > FORMAT:
            raise StoreTooNew(
                "a newer Assay made this store",
                value=str(path),
                expected=f"format {FORMAT}, not {version}",
                next_step="Upgrade assay to use it.",
            )
        if create:
            _probe(path)
        return cls(root, path)

    @property
    def catalogue(self) -> Catalogue:
        """The index over the runs; SQLite is loaded when it is first asked for."""
        if self._catalogue is None:
            # Late: recording a run needs no SQLite, which is a tenth of the time that Assay takes to load.
            from assay.store.catalogue import Catalogue

            # One for a process: each would read anew what it already knows of every run, which a loop of runs would pay each time.
            key = (self.path, os.environ.get("XDG_CACHE_HOME"), os.environ.get("HOME"))
            self._catalogue = _catalogues.get(key) or _catalogues.setdefault(key, Catalogue(self.path, self.objects, self.runs))
            _recent.append(self._catalogue)
        return self._catalogue


def _version(path: Path) -> int | None:
    """The format of the store at `path`; None where there is none."""
    try:
        text = (path / "format").read_text(encoding="ascii").strip()
    except FileNotFoundError:
        return None
    except UnicodeDecodeError:
        text = ""
    except OSError as error:
        raise unusable(error, path) from error
    if not text.isdecimal():
        raise StoreUnusable(
            "the store's format cannot be read",
            value=str(path / "format"),
            expected=f"the number {FORMAT}",
            next_step=f"If the folder was made by Assay, write {FORMAT} into this file.",
        )
    return int(text)


def _make(path: Path) -> None:
    """Make the store, or what another process has not made of it yet: every step may be done twice, and the format comes last."""
    with using(path):
        path.mkdir(parents=True, exist_ok=True)
        others = sorted({entry.name for entry in path.iterdir()} - _PARTS)
    if others:
        raise StoreUnusable(
            "this folder holds other things than a store",
            value=str(path),
            expected="a folder that is empty or does not exist yet",
            next_step=f"It has {', '.join(others[:3])}; give the store a folder of its own (ASSAY_HOME).",
        )
    try:
        _make_folders(path)
        for name, text in ((".gitignore", b"*\n"), ("format", b"%d\n" % FORMAT)):
            _write_part(path, name, text)
    except OSError as error:
        _unmake(path)
        raise unusable(error, path) from error


def _write_part(path: Path, name: str, text: bytes) -> None:
    aside = path / "tmp" / owned_name()
    try:
        write_new(str(aside), text, mode=0o644)
        aside.rename(path / name)
    finally:
        discard(aside)


def _unmake(path: Path) -> None:
    """Leave nothing half-made. Only empty folders go: what another process has written meanwhile stays, and makes the store whole."""
    if (path / "format").exists():
        return
    with suppress(OSError):
        (path / ".gitignore").unlink(missing_ok=True)
    for folder in (*(path / name for name in _FOLDERS), path):
        with suppress(OSError):
            folder.rmdir()


def _make_folders(path: Path) -> None:
    for name in _FOLDERS:
        (path / name).mkdir(exist_ok=True)


def _probe(path: Path) -> None:
    """Write a byte, since only that tells whether one can, and remove what killed processes left half-written."""
    folder = path / "tmp"
    mine = folder / owned_name()
    try:
        try:
            write_new(str(mine), b"\n")
        except FileNotFoundError:  # a copy by a tool that leaves empty folders out
            _make_folders(path)
            write_new(str(mine), b"\n")
        with os.scandir(folder) as entries:
            dead = [entry.path for entry in entries if surely_dead(entry.name)]
    except OSError as error:
        raise unusable(error, path) from error
    finally:
        discard(mine)
    for left in dead:
        discard(Path(left))
