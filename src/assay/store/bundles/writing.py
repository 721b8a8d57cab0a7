"""Writing a bundle: a zip whose bytes follow from its contents alone, which appears whole or not at all."""

from __future__ import annotations

import filecmp
import hashlib
import os
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from typing import Final, NamedTuple

from blake3 import blake3

from assay.errors import InvalidValue
from assay.store.failures import writing
from assay.store.process import discard, owned_name, surely_dead

MANIFEST: Final = "bundle.json"
CRATE: Final = "ro-crate-metadata.json"
SEAL: Final = b"assay bundle/1 blake3:"
DIGITS: Final = 64
_MOMENT: Final = (1980, 1, 1, 0, 0, 0)
_SAMPLE: Final = 1 << 16
_LARGE: Final = 1 << 30
# Ratios of a sample's sizes between which a member is compressed: less is no gain, and more is what a reader takes for a bomb.
_LEAST, _MOST = 1.05, 50.0


class Written(NamedTuple):
    """A member that was written: bytes, SHA-256 and BLAKE3 of its content."""

    size: int
    sha256: str
    blake3: str


class BundleWriter:
    """Members of a bundle that is being written, each given once.

    Attributes:
        members: name to what was written, in the order of writing.
    """

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive
        self.members: dict[str, Written] = {}

    def add(self, name: str, pieces: Iterable[bytes], size: int = 0) -> Written:
        """Write a member; `size` is how many bytes are expected, which decides how its length is noted."""
        begun = iter(pieces)
        first = next(begun, b"")
        info = zipfile.ZipInfo(name, _MOMENT)
        info.create_system = 3  # a Unix, wherever it is written
        info.external_attr = 0o100644 << 16
        info.compress_type = _method(first[:_SAMPLE])
        sha256, content = hashlib.sha256(), blake3()
        length = 0
        with self._archive.open(info, "w", force_zip64=size >= _LARGE) as member:
            for piece in chain((first,), begun):
                member.write(piece)
                sha256.update(piece)
                content.update(piece)
                length += len(piece)
        written = Written(length, sha256.hexdigest(), content.hexdigest())
        self.members[name] = written
        return written


@contextmanager
def new_bundle(target: Path, *, force: bool = False) -> Iterator[BundleWriter]:
    """What is written in the body is the bundle `target` afterwards; where the body fails, nothing is changed.

    A file that stands there with the same bytes stays, and so does every other one unless `force`.

    Raises:
        InvalidValue: another file stands there, or a folder.
        TargetUnusable: it cannot be written.
    """
    with writing(target.parent):
        if target.is_dir() or not target.parent.is_dir():
            raise InvalidValue(
                "a bundle is a file in a folder that exists",
                value=str(target),
                expected="a new file",
                next_step="Name it with --to.",
            )
        _tidy(target.parent)
        aside = target.parent / f".assay-bundle-{owned_name()}"
        try:
            with zipfile.ZipFile(aside, "x") as archive:
                archive.comment = SEAL + b"0" * DIGITS
                yield BundleWriter(archive)
            _seal(aside)
            _appear(aside, target, force)
        finally:
            discard(aside)


def _method(sample: bytes) -> int:
    ratio = len(sample) / max(len(zlib.compress(sample, 1)), 1)
    return zipfile.ZIP_DEFLATED if _LEAST <= ratio <= _MOST else zipfile.ZIP_STORED


def _seal(path: Path) -> None:
    """Put the digest of all bytes before it into the end of the comment, which is the end of the file."""
    hasher = blake3()
    with open(path, "r+b") as file:
        left = path.stat().st_size - DIGITS
        while left > 0 and (piece := file.read(min(left, 1 << 20))):
            hasher.update(piece)
            left -= len(piece)
        file.seek(-DIGITS, os.SEEK_END)
        file.write(hasher.hexdigest().encode())


def _appear(aside: Path, target: Path, force: bool) -> None:
    if force:
        aside.replace(target)
        return
    try:
        target.hardlink_to(aside)
    except FileExistsError:
        if not filecmp.cmp(aside, target, shallow=False):
            raise InvalidValue(
                "another file stands there", value=str(target), expected="a new file, or one with the same bytes",
                next_step="Name another with --to, or replace it with --force.",
            ) from None  # fmt: skip
    except OSError:
        if os.path.lexists(target):  # a file system without hard links: looked at first, then renamed
            raise
        aside.rename(target)


def _tidy(folder: Path) -> None:
    """Remove what killed processes left beside the bundles that they wrote."""
    for left in folder.glob(".assay-bundle-*"):
        if surely_dead(left.name.removeprefix(".assay-bundle-")):
            discard(left)
