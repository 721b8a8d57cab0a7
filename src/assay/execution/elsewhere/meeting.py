"""Where servers from elsewhere find this process: a socket that listens, and a file below the store that says what lets one in."""

from __future__ import annotations

import contextlib
import fcntl
import os
import secrets
import selectors
import shutil
import socket
import struct
import time
from pathlib import Path
from typing import NamedTuple

from assay.execution.elsewhere.handshake import Stranger
from assay.store.failures import using
from assay.store.objects import write_new
from assay.store.process import owned_name
from assay.store.store import Store

SECRET = "secret"
"""File of the meeting's folder; who can read it may join."""
_PATIENCE = 30.0
"""Seconds in which a stranger has to show what it knows."""
_CROWD = 256
"""Strangers who may be in the door at once."""
_SIOCGIFADDR = 0x8915  # ioctl that asks for an interface's IPv4 address (netdevice(7))
_SILENCE = 120
"""Seconds after which an end that answers nothing, not even as a machine, is taken for dead."""


class Invitation(NamedTuple):
    """What a keeper is told on its command line; none of it is secret.

    Attributes:
        names: host name and addresses of this machine, each to be tried.
        port: that this process listens on.
        folder: of the meeting, on a file system that both machines have.
    """

    names: list[str]
    port: int
    folder: str


class Meeting:
    """Listens, and lets in who knows the secret, which is new for each meeting. Strangers never hold up the study.

    Args:
        store: has the meeting's folder among what is temporary: it goes with this process even where that is killed.
        selector: gets what has to be watched; `data` of a key is then this object, whose `admit` is to be called.

    Raises:
        StoreUnusable: the folder cannot be made.
    """

    def __init__(self, store: Store, selector: selectors.BaseSelector) -> None:
        self.folder = store.path / "tmp" / owned_name()
        self._secret = secrets.token_bytes(32)
        with using(self.folder):
            self.folder.mkdir(mode=0o700)
            write_new(str(self.folder / SECRET), self._secret.hex().encode(), mode=0o400)
        self._selector = selector
        self._strangers: dict[int, tuple[Stranger, float]] = {}
        self._listener = _listen()
        selector.register(self._listener, selectors.EVENT_READ, self)

    @property
    def invitation(self) -> Invitation:
        """How to come here."""
        return Invitation(_names(), self._listener.getsockname()[1], str(self.folder))

    def admit(self, descriptor: int) -> socket.socket | None:
        """What is to be done where `descriptor` can be read; a connection whose other end has shown that it knows the secret."""
        self._turn_away_the_late()
        if descriptor == self._listener.fileno():
            self._greet()
            return None
        if descriptor not in self._strangers:  # just turned away
            return None
        stranger, _ = self._strangers[descriptor]
        try:
            known = stranger.hear(self._secret)
        except BlockingIOError:
            return None
        except OSError:
            known = False
        if known is None:
            return None
        self._forget(descriptor)
        if not known:
            stranger.connection.close()
            return None
        stranger.connection.setblocking(True)
        return stranger.connection

    def keep(self) -> None:
        """The folder is in use: what is temporary and older than a day would be collected."""
        with contextlib.suppress(OSError):  # whoever cannot read it any more says so
            os.utime(self.folder)

    def close(self) -> None:
        """Nobody is let in any more, and the folder is gone."""
        for descriptor, (stranger, _) in list(self._strangers.items()):
            self._forget(descriptor)
            stranger.connection.close()
        self._selector.unregister(self._listener)
        self._listener.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _greet(self) -> None:
        try:
            connection, _ = self._listener.accept()
        except OSError:  # it is gone again, or no descriptor is left for it
            return
        stay_awake(connection)
        try:
            stranger = Stranger(connection)
        except OSError:
            connection.close()
            return
        if len(self._strangers) >= _CROWD:
            connection.close()
            return
        self._strangers[connection.fileno()] = stranger, time.monotonic()
        self._selector.register(connection, selectors.EVENT_READ, self)

    def _turn_away_the_late(self) -> None:
        for descriptor, (stranger, since) in list(self._strangers.items()):
            if time.monotonic() > since + _PATIENCE:
                self._forget(descriptor)
                stranger.connection.close()

    def _forget(self, descriptor: int) -> None:
        stranger, _ = self._strangers.pop(descriptor)
        self._selector.unregister(stranger.connection)


def secret_of(folder: Path) -> bytes:
    """The secret of a meeting.

    Raises:
        OSError: there is no such meeting (any more), or this machine does not see its folder.
    """
    return bytes.fromhex((folder / SECRET).read_text(encoding="ascii"))


def stay_awake(connection: socket.socket) -> None:
    """Messages leave at once, and an end whose machine has died is noticed."""
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 30)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 15)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, _SILENCE * 1000)


def _listen() -> socket.socket:
    if socket.has_dualstack_ipv6():
        with contextlib.suppress(OSError):  # a kernel may have IPv6 and be told not to use it
            return socket.create_server(("", 0), family=socket.AF_INET6, dualstack_ipv6=True, backlog=1024)
    return socket.create_server(("", 0), backlog=1024)


def _names() -> list[str]:
    """By its name a machine is mostly known; where it is not, by an address. The loopback serves a machine that has nothing else."""
    addresses = [found for _, name in socket.if_nameindex() if (found := _address(name)) is not None]
    outward = [address for address in addresses if not address.startswith("127.")]
    return [socket.gethostname(), *(outward or ["127.0.0.1"])]


def _address(interface: str) -> str | None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        try:
            answer = fcntl.ioctl(asking.fileno(), _SIOCGIFADDR, struct.pack("256s", interface.encode()[:15]))
        except OSError:  # it has none
            return None
    return socket.inet_ntoa(answer[20:24])
