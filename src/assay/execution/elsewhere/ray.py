"""Ray: each server of trials is a task. Imported for this executor alone; it needs the extra `assay[ray]`."""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import socket
import threading
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import ray

from assay.errors import ExecutorUnusable
from assay.execution.elsewhere.keeper import keeper_command
from assay.execution.elsewhere.meeting import Invitation
from assay.execution.elsewhere.place import Sighting, output_of, printed

_JOB_IN = "ASSAY_JOB"
_CONNECTING = 10.0
"""Seconds in which a cluster has to answer."""
_NAMES = {"num_cpus": "CPU", "num_gpus": "GPU"}
"""What machines call that of which a task is given some."""


class Ray:
    """Tasks of the cluster that RAY_ADDRESS names, or that this process has joined; else of one on this machine, which ends with the study.

    Args:
        resources: of each task, as `ray.remote` takes them: {"num_cpus": 2, "num_gpus": 1}.
    """

    name = "Ray"

    def __init__(self, resources: Mapping[str, float]) -> None:
        self._resources = dict(resources)
        self._tasks: dict[str, Any] = {}
        self._ours = False

    def submit(self, invitation: Invitation) -> str:
        """The id of a new task.

        Raises:
            ExecutorUnusable: the cluster cannot be reached, or has no machine for such a task.
        """
        self._join()
        job = str(len(self._tasks) + 1)
        hidden = not self._resources.get("num_gpus")
        output = str(output_of(Path(invitation.folder), job))
        # A task that were begun again by Ray would come under the id of one that has ended.
        task = ray.remote(_keeper_task()).options(max_retries=0, name="assay", **self._resources)
        self._tasks[job] = task.remote(keeper_command(invitation, _JOB_IN), {_JOB_IN: job}, output, hidden)
        return job

    def look(self, jobs: Sequence[str]) -> dict[str, Sighting]:
        """What Ray says of these tasks."""
        return {job: _sighted(self._tasks[job]) for job in jobs}

    def cancel(self, jobs: Sequence[str]) -> None:
        """These tasks end."""
        for job in jobs:
            with contextlib.suppress(ValueError):  # it has ended
                ray.cancel(self._tasks[job])

    def said(self, job: str, folder: Path) -> str:
        """The end of what the keeper of a task printed, as far as it can be read here."""
        return printed(folder, job)

    def leave(self) -> None:
        """A cluster that was started for this ends; another goes on."""
        if self._ours:
            ray.shutdown()
            self._ours = False

    def _join(self) -> None:
        if ray.is_initialized():
            self._check()
            return
        # A cluster that merely runs here is not taken: it may be that of another study, and end with it.
        address = os.environ.get("RAY_ADDRESS", "local")
        with _unchanged():
            try:
                _reach(address)
                own = {"include_dashboard": False} if address == "local" else {}
                ray.init(address=address, log_to_driver=False, logging_level=logging.ERROR, **own)
            except (OSError, RuntimeError, ValueError) as error:
                raise ExecutorUnusable(
                    "Ray's cluster cannot be reached" if address != "local" else "Ray cannot be started on this machine",
                    value=address,
                    next_step=f"Ray said {str(error).strip()!r}. RAY_ADDRESS names the cluster that is joined; without it, Ray is started here.",
                ) from error
            self._ours = True
        self._check()

    def _check(self) -> None:
        """Passes where some machine of the cluster is large enough; Ray would let the task wait for one for ever."""
        wanted = {_NAMES.get(name, name): amount for name, amount in self._resources.items()}
        machines = [node["Resources"] for node in ray.nodes() if node["Alive"]]
        if not any(all(has.get(name, 0) >= amount for name, amount in wanted.items()) for has in machines):
            raise ExecutorUnusable(
                "no machine of Ray's cluster has what a trial is to get",
                value=self._resources,
                next_step="Ask for less, or join a larger cluster by RAY_ADDRESS.",
            )


def _reach(address: str) -> None:
    """Something listens there, as far as the address says where; Ray itself would try for minutes, and write of each try.

    Raises:
        OSError: nothing does.
    """
    host, _, port = address.rpartition("://")[2].rpartition(":")
    if host and port.isdecimal():
        socket.create_connection((host, int(port)), _CONNECTING).close()


@contextlib.contextmanager
def _unchanged() -> Iterator[None]:
    """Ray sets variables of this process, which recipes and trials would have from then on, and takes SIGTERM, which ends a study in order."""
    variables = dict(os.environ)
    main = threading.current_thread() is threading.main_thread()
    handler = signal.getsignal(signal.SIGTERM)
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(variables)
        if main:
            signal.signal(signal.SIGTERM, handler)


def _keeper_task() -> Any:
    """The function of a task: made here, so that it is shipped by value to machines where nothing of Assay is on the path."""

    def keep(command: list[str], variables: dict[str, str], output: str, hidden: bool) -> int:
        import os
        import subprocess

        env = {**os.environ, **variables}
        if hidden:  # Ray hides all devices from a task that asks for none; beside the study's process, a trial would see them
            env.pop("CUDA_VISIBLE_DEVICES", None)
        try:
            file = open(output, "wb")  # noqa: SIM115
        except OSError:  # the folder is not here, which the keeper says by its exit code
            file = open(os.devnull, "wb")  # noqa: SIM115
        with file:
            try:
                process = subprocess.Popen(command, env=env, stdin=subprocess.DEVNULL, stdout=file, stderr=file)
            except OSError:
                return 127
            try:
                return process.wait()
            except BaseException:
                process.terminate()
                process.wait()
                raise

    return keep


def _sighted(task: Any) -> Sighting:
    done, _ = ray.wait([task], timeout=0)
    if not done:
        return Sighting("PENDING or RUNNING", ended=False)
    try:
        code = ray.get(task)
    except Exception as error:  # noqa: BLE001 - whatever Ray ended the task for is what is to be said
        return Sighting(type(error).__name__, ended=True, reason=str(error).strip().partition("\n")[0][:300])
    return Sighting("FINISHED" if code == 0 else "FAILED", ended=True, reason=f"exit code {code}" if code else "", exit_code=code)
