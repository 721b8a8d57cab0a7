"""`assay study extend`, `next`, `stop` and `ls` in a terminal."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from assay.project.study_file import load_study_file
from assay.store.store import Store

Assay = Callable[..., Any]
SCRIPT = """\
import argparse, pathlib, time
parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int)
parser.add_argument("--wait")
parser.add_argument("--augment", action="store_true")
given = parser.parse_args()
if given.seed and pathlib.Path(given.wait).exists():
    pathlib.Path(given.wait, "began").touch()
    time.sleep(600)
print(f"score={0.8 + given.seed * 7919 % 13 / 1000 + 0.1 * given.augment}")
"""


@pytest.fixture
def file(folder: Path, tmp_path: Path) -> Path:
    """A study whose trials of seed 1 wait while a folder outside the project exists."""
    (folder / "fit.py").write_text(SCRIPT)
    path = folder / "toy.yaml"
    path.write_text(
        f"command: {sys.executable} fit.py {{overrides}} --seed {{seed}} --wait {tmp_path / 'wait'}\n"
        "baseline: {augment: false}\n"
        "components: {augmentation: {add: {augment: true}}}\n"
        "metrics: {score: maximize}\nseeds: 2\nhypotheses: [augmentation raises score]\n"
    )
    return path


def test_a_chain_of_studies_is_run_and_listed(assay: Assay, file: Path, folder: Path) -> None:
    first = assay("study", "run", "toy.yaml", "--json").document["study"]
    longer = assay("study", "extend", "toy.yaml", "--seeds", "+1", "--workers", "2", "--json").document
    assert [trial["seed"] for trial in longer["trials"]] == [0, 0, 1, 1, 2, 2]
    assert any(finding["kind"] == "extended" for finding in longer["findings"])
    written = assay("study", "next", "toy", "--to", "next.yaml", "--json").document
    assert written["former"] == longer["study"]
    again = load_study_file(folder / "next.yaml").plan()
    assert again.study == written["study"] and again.definition.baseline == {"augment": True}
    assert assay("study", "next", "toy", "--to", "next.yaml").code == 2  # never over a file that is there
    assert assay("study", "run", "next.yaml", "--workers", "2").code == 0
    listed = {one["study"]: one for one in assay("study", "ls", "--json").document["studies"]}
    assert listed[longer["study"]]["origin"] == {"study": first, "by": "extend"}
    assert listed[written["study"]]["origin"] == {"study": longer["study"], "by": "next"}
    assert {one["state"] for one in listed.values()} == {"finished"}
    shown = assay("study", "ls").out
    assert f"grew out of {longer['study'][:8]}" in " ".join(shown.split())
    nothing = assay("study", "next", "last")
    assert nothing.code == 1 and "no change clearly helps" in nothing.err and "Traceback" not in nothing.err


@pytest.mark.parametrize(
    "arguments",
    [
        ("extend", "nothing"),
        ("extend", "toy.yaml", "--seeds", "many"),
        ("extend", "toy.yaml", "--seeds", "+1", "--component", "nonsense"),
        ("extend", "toy.yaml", "--seeds", "+1", "--component", "a: {remove: [}"),
        ("next", "nothing"),
        ("stop", "nothing"),
    ],
)
def test_wrong_use_is_said_and_nothing_is_run(assay: Assay, file: Path, folder: Path, arguments: tuple[str, ...]) -> None:
    Store.open(folder)
    done = assay("study", *arguments)
    assert done.code == 2 and "Traceback" not in done.err and done.out == ""


def test_a_study_is_stopped_from_another_terminal_and_run_on_later(assay: Assay, file: Path, folder: Path, tmp_path: Path) -> None:
    (tmp_path / "wait").mkdir()
    command = [sys.executable, "-m", "assay", "study", "run", "toy.yaml"]
    # As `&` of a script starts it: Ctrl-C is ignored there.
    running = subprocess.Popen(
        ["sh", "-c", 'trap "" INT; exec "$@"', "sh", *command],
        cwd=folder,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=os.environ,
    )
    while not (tmp_path / "wait" / "began").exists():
        assert running.poll() is None
        time.sleep(0.02)
    assert [one["state"] for one in assay("study", "ls", "--json").document["studies"]] == ["running"]
    stopped = assay("study", "stop", "toy", "--json")
    assert stopped.code == 0 and stopped.document["stopped"] == 1
    assert running.wait(timeout=60) == 130
    assert assay("study", "stop", "toy").code == 1
    (tmp_path / "wait" / "began").unlink()
    (tmp_path / "wait").rmdir()
    trials = assay("study", "run", "toy.yaml", "--json").document["trials"]
    assert [trial["state"] for trial in trials] == ["finished"] * 4
    # The baseline goes first, under every seed; it was stopped under the second.
    assert [trial["reused"] for trial in trials] == [True, False, False, False]


def test_a_study_that_is_named_is_extended_without_running_anything_again(assay: Assay, file: Path, folder: Path) -> None:
    """Its sealed baseline has sorted keys; the commands that are made of it again are those that ran."""
    text = file.read_text().replace("baseline: {augment: false}", "baseline: {zeal: 3, augment: false, deep: {width: 2, depth: 1}}")
    file.write_text(text.replace("{seed} --wait", "{seed} --zeal {zeal} --wait"))
    script = SCRIPT.replace(
        "given = ",
        'parser.add_argument("--zeal")\nparser.add_argument("--deep.width")\nparser.add_argument("--deep.depth")\ngiven = ',
    )
    (folder / "fit.py").write_text(script)
    assert assay("study", "run", "toy.yaml").code == 0
    trials = assay("study", "extend", "toy", "--seeds", "+1", "--json").document["trials"]
    assert [trial["reused"] for trial in trials] == [True] * 4 + [False] * 2
