"""Whether conclusions survive, asked at the command line of a real script whose truth is known: b helps at a low rate, and hurts at a high one."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Assay = Callable[..., Any]
SCRIPT = """\
import argparse, json, random
parser = argparse.ArgumentParser()
for name in ("seed", "a", "b", "split"):
    parser.add_argument("--" + name, type=int)
parser.add_argument("--lr", type=float)
parser.add_argument("--data")
given = parser.parse_args()
offset = json.load(open(given.data))
shared, own = random.Random(given.seed), random.Random(repr(given))
y = shared.gauss(0, 1) + given.split + own.gauss(0, 0.01) + given.a * offset + given.b * (0.5 if given.lr < 0.05 else -0.5)
for step in range(4):
    print(f"step={step} y={y - (3 - step) * given.a * 0.5} cost={-y} parameters={100 + 20 * given.a}")
"""
FILE = """\
name: toy
command: python toy.py {overrides} --seed {seed}
baseline: {a: 1, b: 1, lr: 0.01, split: 0, data: one.json}
components:
  a: {remove: {a: 0}}
  b: {remove: {b: 0}}
  rate: {change: {high: {lr: 0.1}}}
metrics: {y: {goal: maximize, margin: 0.1}}
seeds: 3
data: [one.json]
graph:
  a: [parameters]
  parameters: [y]
"""


@pytest.fixture
def file(folder: Path) -> Path:
    """A study file with its script and two data sets: with the second, a does harm."""
    (folder / "toy.py").write_text(SCRIPT)
    (folder / "one.json").write_text("1.0")
    (folder / "two.json").write_text("-1.0")
    path = folder / "study.yaml"
    path.write_text(FILE)
    return path


def survival(document: Any) -> dict[str, str]:
    return {one["component"]: one["survival"] for one in document["conclusions"]}


def test_a_study_is_asked_about_parameters_seeds_splits_metrics_and_data(assay: Assay, file: Path, folder: Path) -> None:
    assert assay("study", "run", "study.yaml", "--workers", "2").code == 0
    listed = assay("ls", "--json").document["total"]

    params = assay("sensitivity", "toy", "--to", "params", "--vary", "lr=0.1", "--workers", "2", "--json")
    assert params.code == 1 and survival(params.document) == {"a": "survives", "b": "does not survive", "rate": "not tested"}
    assert "1 condition beside the study: 21 trials, of which at most 9 have not finished before" in params.err
    (there,) = next(one for one in params.document["conclusions"] if one["component"] == "b")["standings"]
    assert there["contrary"] and there["depends"] and abs(there["shift"] - 1) < 0.1 and there["shift_p"] < 0.05
    # Without the rate: a condition that has it already cannot flip it. What the study ran at the high rate is there already.
    assert (
        "change nothing" in params.document["conditions"][0]["left_out"]["rate"] and params.document["conditions"][0]["runs"] == 6
    )
    shares = {tuple(one["of"]): one["share"] for one in params.document["variance"][0]["sources"]}
    assert abs(sum(shares.values()) - 1) < 1e-9 and shares["lr", "component"] > 20 * shares["lr", "seed", "component"]

    seeds = assay("sensitivity", "last", "--to", "seeds", "--more", "2")
    assert seeds.code == 0 and "new seeds 3 to 4" in seeds.out and "without seed 1" in seeds.out
    splits = assay("sensitivity", "study.yaml", "--to", "splits", "--vary", "split=0..1", "--json")
    combined = splits.document["conclusions"][0]["combined"]
    assert splits.code == 0 and combined["splits"] == 2 and combined["test_to_train"] == 1
    metrics = assay("sensitivity", "toy", "--to", "metrics", "--metric", "cost=minimize", "--json").document
    assert [one["name"] for one in metrics["conditions"]] == ["by cost", "y@mean of the last 3"]
    assert all(standing["same_sign"] for one in metrics["conclusions"] for standing in one["standings"])
    assert "parameters" in metrics["findings"][0]["text"]
    data = assay("sensitivity", "toy", "--to", "data", "--data", "one.json=two.json", "--json")
    assert data.code == 1 and survival(data.document)["a"] == "does not survive" and survival(data.document)["b"] == "survives"

    # The last answer to each question stands in the report, and stays there when the study is run again.
    assert assay("study", "run", "study.yaml", "--json").document["sensitivity"][-1]["to"] == "data"
    text = " ".join(assay("study", "show", "toy").out.split())
    assert (
        "Other parameters: 1 of 2 conclusions survives; lost: b on y; 1 not tested." in text
        and "Other data: 2 of 3 conclusions survive" in text
    )
    assert assay("report", "toy", "--to", "report").code == 0
    page = (folder / "report" / "index.html").read_text()
    assert "Other metrics: 3 of 3 conclusions survive." in page and "lr × component" in page and "data = two.json" not in text

    # All of that served a question about one study: it is still the only one, and the last.
    assert assay("ls", "--json").document["total"] == listed
    assert [one["name"] for one in assay("study", "ls", "--json").document["studies"]] == ["toy"]
    assert assay("study", "show", "last", "--json").document["name"] == "toy"

    causal = assay("study", "show", "toy", "--causal", "--mediator", "parameters", "--through", "parameters=rate")
    assert causal.code == 0 and "a -> parameters (total): identified by intervention" in causal.out
    refuted = assay("study", "show", "toy", "--causal", "--placebo", "b", "--edge", "b -> y", "--json")
    assert refuted.code == 1 and refuted.document["refutation"][0]["passed"] is False
    assert "declared after the results" in refuted.document["findings"][-1]["text"]


def test_what_was_killed_goes_on_and_repeats_nothing(folder: Path, assay: Assay, file: Path) -> None:
    command = [sys.executable, "-m", "assay", "sensitivity", "study.yaml", "--to", "params", "--vary", "split=1"]
    process = subprocess.Popen(
        command, cwd=folder, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True, start_new_session=True
    )
    assert process.stderr is not None
    for line in process.stderr:
        if "of 12 trials" in line and not line.startswith("assay: 0"):
            break
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    done = assay(*command[3:], "--json")
    # A condition of which all trials fail answers nothing, which is no yes.
    broken = assay("sensitivity", "study.yaml", "--to", "params", "--vary", "lr=fast")
    assert broken.code == 3 and "nothing is known under lr = fast: no pair of trials gave a value" in broken.err
    assert done.code == 0 and len(done.document["conditions"]) == 1
    assert assay(*command[3:], "--budget", "0", "--json").document["conditions"][0]["runs"] == 0


def test_what_cannot_be_asked_is_said_before_anything_runs(assay: Assay, file: Path) -> None:
    done = assay("sensitivity", "study.yaml", "--to", "params", "--vary", "split=1", "--budget", "5", "--json")
    assert done.code == 2 and "more trials than the budget allows: 24" in json.loads(done.out)["error"]["message"]
    assert assay("sensitivity", "study.yaml", "--to", "params", "--vary", "lr").code == 2
    assert not (file.parent / ".assay").exists()
