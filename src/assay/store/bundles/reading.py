"""Reading a bundle that somebody sent: nothing in it is believed before it was looked at."""

from __future__ import annotations

import os
import stat
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Final

import msgspec
from blake3 import blake3

from assay.errors import InvalidValue, StoreDamaged, StoreTooNew
from assay.records.bundle import Bundle
from assay.store.bundles.writing import DIGITS, MANIFEST, SEAL
from assay.store.inventory import is_content_id

_METHODS: Final = frozenset((zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED))
_STEP: Final = 1 << 20
_LARGEST_TEXT: Final = 256 << 20  # bytes of a member that is read as a whole
# What is unpacked may be this many times the file, beyond a first gibibyte: real contents stay far below, bombs do not.
_RATIO, _FREE = 200, 1 << 30
_ENCRYPTED: Final = 0x1
# What the library raises over bytes that are no zip, or no longer one.
_BROKEN = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError, OverflowError)


class BundleFile:
    """An open bundle, to be closed as a file is. Its names are safe to write below a folder.

    Attributes:
        path: the file.
        names: name of each member to the bytes that it says it has, in their order.
        manifest: what the bundle says that it holds.

    Raises:
        InvalidValue: there is no such file.
        StoreDamaged: it is no zip, or one that no `assay publish` writes.
        StoreTooNew: a newer Assay wrote it.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._archive = zipfile.ZipFile(path)
        except (FileNotFoundError, IsADirectoryError) as error:
            raise InvalidValue("there is no such file", value=str(path), expected="a bundle that `assay publish` wrote") from error
        except OSError as error:
            raise StoreDamaged("this bundle cannot be read", value=str(path), next_step=f"{error.strerror or error}.") from error
        except _BROKEN as error:
            raise _damaged(path, f"it is no zip, or not all of one ({error})") from error
        try:
            self.names = self._checked()
            self.manifest = self._manifest()
        except BaseException:
            self._archive.close()
            raise

    def __enter__(self) -> BundleFile:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._archive.close()

    def pieces(self, name: str) -> Iterator[bytes]:
        """The bytes of a member, in pieces.

        Raises:
            StoreDamaged: there is none of this name, or its bytes were changed.
        """
        with self._reading(name), self._archive.open(name) as member:
            while piece := member.read(_STEP):
                yield piece

    def read(self, name: str) -> bytes:
        """All bytes of a member.

        Raises:
            StoreDamaged: as for `pieces`, or they are too many to be a record.
        """
        if self.names.get(name, 0) > _LARGEST_TEXT:
            raise _damaged(self.path, f"{name} is too large for what it is")
        return b"".join(self.pieces(name))

    def runs(self) -> dict[str, dict[str, str]]:
        """Every run that lies in it: id to the names of its files, and of each the member."""
        return self._folders("store/runs/")

    def studies(self) -> dict[str, dict[str, str]]:
        """The same for studies."""
        return self._folders("store/studies/")

    def entries(self, folder: str) -> dict[str, str]:
        """Ids of small records ("marks", "data"), and the member of each."""
        begin = f"store/{folder}/"
        return {name.removeprefix(begin): name for name in self.names if name.startswith(begin)}

    def is_sealed(self) -> bool:
        """Whether every byte is the one that `assay publish` wrote."""
        hasher = blake3()
        with open(self.path, "rb") as file:
            left = os.fstat(file.fileno()).st_size - DIGITS
            file.seek(max(left - len(SEAL), 0))
            if file.read(len(SEAL)) != SEAL:
                return False
            file.seek(0)
            while left > 0 and (piece := file.read(min(left, _STEP))):
                hasher.update(piece)
                left -= len(piece)
            return file.read() == hasher.hexdigest().encode()

    def _folders(self, begin: str) -> dict[str, dict[str, str]]:
        found: dict[str, dict[str, str]] = {}
        for name in self.names:
            if name.startswith(begin):
                folder, _, file = name.removeprefix(begin).partition("/")
                found.setdefault(folder, {})[file] = name
        return found

    def _checked(self) -> dict[str, int]:
        found: dict[str, int] = {}
        for info in self._archive.infolist():
            if info.is_dir():
                continue
            _check_member(self.path, info)
            if info.filename in found:
                raise _damaged(self.path, f"it has two members named {info.filename!r}")
            found[info.filename] = info.file_size
        total, packed = sum(found.values()), self.path.stat().st_size
        if total > _RATIO * packed + _FREE:
            raise _damaged(self.path, f"it would unpack to {total} bytes, which is implausible for a file of {packed}")
        return found

    def _manifest(self) -> Bundle:
        if MANIFEST not in self.names:
            raise _damaged(self.path, f"it has no {MANIFEST}, so `assay publish` did not write it")
        data = self.read(MANIFEST)
        try:
            found = msgspec.json.decode(data, type=Bundle)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            if b'"bundle/' in data and b'"bundle/1"' not in data:
                raise StoreTooNew(
                    "a newer Assay wrote this bundle",
                    value=str(self.path),
                    expected="bundle/1",
                    next_step="Upgrade assay to read it.",
                ) from error
            raise _damaged(self.path, f"{MANIFEST} cannot be read ({error})") from error
        strange = [content_id for content_id in found.objects if not is_content_id(content_id)]
        if strange or not found.runs:
            raise _damaged(self.path, f"{MANIFEST} names {strange[0]!r} as a content" if strange else f"{MANIFEST} names no run")
        return found

    @contextmanager
    def _reading(self, name: str) -> Iterator[None]:
        try:
            yield
        except KeyError:
            raise _damaged(self.path, f"{name} is not in it") from None
        except OSError as error:
            raise _damaged(self.path, f"{name} cannot be read ({error.strerror or error})") from error
        except _BROKEN as error:
            raise _damaged(self.path, f"{name} was changed ({error})") from error


def _check_member(path: Path, info: zipfile.ZipInfo) -> None:
    """Nothing, where a member is one that a bundle can have.

    Raises:
        StoreDamaged: its name leads out of a folder, or it is a link, a device, encrypted, or packed in another way.
    """
    parts = info.orig_filename.split("/")
    mode = info.external_attr >> 16
    if any(part in ("", ".", "..") for part in parts) or "\\" in info.orig_filename or not info.orig_filename.isprintable():
        raise _damaged(path, f"a member has the name {info.orig_filename!r}, which leads out of a folder or is none")
    if mode and not stat.S_ISREG(mode) and stat.S_IFMT(mode):
        raise _damaged(path, f"{info.filename} is a link or a device, and no file")
    if info.flag_bits & _ENCRYPTED or info.compress_type not in _METHODS:
        raise _damaged(path, f"{info.filename} is encrypted, or packed in a way that no bundle is")


def _damaged(path: Path, why: str) -> StoreDamaged:
    return StoreDamaged(
        f"this is no whole bundle: {why}", value=str(path), expected="a file as `assay publish` wrote it",
        next_step="Get it again from where it was published; `assay verify` says all that is wrong with it.",
    )  # fmt: skip
