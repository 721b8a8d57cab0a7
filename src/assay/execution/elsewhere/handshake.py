"""Two ends of a connection show each other that they know a secret, before either believes anything else that arrives.

    study   32 random bytes S
    keeper  32 random bytes K, and HMAC-SHA256 of "keeper", S and K under the secret
    study   HMAC-SHA256 of "study", S and K under the secret

Both ends have put bytes of their own under the proof that they check, so none that was overheard serves again.
"""

from __future__ import annotations

import hmac
import secrets
import socket

SIZE = 32
"""Bytes of a nonce, and of a proof."""


def proof(secret: bytes, role: str, study: bytes, keeper: bytes) -> bytes:
    """What only the one who knows the secret can say of the two nonces.

    >>> proof(b"secret", "keeper", b"S" * 32, b"K" * 32).hex()[:16]
    'bff9bfbb6d267743'
    """
    return hmac.digest(secret, role.encode() + study + keeper, "sha256")


def introduce(connection: socket.socket, secret: bytes) -> bool:
    """The keeper's side; whether the other end knows the secret too. Waits for as long as the study is busy with something else.

    Raises:
        OSError: the connection broke.
    """
    study = exactly(connection, SIZE)
    mine = secrets.token_bytes(SIZE)
    connection.sendall(mine + proof(secret, "keeper", study, mine))
    return hmac.compare_digest(exactly(connection, SIZE), proof(secret, "study", study, mine))


class Stranger:
    """The study's side: a connection that has still to show what it knows. It is never waited for."""

    def __init__(self, connection: socket.socket) -> None:
        self.connection = connection
        connection.setblocking(False)
        self._mine = secrets.token_bytes(SIZE)
        self._said = b""
        connection.send(self._mine)

    def hear(self, secret: bytes) -> bool | None:
        """Whether it knows the secret, once all of its answer has come; None until then.

        Raises:
            OSError: the connection broke.
        """
        chunk = self.connection.recv(2 * SIZE - len(self._said))
        if not chunk:
            return False
        self._said += chunk
        if len(self._said) < 2 * SIZE:
            return None
        theirs, shown = self._said[:SIZE], self._said[SIZE:]
        if not hmac.compare_digest(shown, proof(secret, "keeper", self._mine, theirs)):
            return False
        self.connection.send(proof(secret, "study", self._mine, theirs))
        return True


def exactly(connection: socket.socket, size: int) -> bytes:
    """The next `size` bytes.

    Raises:
        OSError: the connection ended before.
    """
    found = bytearray()
    while len(found) < size:
        chunk = connection.recv(size - len(found))
        if not chunk:
            raise ConnectionResetError("the other end closed the connection")
        found += chunk
    return bytes(found)
