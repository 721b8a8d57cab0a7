"""What a job elsewhere runs: it comes back to the study's process, and keeps one clean server of trials after the other there.

A pool ends its servers when it closes, and the next one needs fresh ones; the job, which may have waited for hours, is kept. The keeper
ends when the study's process no longer listens, and whatever it started with it.
"""

from __future__ import annotations

import contextlib
import os
import pickle
import signal
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from assay.execution.channel import send
from assay.execution.elsewhere.handshake import exactly, introduce
from assay.execution.elsewhere.meeting import Invitation, secret_of, stay_awake
from assay.execution.fresh import command, started

UNSEEN, UNREACHED, REFUSED = 81, 82, 83
"""Exit codes by which a keeper that could not come says why; a scheduler passes them on without any connection."""
_TRIES = 3
_CONNECTING = 10.0
"""Seconds that one address is tried for."""
_LENGTH = struct.Struct(">Q")
_MACHINES_OWN = (
    *("SLURM", "CUDA_VISIBLE_DEVICES", "ROCR_VISIBLE_DEVICES", "HIP_VISIBLE_DEVICES", "GPU_DEVICE_ORDINAL", "ZE_AFFINITY_MASK"),
    *("TMPDIR", "HOSTNAME", "XDG_RUNTIME_DIR"),
)
_NO_DEVICE = ("", "-1")


class Joined(NamedTuple):
    """A keeper has come, with a server that waits for its setup; `died` says how the one before it did, where that was not asked to end."""

    job: str
    host: str
    died: str = ""


class Surroundings(NamedTuple):
    """What servers of trials need to be as they would be beside the study's process."""

    environment: dict[str, str]
    arguments: list[str]
    command: list[str]
    directory: str


def keeper_command(invitation: Invitation, job_in: str) -> list[str]:
    """The command of a job. Nothing in it is secret: neither arguments nor environment of the study's process are.

    Args:
        invitation: where to come.
        job_in: environment variable that has the job's id where the keeper runs.
    """
    facts = {"path": sys.path, "job_in": job_in, "directory": os.getcwd(), **invitation._asdict()}  # noqa: PTH109 - text
    return started(__name__, facts)


def main(facts: dict[str, Any]) -> None:
    """Come to the study and serve it until it no longer listens."""
    invitation = Invitation(facts["names"], facts["port"], facts["folder"])
    job = os.environ.get(facts["job_in"], "")
    try:
        os.chdir(facts["directory"])
        secret = secret_of(Path(invitation.folder))
    except OSError as error:
        sys.exit(_say(UNSEEN, f"{error.filename}: {error.strerror}"))
    died, came = "", False
    while True:
        connection = _connect(invitation, tries=1 if came else _TRIES)
        if connection is None:
            sys.exit(0 if came else _say(UNREACHED, f"nothing listens at port {invitation.port} of {', '.join(invitation.names)}"))
        with connection:
            try:
                if not introduce(connection, secret):
                    sys.exit(_say(REFUSED, "what listens there is not the study"))
                send(connection.fileno(), Joined(job, os.uname().nodename, died))
                surroundings = _receive(connection)
            except OSError:  # the study has ended
                sys.exit(0)
            came = True
            died = _serve(connection, surroundings)


def _say(code: int, text: str) -> int:
    sys.stderr.write(f"assay: {text}\n")
    return code


def _connect(invitation: Invitation, tries: int) -> socket.socket | None:
    for again in range(tries):
        time.sleep(again)
        for name in invitation.names:
            with contextlib.suppress(OSError):
                connection = socket.create_connection((name, invitation.port), _CONNECTING)
                connection.settimeout(None)
                stay_awake(connection)
                return connection
    return None


def _receive(connection: socket.socket) -> Surroundings:
    """The one message that is for the keeper; not a byte more is taken, since all others are the server's."""
    (length,) = _LENGTH.unpack(exactly(connection, _LENGTH.size))
    message = pickle.loads(exactly(connection, length))
    assert isinstance(message, Surroundings)
    return message


def _serve(connection: socket.socket, surroundings: Surroundings) -> str:
    """A server has served this connection until its end; how it died, where it was killed."""
    sys.argv[:], sys.orig_argv[:] = surroundings.arguments, surroundings.command
    descriptor = connection.fileno()
    process = subprocess.Popen(
        command("far server", descriptor),
        pass_fds=[descriptor],
        env=environment_here(surroundings.environment, os.environ),
        stdin=subprocess.DEVNULL,
    )
    told: list[int] = []

    def wind_down(number: int, _: object) -> None:
        # The server reads the end of its channel, stops its trial, and can still say what came of it.
        told.append(number)
        with contextlib.suppress(OSError):
            connection.shutdown(socket.SHUT_RD)

    signal.signal(signal.SIGTERM, wind_down)
    code = process.wait()
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    if told:
        sys.exit(128 + told[0])
    return f"signal {-code}" if code < 0 else f"exit code {code}" if code else ""


def environment_here(study: Mapping[str, str], machine: Mapping[str, str], own: Sequence[str] = _MACHINES_OWN) -> dict[str, str]:
    """The study's environment, with what a scheduler said on this machine: of the job, and of the devices that it was given.

    That no device is to be seen is the study's to say, and part of its recipes.

    >>> study = {"HOME": "/home/me", "SLURM_JOB_ID": "1", "CUDA_VISIBLE_DEVICES": "3"}
    >>> environment_here(study, {"HOME": "/root", "SLURM_JOB_ID": "2"})
    {'HOME': '/home/me', 'SLURM_JOB_ID': '2'}
    """
    env = {name: value for name, value in study.items() if not name.startswith(tuple(own))}
    env |= {name: value for name, value in machine.items() if name.startswith(tuple(own))}
    if study.get("CUDA_VISIBLE_DEVICES") in _NO_DEVICE:
        env["CUDA_VISIBLE_DEVICES"] = study["CUDA_VISIBLE_DEVICES"]
    return env
