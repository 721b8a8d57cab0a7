"""Studies of commands that only evaluate what was trained once for each block, and studies over folds."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

import assay
from assay.errors import InvalidStudy
from assay.project.study_file import load_study_file
from assay.store.store import Store

TRAIN = """\
import pathlib, sys
out, seed, fold = pathlib.Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
if seed == 9:
    sys.exit("no seed for me")
out.write_text(str(seed + fold / 10))
"""
EVALUATE = """\
import pathlib, sys
print(f"score={float(pathlib.Path(sys.argv[1]).read_text()) + float(sys.argv[3])}")
"""
STUDY = f"""\
prepare: {sys.executable} fit.py {{prepared}} {{seed}} {{fold}}
command: {sys.executable} evaluate.py {{prepared}} {{overrides}}
baseline: {{shift: 0.0}}
components:
  shift: {{change: {{up: {{shift: 0.5}}}}}}
metrics: {{score: maximize}}
seeds: [1, 2]
folds: 2
"""


@pytest.fixture
def trained(project: Path) -> Path:
    """A script that trains, one that evaluates, and their study."""
    (project / "fit.py").write_text(TRAIN)
    (project / "evaluate.py").write_text(EVALUATE)
    (project / "study.yaml").write_text(STUDY)
    return project


def test_a_model_is_trained_once_for_each_block_and_only_evaluated_by_its_trials(trained: Path) -> None:
    result = load_study_file(trained / "study.yaml").run(workers=2)
    values = {(row.configuration, row.seed, row.split): row.metrics["score"] for row in result.outcomes}
    assert values == pytest.approx(
        {
            (name, seed, fold): seed + fold / 10 + shift
            for name, shift in (("baseline", 0), ("shift: up", 0.5))
            for seed in (1, 2)
            for fold in (0, 1)
        }
    )
    store = Store.open(trained)
    runs = store.catalogue.runs()
    assert len(runs) == 13  # 4 preparations, 8 trials, and the baseline once more for the gate
    parents = {parent.run for run in runs for parent in run.start.parents if parent.by == "prepare"}
    assert len(parents) == 4
    assert "Evaluation only" in result.evidence.plan.estimand and any(
        "without retraining" in note for note in result.evidence.notes
    )
    assert {run.params["fold"] for run in runs} == {0, 1}
    assert not (trained / "assay-prepared").exists()


def test_what_was_prepared_and_evaluated_is_reused(trained: Path) -> None:
    load_study_file(trained / "study.yaml").run(workers=2)
    again = load_study_file(trained / "study.yaml").run()
    assert all(row.reused for row in again.outcomes)
    (trained / "fit.py").write_text(TRAIN.replace("fold / 10", "fold / 5"))
    changed = load_study_file(trained / "study.yaml").run(workers=2)
    assert not any(row.reused for row in changed.outcomes)
    assert {row.metrics["score"] for row in changed.outcomes if row.split == 1} == {1.2, 1.7, 2.2, 2.7}


def test_a_folder_can_be_prepared(trained: Path) -> None:
    text = STUDY.replace("{prepared}", "{prepared}/deep.txt").replace("seeds: [1, 2]", "seeds: [1]")
    (trained / "study.yaml").write_text(text)
    assert all(row.state == "finished" for row in load_study_file(trained / "study.yaml").run(workers=2).outcomes)


def test_a_block_that_cannot_be_prepared_fails_alone(trained: Path) -> None:
    (trained / "study.yaml").write_text(STUDY.replace("[1, 2]", "[1, 9]"))
    result = load_study_file(trained / "study.yaml").run(workers=2)
    assert {(row.seed, row.state) for row in result.outcomes} == {(1, "finished"), (9, "failed")}
    assert all("prepare failed: no seed for me" in row.failure for row in result.outcomes if row.seed == 9)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("evaluate.py {prepared}", "evaluate.py", "its command has no {prepared}"),
        ("fit.py {prepared}", "fit.py", "its prepare has no {prepared}"),
        ("{seed} {fold}", "{seed} 0", "no {fold}"),
        ("{seed} {fold}", "{seed} {fold} {shift}", "names a key"),
        ("folds: 2", "folds: 1", "no folds"),
    ],
)
def test_a_study_whose_trials_would_miss_their_block_is_refused(trained: Path, old: str, new: str, said: str) -> None:
    (trained / "study.yaml").write_text(STUDY.replace(old, new))
    with pytest.raises(InvalidStudy, match=said):
        load_study_file(trained / "study.yaml").plan()


def prepare(seed: int, fold: str) -> str:
    return f"{fold}{seed}"


def evaluate(config: dict[str, float], seed: int, fold: str, prepared: str) -> dict[str, float]:
    assert prepared == f"{fold}{seed}"
    return {"score": {"en": 1.0, "de": 2.0}[fold] + seed / 10 + config["shift"]}


def test_functions_are_called_with_their_split_and_their_runs_come_back(project: Path) -> None:
    study = assay.Study(
        evaluate,
        baseline={"shift": 0.0},
        components=[assay.change("shift", "up", shift=0.5)],
        metrics=[assay.maximize("score")],
        seeds=2,
        splits={"names": ["en", "de"], "parameter": "fold"},
        prepare=prepare,
        root=project,
    )
    result = study.run(workers=2)
    assert {row.split: row.metrics["score"] for row in result.outcomes if (row.seed, row.configuration) == (1, "baseline")} == {
        "en": 1.1,
        "de": 2.1,
    }
    assert result.effects[0].n == 2 and "all 2 folds" in result.effects[0].words
    run = next(row.run for row in result.outcomes if row.split == "de")
    assert assay.Project.open(project).reproduce(str(run))[1].verdict == "identical"
