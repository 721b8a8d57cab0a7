"""Definitions, plans, evidence: the parts of a study that need no process."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from assay.ablation.components import hypothesis, maximize, remove
from assay.errors import InvalidStudy, InvalidValue
from assay.execution.protocol import Job, Outcome
from assay.questions.study.archive import find_study, kept_evidence, studies
from assay.questions.study.definition import Definition, define, plan_study
from assay.questions.study.estimate import seconds_per_trial
from assay.questions.study.running import judge, run_study
from assay.questions.study.unanswered import unanswered
from assay.records.canonical import canonical, decode
from assay.records.run import Failure, State
from assay.store.store import Store


def definition(**changes: Any) -> Definition:
    given: dict[str, Any] = {
        "name": "toy",
        "subject": "toy:train",
        "baseline": {"a": True, "b": True},
        "components": [remove("a", a=False), remove("b", b=False)],
        "metrics": [maximize("y")],
        "seeds": [0, 1, 2],
        "design": "leave-one-out",
        "configurations": {"none": {"a": False, "b": False}},
        "hypotheses": [hypothesis("a", raises="y")],
    }
    return define(**(given | changes))


class Arithmetic:
    """An executor that computes: y is the number of components, and what fails is told."""

    def __init__(self, failing: str = "", state: State = "failed") -> None:
        self.failing = failing
        self.state = state
        self.sealed: list[str] = []

    def carry_out(self, jobs: Sequence[Job], *, study: str, workers: int, report: Callable[[Outcome], None]) -> list[Outcome]:
        self.sealed.append(study)
        outcomes = [self._outcome(job) for job in jobs]
        for outcome in outcomes:
            report(outcome)
        return outcomes

    def _outcome(self, job: Job) -> Outcome:
        if job.configuration.name == self.failing:
            return Outcome(job.trial, None, self.state, {}, Failure(kind="ValueError", text="no"), False, 0.0)
        y = sum(job.configuration.params.values()) + 0.1 * job.trial.seed * job.configuration.params["a"]
        return Outcome(job.trial, "r" * 16, "finished", {"y": float(y)}, None, job.trial.seed == 0, 2.0)


def test_equal_questions_are_one_study_and_others_are_not() -> None:
    assert definition().id == definition().id
    assert definition().id != definition(seeds=[0, 1]).id
    assert definition().id != definition(hypotheses=[]).id


def test_a_definition_comes_back_from_its_bytes() -> None:
    assert decode(canonical(definition()), Definition) == definition()


def test_a_study_that_only_evaluates_says_so() -> None:
    assert "without retraining" in plan_study(definition(evaluation="toy:fit")).estimand
    assert "without retraining" not in plan_study(definition()).estimand


def test_the_definition_is_in_the_store_when_the_first_trial_starts(project: Path) -> None:
    store = Store.open(project)
    asked = definition()

    class Looking(Arithmetic):
        def carry_out(self, jobs: Sequence[Job], *, study: str, workers: int, report: Callable[[Outcome], None]) -> list[Outcome]:
            assert store.studies.get(study, Definition) == asked
            return super().carry_out(jobs, study=study, workers=workers, report=report)

    looking = Looking()
    evidence = run_study(store, asked, plan_study(asked), looking)
    assert looking.sealed == [asked.id] == [evidence.study]


def test_evidence_has_a_row_for_each_trial_and_counts_what_was_reused(project: Path) -> None:
    asked = definition()
    evidence = run_study(Store.open(project), asked, plan_study(asked), Arithmetic())
    assert [row.index for row in evidence.rows] == list(range(12))
    assert any("Reused 4 of 12 trials" in finding.text for finding in evidence.findings)


@pytest.mark.parametrize("state", ["failed", "crashed", "interrupted"])
def test_trials_that_did_not_finish_are_named_once_with_their_reason(state: State) -> None:
    asked = definition()
    plan = plan_study(asked)
    configurations = {configuration.name: configuration for configuration in plan.configurations}
    jobs = [Job(trial, configurations[trial.configuration]) for trial in plan.trials]
    outcomes = Arithmetic("without b", state).carry_out(jobs, study="", workers=1, report=lambda _: None)
    evidence = judge(asked, plan, outcomes)
    (reason,) = [finding for finding in evidence.findings if finding.kind == "failed trials"]
    assert reason.about == "without b"
    assert "3 of 3 trials" in reason.text and "(ValueError: no)" in reason.text
    assert [row.failure for row in evidence.rows if row.state == state] == ["ValueError: no"] * 3


@pytest.mark.parametrize(
    ("failing", "lost"), [("", []), ("without b", ["b"]), ("none", ["none"]), ("baseline", ["a", "b", "none"])]
)
def test_what_no_pair_of_trials_tells_is_named(project: Path, failing: str, lost: list[str]) -> None:
    asked = definition()
    assert unanswered(run_study(Store.open(project), asked, plan_study(asked), Arithmetic(failing))) == lost


def test_an_effect_of_a_part_of_its_pairs_says_so(project: Path) -> None:
    asked = definition(design="full", configurations={})
    evidence = run_study(Store.open(project), asked, plan_study(asked), Arithmetic("without a + without b"))
    assert all("over the 1 of 2 pairs of configurations that gave values" in effect.words for effect in evidence.effects)
    assert unanswered(evidence) == []


def test_kept_evidence_is_found_by_a_prefix_and_what_was_never_finished_is_said(project: Path) -> None:
    store = Store.open(project)
    asked = definition()
    store.studies.put(asked)
    with pytest.raises(InvalidStudy, match="not been run to its end"):
        kept_evidence(store, asked.id[:10])
    evidence = run_study(store, asked, plan_study(asked), Arithmetic())
    assert canonical(kept_evidence(store, asked.id[:10])) == canonical(evidence)
    assert studies(store) == [(asked.id, asked)]


def test_a_study_is_found_by_its_name_and_as_the_last_that_was_run(project: Path) -> None:
    """A prefix stands before a name; `last` is the one whose evidence is the newest, not whose definition is."""
    store = Store.open(project)
    first, second = (store.studies.put(definition(name=name)) for name in ("wide", "deep"))
    os.utime(store.path / "studies" / first / "definition", (5, 5))
    assert (find_study(store, "wide"), find_study(store, "deep"), find_study(store, second[:9])) == (first, second, second)
    assert find_study(store, "last") in (first, second)
    (store.path / "studies" / first / "evidence").touch()
    assert find_study(store, "last") == first
    with pytest.raises(InvalidStudy, match="no study has this id"):
        find_study(store, "narrow")


def test_the_time_of_an_earlier_study_of_the_same_subject_is_the_estimate(project: Path) -> None:
    store = Store.open(project)
    asked = definition()
    assert seconds_per_trial(store, asked) is None
    run_study(store, asked, plan_study(asked), Arithmetic())
    assert seconds_per_trial(store, definition(seeds=[5])) == 2.0
    assert seconds_per_trial(store, definition(subject="other:train")) is None


def test_a_study_without_workers_is_refused(project: Path) -> None:
    asked = definition()
    with pytest.raises(InvalidValue, match="workers"):
        run_study(Store.open(project), asked, plan_study(asked), Arithmetic(), workers=0)
