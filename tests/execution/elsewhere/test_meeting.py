"""Who is let in, over real sockets: nothing of a stranger is believed, and none holds up the others."""

from __future__ import annotations

import pickle
import secrets
import selectors
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from assay.execution.elsewhere.handshake import SIZE, exactly, introduce, proof
from assay.execution.elsewhere.meeting import SECRET, Meeting, secret_of
from assay.store.store import Store


@pytest.fixture
def meeting(project: Path) -> Iterator[Meeting]:
    meeting = Meeting(Store.open(project), selectors.DefaultSelector())
    yield meeting
    meeting.close()


def come(meeting: Meeting) -> socket.socket:
    return socket.create_connection(("localhost", meeting.invitation.port))


def admitted(meeting: Meeting, rounds: int) -> list[socket.socket]:
    """Who is let in after so many events."""
    found = []
    for _ in range(rounds):
        for key, _ in meeting._selector.select(10):
            connection = meeting.admit(key.fd)
            if connection is not None:
                found.append(connection)
    return found


def answers(connection: socket.socket, secret: bytes) -> threading.Thread:
    thread = threading.Thread(target=lambda: introduce(connection, secret))
    thread.start()
    return thread


def test_who_knows_the_secret_is_let_in_though_others_say_nothing(meeting: Meeting) -> None:
    silent, guest = come(meeting), come(meeting)
    thread = answers(guest, secret_of(meeting.folder))
    (connection,) = admitted(meeting, 3)
    thread.join()
    connection.sendall(b"welcome")
    assert exactly(guest, 7) == b"welcome"
    for one in (silent, guest, connection):
        one.close()


def test_a_wrong_secret_is_turned_away(meeting: Meeting) -> None:
    with come(meeting) as guest:
        assert admitted(meeting, 1) == []
        study = exactly(guest, SIZE)
        guest.sendall(b"K" * SIZE + proof(secrets.token_bytes(32), "keeper", study, b"K" * SIZE))
        assert admitted(meeting, 1) == []
        assert guest.recv(1) == b""


def test_a_pickle_that_comes_in_place_of_a_proof_is_not_opened(meeting: Meeting, tmp_path: Path) -> None:
    class Opened:
        def __reduce__(self) -> tuple[object, ...]:
            return Path.touch, (tmp_path / "opened",)

    with come(meeting) as guest:
        body = pickle.dumps(Opened())
        guest.sendall(len(body).to_bytes(8, "big") + body)
        assert admitted(meeting, 2) == []
    assert not (tmp_path / "opened").exists()


def test_a_keeper_trusts_nobody_else_at_the_port(meeting: Meeting) -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.sendall(b"S" * SIZE + b"P" * SIZE)
        assert introduce(ours, secret_of(meeting.folder)) is False


def test_the_secret_is_for_this_user_alone_and_goes_with_the_meeting(project: Path) -> None:
    meeting = Meeting(Store.open(project), selectors.DefaultSelector())
    assert (meeting.folder.stat().st_mode & 0o777, (meeting.folder / SECRET).stat().st_mode & 0o777) == (0o700, 0o400)
    assert secret_of(meeting.folder).hex() not in str(meeting.invitation)
    meeting.close()
    with pytest.raises(OSError, match="No such file"):
        secret_of(meeting.folder)
