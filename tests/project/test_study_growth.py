"""Studies that grow out of others: extended after their results were known, or started from a winner."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import assay
from assay.errors import InvalidStudy, NoWinner
from assay.questions.study.archive import kept_evidence
from assay.questions.study.winner import winner
from assay.records.canonical import canonical
from assay.store.store import Store


def train(config: dict[str, Any], seed: int) -> dict[str, float]:
    noise = seed * 7919 % 13 / 1000
    own = (seed * 31 % 7 - 3) / 1000
    score = 0.8 + noise + 0.1 * (not config["old"]) + (0.05 + own) * (config["loss"] == "ce") - 0.2 * (config["loss"] == "hinge")
    return {"score": score + 0.07 * config["mixup"] - 0.1 * (config["mixup"] > 0 and not config["old"])}


def study_of(root: Path, **options: Any) -> assay.Study:
    given: dict[str, Any] = {
        "baseline": {"old": True, "loss": "mse", "mixup": 0, "dead": 1},
        "components": [
            assay.remove("old part", old=False),
            assay.replace("loss", "cross entropy", loss="ce"),
            assay.replace("loss", "hinge", loss="hinge"),
        ],
        "metrics": [assay.maximize("score", margin=0.005)],
        "seeds": 3,
        "hypotheses": [assay.hypothesis("old part", lowers="score")],
        "name": "toy",
        "root": root,
    }
    return assay.Study(train, **(given | options))


def test_an_extension_reuses_what_finished_and_says_that_it_came_after_the_results(project: Path) -> None:
    first = study_of(project)
    sealed = first.run().evidence
    longer = first.extend(seeds="+2", components=[assay.add("mixup", mixup=1)])
    result = longer.run()
    assert [row.seed for row in result.outcomes if row.configuration == "with mixup"] == [0, 1, 2, 3, 4]
    assert sum(row.reused for row in result.outcomes) == 12 and len(result.outcomes) == 25
    (said,) = [finding.text for finding in result.findings if finding.kind == "extended"]
    assert sealed.study[:8] in said and "3 seeds" in said and "90 %" in said
    assert result.answers[0].answer == "supported" and "Not confirmatory" in result.answers[0].evidence
    assert canonical(kept_evidence(Store.open(project), sealed.study)) == canonical(sealed)
    again = longer.extend(seeds=6)
    assert again.origin is not None and (again.origin.study, again.origin.looks) == (result.study, 3)


@pytest.mark.parametrize("options", [{}, {"seeds": 3}, {"seeds": 2}, {"seeds": "2.5"}, {"seeds": [0, 1]}, {"seeds": [1, 2, 3, 4]}])
def test_an_extension_that_adds_nothing_or_drops_a_seed_is_refused(project: Path, options: dict[str, Any]) -> None:
    study = study_of(project, components=[assay.remove("old part", old=False)], seeds=3)
    study.run()
    with pytest.raises(InvalidStudy):
        study.extend(**options)


def test_what_was_never_run_cannot_be_extended_or_followed(project: Path) -> None:
    Store.open(project)
    for grow in (lambda study: study.extend(seeds="+1"), lambda study: study.next()):
        with pytest.raises(InvalidStudy):
            grow(study_of(project))


def test_the_next_study_starts_from_every_change_that_clearly_helps(project: Path) -> None:
    first = study_of(project, configurations={"all": {"old": False, "loss": "ce"}, "bare": {"dead": 2}})
    first.run()
    following = first.next()
    assert following.baseline == {"old": False, "loss": "ce", "mixup": 0, "dead": 1}
    old, loss = following.plan().definition.factors
    assert (old.kind, old.levels[0].settings) == ("add", {"old": True})
    assert [(level.name, level.settings) for level in loss.levels] == [("as before", {"loss": "mse"}), ("hinge", {"loss": "hinge"})]
    assert list(following.seeds) == [3, 4, 5]  # type: ignore[arg-type]
    assert following.configurations == {"bare": {"old": True, "loss": "mse", "dead": 2}}
    assert following.name == "toy 2" and following.hypotheses == ()
    result = following.run()
    (said,) = [finding.text for finding in result.findings if finding.kind == "grew out of"]
    assert "never run together" in said
    assert {effect.component: effect.better for effect in result.effects if effect.component != "bare"} == {
        "old part": False,
        "loss: as before": False,
        "loss: hinge": False,
    }
    with pytest.raises(NoWinner):
        following.next()


def test_of_changes_that_interact_the_best_that_was_run_is_taken(project: Path) -> None:
    components = [
        assay.remove("old part", old=False),
        assay.add("mixup", mixup=1),
        assay.replace("loss", "cross entropy", loss="ce"),
    ]
    study = study_of(project, components=components, hypotheses=[])
    evidence = study.run("pairs").evidence
    won = winner(evidence)
    assert won.levels == {"old part": "removed", "loss": "cross entropy"}
    assert "interact" in won.words[0]


def test_designs_whose_effects_lie_elsewhere_name_no_winner(project: Path) -> None:
    study = study_of(project, components=[assay.remove("old part", old=False)])
    study.run("add-one-in")
    with pytest.raises(InvalidStudy, match="leave-one-out"):
        study.next("add-one-in")


def test_a_study_that_its_gate_stopped_is_neither_extended_nor_followed_and_a_placebo_goes_on(project: Path) -> None:
    gate = assay.gate({"mixup": [0, 1]}, seeds=2)
    stopped = study_of(project, gate=gate)
    assert stopped.run().gate is not None
    for grow in (lambda: stopped.extend(seeds="+1"), lambda: stopped.next()):
        with pytest.raises(InvalidStudy, match="failed at the gate"):
            grow()
    sound = study_of(project, components=[assay.remove("old part", old=False), assay.placebo()])
    sound.run()
    assert [factor.kind for factor in sound.next().plan().definition.factors] == ["add", "placebo"]
