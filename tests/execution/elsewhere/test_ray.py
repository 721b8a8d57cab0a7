"""Trials on a real Ray: the results of the local ones, and nothing left behind."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from assay.records.environment import Environment
from assay.store.store import Store

# Looked for, and not imported: it would put its own packages on the path of these tests.
pytestmark = pytest.mark.skipif(find_spec("ray") is None, reason="the extra ray is not installed")

SCRIPT = """
import json, os, time
from pathlib import Path
import numpy as np
from assay import Study, change, maximize

def train(config, seed):
    flags = Path(os.environ["FLAGS"])
    if config["a"] == 2:
        (flags / f"began-{seed}").write_text(str(os.getpid()))
        while not (flags / "go").exists():
            time.sleep(0.05)
    noise = np.random.default_rng(seed).normal(size=(200, 200))
    return {"y": float((noise @ noise.T).sum() * config["a"] + np.random.rand())}

study = Study(train, baseline={"a": 1}, components=[change("a", "two", a=2)], metrics=[maximize("y")], seeds=2)
result = study.run(**json.loads(os.environ["HOW"]))
print(json.dumps([(row.state, row.metrics.get("y", 0.0).hex(), row.reused, row.failure, row.run) for row in result.outcomes]))
"""
THERE = {"workers": 2, "executor": "ray"}

Start = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def flags(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
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


def rows(process: subprocess.Popen[str]) -> list[Any]:
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    return json.loads(out)


def until(happens: Callable[[], object]) -> None:
    for _ in range(1200):
        if happens():
            return
        time.sleep(0.05)
    pytest.fail("it did not happen")


def test_bits_are_those_of_local_trials_which_stand_for_them(start: Start, project: Path, flags: Path, tmp_path: Path) -> None:
    (flags / "go").touch()
    there, local = [rows(study) for study in (start(THERE), start({"workers": 1}, tmp_path / "one"))]
    assert [row[:2] for row in there] == [row[:2] for row in local] and {row[0] for row in there} == {"finished"}
    assert all(row[2] for row in rows(start({"workers": 1})))
    store = Store.open(project)
    variables = store.objects.record(store.runs.read(there[-1][4]).start.environment, Environment).variables
    assert not [name for name in variables if name.startswith(("RAY", "CUDA"))]


def test_a_study_that_is_killed_leaves_no_trial_and_goes_on_where_it_was(start: Start, flags: Path) -> None:
    study = start({"workers": 2, "executor": "ray"})
    trial = flags / "began-0"
    until(lambda: trial.exists() and trial.read_text())
    study.kill()
    study.communicate()
    until(lambda: not Path(f"/proc/{trial.read_text()}").exists())
    (flags / "go").touch()
    again = rows(start({"workers": 2}))
    assert {row[0] for row in again} == {"finished"} and [row[2] for row in again].count(True) >= 2


def test_resources_that_no_machine_has_are_an_error_and_not_a_wait_for_ever(start: Start) -> None:
    study = start({**THERE, "ray": {"num_gpus": 1000}})
    _, err = study.communicate(timeout=120)
    assert study.returncode != 0 and "ExecutorUnusable: no machine of Ray's cluster has what a trial is to get" in err


def test_a_cluster_that_is_not_there_is_an_error(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAY_ADDRESS", "127.0.0.1:1")
    study = start(THERE)
    _, err = study.communicate(timeout=120)
    assert study.returncode != 0 and "ExecutorUnusable: Ray's cluster cannot be reached: '127.0.0.1:1'" in err
