"""Trials on a real Slurm: the results of the local ones, whatever becomes of jobs, and no job left behind."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from tests.execution.elsewhere.studies import Start, rows, until

from assay.errors import ExecutorUnusable, InvalidValue
from assay.execution.elsewhere.meeting import Invitation
from assay.execution.elsewhere.slurm import Slurm
from assay.records.environment import Environment
from assay.store.store import Store

FIT = """
import sys, random
random.seed(int(sys.argv[sys.argv.index("--seed") + 1]))
print(f"accuracy={random.random() + ('--augment' in sys.argv)}")
"""
FILE = """
name: toy
command: python fit.py {overrides} --seed {seed}
baseline: {augment: true}
components:
  augmentation: {remove: {augment: false}}
metrics: {accuracy: maximize}
seeds: 2
"""
LOCAL = {"workers": 1}
THERE = {"workers": 2, "executor": "slurm"}

pytestmark = pytest.mark.usefixtures("slurm")


def jobs() -> list[str]:
    """Ids of jobs that wait or run."""
    return subprocess.run(["squeue", "--noheader", "--format=%i"], capture_output=True, text=True, check=True).stdout.split()


def test_bits_are_those_of_local_trials_and_either_stands_for_the_other(
    start: Start, project: Path, flags: Path, tmp_path: Path
) -> None:
    (flags / "go").touch()
    there, one, two = [
        rows(study) for study in (start(THERE), start(LOCAL, tmp_path / "one"), start({"workers": 2}, tmp_path / "two"))
    ]
    assert [row[:2] for row in there] == [row[:2] for row in one] == [row[:2] for row in two]
    assert {row[0] for row in there} == {"finished"}
    local, anew = start(LOCAL), start(THERE, tmp_path / "one")
    assert all(row[2] for row in rows(local)) and all(row[2] for row in rows(anew))
    store = Store.open(project)
    ran = [store.objects.record(store.runs.read(row[4]).start.environment, Environment).variables["SLURM_JOB_ID"] for row in there]
    assert len(set(ran)) <= 2, "gate and ablations share jobs"
    shown = subprocess.run(
        [sys.executable, "-m", "assay", "show", there[0][4]], cwd=project, capture_output=True, text=True, check=True
    ).stdout
    assert f"job {ran[0]} of Slurm" in shown
    until(lambda: not jobs())


def test_a_trial_whose_job_is_cancelled_crashes_by_name_and_the_others_finish(start: Start, project: Path, flags: Path) -> None:
    study = start(THERE)
    until(lambda: all((flags / f"began-{seed}").exists() for seed in (0, 1)))
    job = (flags / "began-1").read_text()
    subprocess.run(["scancel", job], check=True)
    until(lambda: job not in jobs())
    (flags / "go").touch()
    found = {(row[0], row[3]) for row in rows(study)}
    assert found == {("finished", ""), ("crashed", f"JobEnded: job {job} of Slurm on n1 ended: CANCELLED")}
    until(lambda: not jobs())


def test_a_study_that_is_killed_leaves_no_job_and_goes_on_where_it_was(start: Start, project: Path, flags: Path) -> None:
    study = start({"workers": 3, "executor": "slurm"})
    until(lambda: all((flags / f"began-{seed}").exists() for seed in (0, 1)))
    study.kill()
    study.communicate()
    until(lambda: not jobs())
    (flags / "go").touch()
    again = rows(start(THERE))
    assert [row[0] for row in again] == ["finished"] * 4 and [row[2] for row in again].count(True) == 2
    assert not list((project / ".assay" / "tmp").iterdir())


def test_ctrl_c_stops_trials_in_order_and_leaves_no_job(start: Start, project: Path, flags: Path) -> None:
    study = start(THERE)
    until(lambda: all((flags / f"began-{seed}").exists() for seed in (0, 1)))
    study.send_signal(signal.SIGINT)
    study.communicate(timeout=60)
    assert study.returncode != 0
    store = Store.open(project)
    states = [store.runs.read(run).state for run in store.runs.ids()]
    assert sorted(states) == ["finished"] * 3 + ["interrupted"] * 2
    until(lambda: not jobs())


def test_a_study_of_a_command_runs_there_too(slurm: Path, project: Path) -> None:
    (project / "fit.py").write_text(FIT)
    (project / "study.yaml").write_text(FILE)

    def run(*options: str) -> list[Any]:
        done = subprocess.run(
            [sys.executable, "-m", "assay", "study", "run", "study.yaml", "--json", *options], cwd=project, capture_output=True, text=True,
            check=False, timeout=120,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)["trials"]

    there = run("--executor", "slurm", "--slurm", "--time=5 -p main", "--workers", "2")
    assert [trial["state"] for trial in there] == ["finished"] * 4 and not any(trial["reused"] for trial in there[2:])
    local = run()
    assert all(trial["reused"] for trial in local)
    until(lambda: not jobs())


@pytest.mark.parametrize(
    ("options", "said"), [("--partition=nowhere", "invalid partition specified: nowhere"), ("--mem=1000T", "can not be satisfied")]
)
def test_what_slurm_refuses_is_said_in_its_words(slurm: Path, options: str, said: str) -> None:
    with pytest.raises(ExecutorUnusable, match=said):
        Slurm(options).submit(Invitation(["localhost"], 1, "/tmp"))


def test_without_slurm_the_next_step_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ExecutorUnusable, match=r"there is no Slurm here: 'sbatch'.*executor local"):
        Slurm().submit(Invitation(["localhost"], 1, "/tmp"))


@pytest.mark.parametrize(
    "options", ["--time=10 train.sh", "train.sh", "--array=1-3", "-a1-3", "--arr=1-3", "--wrap=ls", "'", "-o out", "-Mother"]
)
def test_options_that_would_change_what_is_submitted_are_refused(options: str) -> None:
    with pytest.raises(InvalidValue):
        Slurm(options)


@pytest.mark.parametrize("options", ["", "-p gpu --gres gpu:1", "--exclusive -n1", ["--comment", "two words"]])
def test_other_options_are_taken_as_they_are(options: str | list[str]) -> None:
    Slurm(options)
