"""What was learnt of files by reading them, kept by stat record: in memory, and between processes in the user's cache folder.

The kept copy only spares work. It is written aside and renamed, carries a digest of itself, and is ignored where anything about
it is wrong.
"""

# Paths are text here: making a `Path` for each of a tree's thousand files would double the cost of a snapshot.
# ruff: noqa: PTH103, PTH105, PTH108, PTH110, PTH111, PTH116, PTH118, PTH120

from __future__ import annotations

import os
from collections.abc import Sequence
from threading import get_ident
from typing import Final, TypeVar

import blake3
import msgspec

T = TypeVar("T")
_DIGEST_BYTES: Final = 32
_COPIES: Final = 256  # of one kind: trials in folders of their own would otherwise leave one each for ever


def cache_folder() -> str:
    """The user's cache folder for Assay: `$XDG_CACHE_HOME/assay`, else `~/.cache/assay`. It need not exist."""
    return os.path.join(os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "assay")


class KeptCopy:
    """One value of plain structs in a file of the cache folder.

    Args:
        kind: folder of the file, with a version: a changed form is another kind.
        about: what the value is of; each has a file of its own.
    """

    def __init__(self, kind: str, about: Sequence[str]) -> None:
        name = blake3.blake3("\0".join(about).encode("utf-8", "surrogateescape")).hexdigest(16)
        self._path = os.path.join(cache_folder(), kind, name)

    def load(self, form: type[T]) -> T | None:
        """The kept value; None where there is none, or none that can be trusted."""
        try:
            with open(self._path, "rb") as file:
                data = file.read()
            body = data[_DIGEST_BYTES:]
            if blake3.blake3(body).digest() != data[:_DIGEST_BYTES]:
                return None
            return msgspec.msgpack.decode(body, type=form)
        except (OSError, msgspec.MsgspecError):
            return None

    def save(self, value: object) -> None:
        """Keep `value`; without effect where it cannot be kept (a full disk, a name that is not Unicode)."""
        aside = f"{self._path}.{os.getpid()}.{get_ident()}"
        try:
            body = msgspec.msgpack.encode(value)
            if not os.path.exists(self._path):
                _make_room(os.path.dirname(self._path))
            with open(aside, "wb") as file:
                file.write(blake3.blake3(body).digest() + body)
            os.replace(aside, self._path)
        except UnicodeEncodeError:
            return
        except OSError:
            _remove(aside)


def _make_room(folder: str) -> None:
    """Make sure of the folder, and that one more copy fits into it: the oldest ones go."""
    os.makedirs(folder, exist_ok=True)
    with os.scandir(folder) as entries:
        paths = [entry.path for entry in entries]
    if len(paths) >= _COPIES:
        paths.sort(key=_age)
        for path in paths[: len(paths) - _COPIES + 1]:
            _remove(path)


def _age(path: str) -> float:
    try:
        return os.stat(path).st_mtime
    except OSError:
        return 0.0  # another process has just removed it


def _remove(path: str) -> None:
    try:
        os.unlink(path)
    except OSError:
        return  # it was never made, or the folder is gone
