"""Whether a baseline can be believed, and what makes a study's numbers suspicious: real studies of functions."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import assay
from assay.errors import InvalidStudy
from assay.store.store import Store

BASELINE = {"lr": 0.1, "width": 8, "attention": True, "note": 1, "mood": "a"}


def train(config: dict[str, Any], seed: int) -> dict[str, float]:
    noise = random.gauss(0, 0.01)
    own = random.gauss(0, 0.001) * (config["lr"] + config["width"] + config["attention"])
    skill = 0.05 * config["attention"] + 0.01 * config["width"] - 0.5 * abs(config["lr"] - 0.1)
    return {"accuracy": 0.5 + noise + own + skill, "parameters": 10.0 * config["width"] * (1 + config["attention"])}


def unseeded(config: dict[str, Any], seed: int) -> dict[str, float]:
    return {"accuracy": 0.5 + (time.time_ns() % 1000) / 1e4}


def rounding(config: dict[str, Any], seed: int) -> dict[str, float]:
    return {"accuracy": 0.5 + 0.01 * seed + (time.time_ns() % 1000) * 1e-13}


def failing(config: dict[str, Any], seed: int) -> dict[str, float]:
    raise ValueError("no data")


def perfect(config: dict[str, Any], seed: int) -> dict[str, float]:
    return {"accuracy": 1.0, "mse": -1.0}


def study_of(root: Path, function: Callable[..., object] = train, **options: Any) -> assay.Study:
    given: dict[str, Any] = {
        "baseline": BASELINE,
        "components": [assay.remove("attention", attention=False)],
        "metrics": [assay.maximize("accuracy")],
        "seeds": 3,
        "root": root,
    }
    return assay.Study(function, **(given | options))


def states(result: assay.StudyResult) -> dict[str, str]:
    assert result.gate is not None
    return {part.name: part.state for part in result.gate.parts}


def kinds(result: assay.StudyResult) -> dict[str, str]:
    return {finding.kind: finding.about for finding in result.findings}


def test_a_sound_baseline_passes_and_the_second_time_it_costs_nothing(project: Path) -> None:
    result = study_of(project).run(workers=2)
    assert states(result) == {"run twice": "passed", "over seeds": "passed", "around its tuning": "not checked"}
    assert not any(row.reused for row in result.outcomes), "the gate's trials are the study's own"
    assert result.effects[0].verdict == "matters"
    assert "not checked around its tuning" in str(result.gate).lower()
    runs = len(Store.open(project).runs.ids())
    assert runs == 7, "two configurations, three seeds, and the baseline once more"
    again = study_of(project).run(workers=2)
    assert all(row.reused for row in again.outcomes) and again.gate is not None and again.gate.trials[0].reused
    assert again.gate.trials[0].run != again.outcomes[0].run, "a rerun does not stand for what it repeats"
    assert len(Store.open(project).runs.ids()) == runs


def test_a_baseline_that_differs_from_itself_stops_the_study_until_it_is_accepted(project: Path) -> None:
    study = study_of(project, unseeded)
    stopped = study.run()
    assert stopped.gate is not None and stopped.gate.stops and states(stopped)["run twice"] == "failed"
    assert [row.state for row in stopped.outcomes if row.configuration != "baseline"] == ["queued"] * 3
    assert "gate failed" in kinds(stopped) and "no ablation was run" in stopped.table()
    accepted = study.run(accept_baseline="the clock is the subject")
    assert all(row.state == "finished" for row in accepted.outcomes)
    assert "the clock is the subject" in accepted.table() and "baseline accepted" in kinds(accepted)
    for format_ in ("markdown", "latex"):
        assert "the clock is the subject" in accepted.table(format_)
    written = accepted.report(project / "report")
    assert all("the clock is the subject" in path.read_text() for path in (written.index, written.markdown, written.effects))


def test_a_difference_that_was_allowed_is_said(project: Path) -> None:
    result = study_of(project, unseeded, gate=assay.gate(reproducible="statistical"), seeds=1).run()
    assert states(result)["run twice"] == "passed" and kinds(result)["not reproducible"] == "baseline"


def test_equal_up_to_rounding_passes_unless_identity_was_asked_for(project: Path) -> None:
    result = study_of(project, rounding, seeds=1).run()
    assert states(result)["run twice"] == "passed" and "not identical" in kinds(result)
    strict = study_of(project, rounding, seeds=1, gate=assay.gate(reproducible="identical")).check_baseline()
    assert states(strict)["run twice"] == "failed"


def test_a_baseline_that_never_finishes_stops_the_study(project: Path) -> None:
    result = study_of(project, failing, gate=assay.gate(reproducible="unchecked")).run()
    assert states(result) == {"run twice": "not checked", "over seeds": "failed", "around its tuning": "not checked"}
    assert "no data" in str(result.gate)


def test_a_neighbour_that_is_clearly_better_stops_the_study(project: Path) -> None:
    badly = BASELINE | {"lr": 0.4}
    tune = {"lr": [0.1, 0.2, 0.4, 0.8]}
    result = study_of(project, baseline=badly, gate=assay.gate(tune)).run(workers=2)
    assert states(result)["around its tuning"] == "failed"
    assert result.gate is not None and "lr = 0.2" in result.gate.parts[2].text
    assert {one.component: one.better for one in result.gate.effects} == {"baseline, lr = 0.2": True, "baseline, lr = 0.8": False}
    well = study_of(project, gate=assay.gate(tune)).check_baseline(workers=2)
    assert states(well)["around its tuning"] == "passed"
    margin = [assay.maximize("accuracy", margin=0.3)]
    assert (
        states(study_of(project, baseline=badly, metrics=margin, gate=assay.gate(tune)).check_baseline())["around its tuning"]
        == "passed"
    )


def test_every_configuration_is_tuned_with_the_same_budget_on_other_seeds(project: Path) -> None:
    gate = assay.gate({"lr": [0.1, 0.4]}, tuning="same budget", tuning_seeds=2)
    study = study_of(project, baseline=BASELINE | {"lr": 0.4}, gate=gate, seeds=[0, 5])
    assert "tuned before over 2 settings x 2 seeds" in " ".join(str(study.plan()).split())
    result = study.run(workers=2)
    assert result.gate is not None and result.gate.passed
    assert {one.configuration: one.settings for one in result.gate.tuned} == {
        "baseline": {"lr": 0.1},
        "without attention": {"lr": 0.1},
    }
    assert not set(result.gate.tuning_seeds) & {0, 5}
    assert [one.params["lr"] for one in result.evidence.plan.configurations] == [0.1, 0.1]
    assert "Tuning: same budget" in result.table() and "tuned with the same budget" in result.evidence.plan.estimand
    assert result.effects[0].estimate == pytest.approx(-0.05, abs=0.01)


def test_an_aa_pair_under_other_seeds_is_part_of_the_gate(project: Path) -> None:
    result = study_of(project, gate=assay.gate(other_seeds=True), seeds=[1, 2]).check_baseline()
    assert states(result)["other seeds"] == "passed"
    assert result.gate is not None and [one.seed for one in result.gate.trials] == [1, 0, 3]


def test_a_placebo_shows_nothing_and_its_trials_are_runs_of_their_own(project: Path) -> None:
    result = study_of(project, components=[assay.placebo()]).run(workers=2)
    assert kinds(result)["placebo"] == "placebo" and "no-op" not in kinds(result)
    assert len({row.run for row in result.outcomes}) == 6


def test_a_placebo_that_shows_something_is_a_failed_calibration(project: Path) -> None:
    result = study_of(project, components=[assay.placebo("not one", lr=0.4)]).run(workers=2)
    assert kinds(result)["calibration failed"] == "not one"


def test_a_removal_that_shrinks_the_model_is_said_or_compared_with_a_control(project: Path) -> None:
    result = study_of(project, seeds=2).run(workers=2)
    assert kinds(result)["size"] == "without attention"
    matched = [assay.remove("attention", attention=False, matched={"width": 4})]
    controlled = study_of(project, components=matched, seeds=2).run(workers=2)
    effects = {one.component: one.estimate for one in controlled.effects}
    assert effects["attention"] == pytest.approx(-0.05, abs=0.02) and effects["attention, matched"] == pytest.approx(
        -0.04, abs=0.02
    )
    assert effects["attention, beyond size"] == pytest.approx(effects["attention"] - effects["attention, matched"])
    assert "size" not in kinds(controlled) and "control not matched" not in kinds(controlled)


def test_a_control_of_another_size_is_said(project: Path) -> None:
    matched = [assay.remove("attention", attention=False, matched={"width": 6})]
    assert kinds(study_of(project, components=matched, seeds=1).run())["control not matched"] == "attention, matched"


def test_what_nothing_reads_and_what_behaves_the_same_are_named(project: Path) -> None:
    (project / "toy.py").write_text(
        "def train(config, seed):\n    return {'accuracy': seed + len(config['mood']), 'other': config['lr'] > 0.2}\n"
    )
    script = project / "go.py"
    script.write_text(
        "import assay, toy\n"
        f"study = assay.Study(toy.train, baseline={BASELINE!r}, metrics=[assay.maximize('accuracy')], seeds=2, components=[\n"
        "    assay.change('note', 'two', note=2), assay.change('high', 'high', lr=0.3), assay.change('higher', 'higher', lr=0.4),\n"
        "    assay.change('mood', 'other', mood='b')], hypotheses=[assay.hypothesis(name, raises='accuracy', by=0.01)\n"
        "    for name in ('note', 'mood', 'high')])\n"
        "result = study.run()\n"
        "for one in result.findings: print(one.kind, '|', one.about)\n"
        "for one in result.answers: print(one.hypothesis.component, '|', one.answer, '|', one.evidence)\n"
    )

    done = subprocess.run([sys.executable, "go.py"], cwd=project, capture_output=True, text=True)
    said = done.stdout.splitlines()
    assert "toggle not read | note" in said and "toggle not read | mood" not in said, done.stderr
    assert {"no-op | note", "no-op | mood"} <= set(said), "the code reads the mood, and does nothing with it"
    assert "same behaviour | high: high and higher: higher" in said
    answers = {
        name: (answer, evidence) for name, answer, evidence in (line.split(" | ") for line in said if line.count(" | ") == 2)
    }
    assert [answer for answer, _ in answers.values()] == ["undecided", "undecided", "refuted"], "other results of high changed"
    assert "Nothing read what it sets" in answers["note"][1] and "Nothing shows that the change took effect" in answers["mood"][1]


def test_a_named_configuration_is_no_other_for_a_component_that_does_nothing(project: Path) -> None:
    """The ladder never has both parts out without the placebo, and the named configuration does: they are the same system."""
    components = [
        assay.change("note", "two", note=2),
        assay.remove("attention", attention=False),
        assay.change("width", "6", width=6),
    ]
    study = study_of(project, components=components, configurations={"plain": {"attention": False, "width": 6}}, seeds=2)
    assert "same behaviour" not in kinds(study.run("ladder"))


def test_metrics_that_cannot_be_right_are_named(project: Path) -> None:
    metrics = [assay.maximize("accuracy"), assay.minimize("mse")]
    found = kinds(study_of(project, perfect, metrics=metrics).run())
    assert found["suspiciously perfect"] == "accuracy" and found["out of range"] == "mse" and "constant metric" in found
    ranged = study_of(project, metrics=[assay.maximize("accuracy", range=(0, 0.5))], seeds=1).run()
    assert kinds(ranged)["out of range"] == "accuracy"


def test_test_data_in_training_is_found(project: Path) -> None:
    (project / "train.csv").write_text("x,y\n1,2\n3,4\n5,6\n")
    (project / "test.csv").write_text("x,y\n3,4\n7,8\n")
    (project / "toy.py").write_text(
        "def train(config, seed):\n    return {'accuracy': len(open('train.csv').read()) + len(open('test.csv').read()) + 0.1 * seed}\n"
    )
    (project / "go.py").write_text(
        "import assay, toy\n"
        "study = assay.Study(toy.train, baseline={'a': 1}, metrics=[assay.maximize('accuracy')], seeds=1)\n"
        "for one in study.run().findings: print(one.kind, '|', one.about, '|', one.text)\n"
    )

    done = subprocess.run([sys.executable, "go.py"], cwd=project, capture_output=True, text=True)
    assert "leak | train.csv | 1 of the 2 different rows of test.csv" in done.stdout, done.stderr


def test_a_tuned_parameter_that_a_component_sets_is_refused(project: Path) -> None:
    gate = assay.gate({"lr": [0.1, 0.4]}, tuning="same budget")
    with pytest.raises(InvalidStudy, match="is tuned for every configuration"):
        study_of(project, components=[assay.change("lr", "high", lr=0.4)], gate=gate).plan()


def folded(config: dict[str, Any], seed: int, fold: int) -> dict[str, float]:
    own = 0.001 * (seed * 31 % 7 - 3 + fold) * (config["lr"] + config["attention"])
    return {"accuracy": 0.5 + 0.01 * fold + own + 0.05 * config["attention"] - 0.5 * abs(config["lr"] - 0.1)}


def test_a_baseline_over_folds_is_checked_in_every_fold_of_the_seeds_that_were_asked_for(project: Path) -> None:
    tune = {"lr": [0.1, 0.2, 0.4]}
    study = study_of(
        project, folded, baseline=BASELINE | {"lr": 0.4}, seeds=2, folds=3, gate=assay.gate(tune, seeds=1, other_seeds=True)
    )
    planned = " ".join(str(study.plan()).split())
    assert "x 3 blocks" in planned and "10 trials more" in planned, "one setting, the second run, and 6 other blocks"
    result = study.check_baseline(workers=2)
    assert states(result)["around its tuning"] == "failed" and "Over 6 blocks: accuracy" in str(result.gate)
    assert result.gate is not None
    (effect,) = result.gate.effects
    assert effect.n == 3 and effect.estimate == pytest.approx(0.1, abs=0.01)
    tuned = assay.gate(tune, tuning="same budget", tuning_seeds=2)
    assert study_of(project, folded, seeds=2, folds=3, gate=tuned).run(workers=2).effects[0].verdict == "matters"
