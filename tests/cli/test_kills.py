"""Commands that are killed: a few of the kills of `make soak`, of those that no other test kills at random instants."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

SOAK = Path(__file__).resolve().parents[2] / "benchmarks" / "soak.py"
KILLS = int(os.environ.get("ASSAY_KILLS", "5"))  # in all; pushing, pulling and collecting are killed in the tests of the store


def test_runs_and_data_sets_survive_kills(tmp_path: Path) -> None:
    """What was acknowledged is there, nothing is half there, and the same command completes when it is given again."""
    command = [sys.executable, str(SOAK), str(KILLS), "0", "run", "data add"]
    done = subprocess.run(command, env={**os.environ, "TMPDIR": str(tmp_path)}, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("sound each time") == 2
