"""Designs at the command line: planned, run on a real script, and the seeds that an effect needs."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Assay = Callable[..., Any]
# A sum whose parts are known: b matters only with c, d does nothing. The noise is that of the seed and of the configuration.
SCRIPT = """\
import argparse, random
parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int)
for name in "abcd":
    parser.add_argument("--" + name, type=int)
given = parser.parse_args()
shared, own = random.Random(given.seed), random.Random(repr(given))
y = shared.gauss(0, 1) + own.gauss(0, 0.01) + 3 * given.a + 2 * given.b * given.c
print(f"y={y}")
"""
FILE = """\
name: sum
command: python sum.py {overrides} --seed {seed}
baseline: {a: 1, b: 1, c: 1, d: 0}
components:
  a: {remove: {a: 0}}
  b: {remove: {b: 0}}
  c: {remove: {c: 0}}
  d: {add: {d: 1}}
metrics: {y: {goal: maximize, margin: 0.2}}
seeds: 2
design: fractional
resolution: 4
"""


@pytest.fixture
def file(folder: Path) -> Path:
    """A study file with its script."""
    (folder / "sum.py").write_text(SCRIPT)
    path = folder / "study.yaml"
    path.write_text(FILE)
    return path


def test_a_fraction_is_planned_run_and_tells_the_noise_of_other_designs(assay: Assay, file: Path) -> None:
    planned = assay("study", "plan", "study.yaml")
    assert planned.code == 0
    for said in ("8 configurations x 2 seeds = 16 trials", "a × b = c × d", "plackett-burman: 8 configurations"):
        assert said in planned.out
    less, _, more = " ".join(planned.out.split()).partition("that cost less:")[2].partition("that cost as much or more:")
    assert "leave-one-out: 5 configurations" in less and "full: 16 configurations" in more and "adaptive: 8 to 32 trials" in more
    early = assay("study", "plan", "study.yaml", "--detect", "0.01")
    assert early.code == 2 and "3 seeds first" in early.err

    document = assay("study", "run", "study.yaml", "--json").document
    effects = {one["component"]: one for one in document["effects"]}
    assert abs(effects["a"]["estimate"] + 3) < 0.1 and effects["a"]["verdict"] == "matters"
    assert abs(effects["b"]["estimate"] + 1) < 0.1 and effects["d"]["verdict"] == "no effect"
    sums = {tuple(one["components"]): one for one in document["interactions"]}
    assert abs(sums["a", "d"]["estimate"] - 1) < 0.1 and "cannot tell it from b × c" in sums["a", "d"]["words"]

    needed = assay("study", "plan", "study.yaml", "--detect", "y=0.02", "--json").document["detect"]
    assert needed["metric"] == "y" and needed["paired"] and 0.005 < needed["noise"] < 0.04
    rows = {row["design"]: row for row in needed["designs"]}
    assert rows["full"]["seeds"] <= rows["leave-one-out"]["seeds"] and rows["full"]["runs"] == 16 * rows["full"]["seeds"]
    said = assay("study", "plan", "study.yaml", "--detect", "0.02").out
    assert "80 % power" in said and "leave-one-out" in said
    again = " ".join(assay("study", "plan", "study.yaml").out.split())
    assert (
        "at the noise of earlier trials: y" in again and "sees effects down to" in again and "on y; each component alone" in again
    )
    known = assay("study", "plan", "study.yaml", "--json").document
    others = {one["design"]: one for one in known["others"]}
    assert known["expected"]["finished"] == 16 and known["expected"]["seconds_per_trial"] > 0
    assert others["full"]["detectable"]["y"] < known["detectable"]["y"] < others["leave-one-out"]["detectable"]["y"]
    assert others["adaptive"]["configurations"] is None and others["full"]["runs"] == 32 and others["full"]["seconds"] > 0


def test_another_design_is_not_told_what_the_file_says_of_its_own(assay: Assay, file: Path) -> None:
    plan = assay("study", "plan", "study.yaml", "--design", "pairs", "--json").document["plan"]
    assert plan["design"] == "pairs" and len(plan["configurations"]) == 11
    drawn = assay("study", "plan", "study.yaml", "--design", "shapley", "--budget", "12", "--json").document["plan"]
    assert len(drawn["configurations"]) <= 12 and drawn["options"]["budget"] == 12


def test_constraints_groups_and_ranges_are_read(assay: Assay, file: Path) -> None:
    changed = FILE.replace("  d: {add: {d: 1}}", "  d: {vary: {d: {low: 1, high: 4, levels: 4}}}")
    changed += "constraints: [c requires b]\ngroups: {first: [a, b]}\n"
    file.write_text(changed)
    plan = assay("study", "plan", "study.yaml", "--design", "full", "--json").document["plan"]
    assert len(plan["configurations"]) == 2 * 3 * 5 and "without b" in plan["left_out"]
    assert plan["options"]["constraints"] == [{"thing": "c", "kind": "requires", "others": ["b"]}]
    assert plan["options"]["groups"] == {"first": ["a", "b"]}


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("resolution: 4", "resolution: high", "line 12"),
        ("resolution: 4", "constraints: [a with b]", "cannot be read"),
        ("resolution: 4", "constraints: [a requires z]", "does not have"),
        ("resolution: 4", "groups: {g: a}", "no list"),
        ("{add: {d: 1}}", "{vary: {d: {low: 1}}}", "low and high"),
        ("{add: {d: 1}}", "{vary: {d: {low: 1, high: 2, step: 1}}}", "step"),
        ("{add: {d: 1}}", "{vary: {d: [1], a: [2]}}", "more than one"),
        ("{add: {d: 1}}", "{add: {d: 0}}", "change nothing"),
        ("design: fractional", "design: fractionl", "Did you mean 'fractional'"),
    ],
)
def test_a_wrong_file_is_refused(assay: Assay, file: Path, old: str, new: str, said: str) -> None:
    file.write_text(FILE.replace(old, new))
    done = assay("study", "plan", "study.yaml", "--json")
    assert done.code == 2 and said in json.dumps(done.document)


@pytest.mark.parametrize("effect", ["small", "-1", "nan", "z=0.1", "y="])
def test_an_effect_is_a_size_of_a_metric(assay: Assay, file: Path, effect: str) -> None:
    assert assay("study", "plan", "study.yaml", "--detect", effect).code == 2


def test_the_adaptive_design_may_end_with_its_search(assay: Assay, file: Path) -> None:
    """What the file asks for is what is planned and run; `--until confirmed` goes on from the same trials."""
    file.write_text(
        FILE.replace("design: fractional\nresolution: 4", "design: adaptive\nbudget: 16\nuntil: found").replace(", margin: 0.2", "")
    )
    assert "confirmed or not" in " ".join(assay("study", "plan", "study.yaml").out.split())
    found = assay("study", "run", "study.yaml", "--json").document
    kinds = {one["kind"] for one in found["findings"]}
    assert len(found["trials"]) < 16 and "found, not confirmed" in kinds
    further = assay("study", "run", "study.yaml", "--until", "confirmed", "--json").document
    assert len(further["trials"]) > len(found["trials"])
    assert all(one["reused"] for one in further["trials"][: len(found["trials"])])
