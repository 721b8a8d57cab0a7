"""A last look for secrets at all that is about to leave the machine."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from assay.capture.secrets import secret_content, secret_name
from assay.errors import InvalidValue
from assay.publishing.contents import Contents, pieces_of
from assay.publishing.names import Named
from assay.store.store import Store

_OVERLAP: Final = 1 << 13  # bytes: longer than any key, so that none is missed between two pieces
_NAMED: Final = 5


def refuse_secrets(store: Store, contents: Contents, names: Named) -> None:
    """Nothing, where nothing that goes into a bundle looks like a secret.

    Raises:
        InvalidValue: something does; it is named, and its value is not.
    """
    found = list(secrets_in(store, contents, names))
    if found:
        more = f" and {len(found) - _NAMED} more" if len(found) > _NAMED else ""
        raise InvalidValue(
            "what would be published looks like a secret", value="; ".join(found[:_NAMED]) + more, expected="contents without secrets",
            next_step="Take it out and run again (`.assayignore` keeps files out), leave its kind out (--without-outputs, --without-data), or, "
            "where it is none, say --accept-findings.",
        )  # fmt: skip


def secrets_in(store: Store, contents: Contents, names: Named) -> Iterator[str]:
    """Each finding in words: where it is, and what it looks like."""
    members = {name: content_id for content_id, name in names.objects.items()} | names.copies
    for name in sorted(members):
        why = secret_name(name)
        if why:
            yield f"{name} is {why}"
    for content_id, name in sorted(names.objects.items(), key=lambda item: item[1]):
        why = _in_pieces(pieces_of(store, contents, content_id))
        if why:
            yield f"{name} {why}"
    for run_id, files in contents.runs.items():
        for file, data in sorted(files.items()):
            why = secret_content(data)
            if why:
                yield f"{file} of run {run_id} {why}"


def _in_pieces(pieces: Iterator[bytes]) -> str:
    end = b""
    for piece in pieces:
        why = secret_content(end + piece)
        if why:
            return why
        end = piece[-_OVERLAP:]
    return ""
