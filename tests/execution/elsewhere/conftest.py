"""A Slurm of the tests' own: one machine that says it has eight processors, below a temporary folder, gone with the session; and studies to start."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.execution.elsewhere.studies import SCRIPT, Start

from assay.execution.server import die_with_parent

_SBIN = "/usr/sbin:/sbin"
_CONFIGURATION = """\
ClusterName=assay
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={controller}
AuthType=auth/munge
AuthInfo=socket={folder}/munge.sock
CredType=cred/munge
SlurmUser={user}
SlurmdUser={user}
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmdParameters=config_overrides
ProctrackType=proctrack/pgid
TaskPlugin=task/none
SwitchType=switch/none
MpiDefault=none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SchedulerType=sched/builtin
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
KillWait=5
NodeName=n1 NodeHostname={host} NodeAddr=127.0.0.1 Port={node} CPUs=8 State=UNKNOWN
PartitionName=main Nodes=n1 Default=YES State=UP
"""


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Configuration of a running cluster; tests skip where Slurm is not installed."""
    path = f"{os.environ['PATH']}:{_SBIN}"
    missing = [name for name in ("munged", "slurmctld", "slurmd", "sbatch") if shutil.which(name, path=path) is None]
    if missing:
        pytest.skip(f"no {', '.join(missing)} here; tools/slurm installs Slurm where it may")
    if os.geteuid() != 0:
        pytest.skip("only root can start Slurm's daemons for others")
    folder = tmp_path_factory.mktemp("slurm")
    for name in ("state", "spool"):
        (folder / name).mkdir()
    key = folder / "munge.key"
    key.write_bytes(secrets.token_bytes(128))
    key.chmod(0o400)
    ports = _free_ports(2)
    configuration = folder / "slurm.conf"
    text = _CONFIGURATION.format(host=socket.gethostname(), folder=folder, user="root", controller=ports[0], node=ports[1])
    configuration.write_text(text)
    munge = [f"--{name}={folder}/munged.{name[:4]}" for name in ("pid-file", "log-file", "seed-file")]
    daemons = [
        ["munged", "--foreground", "--force", f"--key-file={key}", f"--socket={folder}/munge.sock", *munge],
        ["slurmctld", "-D", "-f", str(configuration)],
        ["slurmd", "-D", "-f", str(configuration), "-N", "n1"],
    ]
    running = [_start(daemon, path, folder) for daemon in daemons]
    try:
        if (said := _await(configuration, "sinfo", "idle")) is not None:
            pytest.skip(f"Slurm does not start on this machine: {said}")
        yield configuration
        subprocess.run(["scancel", "--user=root"], env=_environment(configuration), check=True)
        assert _await(configuration, "squeue", "") is None
    finally:
        for daemon in reversed(running):
            daemon.terminate()
            daemon.wait()


@pytest.fixture
def slurm(cluster: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The same, for what the test starts."""
    monkeypatch.setenv("SLURM_CONF", str(cluster))
    return cluster


@pytest.fixture
def flags(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where trials say that they have begun, and wait for `go`: beside the project, of whose code it would be part."""
    folder = tmp_path / "flags"
    folder.mkdir()
    monkeypatch.setenv("FLAGS", str(folder))
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    return folder


@pytest.fixture
def start(project: Path, flags: Path) -> Iterator[Start]:
    """Starts the study of `SCRIPT` as a user would, in a session of its own."""
    (project / "study.py").write_text(SCRIPT)
    started = []

    def run(how: dict[str, Any], home: Path | None = None) -> subprocess.Popen[str]:
        env = {**os.environ, "HOW": json.dumps(how), **({} if home is None else {"ASSAY_HOME": str(home)})}
        process = subprocess.Popen(
            [sys.executable, "study.py"], cwd=project, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            start_new_session=True,
        )  # fmt: skip
        started.append(process)
        return process

    yield run
    for process in started:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


def _start(daemon: list[str], path: str, folder: Path) -> subprocess.Popen[bytes]:
    with (folder / f"{daemon[0]}.txt").open("wb") as output:
        env = {**os.environ, "PATH": path}
        return subprocess.Popen(daemon, env=env, stdout=output, stderr=output, preexec_fn=die_with_parent, start_new_session=True)


def _await(configuration: Path, program: str, state: str) -> str | None:
    """What the program says where not every node, or job, comes into this state."""
    for _ in range(600):
        done = subprocess.run(
            [program, "--noheader", "--format=%T"], env=_environment(configuration), capture_output=True, text=True, check=False
        )
        if done.returncode == 0 and done.stdout.strip() == state:
            return None
        time.sleep(0.1)
    return f"{program} says {done.stdout or done.stderr}; {configuration.parent} has what the daemons said"


def _environment(configuration: Path) -> dict[str, str]:
    return {**os.environ, "SLURM_CONF": str(configuration)}


def _free_ports(number: int) -> list[int]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(number)]
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports
