"""The adaptive design at the command line, with a component of three levels and with folds: planned, run, stopped, gone on from, reported."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Assay = Callable[..., Any]
# Adam helps by 1, rmsprop does nothing, augmentation is worth 0.4; the noise is that of the configuration, of the seed and of the fold.
SCRIPT = """\
import argparse, random
parser = argparse.ArgumentParser()
parser.add_argument("--optimizer")
parser.add_argument("--augment", action="store_true")
parser.add_argument("--seed", type=int)
parser.add_argument("--fold", type=int, default=0)
given = parser.parse_args()
own = random.Random(repr(given)).gauss(0, 0.05)
print(f"score={(given.optimizer == 'adam') + 0.4 * given.augment + 0.1 * (given.seed % 3) + 0.2 * given.fold + own}")
"""
FILE = """\
name: three ways
command: python train.py {overrides} --seed {seed}
baseline: {optimizer: sgd, augment: true}
components:
  optimizer: {replace: {adam: {optimizer: adam}, rmsprop: {optimizer: rmsprop}}}
  augmentation: {remove: {augment: false}}
metrics: {score: {goal: maximize}}
seeds: 14
design: adaptive
budget: 56
hypotheses:
  - "optimizer: adam lowers score"
"""


@pytest.fixture
def file(folder: Path) -> Path:
    """A study file with its script."""
    (folder / "train.py").write_text(SCRIPT)
    path = folder / "study.yaml"
    path.write_text(FILE)
    return path


def test_three_levels_are_planned_run_bit_by_bit_and_found(assay: Assay, file: Path) -> None:
    planned = assay("study", "plan", "study.yaml")
    assert planned.code == 0
    for said in ("8 at least, 56 at most", "of each level of optimizer", "Two alternatives of a component", "14 seeds take turns"):
        assert said in " ".join(planned.out.split())

    # No time for more than a batch: what it then knows is kept, and the same command goes on from there.
    short = assay("study", "run", "study.yaml", "--minutes", "0.0001", "--json").document
    assert len(short["trials"]) == 8
    assert {one["verdict"] for one in short["effects"]} == {"cannot tell"}

    ran = assay("study", "run", "study.yaml", "--json", "--workers", "2")
    assert ran.code == 0
    effects = {one["component"]: one for one in ran.document["effects"]}
    assert list(effects) == ["optimizer: adam", "optimizer: rmsprop", "augmentation"]
    assert (
        effects["optimizer: adam"]["verdict"] == "matters"
        and effects["optimizer: adam"]["low"] <= 1 <= effects["optimizer: adam"]["high"]
    )
    assert effects["optimizer: rmsprop"]["verdict"] == "cannot tell"
    assert any(one["kind"] == "reused" for one in ran.document["findings"])
    shown = " ".join(assay("study", "show", "last", env={"COLUMNS": "200"}).out.split())
    assert "with optimizer: adam, on average" in shown and "optimizer: adam lowers score: supported" in shown

    assert assay("report", "last", "--to", "report").code == 0
    written = json.loads((file.parent / "report" / "effects.json").read_text())
    assert "optimizer: adam" in json.dumps(written)
    grown = assay("study", "next", "last", "--to", "next.yaml")
    assert grown.code == 0 and "optimizer: adam" in grown.out + grown.err
    assert assay("study", "plan", "next.yaml").code == 0


def test_folds_are_blocks_of_it_too(assay: Assay, file: Path) -> None:
    text = FILE.replace("{seed}\n", "{seed} --fold {fold}\n").replace("seeds: 14", "seeds: 2\nfolds: 3").replace("56", "12")
    file.write_text(text.replace("hypotheses:", "configurations: {plain: {augment: false}}\nhypotheses:"))
    assert "2 seeds x 3 folds take turns" in " ".join(assay("study", "plan", "study.yaml").out.split())
    document = assay("study", "run", "study.yaml", "--json").document
    assert {(one["seed"], one["split"]) for one in document["trials"]} == {(seed, fold) for seed in (0, 1) for fold in (0, 1, 2)}
    (plain,) = [one for one in document["effects"] if one["component"] == "plain"]
    assert plain["verdict"] == "matters" and plain["n"] == 3
    assert "say nothing of other data" in " ".join(assay("study", "show", "last").out.split())
