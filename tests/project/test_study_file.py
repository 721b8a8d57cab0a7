"""Study files: read exactly, refused by line, and run on a real script."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from assay.errors import AssayError, CommandNotFound, InvalidStudy, UnknownMetric, UnknownParameter
from assay.project.study_file import load_study_file
from assay.records.plan import Configuration
from assay.store.store import Store

# Logistic regression on real measurements: the petals of two kinds of iris, from scikit-learn's copy of Fisher's data.
SCRIPT = """
import argparse, json, pathlib, sys, time
import numpy as np

parser = argparse.ArgumentParser()
parser.add_argument("--rate", type=float)
parser.add_argument("--steps", type=int)
parser.add_argument("--scale", action="store_true")
parser.add_argument("--columns", type=int, action="append")
parser.add_argument("--dead", type=int)
parser.add_argument("--seed", type=int)
given = parser.parse_args()
if given.seed == 1 and pathlib.Path("flags/WAIT").exists():
    pathlib.Path("BEGAN").touch()
    time.sleep(600)
if given.rate > 50:
    sys.exit("the rate is too large")
table = np.loadtxt("iris.csv", delimiter=",")
rows = np.random.default_rng(given.seed).permutation(len(table))
X, y = table[rows][:, given.columns], table[rows, -1]
if given.scale:
    X = (X - X.mean(0)) / X.std(0)
w = np.zeros(X.shape[1])
with open("log.jsonl", "w") as log:
    for step in range(given.steps):
        p = 1 / (1 + np.exp(-X[:70] @ w))
        w -= given.rate * X[:70].T @ (p - y[:70]) / 70
        p = 1 / (1 + np.exp(-X[70:] @ w))
        log.write(json.dumps({"step": step, "loss": float(-np.log(np.where(y[70:] > 0.5, p, 1 - p)).mean())}) + "\\n")
print(f"accuracy={((p > 0.5) == y[70:]).mean()}")
"""

STUDY = """
command: PYTHON train.py {overrides} --seed {seed}
baseline: {rate: 0.5, steps: 40, scale: true, columns: [2, 3], dead: 1}
components:
  scaling: {remove: {scale: false}}
  petals: {replace: {sepals: {columns: [0, 1]}}}
  training: {change: {short: {steps: 2}}}
  dead: {change: {two: {dead: 2}}}
metrics:
  accuracy: {goal: maximize, margin: 0.02}
  test_loss: {goal: minimize, from: "jsonl:log.jsonl:loss", at: min}
seeds: 2
workers: 2
hypotheses:
  - scaling raises accuracy by 0.05
  - training: short lowers test_loss
"""


@pytest.fixture
def iris(project: Path) -> Path:
    """A project with the script, its data and its study."""
    from sklearn.datasets import load_iris

    measured = load_iris()
    lines = [",".join(map(str, [*row, kind - 1])) for row, kind in zip(measured.data, measured.target, strict=True) if kind]
    (project / "iris.csv").write_text("\n".join(lines) + "\n")
    (project / "train.py").write_text(SCRIPT)
    (project / "study.yaml").write_text(
        STUDY.replace("PYTHON", sys.executable).replace("  - training: short lowers test_loss\n", "")
    )
    return project


def written(folder: Path, text: str, name: str = "study.yaml") -> Path:
    path = folder / name
    path.write_text(text)
    return path


MINIMAL = "command: python t.py {overrides}\nbaseline: {lr: 0.1}\nmetrics: {loss: minimize}\n"


def test_a_real_script_is_studied_through_its_file(iris: Path) -> None:
    result = load_study_file(iris / "study.yaml").run()
    assert all(row.state == "finished" for row in result.outcomes)
    effects = {(effect.component, effect.metric): effect.estimate for effect in result.effects}
    assert effects["petals", "accuracy"] < -0.1
    assert effects["training", "test_loss"] > 0
    assert [finding.about for finding in result.findings if finding.kind == "no-op"] == ["dead"]
    assert not (iris / "log.jsonl").exists()


def test_one_worker_and_two_give_the_same_bits(iris: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = []
    for workers in (1, 2):
        monkeypatch.setenv("ASSAY_HOME", str(tmp_path / f"store{workers}"))
        rows.append([row.metrics for row in load_study_file(iris / "study.yaml").run(workers=workers).outcomes])
    assert repr(rows[0]) == repr(rows[1])


def test_a_study_killed_in_the_middle_repeats_no_finished_trial(iris: Path, own_home: Path) -> None:
    (iris / ".gitignore").write_text("flags/\n")
    (iris / "flags").mkdir()
    (iris / "flags" / "WAIT").touch()
    path = iris / "study.yaml"
    path.write_text(path.read_text() + "data: [flags]\n")
    go = f"from assay.project.study_file import load_study_file; load_study_file({str(path)!r}).run(workers=1)"
    process = subprocess.Popen([sys.executable, "-c", go], cwd=iris, stderr=subprocess.DEVNULL)
    while not list((own_home / ".cache" / "assay-trials").glob("*/BEGAN")):
        assert process.poll() is None
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait()
    (iris / "flags" / "WAIT").unlink()
    result = load_study_file(path).run()
    assert [row.reused for row in result.outcomes] == [True] + [False] * 9, "the baseline goes first"
    assert all(row.state == "finished" for row in result.outcomes)


def test_a_failing_trial_is_counted_and_the_others_are_analysed(iris: Path) -> None:
    path = iris / "study.yaml"
    path.write_text(path.read_text().replace("{two: {dead: 2}}", "{wild: {rate: 99.0}}").replace("dead:", "rate:", 1))
    text = path.read_text().replace("columns: [2, 3], rate: 1}", "columns: [2, 3], dead: 1}")
    path.write_text(text)
    result = load_study_file(path).run()
    failed = [row for row in result.outcomes if row.state != "finished"]
    assert len(failed) == 2
    assert all("the rate is too large" in row.failure for row in failed)
    assert any("the rate is too large" in finding.text for finding in result.findings)


def test_a_study_without_a_name_has_that_of_its_file_or_folder(tmp_path: Path) -> None:
    """ "study.yaml" says nothing, so the folder's name stands for it."""
    folder = tmp_path / "augmentation"
    folder.mkdir()
    assert load_study_file(written(folder, MINIMAL, "losses.yaml")).name == "losses"
    assert load_study_file(written(folder, MINIMAL)).name == "augmentation"
    assert load_study_file(written(folder, "name: own\n" + MINIMAL)).name == "own"


def test_toml_says_the_same_as_yaml(tmp_path: Path) -> None:
    yaml = written(tmp_path, MINIMAL + "components: {rate: {change: {high: {lr: 1.0}}}}\nseeds: [3, 4]\n")
    toml = written(
        tmp_path,
        'command = "python t.py {overrides}"\nseeds = [3, 4]\nbaseline = {lr = 0.1}\nmetrics = {loss = "minimize"}\n'
        "[components.rate.change.high]\nlr = 1.0\n",
        "study.toml",
    )
    assert load_study_file(yaml).plan().study == load_study_file(toml).plan().study


def test_yaml_is_that_of_version_1_2(tmp_path: Path) -> None:
    study = load_study_file(written(tmp_path, MINIMAL.replace("{lr: 0.1}", "{lr: 1e-3, answer: no, mode: on}")))
    assert study.baseline == {"lr": 0.001, "answer": "no", "mode": "on"}


@pytest.mark.parametrize(
    ("style", "words"),
    [
        ("space", ["--lr", "0.1", "--amp", "--layer", "8", "--layer", "4", "--opt.name", "adam mono"]),
        ("equals", ["--lr=0.1", "--amp", "--layer=8", "--layer=4", "--opt.name=adam mono"]),
        ("hydra", ["lr=0.1", "amp=true", "off=false", "none=null", "layer=[8,4]", "opt.name=adam mono"]),
    ],
)
def test_overrides_are_arguments_in_the_style_that_is_asked_for(tmp_path: Path, style: str, words: list[str]) -> None:
    baseline = "{lr: 0.1, amp: true, off: false, none: null, layer: [8, 4], opt: {name: adam mono}}"
    text = MINIMAL.replace("{lr: 0.1}", baseline) + f"override_style: {style}\n"
    study = load_study_file(written(tmp_path, text))
    assert study.arguments(study.plan().plan.configurations[0], 7) == ("python", "t.py", *words)


def test_seed_and_single_keys_have_places_of_their_own(tmp_path: Path) -> None:
    text = MINIMAL.replace("t.py {overrides}", "t.py {overrides} --out=run-{seed}-{lr} '{not this}'").replace(
        "{lr: 0.1}", "{lr: 0.1, n: 2}"
    )
    study = load_study_file(written(tmp_path, text))
    arguments = study.arguments(Configuration(name="x", params={"lr": 0.5, "n": 2}), 7)
    assert arguments == ("python", "t.py", "--n", "2", "--out=run-7-0.5", "{not this}")


@pytest.mark.parametrize(
    ("edit", "words"),
    [
        (("metrics:", "metric:"), r"line 3: .*nothing reads.*'metric'.*Did you mean 'metrics'\?"),
        (("minimize", "minimise"), "line 3: .*'minimise'; expected maximize or minimize"),
        (("{loss: minimize}", "{loss: {goal: minimize, form: x}}"), "line 3: .*'form'.*Did you mean 'from'"),
        (("{loss: minimize}", "{loss: {goal: minimize, at: end}}"), "line 3: .*'end'; expected last"),
        (("{loss: minimize}", "{loss: {goal: minimize, margin: -1}}"), "line 3: .*margin"),
        (("{loss: minimize}", "{loss: {goal: minimize, from: 'wandb:loss'}}"), "line 3: .*source"),
        ((" {overrides}", ""), r"line 1: .*no \{overrides\}"),
        (("{overrides}", "{overrides} | tee log"), "line 1: .*shell line.*'|'"),
        (("{overrides}", "{overrides} 'open"), "line 1: .*split"),
        (("{overrides}", "{overrides} --n {depht}"), r"\{depht\}"),
        (("command: python t.py {overrides}\n", ""), "no command"),
        (("{lr: 0.1}", "[1]"), "line 2: baseline is no mapping"),
        (("{lr: 0.1}", "{lr: 0.1, lr: 0.2}"), "line 2: "),
        (("{lr: 0.1}", "{lr: 0.1"), "line"),
        (("metrics: {loss: minimize}\n", ""), "no metric"),
    ],
)
def test_a_mistake_is_told_with_its_line_and_what_would_be_right(tmp_path: Path, edit: tuple[str, str], words: str) -> None:
    assert edit[0] in MINIMAL
    with pytest.raises(InvalidStudy, match=words):
        load_study_file(written(tmp_path, MINIMAL.replace(*edit))).plan()


@pytest.mark.parametrize(
    ("added", "error", "words"),
    [
        ("components: {a: {remove: {rate: 1}}}", UnknownParameter, "'rate'.*lr"),
        ("components: {a: {change: {same: {lr: 0.1}}}}", InvalidStudy, "change nothing"),
        ("components: {a: {delete: {lr: 1}}}", InvalidStudy, "line 4: .*'delete'"),
        ("components: {a: {remove: {lr: 1}, change: {b: {lr: 2}}}}", InvalidStudy, "one thing"),
        ("components: {a: 3}", InvalidStudy, "line 4: .*no mapping"),
        ("hypotheses: [attention is good]", InvalidStudy, "line 4: .*'attention is good'"),
        ("hypotheses: [attention lowers loss]", InvalidStudy, "'attention'"),
        ("seeds: many", InvalidStudy, "line 4: .*'many'"),
        ("workers: 0", InvalidStudy, "line 4: .*workers|somebody"),
        ("design: halves", InvalidStudy, "'halves'.*leave-one-out"),
        ("override_style: dots", InvalidStudy, "line 4: .*'dots'"),
        ("data: {a: b}", InvalidStudy, "line 4: .*data"),
        ("name: [x]", InvalidStudy, "line 4: name is no text"),
    ],
)
def test_what_is_added_wrongly_is_told(tmp_path: Path, added: str, error: type[AssayError], words: str) -> None:
    with pytest.raises(error, match=words):
        load_study_file(written(tmp_path, MINIMAL + added + "\n")).plan()


def test_a_misspelled_key_of_toml_has_its_line(tmp_path: Path) -> None:
    path = written(tmp_path, 'command = "python t.py {overrides}"\n\nmetrcs = {loss = "minimize"}\n', "study.toml")
    with pytest.raises(InvalidStudy, match=r"line 3: .*'metrcs'.*Did you mean 'metrics'"):
        load_study_file(path)


@pytest.mark.parametrize("content", [b"\xff\xfe", b"- a\n", b"", b"x: !!python/object:os.system {}\n"])
def test_garbage_is_refused_without_a_traceback_of_a_parser(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "study.yaml"
    path.write_bytes(content)
    with pytest.raises(InvalidStudy):
        load_study_file(path)


def test_a_file_that_is_not_there_is_told() -> None:
    with pytest.raises(InvalidStudy, match="cannot be read"):
        load_study_file("nowhere.yaml")


def test_a_program_that_is_not_found_is_told_and_no_run_is_recorded(iris: Path) -> None:
    path = iris / "study.yaml"
    path.write_text(path.read_text().replace(sys.executable, "no-such-python"))
    with pytest.raises(CommandNotFound, match="no-such-python"):
        load_study_file(path).run()
    assert Store.open(iris).runs.ids() == []


def test_a_metric_that_no_trial_reports_is_told(iris: Path) -> None:
    path = iris / "study.yaml"
    path.write_text(path.read_text().replace("accuracy: {goal", "acuracy: {goal").replace("raises accuracy", "raises acuracy"))
    with pytest.raises(UnknownMetric, match="accuracy"):
        load_study_file(path).run()


def test_a_study_below_the_root_runs_in_its_own_folder(project: Path) -> None:
    folder = project / "experiments"
    folder.mkdir()
    (folder / "t.py").write_text("import os, sys\nprint(f'loss={len(os.listdir())}')\n")
    path = written(folder, MINIMAL.replace("python", sys.executable) + "components: {a: {change: {b: {lr: 2}}}}\nseeds: 1\n")
    result = load_study_file(path).run()
    assert [row.metrics["loss"] for row in result.outcomes] == [2.0, 2.0]
    assert os.listdir(folder) == sorted(["t.py", "study.yaml"]) or set(os.listdir(folder)) == {"t.py", "study.yaml"}  # noqa: PTH208


REPORTS = """\
import csv, json, os, pathlib, sys
from tensorboardX import SummaryWriter
lr = float(sys.argv[2])
os.makedirs("out", exist_ok=True)
pathlib.Path("out/m.json").write_text(json.dumps({"score": lr, "test": {"f1": 2 * lr}}))
pathlib.Path("out/curve.jsonl").write_text("".join(json.dumps({"loss": lr * value}) + "\\n" for value in (3, 1, 2)))
with open("out/table.csv", "w", newline="") as file:
    csv.writer(file).writerows([["epoch", "loss"], [0, lr], [1, lr / 2]])
with SummaryWriter("out/events") as writer:
    writer.add_scalar("Loss/test", 0.25, 0)
    writer.add_scalar("Loss/test", 0.125, 1)
print(f"max word length: {lr}")
print(f"accuracy={lr}")
"""


@pytest.mark.parametrize(
    ("source", "at", "value"),
    [
        ("json:out/m.json:score", "last", 0.5),
        ("json:out/m.json:test.f1", "last", 1.0),
        ("json:out/m.json", "last", 0.5),
        ("jsonl:out/curve.jsonl:loss", "min", 0.5),
        ("csv:out/table.csv:loss", "last", 0.25),
        ("tensorboard:Loss/test", "max", 0.25),
        ("output:accuracy", "last", 0.5),
        ("output:max word length", "last", 0.5),
    ],
)
def test_a_metric_is_read_from_the_source_that_the_file_names(project: Path, source: str, at: str, value: float) -> None:
    """Of real files that a real command writes below the study's own folder; their names say nothing of metrics."""
    folder = project / "experiments"
    folder.mkdir()
    (folder / "t.py").write_text(REPORTS)
    text = MINIMAL.replace("python", sys.executable).replace("lr: 0.1", "lr: 0.5")
    goal = json.dumps({"goal": "minimize", "from": source, "at": at})
    path = written(folder, text.replace("{loss: minimize}", f"{{score: {goal}}}") + "seeds: 1\n")
    (row,) = load_study_file(path).run().outcomes
    assert row.metrics["score"] == value


def test_a_misspelled_kind_of_source_is_told_with_those_there_are(tmp_path: Path) -> None:
    path = written(tmp_path, MINIMAL.replace("{loss: minimize}", "{loss: {goal: minimize, from: 'tensorbord:loss'}}"))
    with pytest.raises(InvalidStudy, match=r"tensorboard, jsonl, json, csv or output.*Did you mean 'tensorboard'"):
        load_study_file(path)
