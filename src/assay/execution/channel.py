"""Messages between the processes of an executor: pickled, each after its length, over a pipe or socket that they inherited.

Only processes that Assay itself started hold an end of such a channel, or have shown that they were (`assay.execution.elsewhere`), so
what arrives is trusted.
"""

from __future__ import annotations

import os
import pickle
import struct
from typing import Any

_LENGTH = struct.Struct(">Q")
_CHUNK = 1 << 16


def send(descriptor: int, message: object) -> None:
    """Write a whole message; blocks while the reader is behind.

    Raises:
        OSError: the reader is gone.
    """
    body = pickle.dumps(message, protocol=pickle.HIGHEST_PROTOCOL)
    view = memoryview(_LENGTH.pack(len(body)) + body)
    while view:
        view = view[os.write(descriptor, view) :]


class Inbox:
    """Whole messages from a descriptor; what has arrived of the next one is kept until the rest comes."""

    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor
        self.closed = False
        self._buffer = bytearray()

    def fileno(self) -> int:
        """The descriptor, for selectors."""
        return self.descriptor

    def receive(self) -> list[Any]:
        """Messages completed by one read, which blocks until something arrives; sets `closed` at the end of the stream."""
        try:
            chunk = os.read(self.descriptor, _CHUNK)
        except BlockingIOError:
            return []
        except (ConnectionError, TimeoutError):  # a machine that has died says nothing more
            chunk = b""
        self.closed = not chunk
        self._buffer += chunk
        return self._messages()

    def drain(self) -> list[Any]:
        """Messages that have arrived by now, without waiting for more."""
        os.set_blocking(self.descriptor, False)
        messages: list[Any] = []
        while not self.closed:
            before = len(self._buffer)
            found = self.receive()
            if not found and len(self._buffer) == before:
                break
            messages += found
        return messages

    def _messages(self) -> list[Any]:
        messages = []
        while len(self._buffer) >= _LENGTH.size:
            end = _LENGTH.size + _LENGTH.unpack_from(self._buffer)[0]
            if len(self._buffer) < end:
                break
            messages.append(pickle.loads(bytes(self._buffer[_LENGTH.size : end])))
            del self._buffer[:end]
        return messages
