"""`assay show --output`: what a run printed, as it printed it, and what each rank of a distributed program did."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

Assay = Callable[..., Any]

SCRIPT = "import sys\nprint('loss=0.5')\nprint('password: hunter2')\nprint('careful', file=sys.stderr)\n"
RANKS = """\
import os, subprocess, sys
if "RANK" in os.environ:
    print("rank", os.environ["RANK"], "loss=0.5")
else:
    for rank in "01":
        subprocess.run([sys.executable, __file__], env={**os.environ, "RANK": rank, "WORLD_SIZE": "2"}, check=True)
"""


def test_each_stream_goes_where_it_went(assay: Assay, folder: Path) -> None:
    """Without the secrets, as one document too; of a run that lives inside a program there is none."""
    (folder / "train.py").write_text(SCRIPT)
    assert assay("run", sys.executable, "train.py").code == 0
    done = assay("show", "last", "--output")
    assert (done.code, done.out, done.err) == (0, "loss=0.5\npassword: ***\n", "careful\n")
    document = assay("show", "last", "--output", "--json").document
    assert document == {"version": 1, "output": {"stderr": "careful\n", "stdout": "loss=0.5\npassword: ***\n"}}
    assert set(assay("show", "last", "--json").document["run"]["output"]) == {"stdout", "stderr"}
    refused = assay("show", "last", "--rank", "1")
    assert refused.code == 2 and "this run has no such rank" in refused.err


def test_what_a_rank_printed(assay: Assay, folder: Path) -> None:
    """By itself, though all ranks shared one output."""
    (folder / "train.py").write_text(RANKS)
    assert assay("run", sys.executable, "train.py").code == 0
    assert assay("show", "last", "--output").out == "rank 0 loss=0.5\nrank 1 loss=0.5\n"
    assert assay("show", "last", "--rank", "1").out == "rank 1 loss=0.5\n"
    refused = assay("show", "last", "--rank", "2")
    assert refused.code == 2 and "expected one of 0, 1" in refused.err
