"""A study as a user starts it, in a process of its own, and what tests want to know of it."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Callable
from typing import Any

import pytest

SCRIPT = """
import json, os, time
from pathlib import Path
import numpy as np
from assay import Study, change, maximize

def train(config, seed):
    flags = Path(os.environ["FLAGS"])
    if config["a"] == 2:
        (flags / f"began-{seed}").write_text(os.environ.get("SLURM_JOB_ID", str(os.getpid())))
        while not (flags / "go").exists():
            time.sleep(0.05)
    noise = np.random.default_rng(seed).normal(size=(200, 200))
    return {"y": float((noise @ noise.T).sum() * config["a"] + np.random.rand())}

study = Study(train, baseline={"a": 1}, components=[change("a", "two", a=2)], metrics=[maximize("y")], seeds=2)
result = study.run(**json.loads(os.environ["HOW"]))
print(json.dumps([(row.state, row.metrics.get("y", 0.0).hex(), row.reused, row.failure, row.run) for row in result.outcomes]))
"""
"""Of each trial of the changed configuration `began-SEED` says the job of Slurm, or its process; it waits for `go`."""

Start = Callable[..., subprocess.Popen[str]]


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
