"""What a command printed, as it is kept: without the secrets in it."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from assay.capture.secret_values import secrets_in, without_values
from assay.capture.secrets import redact_output

STREAMS: Final = ("stdout", "stderr", "terminal")
"""Names of the files in a run's folder that grow with its output, until its end takes them into the store."""

_BLOCK: Final = 8 << 20


def remove_secrets(path: Path) -> list[str]:
    """What was found in words, each once; the file at `path` holds `***` in place of each secret afterwards, and keeps its time.

    Beside what looks like a secret, one is what a variable of this process holds whose name says so: the command had it too.

    Raises:
        OSError: it cannot be read or replaced; it is as it was.
    """
    values = secrets_in(os.environ)
    found = [what for data in _blocks(path) for what in _redacted(data, values)[1]]
    if found:
        aside, before = path.with_name(f"{path.name}.clean"), path.stat()
        with aside.open("wb") as file:
            file.writelines(_redacted(data, values)[0] for data in _blocks(path))
        os.utime(aside, ns=(before.st_atime_ns, before.st_mtime_ns))
        aside.replace(path)
    return list(dict.fromkeys(found))


def _redacted(data: bytes, values: Mapping[bytes, str]) -> tuple[bytes, list[str]]:
    data, named = without_values(data, values)
    data, shaped = redact_output(data)
    return data, named + shaped


def _blocks(path: Path) -> Iterator[bytes]:
    """The content in pieces that end with a line, where lines are not longer than a piece."""
    rest = b""
    with path.open("rb") as file:
        while data := file.read(_BLOCK):
            end = data.rfind(b"\n") + 1
            if end:
                yield rest + data[:end]
                rest = data[end:]
            else:
                yield rest + data
                rest = b""
    if rest:
        yield rest
