"""A real run, published once for all tests of a module."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import assay

SCRIPT = """\
import json, os
points = [float(line) for line in open("data/points.csv")]
os.makedirs("out", exist_ok=True)
json.dump(sum(points) / len(points), open("out/model.json", "w"))
print(f"loss={sum(points) / len(points)}")
"""


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A bundle of one run, whose data git ignores and the store only knows by its hash; the project is where it was."""
    folder = tmp_path_factory.mktemp("published")
    project, home = folder / "project", folder / "home"
    (project / "data").mkdir(parents=True)
    home.mkdir()
    (project / "train.py").write_text(SCRIPT)
    (project / "data" / "points.csv").write_text("\n".join(str(number / 2) for number in range(400)))
    (project / "CITATION.cff").write_text(
        "cff-version: 1.2.0\ntitle: Points\nlicense: Apache-2.0\nauthors:\n  - given-names: Ada\n    family-names: Lovelace\n"
    )
    (project / "LICENSE").write_text("the terms\n")
    (project / ".gitignore").write_text("data/\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOME", str(home))
        patch.setenv("XDG_CACHE_HOME", str(home / ".cache"))
        patch.delenv("ASSAY_HOME", raising=False)
        subprocess.run(["git", "init", "-q"], cwd=project, check=True)
        command = [sys.executable, "-m", "assay", "run", "--name", "first", "--tag", "paper", sys.executable, "train.py"]
        subprocess.run(command, cwd=project, env=dict(os.environ), check=True, capture_output=True)
        assay.publish("first", to=folder / "first.zip", path=project)
        yield folder / "first.zip"
