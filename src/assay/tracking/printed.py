"""What a command printed, as it is kept: without the secrets in it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from assay.capture.secrets import redact_output

STREAMS: Final = ("stdout", "stderr", "terminal")
"""Names of the files in a run's folder that grow with its output, until its end takes them into the store."""

_BLOCK: Final = 8 << 20


def remove_secrets(path: Path) -> list[str]:
    """What was found in words, each once; the file at `path` holds `***` in place of each secret afterwards, and keeps its time.

    Raises:
        OSError: it cannot be read or replaced; it is as it was.
    """
    found = [what for data in _blocks(path) for what in redact_output(data)[1]]
    if found:
        aside, before = path.with_name(f"{path.name}.clean"), path.stat()
        with aside.open("wb") as file:
            file.writelines(redact_output(data)[0] for data in _blocks(path))
        os.utime(aside, ns=(before.st_atime_ns, before.st_mtime_ns))
        aside.replace(path)
    return list(dict.fromkeys(found))


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
