"""Who wrote what: from a content back to the runs that made it."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from assay.errors import InvalidValue
from assay.store.objects import hash_file
from assay.store.store import Store

_ID_LENGTH = 64
_SHORTEST = 4
_DIGITS = frozenset("0123456789abcdef")


class Origin(NamedTuple):
    """Which runs wrote a content: pairs of run id and path, the newest run first; empty where none did."""

    content: str
    written: tuple[tuple[str, str], ...]


def origin(store: Store, what: str | Path) -> Origin:
    """The runs that wrote a content, wherever they had it and wherever it lies now.

    Args:
        store: where to look.
        what: a file; the id of a content (64 hexadecimal digits), or a prefix of it (four digits or more) that no other content has
            which a run wrote. A file of this name stands before a prefix.

    Raises:
        InvalidValue: it is neither an id nor a file that can be read; or several contents have this prefix.
        StoreUnusable: the runs cannot be read.
    """
    content = content_of(store, what)
    return Origin(content, tuple(store.catalogue.wrote(content)))


def content_of(store: Store, what: str | Path) -> str:
    """The id of the content that a file, an id or a prefix stands for; raises as `origin` does."""
    text = str(what)
    is_digits = isinstance(what, str) and not set(text) - _DIGITS
    if is_digits and len(text) == _ID_LENGTH:
        return text
    try:
        return hash_file(what)
    except (OSError, ValueError) as error:
        found = _beginning(store, text) if is_digits and len(text) >= _SHORTEST else None
        if found is not None:
            return found
        raise InvalidValue(
            "this is neither a file that can be read nor the id of a content that a run wrote",
            value=text,
            expected="a path, 64 hexadecimal digits, or the first of them",
            next_step=f"{getattr(error, 'strerror', None) or error}.",
        ) from error


def _beginning(store: Store, prefix: str) -> str | None:
    found = store.catalogue.written_beginning(prefix)
    if len(found) > 1:
        raise InvalidValue(
            "several contents have this prefix",
            value=prefix,
            expected=f"one of {', '.join(content[:16] for content in found)}",
            next_step="Write more of its digits.",
        )
    return found[0] if found else None
