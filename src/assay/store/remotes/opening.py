"""From what a user writes to a place that can be read or written."""

from __future__ import annotations

from pathlib import Path

from assay.errors import RemoteUnusable, StoreUnusable, UsageError
from assay.store.bundles.opening import is_bundle, open_bundle
from assay.store.remotes.address import Bucket, parse
from assay.store.remotes.folder import FolderPlace
from assay.store.remotes.place import Place
from assay.store.root import FOLDER
from assay.store.store import Store


def open_place(remote: str, *, create: bool) -> Place:
    """The place at an address.

    Args:
        remote: a bundle, to be read alone; a folder (a store, a project that has one, or, with `create`, where a project with a store is to be), `file:///folder`
            or `s3://bucket/prefix`.
        create: make a store or remote there where there is none.

    Raises:
        InvalidValue: this is no address.
        StoreDamaged: it is a bundle that was changed.
        RemoteUnusable: it cannot be reached, read or, with `create`, written; or there is nothing and `create` is false.
        StoreTooNew: a newer Assay made it.
        UsageError: it is a bucket, and what speaks to buckets is not installed.
    """
    address = parse(remote)
    if isinstance(address, Bucket):
        return _bucket(address, create)
    if not create and address.is_file() and is_bundle(str(address)):
        return FolderPlace(open_bundle(address, address.parent))
    try:
        return FolderPlace(_store(address, create))
    except StoreUnusable as error:
        raise RemoteUnusable(
            error.problem, value=str(address), expected="a folder that this user can read" + (" and write" if create else ""),
            next_step="Check the folder, its disk and its owner.",
        ) from error  # fmt: skip


def _store(path: Path, create: bool) -> Store:
    for folder in (path, path / FOLDER):
        if (folder / "format").is_file():
            return Store.at(path, folder, create=create)
    if path.exists() and not path.is_dir():
        raise RemoteUnusable("this is a file", value=str(path), expected="a folder")
    if not create:
        raise RemoteUnusable(
            "there is no store in this folder" if path.is_dir() else "there is no such folder", value=str(path),
            expected="a project with a store, or one that `assay push` has filled", next_step="Check the path, and that its disk is mounted.",
        )  # fmt: skip
    if not path.parent.is_dir():
        raise RemoteUnusable(
            "the folder above this one does not exist", value=str(path), expected="a folder, or a new one in a folder that exists",
            next_step="Check that the disk is mounted, or make the folder.",
        )  # fmt: skip
    return Store.at(path, path if path.name == FOLDER else path / FOLDER)


def _bucket(address: Bucket, create: bool) -> Place:
    try:
        # Late: the client of object stores is an extra, large, and of no use to who shares by folders.
        from assay.store.remotes.bucket import BucketPlace
    except ModuleNotFoundError as error:
        raise UsageError(
            "an address in an object store needs obstore, which this interpreter does not have",
            value=address.shown, next_step="Install it: pip install 'assay[s3]'.",
        ) from error  # fmt: skip
    return BucketPlace(address, create=create)
