"""Publish, verify and reproduce one file, in real processes, in folders that share nothing with the project."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Assay = Callable[..., Any]

TRAIN = """\
import json
points = [float(line) for line in open("data/points.csv")]
json.dump(sum(points), open("model.json", "w"))
print(f"loss={sum(points)}")
"""
STUDY = """\
name: levels
command: {python} train.py {{overrides}} --seed {{seed}}
baseline: {{lr: 0.1}}
components:
  rate: {{change: {{high: {{lr: 0.4}}}}}}
metrics:
  loss: {{goal: minimize}}
seeds: 2
"""


@pytest.fixture
def reading(folder: Path) -> Path:
    """A script whose data git ignores: the store knows it by its hash alone."""
    (folder / "data").mkdir()
    (folder / "data" / "points.csv").write_text("\n".join(map(str, range(100))))
    (folder / ".gitignore").write_text("data/\n")
    (folder / "train.py").write_text(TRAIN)
    return folder


def test_a_reviewer_needs_the_file_alone(assay: Assay, reading: Path, tmp_path: Path) -> None:
    bundle = str(tmp_path / "paper.zip")
    assert assay("run", "--name", "first", sys.executable, "train.py").code == 0
    done = assay("publish", "first", "--to", bundle, "--json")
    assert done.code == 0 and done.document["absent"] == [] and "contents of 1 run, " in done.err
    shutil.rmtree(reading)
    away = {
        "HOME": str(tmp_path / "reviewer"),
        "XDG_CACHE_HOME": str(tmp_path / "reviewer" / "cache"),
        "ASSAY_HOME": str(tmp_path / "own"),
    }
    for name in ("reviewer", "empty", "mine"):
        (tmp_path / name).mkdir()
    verified = assay("verify", bundle, cwd=tmp_path / "empty", env=away)
    assert verified.code == 0 and verified.out.startswith("whole: the run first, as it was published\n"), verified.out
    again = assay("reproduce", bundle, "--json", cwd=tmp_path / "empty", env=away)
    assert again.code == 0, again.err
    document = again.document
    assert document["verdict"] == "identical" and {file["sameness"] for file in document["files"]} == {"identical"}
    assert document["bundle"]["kind"] == "run" and document["bundle"]["store"].startswith(away["XDG_CACHE_HOME"])
    assert list((tmp_path / "empty").iterdir()) == [] and not (tmp_path / "own").exists()
    shown = assay("show", bundle, "--json", cwd=tmp_path / "empty", env=away).document["run"]
    assert shown["name"] == "first" and shown["metrics"] == {"loss": 4950.0}
    # What was carried out is where it was said to be, and a project takes it on purpose.
    listed = assay("ls", "--json", cwd=tmp_path / "empty", env={**away, "ASSAY_HOME": document["bundle"]["store"]}).document["runs"]
    assert document["run"] in [run["id"] for run in listed]
    assert assay("pull", bundle, cwd=tmp_path / "mine", env={**away, "ASSAY_HOME": ""}).code == 0
    assert assay("show", "first", cwd=tmp_path / "mine", env={**away, "ASSAY_HOME": ""}).code == 0


def test_data_that_is_not_in_it_is_used_where_it_lies(assay: Assay, reading: Path, tmp_path: Path) -> None:
    bundle = str(tmp_path / "bare.zip")
    assay("run", "--name", "first", sys.executable, "train.py")
    done = assay("publish", "first", "--to", bundle, "--without-data")
    assert "not in it, left out: 1 of data (data/points.csv)" in done.out
    (tmp_path / "else" / "data").mkdir(parents=True)
    shutil.move(reading / "data" / "points.csv", tmp_path / "points.csv")
    shutil.rmtree(reading)
    lacking = assay("reproduce", bundle, cwd=tmp_path / "else")
    assert lacking.code == 3 and "a file that the run read is missing: 'data/points.csv'" in lacking.err
    assert "not in it, left out: 1 of data" in lacking.err
    shutil.copy(tmp_path / "points.csv", tmp_path / "else" / "data" / "points.csv")
    assert assay("reproduce", bundle, cwd=tmp_path / "else").code == 0


def test_a_study_is_one_file_too(assay: Assay, folder: Path, tmp_path: Path) -> None:
    bundle = str(tmp_path / "study.zip")
    (folder / "study.yaml").write_text(STUDY.format(python=sys.executable))
    assert assay("study", "run", "study.yaml").code == 0
    done = assay("publish", "levels", "--to", bundle, "--json")
    assert done.code == 0 and len(done.document["runs"]) == 4, done.err
    shutil.rmtree(folder)
    (tmp_path / "else").mkdir()
    found = assay("verify", bundle, "--json", cwd=tmp_path / "else").document
    assert found["whole"] and found["kind"] == "study" and found["sealed"] == 4
    base = assay("reproduce", bundle, cwd=tmp_path / "else")
    assert base.code == 0 and "'baseline' with seed 0 is run again" in base.err, base.err
    other = assay("reproduce", bundle, "--configuration", "rate: high", "--json", cwd=tmp_path / "else")
    assert other.code == 0 and "'rate: high' with seed 0" in other.err and other.document["verdict"] == "identical"
    wrong = assay("reproduce", bundle, "--configuration", "nothing", cwd=tmp_path / "else")
    assert wrong.code == 2 and "expected one of 'baseline', 'rate: high'" in wrong.err


def test_parents_are_named_or_packed(assay: Assay, folder: Path, tmp_path: Path) -> None:
    use = "import json; print('double=%s' % (2 * json.load(open('model.json'))))"
    assay("run", "--name", "maker", sys.executable, "train.py")
    assay("run", "--name", "user", sys.executable, "-c", use)
    alone = assay("publish", "user", "--to", str(tmp_path / "alone.zip"), "--json").document
    family = assay("publish", "user", "--to", str(tmp_path / "family.zip"), "--with-parents", "--json").document
    assert len(alone["runs"]) == 1 and len(family["runs"]) == 2 and family["runs"][0] == alone["runs"][0]
    for name in ("alone", "family"):
        assert assay("verify", str(tmp_path / f"{name}.zip")).code == 0


def test_garbage_gets_a_clear_answer(assay: Assay, folder: Path) -> None:
    (folder / "text.zip").write_text("no zip at all")
    assay("run", "--name", "first", sys.executable, "-c", "pass")
    for line, code, text in (
        ("verify none.zip", 2, "there is no such file"),
        ("verify .", 2, "there is no such file"),
        ("verify text.zip", 1, "it is no zip"),
        ("reproduce text.zip", 3, "it is no zip"),
        ("show text.zip", 3, "it is no zip"),
        ("pull text.zip", 3, "it is no zip"),
        ("reproduce none.zip", 2, "there is no such file"),
        ("publish first --to text.zip", 2, "another file stands there"),
        ("publish first", 2, "missing option"),
        ("reproduce first --configuration a", 2, "of use to a study's bundle alone"),
    ):
        done = assay(*line.split())
        assert done.code == code and text in done.out + done.err, (line, done.code, done.out, done.err)


FUNCTION = """\
import random
import assay

def train(config, seed):
    random.seed(seed)
    return {"accuracy": config["width"] + random.random()}

if __name__ == "__main__":
    study = assay.Study(train, baseline={"width": 2.0}, components=[assay.change("width", "narrow", width=1.0)],
                        metrics=[assay.maximize("accuracy")], seeds=2, name="wide")
    result = study.run(study.plan("leave-one-out"))
    assay.publish(result, to="../wide.zip")
    assert assay.verify("../wide.zip").whole
"""


def test_a_study_of_a_function_is_one_file_too(assay: Assay, folder: Path, tmp_path: Path) -> None:
    (folder / "study.py").write_text(FUNCTION)
    done = subprocess.run([sys.executable, "study.py"], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    shutil.rmtree(folder)
    (tmp_path / "else").mkdir()
    again = assay("reproduce", "../wide.zip", "--json", cwd=tmp_path / "else")
    assert again.code == 0 and again.document["verdict"] == "identical", again.err
    assert list((tmp_path / "else").iterdir()) == []
    # The trial of the file and the one that repeated it are in the file's own store, and differ in nothing.
    compared = assay("diff", "../wide.zip", "../wide.zip", cwd=tmp_path / "else")
    assert compared.code == 0, compared.out


def test_a_run_of_the_project_is_compared_with_one_that_was_sent(assay: Assay, two_runs: tuple[str, str], tmp_path: Path) -> None:
    bundle = str(tmp_path / "first.zip")
    assert assay("publish", "first", "--to", bundle).code == 0
    there = assay("diff", bundle, "second", "--json").document
    here = assay("diff", "first", "second", "--json").document
    assert (there["a"], there["b"]) == two_runs and there["differences"] == here["differences"]
    assert assay("diff", "second", bundle).code == 1


def test_what_a_card_says_of_access_stands_beside_data_that_is_left_out(assay: Assay, reading: Path, tmp_path: Path) -> None:
    assert assay("data", "add", "data").code == 0
    assert assay("data", "card", "data", "--access", "ask the ward", "--to", str(tmp_path / "card.json")).code == 0
    assay("run", "--name", "first", sys.executable, "train.py")
    absent = assay("publish", "first", "--to", str(tmp_path / "bare.zip"), "--without-data", "--json").document["absent"]
    assert [(each["path"], each["why"], each["access"]) for each in absent] == [("data/points.csv", "left out", "ask the ward")]
