"""A bundle as a store: unpacked once into the user's cache, beside every project, and used from there."""

from __future__ import annotations

import os
import shutil
import zipfile
from contextlib import suppress
from pathlib import Path
from typing import Final

from assay.errors import StoreDamaged
from assay.records.canonical import digest
from assay.store.bundles.reading import BundleFile
from assay.store.failures import using
from assay.store.hashing import hash_file
from assay.store.process import owned_name, surely_dead
from assay.store.remotes.folder import FolderPlace
from assay.store.remotes.place import DEFINITION, ENTRIES, EVIDENCE, FILE_NAME, RESULT
from assay.store.store import Store

_BEGINNING: Final = b"PK"


def is_bundle(text: str) -> bool:
    """Whether a text that may name a run names a bundle: a file that is a zip, or should be one by its name, whether it is there or not."""
    path = Path(text)
    if not path.is_file():
        return text.endswith(".zip") and not path.is_dir()
    if text.endswith(".zip"):
        return True
    try:
        with open(path, "rb") as file:
            return file.read(len(_BEGINNING)) == _BEGINNING and zipfile.is_zipfile(path)
    except OSError:
        return False


def open_bundle(path: Path, root: Path) -> Store:
    """The store of a bundle: what the bundle holds, and what was carried out from it since. It lies in the user's cache folder.

    Args:
        path: the bundle.
        root: folder below which inputs that the bundle lacks are looked for.

    Raises:
        InvalidValue, StoreDamaged, StoreTooNew: as for `BundleFile`; or a content of it was changed.
        StoreUnusable: the cache folder cannot be written.
    """
    with BundleFile(path) as bundle:
        above = bundles_folder()
        with using(path):
            place = above / hash_file(path)[:32]
        with suppress(OSError):  # read-only is good enough for reading
            os.utime(place)  # says that it is in use: `unused` goes by it
        if not (place / "format").exists():
            with using(above):
                above.mkdir(parents=True, exist_ok=True)
                _tidy(above)
                _unpack(bundle, above / owned_name(), place)
    return Store.at(root, place)


def fill(store: Store, bundle: BundleFile) -> None:
    """Give a store all that a bundle holds.

    Raises:
        StoreDamaged: something of it was changed; nothing that was is in the store.
        StoreUnusable: the store cannot take it.
    """
    target = FolderPlace(store)
    for content_id, name in bundle.manifest.objects.items():
        try:
            target.write_object(content_id, bundle.names.get(name, 0), bundle.pieces(name))
        except StoreDamaged as error:
            raise StoreDamaged(
                f"a content of this bundle was changed: {name}", value=str(bundle.path), expected=f"bytes whose BLAKE3 is {content_id}",
                next_step="Get the bundle again from where it was published; `assay verify` says all that is wrong with it.",
            ) from error  # fmt: skip
    for study, files in bundle.studies().items():
        for name in (known for known in (DEFINITION, EVIDENCE) if known in files):
            target.write_study(study, name, _checked(bundle, files[name], study if name == DEFINITION else None))
    for folder in ENTRIES:
        for entry, name in bundle.entries(folder).items():
            (store.path / folder).mkdir(exist_ok=True)
            target.write_entry(folder, entry, _checked(bundle, name, entry))
    for run_id, files in bundle.runs().items():
        target.write_run(run_id, {name: bundle.read(member) for name, member in files.items() if FILE_NAME.fullmatch(name)})
        if RESULT not in files:
            _age(store.path / "runs" / run_id)


def _age(folder: Path) -> None:
    """Let a run that crashed look as old as it is: its files' times are signs of life."""
    for path in folder.iterdir():
        os.utime(path, (0, 0))


def _checked(bundle: BundleFile, name: str, expected: str | None) -> bytes:
    data = bundle.read(name)
    if expected is not None and digest(data) != expected:
        raise StoreDamaged(
            f"a record of this bundle was changed: {name}", value=str(bundle.path), expected=f"bytes whose BLAKE3 is {expected}"
        )
    return data


def _unpack(bundle: BundleFile, aside: Path, place: Path) -> None:
    """Let the store of a bundle appear at `place`, whole."""
    try:
        fill(Store.at(aside, aside), bundle)
        os.utime(aside / "format")  # what is younger has come into it later
        aside.rename(place)
    except OSError:
        if not (place / "format").exists():  # else another process was faster
            raise
    finally:
        if aside.exists():
            shutil.rmtree(aside, ignore_errors=True)


def _tidy(above: Path) -> None:
    """Remove what killed processes left half unpacked."""
    for left in above.iterdir():
        if surely_dead(left.name):
            shutil.rmtree(left, ignore_errors=True)


def bundles_folder() -> Path:
    """Where bundles lie unpacked: in the user's cache, each under the sum of its file."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path("~/.cache").expanduser()) / "assay" / "bundles"
