"""The jobs of a study elsewhere, and the servers that have come of them: kept from one pool of trials to the next."""

from __future__ import annotations

import contextlib
import os
import selectors
import socket
import sys
import time
from collections import Counter
from collections.abc import Iterator
from typing import Any

from assay.errors import ExecutorUnusable
from assay.execution.channel import Inbox, send
from assay.execution.elsewhere.keeper import REFUSED, UNREACHED, UNSEEN, Joined, Surroundings
from assay.execution.elsewhere.meeting import Meeting
from assay.execution.elsewhere.place import Place, Sighting
from assay.execution.setup import Setup, trial_environment

_LOOKS = (0.5, 1.0, 2.0, 4.0, 8.0, 15.0)
"""Seconds from one question to the scheduler to the next, while nothing happens: one that serves a thousand users is asked seldom."""
_FRUITLESS = 3
"""Jobs in a row that may end without having carried out a trial: then the next would not either."""
_WHY = {
    UNSEEN: "it does not see the study's folder, which has to lie on a file system that all machines share",
    UNREACHED: "it could not connect to the study's process, which has to run where other machines reach it, such as in a job of its own",
    REFUSED: "something else than the study answered where it came to",
    126: "it could not run the study's Python interpreter, which has to lie on a file system that all machines share",
    127: "it does not see the study's Python interpreter, which has to lie on a file system that all machines share",
}


class Hand:
    """A server elsewhere, at this end: one that has come, and takes one trial at a time once it has a setup.

    Attributes:
        connection, inbox: to it.
        job, host, died: what its keeper said, as in `Joined`.
        owner: the pool that has given it a setup; None until then.
        ready: it has loaded the function.
        task: number of the task that it has; None where it is idle.
        since: when that began.
    """

    def __init__(self, connection: socket.socket, joined: Joined) -> None:
        self.connection = connection
        self.inbox = Inbox(connection.fileno())
        self.job, self.host, self.died = joined
        self.owner: object = None
        self.ready = False
        self.task: int | None = None
        self.since = time.monotonic()

    def send(self, message: object) -> None:
        """Where the server has died, the end of what can be received says so."""
        with contextlib.suppress(OSError):
            send(self.connection.fileno(), message)

    def stop(self) -> None:
        """No more trials; the one that runs is stopped, and what came of it can be received."""
        with contextlib.suppress(OSError):
            self.connection.shutdown(socket.SHUT_WR)


class Crew:
    """Jobs that a place runs for this process, until the block ends: then none is left, waiting or running.

    Args:
        place: starts them.

    Attributes:
        hands: servers that have come and are still there.
        carried: how many trials each job has carried out.
    """

    def __init__(self, place: Place) -> None:
        self.place = place
        self.hands: list[Hand] = []
        self.carried: Counter[str] = Counter()
        self._selector: selectors.BaseSelector = selectors.DefaultSelector()
        self._surroundings = Surroundings(trial_environment(), list(sys.argv), list(sys.orig_argv), os.getcwd())  # noqa: PTH109
        self._meeting: Meeting | None = None
        self._jobs: set[str] = set()
        self._arriving: dict[int, tuple[socket.socket, Inbox]] = {}
        self._looked = 0
        self._next_look = time.monotonic()
        self._fruitless = 0
        self._refused: ExecutorUnusable | None = None

    def __enter__(self) -> Crew:
        return self

    def __exit__(self, *_: object) -> None:
        if self._meeting is None:
            return
        try:
            self._meeting.close()
            for hand in list(self.hands):
                self.part(hand)
            for connection, _inbox in self._arriving.values():
                connection.close()
            self._selector.close()
            self.place.cancel(sorted(self._jobs))
        finally:
            self.place.leave()

    def want(self, number: int, setup: Setup) -> None:
        """So many jobs are there, as far as the scheduler takes them, and come to where they see the store of this setup.

        Raises:
            ExecutorUnusable: it takes none, and no earlier one is left.
            StoreUnusable: the store cannot be written.
        """
        if self._meeting is None:
            self._meeting = Meeting(setup.open_store(), self._selector)
        while len(self._jobs) < number and self._refused is None:
            try:
                self._jobs.add(self.place.submit(self._meeting.invitation))
            except ExecutorUnusable as error:
                # A limit on jobs leaves those that were taken; once one of them ends, there may be room again.
                self._refused = error
            self.look_soon()
        if self._refused is not None and not self._jobs:
            raise self._refused

    def wait(self, seconds: float) -> list[Hand]:
        """The hands from which something can be received: at once, or when something comes within these seconds."""
        assert self._meeting is not None
        self._meeting.keep()
        ready = []
        if self._unseen():
            seconds = max(0.0, min(seconds, self._next_look - time.monotonic()))
        for key, _ in self._selector.select(seconds):
            if isinstance(key.data, Meeting):
                self._admit(key.fd)
            elif isinstance(key.data, Hand):
                ready.append(key.data)
            else:
                self._introduce(key.fd)
        return ready

    def ended(self) -> Iterator[tuple[str, Sighting]]:
        """Jobs that have ended since the last call, with what the scheduler says of each; it is asked about those without a server alone."""
        unseen = self._unseen()
        if not unseen or time.monotonic() < self._next_look:
            return
        self._next_look = time.monotonic() + _LOOKS[min(self._looked, len(_LOOKS) - 1)]
        self._looked += 1
        for job, seen in self.place.look(sorted(unseen)).items():
            if seen.ended:
                self._jobs.discard(job)
                self._refused = None
                yield job, seen

    def look_soon(self) -> None:
        """Something has happened to a job, or is about to."""
        self._looked = 0
        self._next_look = min(self._next_look, time.monotonic() + _LOOKS[0])

    def fruitful(self, job: str) -> None:
        """The job has carried out a trial, or died over one."""
        self.carried[job] += 1
        self._fruitless = 0

    def bear(self, job: str, seen: Sighting) -> None:
        """A job has ended without a trial, which may happen; not again and again.

        Raises:
            ExecutorUnusable: it did, or it says that no other job will do better.
        """
        if self.carried[job]:  # its limit of time came between two trials
            return
        self._fruitless += 1
        why = _WHY.get(seen.exit_code or 0, "")
        if self._fruitless < _FRUITLESS and not (why and not self.carried):
            return
        where = f" on {seen.node}" if seen.node else ""
        raise ExecutorUnusable(
            f"job {job} of {self.place.name}{where} ended before it had begun a trial: {why or seen.words}",
            value=self.said(job),
            next_step=f"{self.place.name} said {seen.words}." if why else "Trials that have finished are kept.",
        )

    def said(self, job: str) -> str | None:
        """The end of what the job printed, as far as it can be read here; None where that is nothing."""
        assert self._meeting is not None
        return self.place.said(job, self._meeting.folder) or None

    def release(self, job: str) -> None:
        """Nothing is left for this job to do, and it may hold a machine that others wait for."""
        self._jobs.discard(job)
        self.place.cancel([job])

    def part(self, hand: Hand) -> None:
        """The server is no longer there, or no longer needed; the keeper of its job may come again with another."""
        self.hands.remove(hand)
        self._selector.unregister(hand.connection)
        hand.connection.close()
        self.look_soon()

    def _unseen(self) -> set[str]:
        return self._jobs - {hand.job for hand in self.hands}

    def _admit(self, descriptor: int) -> None:
        assert self._meeting is not None
        connection = self._meeting.admit(descriptor)
        if connection is not None:
            self._arriving[connection.fileno()] = connection, Inbox(connection.fileno())
            self._selector.register(connection, selectors.EVENT_READ)

    def _introduce(self, descriptor: int) -> None:
        """A keeper says who it is, and is told what its server has to be."""
        connection, inbox = self._arriving[descriptor]
        messages: list[Any] = inbox.receive()
        if not (messages or inbox.closed):
            return
        del self._arriving[descriptor]
        self._selector.unregister(connection)
        if not messages or messages[0].job not in self._jobs:  # it was released meanwhile
            connection.close()
            return
        hand = Hand(connection, messages[0])
        hand.send(self._surroundings)
        self.hands.append(hand)
        self._selector.register(connection, selectors.EVENT_READ, hand)
