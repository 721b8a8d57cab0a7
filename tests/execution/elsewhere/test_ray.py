"""Trials on a real Ray: the results of the local ones, and nothing left behind."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import pytest
from tests.execution.elsewhere.studies import Start, rows, until

from assay.records.environment import Environment
from assay.store.store import Store

# Looked for, and not imported: it would put its own packages on the path of these tests.
pytestmark = pytest.mark.skipif(find_spec("ray") is None, reason="the extra ray is not installed")

THERE = {"workers": 2, "executor": "ray"}


def test_bits_are_those_of_local_trials_which_stand_for_them(start: Start, project: Path, flags: Path, tmp_path: Path) -> None:
    (flags / "go").touch()
    there, local = [rows(study) for study in (start(THERE), start({"workers": 1}, tmp_path / "one"))]
    assert [row[:2] for row in there] == [row[:2] for row in local] and {row[0] for row in there} == {"finished"}
    assert all(row[2] for row in rows(start({"workers": 1})))
    store = Store.open(project)
    variables = store.objects.record(store.runs.read(there[-1][4]).start.environment, Environment).variables
    assert not [name for name in variables if name.startswith(("RAY", "CUDA"))]


def test_a_study_that_is_killed_leaves_no_trial_and_goes_on_where_it_was(start: Start, flags: Path) -> None:
    study = start({"workers": 2, "executor": "ray"})
    trial = flags / "began-0"
    until(lambda: trial.exists() and trial.read_text())
    study.kill()
    study.communicate()
    until(lambda: not Path(f"/proc/{trial.read_text()}").exists())
    (flags / "go").touch()
    again = rows(start({"workers": 2}))
    assert {row[0] for row in again} == {"finished"} and [row[2] for row in again].count(True) >= 2


def test_resources_that_no_machine_has_are_an_error_and_not_a_wait_for_ever(start: Start) -> None:
    study = start({**THERE, "ray": {"num_gpus": 1000}})
    _, err = study.communicate(timeout=120)
    assert study.returncode != 0 and "ExecutorUnusable: no machine of Ray's cluster has what a trial is to get" in err


def test_a_cluster_that_is_not_there_is_an_error(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAY_ADDRESS", "127.0.0.1:1")
    study = start(THERE)
    _, err = study.communicate(timeout=120)
    assert study.returncode != 0 and "ExecutorUnusable: Ray's cluster cannot be reached: '127.0.0.1:1'" in err
