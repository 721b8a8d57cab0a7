"""`assay.checkpoint_sums` in real scripts: under `assay run`, in a run of its own, and without any."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import assay
from assay.comparison.layers import Moment, recorded_sums
from assay.comparison.verdict import divergence_of
from assay.errors import InvalidValue
from assay.project.project import Project
from assay.questions.reproduce import reproduce

SCRIPT = """
import os
import numpy as np
import assay

drift = float(os.environ.get("DRIFT", 0))
layers = {"first": np.ones(3), "second": np.ones(2)}
for step in range(4):
    layers["second"] = layers["second"] * 0.5 + (drift if step >= 2 else 0)
    assay.checkpoint_sums(layers, step=step)
print(f"loss={float(layers['second'].sum())!r}")
"""


@pytest.fixture
def script(project: Path) -> Path:
    (project / "train.py").write_text(SCRIPT)
    return project


def command(folder: Path, *words: str) -> str:
    return subprocess.run(words, cwd=folder, check=True, capture_output=True, text=True).stdout


def test_a_script_needs_no_run(script):
    """Nothing is recorded, and nothing said."""
    done = subprocess.run([sys.executable, "train.py"], cwd=script, check=True, capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("loss=0.125\n", "")
    assert not (script / ".assay").exists()


def test_under_assay_run_a_reproduction_names_the_first_layer_and_step(script, monkeypatch):
    command(script, sys.executable, "-m", "assay", "run", "--", sys.executable, "train.py")
    project = Project.open(script)
    run = project.resolve("last")
    assert [(moment.step, list(layers)) for moment, layers in recorded_sums(project.store, run).items()] == [
        (step, ["first", "second"]) for step in range(4)
    ]
    monkeypatch.setenv("DRIFT", "0.25")
    again, verdict = reproduce(project.store, project.root, run)
    assert (verdict.verdict, verdict.divergence.kind, verdict.divergence.name, verdict.divergence.step) == (
        "not reproduced",
        "layer",
        "second",
        2,
    )
    shown = subprocess.run(
        [sys.executable, "-m", "assay", "diff", run.id, again.id], cwd=script, capture_output=True, text=True, check=False
    )
    assert "part first in layer second at step 2" in " ".join(shown.stdout.split())


def test_in_a_run_of_its_own_they_land_there(project):
    with assay.run(root=project) as run:
        assay.checkpoint_sums([1.0, 2.0])
        with pytest.raises(InvalidValue, match="no step"):
            assay.checkpoint_sums([1.0], step=0.5)
        with pytest.raises(InvalidValue, match="no array"):
            assay.checkpoint_sums("weights")
    store = Project.open(project).store
    (moment, layers), *others = recorded_sums(store, store.runs.read(run.id)).items()
    assert (moment, list(layers), others) == (Moment(0, None, 0), ["0", "1"], [])
    assert divergence_of(store, store.runs.read(run.id), store.runs.read(run.id)) is None


def test_a_run_that_is_gone_stops_nobody(monkeypatch, tmp_path, capfd):
    """As any failure of recording: one warning."""
    monkeypatch.setenv("ASSAY_RUN", "a" * 16)
    monkeypatch.setenv("ASSAY_STORE", str(tmp_path / ".assay"))
    assay.checkpoint_sums([1.0])
    assay.checkpoint_sums([2.0])
    assert capfd.readouterr().err.count("assay: warning") == 1
