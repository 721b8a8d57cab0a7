"""Standard output as the place of the answer: what cannot be written there is an error with a name, and a reader that left is none."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from assay.errors import BrokenError


def write_answer(text: str) -> None:
    """Write to standard output; what its encoding cannot show is written as an escape.

    Raises:
        BrokenError: it cannot be written (a full disk).
        BrokenPipeError: nobody reads it any more.
    """
    encoding = sys.stdout.encoding or "utf-8"
    with _named():
        sys.stdout.write(text.encode(encoding, "backslashreplace").decode(encoding))


def flush_answer() -> None:
    """Everything written so far has left this process. Raises as `write_answer` does."""
    with _named():
        sys.stdout.flush()


def write_nowhere() -> None:
    """Let what is still to be written to standard output, by the interpreter's last flush too, go nowhere."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


@contextmanager
def _named() -> Iterator[None]:
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        write_nowhere()
        raise BrokenError(
            "standard output cannot be written",
            value=error.strerror,
            expected="room for the answer",
            next_step="Free some space, or write it somewhere else.",
        ) from error
