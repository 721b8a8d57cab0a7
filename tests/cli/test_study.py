"""A study of a command line, from its file to its report, and what is wrong with files."""

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
import argparse, random
parser = argparse.ArgumentParser()
for name in ("--lr", "--seed", "--width"):
    parser.add_argument(name, type=float)
parser.add_argument("--augment", action="store_true")
given = parser.parse_args()
random.seed(int(given.seed))
print(f"accuracy={0.8 + random.gauss(0, 0.02) + (0.03 + random.gauss(0, 0.001) if given.augment else 0)}")
"""
FILE = """\
name: toy
command: python fit.py {overrides} --seed {seed}
baseline: {lr: 0.1, augment: true, width: 4}
components:
  augmentation: {remove: {augment: false}}
  width: {change: {narrow: {width: 2}}}
metrics:
  accuracy: {goal: maximize, margin: 0.005}
seeds: 3
hypotheses:
  - augmentation raises accuracy by 0.01
"""


@pytest.fixture
def file(folder: Path) -> Path:
    """A study file with its script."""
    (folder / "fit.py").write_text(SCRIPT)
    path = folder / "study.yaml"
    path.write_text(FILE)
    return path


def test_a_plan_is_shown_and_nothing_is_run_or_written(assay: Assay, file: Path, folder: Path) -> None:
    done = assay("study", "plan", "study.yaml")
    assert done.code == 0
    for said in ("9 trials", "leave-one-out", "Cannot see", "augmentation raises accuracy"):
        assert said in done.out
    assert not (folder / ".assay").exists()
    document = assay("study", "plan", "study.yaml", "--design", "full", "--json").document
    assert {trial["state"] for trial in document["trials"]} == {"queued"}
    assert len(document["plan"]["configurations"]) == 4 and document["effects"] == []


def test_a_study_is_run_shown_listed_and_reported(assay: Assay, file: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The plan goes to standard error before the result comes to standard output; run again, it repeats nothing."""
    monkeypatch.setenv("COLUMNS", "140")  # so that no name is broken across lines
    done = assay("study", "run", "study.yaml", "--workers", "2")
    assert done.code == 0
    assert "Cannot see" in done.err and "10 of 10 trials" in done.err
    for said in (
        "without augmentation",
        "matters, worse",
        "no-op: nothing changed",
        "Removing augmentation lowers accuracy",
        "supported",
    ):
        assert said in done.out
    again = assay("study", "run", "study.yaml", "--json")
    assert all(trial["reused"] for trial in again.document["trials"])
    study = again.document["study"]
    listed = assay("study", "ls", "--json").document["studies"]
    assert [(one["study"], one["name"], one["components"]) for one in listed] == [(study, "toy", ["augmentation", "width"])]
    shown = assay("study", "show", study[:8])
    assert shown.code == 0 and "matters, worse" in shown.out
    assert "accuracy (more is better)" in assay("study", "show", study[:8], "--pareto", "accuracy,seconds").out
    assert "chance to win [95 %]" in assay("study", "show", study[:8], "--sizes").out
    front = assay("study", "show", study[:8], "--pareto", "accuracy, seconds", "--json").document["pareto"]
    assert front["metrics"] == ["accuracy", "seconds"] and len(front["points"]) == 3
    for wrong in (
        ["--pareto", "accuracy"],
        ["--pareto", "accuracy,nothing"],
        ["--interactions", "shapley"],
        ["--interactions", "x"],
    ):
        assert assay("study", "show", study[:8], *wrong).code == 2
    written = assay("report", study[:8], "--to", "out/report")
    assert (written.code, written.out) == (0, "out/report/index.html\n")
    effects = json.loads((folder / "out" / "report" / "effects.json").read_text())
    assert effects == assay("study", "show", study[:8], "--json").document
    assert assay("publish", study, "--to", "toy.zip").code == 0
    once_more = assay("study", "run", "study.yaml", "--json").document
    assert all(trial["reused"] for trial in once_more["trials"]), (
        "report and bundle lie in the project, and are no part of its code"
    )


def test_the_estimate_is_for_the_workers_that_were_asked_for(assay: Assay, file: Path) -> None:
    """And only for the trials that are left."""
    assay("study", "run", "study.yaml")
    file.write_text(FILE.replace("seeds: 3", "seeds: 4"))
    assert "with 2 workers" in assay("study", "run", "study.yaml", "--workers", "2").err
    assert "12 of 12 trials have finished before" in assay("study", "run", "study.yaml", "--workers", "2").err


def test_trials_are_runs_like_any_other(assay: Assay, file: Path) -> None:
    study = assay("study", "run", "study.yaml", "--json").document["study"]
    runs = assay("ls", "--json", "--where", f"study == '{study}'").document
    assert runs["total"] == 10, "the baseline is run twice"
    assert assay("reproduce", runs["runs"][0]["id"]).code == 0


WRONG = [
    ("metrics:", "metrcs:", ["'metrcs'", "'metrics'", "line 7"]),
    ("goal: maximize", "gaol: maximize", ["'gaol'", "goal"]),
    ("augment: false", "augmnt: false", ["augmnt", "augment"]),
    ("{overrides}", "", ["{overrides}"]),
    ("seeds: 3", "seeds: many", ["'many'", "integers"]),
    ("seeds: 3", "seeds: 3\nseeds: 4", ["study.yaml"]),
]


@pytest.mark.parametrize(("old", "new", "named"), WRONG)
def test_a_wrong_file_is_refused_with_the_place_and_the_nearest_right_word(
    assay: Assay, file: Path, folder: Path, old: str, new: str, named: list[str]
) -> None:
    file.write_text(FILE.replace(old, new))
    for command in ("plan", "run"):
        done = assay("study", command, "study.yaml")
        assert done.code == 2 and done.out == ""
        for word in named:
            assert word in done.err
    assert not (folder / ".assay").exists()


def test_a_metric_that_no_trial_reports_is_named_with_those_that_are(assay: Assay, file: Path) -> None:
    file.write_text(FILE.replace("accuracy: {", "acuracy: {").replace("raises accuracy", "raises acuracy"))
    done = assay("study", "run", "study.yaml", "--json")
    assert done.code == 2
    assert done.document["error"]["code"] == "unknown_metric"
    assert done.document["error"]["value"] == "acuracy" and "accuracy" in done.document["error"]["expected"]


def test_a_program_that_does_not_exist_is_named_before_any_trial(assay: Assay, file: Path) -> None:
    file.write_text(FILE.replace("python fit.py", "no-such-program"))
    done = assay("study", "run", "study.yaml", "--json")
    assert done.code == 2 and done.document["error"]["code"] == "command_not_found"
    assert "no-such-program" in done.document["error"]["message"]


def test_an_unknown_design_file_or_study_is_named(assay: Assay, file: Path) -> None:
    for arguments, named in (
        (["study", "plan", "study.yaml", "--design", "fill"], "'fill'"),
        (["study", "plan", "missing.yaml"], "missing.yaml"),
    ):
        done = assay(*arguments)
        assert done.code == 2 and named in done.err
    assay("study", "run", "study.yaml")
    for arguments in (["study", "show", "abcdef"], ["report", "abcdef", "--to", "x"]):
        done = assay(*arguments)
        assert done.code == 2 and "'abcdef'" in done.err


def test_a_trial_that_fails_is_shown_and_not_averaged_away(assay: Assay, file: Path, folder: Path) -> None:
    (folder / "fit.py").write_text(
        SCRIPT.replace("random.seed", "assert given.width > 3 or given.seed != 1, 'too narrow'\nrandom.seed")
    )
    done = assay("study", "run", "study.yaml")
    text = " ".join(done.out.split())
    assert done.code == 0
    assert "(2 of 3)" in text and "1 of 3 failed (seed 1)" in text
    assert "1 of 3 trials (seed 1) failed (exit code 1: AssertionError: too narrow)" in text


def test_an_interrupted_study_keeps_what_has_finished_and_goes_on(assay: Assay, file: Path, folder: Path, tmp_path: Path) -> None:
    """SIGINT comes while the baseline runs under its second seed: code 130, the way on is named, and its first trial is not run again."""
    signal_of_start = tmp_path / "started"
    os.mkfifo(signal_of_start)
    stop = tmp_path / "stop"
    stop.write_text("")
    waiting = (
        f"import os, time\nif given.seed == 1 and os.path.exists({str(stop)!r}):\n"
        f"    open({str(signal_of_start)!r}, 'w').close()\n    time.sleep(60)\n"
    )
    (folder / "fit.py").write_text(SCRIPT.replace("random.seed", waiting + "random.seed"))
    process = subprocess.Popen(
        [sys.executable, "-m", "assay", "study", "run", "study.yaml"],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    signal_of_start.read_text()  # returns once a trial of the second block has opened and closed the other end
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (130, "")
    assert "goes on with the rest" in err and "Traceback" not in err
    stop.unlink()
    trials = assay("study", "run", "study.yaml", "--json").document["trials"]
    assert {trial["state"] for trial in trials} == {"finished"}
    assert [trial["reused"] for trial in trials] == [True] + [False] * 8
