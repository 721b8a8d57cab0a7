"""Whether conclusions survive, in Python: studies of functions whose truth is known, and what cannot be asked."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import assay
from assay.errors import AssayError
from assay.project.study_file import load_study_file


def train(config: Mapping[str, Any], seed: int) -> dict[str, float]:
    """Augmentation is worth 0.1 on wine and nothing on digits; dropout helps where the rate is low, and hurts where it is high."""
    own = np.random.default_rng([seed, *(ord(char) for char in repr(sorted(config.items())))]).normal(0, 0.002)
    worth = 0.1 * (config["dataset"] == "wine")
    dropout = 0.05 if config["rate"] < 0.05 else -0.05
    accuracy = 0.8 + np.random.default_rng(seed).normal(0, 0.05) + worth * config["augment"] + dropout * config["dropout"] + own
    return {"accuracy": float(accuracy), "error": float(1 - accuracy)}


def study(root: Path, **options: Any) -> assay.Study:
    given: dict[str, Any] = {
        "baseline": {"augment": 1, "dropout": 1, "rate": 0.01, "dataset": "wine"},
        "components": [assay.remove("augmentation", augment=0), assay.remove("dropout", dropout=0)],
        "metrics": [assay.maximize("accuracy", margin=0.02)],
        "seeds": 4,
        "root": root,
    }
    return assay.Study(train, **(given | options))


def test_a_conclusion_survives_or_depends_and_the_words_say_on_what(project: Path) -> None:
    result = study(project).run(workers=2)
    params = result.sensitivity("params", vary={"rate": [0.1]}, workers=2)
    augmentation, dropout = params.sensitivity.conclusions
    assert augmentation.survival == "survives" and "same sign in 1 of 1" in augmentation.words
    assert dropout.survival == "does not survive" and not params.survives
    assert "there it pays" in dropout.words and "It depends on the condition" in dropout.words and "corrected p" in dropout.words
    assert dropout.standings[0].same_sign is False and dropout.standings[0].shift == pytest.approx(0.1, abs=0.01)
    assert "does not survive" in repr(params)

    data = assay.sensitivity(study(project), "data", vary={"dataset": ["digits"]}, workers=2).sensitivity
    assert [one.survival for one in data.conclusions] == ["does not survive", "survives"]
    assert "no effect larger than the margin" in data.conclusions[0].words
    assert {source.of for source in data.variance[0].sources} >= {("dataset",), ("seed",), ("component",), ("dataset", "component")}


def test_parts_of_the_seeds_decide_less_and_contradict_nothing(project: Path) -> None:
    result = study(project, seeds=4).run(workers=2)
    found = result.sensitivity("seeds").sensitivity
    assert [one.name for one in found.conditions] == [*(f"without seed {seed}" for seed in range(4)), "seeds 0, 1", "seeds 2, 3"]
    assert all(one.survival == "survives" and len(one.standings) == 6 for one in found.conclusions)
    words = " ".join(one.words for one in found.conclusions)
    assert "(−0." in words and "(-0." not in words
    seed, component, left = found.variance[0].sources
    assert seed.of == ("seed",) and seed.share > left.share < component.share

    # A split that tests nine in ten leaves little that the splits do not share.
    wide = result.sensitivity("splits", test_share=0.9).sensitivity.conclusions[0].combined
    narrow = result.sensitivity("splits", test_share=0.1).sensitivity.conclusions[0].combined
    assert wide is not None and narrow is not None
    assert (wide.high - wide.low) / (narrow.high - narrow.low) == pytest.approx(((1 / 4 + 9) / (1 / 4 + 1 / 9)) ** 0.5)


def test_crossed_parameters_share_the_variance(project: Path) -> None:
    found = assay.sensitivity(
        study(project, seeds=2), "params", vary={"rate": [0.1], "dataset": ["digits"]}, crossed=True, workers=2
    ).sensitivity
    assert [one.name for one in found.conditions] == ["dataset = digits", "rate = 0.1", "rate = 0.1, dataset = digits"]
    assert found.variance[0].sizes == {"rate": 2, "dataset": 2, "seed": 2, "component": 3}


def folded(config: Mapping[str, Any], seed: int, fold: int) -> dict[str, float]:
    return {"accuracy": train(config, seed)["accuracy"] + 0.2 * fold}


def test_a_study_of_folds_has_them_among_the_sources_of_variance(project: Path) -> None:
    given = study(project)
    told = assay.Study(folded, given.baseline, given.components, given.metrics, seeds=2, folds=3, root=project)
    found = assay.sensitivity(told, "params", vary={"rate": [0.1]}, workers=2).sensitivity
    assert found.variance[0].sizes == {"rate": 2, "seed": 2, "fold": 3, "component": 3}
    shares = {source.of: source.share for source in found.variance[0].sources}
    assert shares["fold",] == max(shares.values())
    dropout = found.conclusions[1]
    assert dropout.standings[0].shift == pytest.approx(0.1, abs=0.01) and dropout.standings[0].depends
    parts = assay.sensitivity(told, "seeds").sensitivity
    assert len({one.name for one in parts.conditions}) == 8 and all(one.survival == "survives" for one in parts.conclusions)


def test_what_is_not_said_is_taken_from_the_study_itself(project: Path) -> None:
    given = study(project)
    options: dict[str, Any] = {"gate": assay.gate({"rate": [0.001, 0.01, 0.1]}, tuning_seeds=1), "seeds": 2, "root": project}
    tuned = assay.Study(train, given.baseline, given.components, given.metrics, **options).run(accept_baseline="by design")
    assert [one.name for one in tuned.sensitivity("params").sensitivity.conditions] == ["rate = 0.001", "rate = 0.1"]
    told = assay.Study(folded, given.baseline, given.components, given.metrics, seeds=2, folds=3, root=project)
    combined = [one.combined for one in assay.sensitivity(told, "splits").sensitivity.conclusions]
    assert [(one.splits, one.test_to_train) for one in combined if one is not None] == [(3, pytest.approx(0.5))] * 2


def test_a_baseline_that_fails_at_the_gate_has_no_conclusions_and_an_accepted_one_stays_accepted(project: Path) -> None:
    told = study(
        project,
        seeds=3,
        baseline={"augment": 1, "dropout": 1, "rate": 0.1, "dataset": "wine"},
        gate=assay.gate({"rate": [0.01, 0.1]}),
    )
    with pytest.raises(AssayError, match="fails at the gate"):
        assay.sensitivity(told, "params", vary={"dataset": ["digits"]}, workers=2)
    accepted = told.run(workers=2, accept_baseline="it is what we ship")
    assert accepted.evidence.gate is not None and accepted.evidence.gate.accepted
    found = assay.sensitivity(told, "params", vary={"dataset": ["digits"]}, workers=2).sensitivity
    assert [one.survival for one in found.conclusions] == ["does not survive", "survives"]


@pytest.mark.parametrize(
    ("to", "options", "said"),
    [
        ("params", {}, "nothing is varied"),
        ("param", {}, "cannot be sensitive to this: 'param'"),
        ("params", {"vary": {"rat": [1]}}, "Did you mean 'rate'"),
        ("params", {"vary": {"rate": [0.01]}}, "not varied: 'rate'; expected another value than the baseline's, 0.01"),
        ("seeds", {"vary": {"rate": [1]}}, "--vary does not go with --to seeds"),
        ("splits", {}, "nothing is said of the splits"),
        ("splits", {"test_share": 25}, "no share of the items"),
        ("data", {"data": {"one.json": ["two.json"]}}, "a function reads data"),
        ("params", {"vary": {"rate": [0.1]}, "budget": 3}, "more trials than the budget allows: 24"),
    ],
)
def test_what_cannot_be_asked_is_refused_by_name(project: Path, to: Any, options: dict[str, Any], said: str) -> None:
    with pytest.raises(AssayError, match=said):
        assay.sensitivity(study(project), to, **options)


def test_data_that_a_command_does_not_name_is_refused(project: Path) -> None:
    (project / "s.yaml").write_text(
        "command: python t.py {overrides}\nbaseline: {data: one.json, a: 1}\ncomponents: {a: {remove: {a: 0}}}\nmetrics: {y: maximize}\n"
    )
    told = load_study_file(project / "s.yaml")
    for data, said in [
        ({"three.json": ["two.json"]}, "neither the command nor the baseline"),
        ({"one.json": ["none.json"]}, "does not exist"),
    ]:
        with pytest.raises(AssayError, match=said):
            assay.sensitivity(told, "data", data=data)


def test_what_is_known_by_its_id_alone_says_what_is_missing(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    result = study(project, seeds=2, name="known").run(workers=2)
    monkeypatch.chdir(project)
    assert assay.sensitivity("known", "seeds").sensitivity.study == result.study
    with pytest.raises(AssayError, match="the study's file, or in Python the study itself"):
        assay.sensitivity("known", "params", vary={"rate": [0.1]})
