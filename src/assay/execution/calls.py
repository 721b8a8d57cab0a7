"""The call that a function trial was, kept as an object: what it takes to make it again in another process, later."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import msgspec

from assay.capture.secrets import redact_arguments


class Call(msgspec.Struct, frozen=True, array_like=True, tag="call/1"):
    """A function and its configuration, with the surroundings that their loading needs.

    Attributes:
        function: shipped `(train, prepare or None)`.
        configuration: shipped configuration.
        path: `sys.path` of the process that ran the study.
        argv: its arguments, secrets redacted.
        directory: its working directory.
        root: of the project then; empty in records before it was kept, whose runs name it themselves.
    """

    function: bytes
    configuration: bytes
    path: tuple[str, ...]
    argv: tuple[str, ...]
    directory: str
    root: str = ""


def record_call(function: bytes, configuration: bytes, root: Path) -> bytes:
    """The bytes that stand for a call of this process's study."""
    arguments, _ = redact_arguments(sys.argv)
    call = Call(function, configuration, tuple(sys.path), tuple(arguments), os.getcwd(), str(root))  # noqa: PTH109 - text
    return msgspec.msgpack.encode(call)
