"""The real command in real processes, in a project of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pytest

SCRIPT = """\
import json, random, sys
lr = float(sys.argv[sys.argv.index("--lr") + 1]) if "--lr" in sys.argv else 0.1
random.seed(int(sys.argv[sys.argv.index("--seed") + 1]) if "--seed" in sys.argv else 0)
loss = 1.0
for step in range(5):
    loss *= 1 - lr * random.random()
    print(f"step={step} loss={loss}")
open("model.json", "w").write(json.dumps(loss))
"""


class Done(NamedTuple):
    """A process that ended: exit code, standard output, standard error."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        """The one JSON document on standard output; bare NaN is none."""
        return json.loads(self.out, parse_constant=pytest.fail)


Assay = Callable[..., Done]


@pytest.fixture
def folder(project: Path) -> Path:
    """A repository with a script that never heard of Assay."""
    (project / "train.py").write_text(SCRIPT)
    return project


@pytest.fixture
def assay(folder: Path) -> Assay:
    """Calls `assay` in the project: `assay("ls", "--json")`; `env` and `cwd` where they matter."""

    def call(*arguments: str, env: Mapping[str, str] | None = None, cwd: Path | None = None, stdin: str | None = None) -> Done:
        done = subprocess.run(
            [sys.executable, "-m", "assay", *arguments], cwd=cwd or folder, env={**os.environ, **(env or {})},
            input=stdin, capture_output=True, text=True, check=False, timeout=120,
        )  # fmt: skip
        return Done(done.returncode, done.stdout, done.stderr)

    return call


@pytest.fixture
def two_runs(assay: Assay) -> tuple[str, str]:
    """Ids of two finished runs that differ in a parameter and a seed, the first one first."""
    assert assay("run", "--name", "first", sys.executable, "train.py", "--lr", "0.1").code == 0
    assert assay("run", "--name", "second", "--tag", "paper", sys.executable, "train.py", "--lr", "0.3", "--seed", "1").code == 0
    newest, oldest = (run["id"] for run in assay("ls", "--json").document["runs"])
    return oldest, newest
