"""Studies of functions, as a user writes them."""

from __future__ import annotations

import math
import platform
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

import assay
from assay.errors import AssayError, InvalidStudy, InvalidValue, UnknownMetric, UnknownParameter
from assay.project.study_plan import Expected, time_in_words
from assay.questions.study.archive import kept_evidence
from assay.questions.study.definition import Definition
from assay.records.canonical import canonical
from assay.store.store import Store


@dataclass(frozen=True)
class Optimizer:
    rate: float = 0.1


@dataclass
class Config:
    augment: bool = True
    loss: str = "focal"
    optimizer: Optimizer = field(default_factory=Optimizer)
    dead: int = 1


def train(config: Config, seed: int) -> dict[str, float]:
    import random

    noise = random.gauss(0, 0.01)
    return {"accuracy": 0.8 + 0.1 * config.augment + 0.05 * (config.loss == "focal") + noise, "cost": config.optimizer.rate}


def study_of(root: Path, function: Callable[..., object] = train, **options: Any) -> assay.Study:
    given: dict[str, Any] = {
        "baseline": Config(),
        "components": [
            assay.remove("augmentation", augment=False),
            assay.replace("focal loss", "cross entropy", loss="ce"),
            assay.change("rate", "ten times", optimizer__rate=1.0),
            assay.change("dead", "two", dead=2),
        ],
        "metrics": [assay.maximize("accuracy", margin=0.02), assay.minimize("cost")],
        "seeds": 5,
        "configurations": {"plain": {"augment": False, "loss": "ce"}},
        "hypotheses": [assay.hypothesis("augmentation", raises="accuracy", by=0.05)],
        "root": root,
    }
    return assay.Study(function, **(given | options))


def test_a_study_finds_the_effects_that_are_there(project: Path) -> None:
    result = study_of(project).run(workers=2)
    effects = {(effect.component, effect.metric): effect for effect in result.effects}
    assert effects["augmentation", "accuracy"].estimate == pytest.approx(-0.1)
    assert effects["focal loss", "accuracy"].estimate == pytest.approx(-0.05)
    assert effects["plain", "accuracy"].estimate == pytest.approx(-0.15)
    assert effects["rate", "cost"].estimate == pytest.approx(0.9)
    assert result.answers[0].answer == "supported"
    assert len(result.outcomes) == 30
    assert all(row.state == "finished" and row.run for row in result.outcomes)


def test_a_component_whose_change_changes_nothing_is_found(project: Path) -> None:
    result = study_of(project, seeds=2).run()
    assert [finding.about for finding in result.findings if finding.kind == "no-op"] == ["dead"]


def test_the_evidence_says_what_its_trials_ran_in(project: Path) -> None:
    study = study_of(project, seeds=2, configurations={}, hypotheses=[])
    said = study.run().evidence.environment
    assert said.startswith(f"CPython {platform.python_version()}, ") and "cores, Linux" in said
    assert study.run().evidence.environment == said, "of reused trials too"


def test_one_worker_and_two_give_the_same_bits(tmp_path: Path) -> None:
    rows = []
    for workers in (1, 2):
        root = tmp_path / str(workers)
        root.mkdir()
        rows.append([row.metrics for row in study_of(root, seeds=3).run(workers=workers).outcomes])
    assert repr(rows[0]) == repr(rows[1])


def test_the_plan_says_what_will_run_and_what_it_cannot_see(project: Path) -> None:
    plan = study_of(project).plan()
    text = str(plan)
    assert len(plan) == 30
    assert "6 configurations x 5 seeds = 30 trials" in text
    assert "unknown until the first trial" in text
    assert "Interactions" in text
    assert "augmentation raises accuracy by at least 0.05" in text
    assert not (project / ".assay").exists()


def test_a_plan_fits_the_terminal(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    assert 50 < max(map(len, str(study_of(project).plan()).splitlines())) <= 60


def test_after_a_first_run_the_plan_estimates_the_time(project: Path) -> None:
    study_of(project, seeds=2).run()
    assert "earlier trials took" in str(study_of(project, seeds=7).plan())


def test_estimates_are_said_in_words() -> None:
    assert time_in_words(12, Expected()) == "unknown until the first trial"
    assert time_in_words(12, Expected(10.0), 2) == "about 1 min 0 s with 2 workers (earlier trials took 10.0 s each)"
    assert time_in_words(12, Expected(10.0, finished=11), 2).startswith("about 10.0 s with 2 workers")


def test_trials_that_have_finished_are_not_counted_in_the_estimate(project: Path) -> None:
    """Only those of this study: what another one left is found as it runs."""
    study = study_of(project, seeds=2, configurations={}, hypotheses=[])
    study.run()
    assert "next to none: 10 of 10 trials have finished before" in " ".join(str(study.plan()).split())
    assert "finished before" not in str(study_of(project, seeds=3, configurations={}, hypotheses=[]).plan())


def test_a_full_factorial_sees_interactions(project: Path) -> None:
    def multiply(config: dict[str, int], seed: int) -> dict[str, float]:
        return {"y": float(config["a"] * config["b"] + seed * 0.01 * config["a"])}

    study = assay.Study(
        multiply,
        baseline={"a": 1, "b": 1},
        components=[assay.change("a", "two", a=2), assay.change("b", "three", b=3)],
        metrics=[assay.maximize("y")],
        seeds=3,
        root=project,
    )
    result = study.run("full", workers=2)
    assert len(result.outcomes) == 12
    assert [interaction.components for interaction in result.interactions] == [("a", "b")]


def test_running_it_again_repeats_nothing(project: Path) -> None:
    first, second = (study_of(project, seeds=2).run() for _ in range(2))
    assert all(row.reused for row in second.outcomes)
    assert [row.metrics for row in first.outcomes] == [row.metrics for row in second.outcomes]
    assert any("Reused 12 of 12 trials" in finding.text for finding in second.findings)
    assert [effect.estimate for effect in first.effects] == [effect.estimate for effect in second.effects]


def test_more_seeds_run_only_what_is_new(project: Path) -> None:
    study_of(project, seeds=2).run()
    result = study_of(project, seeds=3).run()
    assert [row.reused for row in result.outcomes] == [True] * 12 + [False] * 6


def test_the_definition_is_sealed_before_the_first_trial_and_the_evidence_is_kept(project: Path) -> None:
    result = study_of(project, seeds=2).run()
    store = Store.open(project)
    definition = store.studies.get(result.study, Definition)
    assert definition.id == result.study
    assert definition.hypotheses[0].by == 0.05
    assert store.studies.put(definition) == result.study
    assert canonical(kept_evidence(store, result.study[:8])) == canonical(result.evidence)
    begun = min(run.start.started for run in store.catalogue.runs())
    assert (store.path / "studies" / result.study / "definition").stat().st_mtime <= begun


def test_another_hypothesis_is_another_study(project: Path) -> None:
    other = study_of(project, hypotheses=[assay.hypothesis("augmentation", lowers="accuracy")])
    assert other.plan().study != study_of(project).plan().study


def test_failed_and_nan_trials_are_counted_and_the_rest_is_analysed(project: Path) -> None:
    def fragile(config: Config, seed: int) -> dict[str, float]:
        if config.dead == 2:
            raise ValueError("cannot be two")
        return {"accuracy": math.nan if config.loss == "ce" and seed == 1 else float(config.augment), "cost": 1.0}

    result = study_of(project, fragile, hypotheses=[]).run(workers=2)
    assert [row.failure for row in result.outcomes if row.configuration == "dead: two"] == ["ValueError: cannot be two"] * 5
    kinds = {finding.kind: finding for finding in result.findings}
    assert "ValueError: cannot be two" in kinds["failed trials"].text
    assert "NaN" in kinds["not finite"].text
    effects = {effect.component: effect for effect in result.effects if effect.metric == "accuracy"}
    assert effects["focal loss"].n == 4
    assert effects["dead"].n == 0


def test_only_evaluation_is_said_to_be_that(project: Path) -> None:
    def fit(seed: int) -> float:
        return seed / 10

    def evaluate(config: Config, seed: int, model: float) -> dict[str, float]:
        return {"accuracy": model + config.augment, "cost": 1.0}

    study = study_of(project, evaluate, prepare=fit, seeds=3)
    assert "without retraining" in " ".join(str(study.plan()).split())
    result = study.run(workers=2)
    assert "without retraining" in result.effects[0].estimand or "without retraining" in result.evidence.plan.estimand
    assert sum(run.start.name == "prepare" for run in Store.open(project).catalogue.runs()) == 3
    assert all(row.reused for row in study.run().outcomes)


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"components": [assay.remove("x", augmnt=False)]}, UnknownParameter, "Did you mean 'augment'"),
        ({"components": [assay.remove("x", augment=True)]}, InvalidStudy, "would change nothing"),
        ({"metrics": []}, InvalidStudy, "no metric"),
        ({"metrics": [assay.maximize("a"), assay.minimize("a")]}, InvalidStudy, "twice"),
        ({"hypotheses": [assay.hypothesis("augmentaton", raises="accuracy")]}, InvalidStudy, "augmentation"),
        ({"baseline": 3}, AssayError, "baseline|configuration"),
        ({"seeds": 0}, InvalidStudy, "seeds"),
        ({"seeds": [1, 1]}, InvalidStudy, "twice"),
        ({"function": lambda config: {}}, InvalidValue, r"train\(config, seed\)"),
        ({"function": 3}, InvalidValue, r"train\(config, seed\)"),
        ({"start": "thread"}, InvalidStudy, "spawn"),
        ({"prepare": lambda: 1}, InvalidValue, "prepare|prepared"),
    ],
)
def test_mistakes_are_told_before_anything_runs(
    project: Path, options: dict[str, Any], error: type[AssayError], words: str
) -> None:
    options = dict(options)
    function = options.pop("function", train)
    with pytest.raises(error, match=words):
        study_of(project, function, **({"hypotheses": []} | options)).plan()
    assert not (project / ".assay").exists()


def test_a_metric_that_no_trial_reports_is_told_with_those_that_exist(project: Path) -> None:
    with pytest.raises(UnknownMetric, match="accuracy"):
        study_of(project, metrics=[assay.maximize("acuracy")], hypotheses=[], seeds=2).run()


def test_workers_of_none_are_refused(project: Path) -> None:
    with pytest.raises(InvalidValue, match="workers"):
        study_of(project).run(workers=0)


def test_progress_goes_to_standard_error_alone(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    study_of(project, seeds=2).run()
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "13 of 13 trials" in captured.err, "the baseline is run twice"


def test_a_result_has_its_table_and_report(project: Path, tmp_path: Path) -> None:
    result = study_of(project, seeds=2).run()
    assert "without augmentation" in result.table()
    assert "without augmentation" in result.table("markdown")
    result.report(tmp_path / "report")
    assert (tmp_path / "report" / "index.html").stat().st_size > 1000
