"""The baseline gate of a study file: its command, its exit codes, what its reports carry, and what is wrong with files."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Assay = Callable[..., Any]
SCRIPT = """\
import argparse, random
parser = argparse.ArgumentParser()
parser.add_argument("--lr", type=float)
parser.add_argument("--seed", type=int)
parser.add_argument("--augment", action="store_true")
given = parser.parse_args()
random.seed(given.seed)
own = random.gauss(0, 0.001) * (given.lr + given.augment)
print(f"accuracy={0.8 + random.gauss(0, 0.02) + own + 0.03 * given.augment - abs(given.lr - 0.1)}")
"""
FILE = """\
name: toy
command: python fit.py {overrides} --seed {seed}
baseline: {lr: 0.3, augment: true}
components:
  augmentation: {remove: {augment: false}, matched: {lr: 0.35}}
metrics:
  accuracy: {goal: maximize, margin: 0.005, range: [0, 1]}
seeds: 2
placebo: true
gate:
  tune: {lr: {low: 0.1, high: 0.5}}
"""


@pytest.fixture
def file(folder: Path) -> Path:
    """A study file with its script, and a baseline that is badly tuned."""
    (folder / "fit.py").write_text(SCRIPT)
    path = folder / "study.yaml"
    path.write_text(FILE)
    return path


def test_a_badly_tuned_baseline_fails_is_accepted_with_a_reason_and_mended(assay: Assay, file: Path, folder: Path) -> None:
    planned = " ".join(assay("study", "plan", "study.yaml").out.split())
    assert "8 trials" in planned and "2 settings one step away (lr) x 2 seeds: 5 trials more" in planned
    checked = assay("study", "gate", "study.yaml", "--workers", "2")
    assert checked.code == 1 and "clearly better: lr = 0.2" in " ".join(checked.out.split())
    stopped = assay("study", "run", "study.yaml", "--json")
    assert stopped.code == 1
    document = stopped.document
    assert [part["state"] for part in document["gate"]["parts"]] == ["passed", "passed", "failed"]
    assert {trial["state"] for trial in document["trials"] if trial["configuration"] != "baseline"} == {"queued"}
    assert "FAILED at the gate" in assay("study", "show", "toy").out, "what stopped it is kept"
    for further in (("study", "extend", "toy", "--seeds", "+1"), ("study", "next", "toy"), ("sensitivity", "toy", "--to", "seeds")):
        refused = assay(*further)
        assert refused.code == 2 and "at the gate" in refused.err and "--accept-baseline" in refused.err

    accepted = assay("study", "run", "study.yaml", "--accept-baseline", "as published", "--workers", "2")
    assert accepted.code == 0 and "accepted: “as published”" in " ".join(accepted.out.split())
    longer = assay("study", "extend", "toy", "--seeds", "+1", "--workers", "2", "--json")
    assert longer.code == 0 and longer.document["gate"]["accepted"] == "as published"
    assert longer.document["gate"]["asked"]["tune"], "the gate goes with the study"
    assert assay("report", "toy", "--to", "report").code == 0
    assert json.loads((folder / "report" / "effects.json").read_text())["gate"]["accepted"] == "as published"
    for name in ("index.html", "table.md"):
        assert "as published" in (folder / "report" / name).read_text()

    file.write_text(FILE.replace("lr: 0.3", "lr: 0.1"))
    mended = assay("study", "run", "study.yaml", "--json", "--workers", "2")
    assert mended.code == 0 and mended.document["gate"]["parts"][2]["state"] == "passed"
    effects = {effect["component"]: effect["verdict"] for effect in mended.document["effects"]}
    assert effects["placebo"] == "no-op" and "augmentation, beyond size" in effects


@pytest.mark.parametrize(
    ("before", "after", "says"),
    [
        ("tune: {lr: {low: 0.1, high: 0.5}}", "tune: {lr: {low: 0.1}}", "no ends"),
        ("tune: {lr: {low: 0.1, high: 0.5}}", "tune: {lr: 3}", "nothing that it could be"),
        ("tune: {lr: {low: 0.1, high: 0.5}}", "tune: {rate: [1, 2]}", "rate"),
        ("tune: {lr: {low: 0.1, high: 0.5}}", "tuned: {}", "Did you mean 'tune'"),
        ("tune: {lr: {low: 0.1, high: 0.5}}", "reproducible: maybe", "'identical' or 'numerical'"),
        ("tune: {lr: {low: 0.1, high: 0.5}}", "criterion: f1", "no metric of the study"),
        ("tune: {lr: {low: 0.1, high: 0.5}}", "{tune: {lr: [0.1]}, budget: many}", "budget"),
        ("range: [0, 1]", "range: [1, 0]", "no range"),
        ("placebo: true", "placebo: maybe", "placebo is not true"),
        ("matched: {lr: 0.35}", "matched: {}", "matched"),
        ("matched: {lr: 0.35}", "matched: {rate: 1}", "rate"),
    ],
)
def test_what_is_wrong_with_a_gate_is_named(assay: Assay, file: Path, folder: Path, before: str, after: str, says: str) -> None:
    file.write_text(FILE.replace(before, after))
    done = assay("study", "gate", "study.yaml")
    assert done.code == 2 and says in done.err and "Traceback" not in done.err
    assert not (folder / ".assay").exists()
