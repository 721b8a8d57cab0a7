"""The adaptive design: when it stops, what it then says, and that it says the same however it was run."""

from __future__ import annotations

import hashlib
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

import assay
from assay.ablation.adaptive.course import CLEAR, UNSURE, Course, allowed
from assay.ablation.adaptive.order import looks
from assay.ablation.components import add, maximize, remove, replace
from assay.ablation.constraints import excludes
from assay.ablation.designs import ADAPTIVE
from assay.errors import InvalidStudy, InvalidValue
from assay.execution.protocol import Job, Outcome
from assay.questions.study.adaptive import Courses
from assay.questions.study.archive import kept_evidence
from assay.questions.study.definition import Definition, define, plan_study
from assay.questions.study.former import former
from assay.questions.study.running import judge, run_study
from assay.records.evidence import StudyEvidence
from assay.records.plan import DesignOptions, Plan
from assay.records.run import Failure
from assay.report.document import plain
from assay.stats.factorial_models import space
from assay.stats.factorial_search import Belief
from assay.store.store import Store

NAMES = "abcdefgh"
Response = Callable[[dict[str, bool], int], float]


def noise(params: dict[str, bool], seed: int) -> float:
    """Normal, the same for the same configuration and seed."""
    digest = hashlib.sha256(repr((sorted(params.items()), seed)).encode()).digest()
    return float(np.random.default_rng(list(digest)).normal())


def planted(params: dict[str, bool], seed: int) -> float:
    """Removing a lowers y by 2, b by 1.5, and a and c have an interaction of 1.5; the rest does nothing."""
    flipped = {name: -1 if kept else 1 for name, kept in params.items()}
    return -flipped["a"] - 0.75 * flipped["b"] + 0.75 * flipped["a"] * flipped["c"] + seed % 3 + 0.3 * noise(params, seed)


def loud(params: dict[str, bool], seed: int) -> float:
    """As planted, with more noise: found well before it is confirmed."""
    return planted(params, seed) + 0.7 * noise(params, seed + 100)


class Arithmetic:
    """An executor that computes, and may be stopped."""

    def __init__(self, response: Response = planted, stop_after: int = 10**9, failing: str = "") -> None:
        self.response, self.left, self.failing = response, stop_after, failing
        self.done: list[int] = []

    def carry_out(self, jobs: Sequence[Job], *, study: str, workers: int, report: Callable[[Outcome], None]) -> list[Outcome]:
        found = []
        for job in jobs:
            if not self.left:
                raise KeyboardInterrupt
            self.left -= 1
            self.done.append(job.trial.index)
            failed = self.failing and not job.configuration.params[self.failing]
            failure = Failure(kind="ValueError", text="no") if failed else None
            value = {} if failed else {"y": self.response(job.configuration.params, job.trial.seed)}
            found.append(Outcome(job.trial, None, "failed" if failed else "finished", value, failure, False, 1.0))
        return found


def asked(budget: int | None = None, **changes: Any) -> Definition:
    given: dict[str, Any] = {
        "name": "toy",
        "subject": "toy:train",
        "baseline": dict.fromkeys(NAMES, True),
        "components": [remove(name, {name: False}) for name in NAMES],
        "metrics": [maximize("y")],
        "seeds": [0, 1, 2, 3],
        "design": ADAPTIVE,
        "configurations": {},
        "hypotheses": [],
        "options": DesignOptions(budget=budget),
    }
    return define(**(given | changes))


def result_of(project: Path, executor: Arithmetic, definition: Definition) -> StudyEvidence:
    return run_study(Store.open(project), definition, plan_study(definition), executor)


def outcomes_of(plan: Plan, trials: int | None = None) -> list[Outcome]:
    """Of the first so many trials, or of all."""
    configurations = {one.name: one for one in plan.configurations}
    jobs = [Job(trial, configurations[trial.configuration]) for trial in plan.trials[:trials]]
    return Arithmetic().carry_out(jobs, study="", workers=1, report=lambda _: None)


def believe_nothing() -> Belief:
    """A belief that has chosen nothing, at coefficients well below the noise."""
    return Belief(np.zeros(20), np.zeros(20), 1.0, 0.05, 0.0, np.zeros((1, 1), dtype=np.intp), 16)


def verdicts(evidence: StudyEvidence) -> dict[str, str]:
    return {one.component: one.verdict for one in evidence.effects}


def test_what_was_planted_is_found_and_nothing_else(project: Path) -> None:
    evidence = result_of(project, Arithmetic(), asked())
    assert {name for name, verdict in verdicts(evidence).items() if verdict == "matters"} == {"a", "b"}
    (pair,) = [one for one in evidence.interactions if one.verdict == "matters"]
    assert pair.components == ("a", "c")
    assert pair.low <= 1.5 <= pair.high
    effects = {one.component: one for one in evidence.effects}
    assert effects["a"].low <= -2 <= effects["a"].high
    assert "It depends on c" in effects["a"].words
    assert all(one.low <= 0 <= one.high for name, one in effects.items() if name not in "ab")


def test_it_stops_before_its_budget_and_says_when_what_was_decided(project: Path) -> None:
    definition = asked()
    evidence = result_of(project, Arithmetic(), definition)
    assert 16 <= len(evidence.plan.trials) < len(plan_study(definition).trials)
    assert len(evidence.rows) == len(evidence.plan.trials)
    (history,) = [one for one in evidence.findings if one.kind == "history"]
    assert "a × c after" in history.text
    assert "decided" in history.text


def test_the_combinations_are_drawn_fairly_and_none_twice_in_a_seed() -> None:
    plan = plan_study(asked())
    assert len({(trial.configuration, trial.block) for trial in plan.trials}) == len(plan.trials)
    levels = {one.name: one.levels for one in plan.configurations}
    share = np.mean([[name in levels[trial.configuration] for name in NAMES] for trial in plan.trials], axis=0)
    assert np.all(np.abs(share - 0.5) < 0.15)
    assert plan_study(asked()).trials == plan.trials


def test_without_any_effect_hardly_a_study_claims_one() -> None:
    """20 studies of 8 null components with seeds that shift all values; 5 % of them may be wrong, so more than 4 hardly ever are."""
    of, wrong = space(8), 0
    for study in range(20):
        rng = np.random.default_rng([7, study])
        columns, blocks = of.columns(rng.choice([-1.0, 1.0], (56, 8))), np.arange(56) // 4 % 4
        values = rng.normal(0, 1, 4)[blocks] + rng.normal(0, 1, 56)
        course, free = Course(of), np.ones(columns.shape, dtype=bool)
        for begin, end in ((0, 16), (16, 36), (36, 56)):
            course.tell(columns[begin:end], values[begin:end], blocks[begin:end], free[begin:end])
        wrong += bool(course.decisions)
    assert wrong <= 4


def test_stopped_and_run_again_it_says_the_same(project: Path, tmp_path: Path) -> None:
    whole = result_of(project, Arithmetic(), asked())
    (tmp_path / "other").mkdir()
    with pytest.raises(KeyboardInterrupt):
        result_of(tmp_path / "other", Arithmetic(stop_after=26), asked())
    partial = kept_evidence(Store.open(tmp_path / "other"), asked().id)
    assert len(partial.rows) == 26
    assert "still open" in partial.findings[-1].text or "not clear yet" in partial.findings[-1].text
    again = result_of(tmp_path / "other", Arithmetic(), asked())
    assert msgspec.structs.replace(again, seal=whole.seal) == whole


def test_trials_that_run_ahead_of_a_look_change_nothing(project: Path, tmp_path: Path) -> None:
    """With three at once up to two more are run than are needed, and what is said is the same."""
    (tmp_path / "other").mkdir()
    alone, three = Arithmetic(loud), Arithmetic(loud)
    one = result_of(project, alone, asked())
    other = run_study(Store.open(tmp_path / "other"), asked(), plan_study(asked()), three, workers=3)
    assert msgspec.structs.replace(one, seal=None) == msgspec.structs.replace(other, seal=None)
    assert alone.done == list(range(len(one.rows)))
    assert set(three.done) - set(alone.done) <= {len(one.rows), len(one.rows) + 1}


def test_it_looks_after_each_trial_and_later_after_a_twentieth_more() -> None:
    ends = looks(24, 200)
    assert ends[:18] == [*range(24, 41), 42]
    assert all(later <= 1.05 * earlier + 1 for earlier, later in pairwise(ends))
    assert ends[-1] == 200


def test_the_search_may_be_wrong_more_often_the_more_it_has_chosen_and_the_clearer() -> None:
    belief = believe_nothing()._replace(ratio=0.3)
    few, some, many = (belief._replace(chance=np.repeat([0.9, 0.0], [chosen, 20 - chosen])) for chosen in (1, 4, 9))
    assert allowed(belief) == allowed(few) < allowed(some) < allowed(many)
    assert allowed(many._replace(size=1.0)) == pytest.approx(CLEAR * allowed(many))
    assert allowed(many._replace(size=1.0, ratio=1.0)) == pytest.approx(UNSURE * allowed(many))


def test_judged_again_from_its_rows_it_says_the_same(project: Path) -> None:
    evidence = result_of(project, Arithmetic(), asked())
    assert judge(asked(), evidence.plan, outcomes_of(evidence.plan)) == msgspec.structs.replace(evidence, environment="", seal=None)


def test_a_budget_that_is_used_up_leaves_what_cannot_be_told(project: Path) -> None:
    evidence = result_of(project, Arithmetic(lambda params, seed: 0.1 * params["a"] + noise(params, seed)), asked(budget=24))
    assert set(verdicts(evidence).values()) == {"cannot tell"}
    assert len(evidence.rows) == 24
    words = evidence.effects[0].words
    assert "Cannot tell" in words
    assert "could still hide" in words
    assert any("A larger budget goes on from here" in one.text for one in evidence.findings)


def test_a_margin_lets_it_say_that_there_is_nothing(project: Path) -> None:
    evidence = result_of(project, Arithmetic(), asked(metrics=[maximize("y", margin=1.4)]))
    assert verdicts(evidence)["h"] == "no effect"


def test_equal_values_everywhere_end_it_at_the_first_look(project: Path) -> None:
    evidence = result_of(project, Arithmetic(lambda params, seed: 1.0), asked())
    assert set(verdicts(evidence).values()) == {"no-op"}
    assert len(evidence.rows) == 16


def test_failing_configurations_are_said_and_the_rest_is_told(project: Path) -> None:
    evidence = result_of(project, Arithmetic(failing="h"), asked())
    assert verdicts(evidence)["a"] == "matters"
    assert verdicts(evidence)["h"] == "cannot tell"
    assert any(one.kind == "failed trials" for one in evidence.findings)
    assert not any("did not run" in one.text for one in evidence.findings)


def test_where_every_trial_fails_nothing_is_told(project: Path) -> None:
    evidence = result_of(
        project,
        Arithmetic(failing="z"),
        asked(baseline=dict.fromkeys(NAMES + "z", False) | {"a": True}, components=[remove("a", a=False)], budget=8),
    )
    assert set(verdicts(evidence).values()) == {"cannot tell"}


def test_constraints_are_kept_and_what_they_forbid_is_no_coin() -> None:
    definition = asked(options=DesignOptions(budget=40, constraints=(excludes("c", "d"),)), components=[
        add("c", c=False), add("d", d=False), *(remove(name, {name: False}) for name in "abef")])  # fmt: skip
    plan = plan_study(definition)
    assert not any({"c", "d"} <= set(one.levels) for one in plan.configurations)
    assert "allow" in plan.estimand
    courses = Courses(definition, plan)
    courses.tell(outcomes_of(plan))
    tests = courses.by_metric["y"].tests
    assert tests.n[0] < tests.n[2]  # c is a coin only where d is not there
    assert tests.n[courses.of.factors] == 0  # c and d are never flipped together


def test_one_seed_is_enough_and_is_said(project: Path) -> None:
    evidence = result_of(project, Arithmetic(), asked(seeds=[5]))
    assert verdicts(evidence)["a"] == "matters"
    assert any("Other seeds" in one for one in evidence.plan.cannot_see)


def test_named_configurations_are_compared_seed_by_seed(project: Path) -> None:
    both = dict.fromkeys("ab", False)
    evidence = result_of(project, Arithmetic(), asked(configurations={"plain": both}, seeds=list(range(12))))
    (named,) = [one for one in evidence.effects if one.component == "plain"]
    assert named.verdict == "matters"
    assert named.n == 12
    assert named.low <= -5 <= named.high


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"components": [replace("a", "x", a=False), replace("b", "y", a=2)]}, "cannot be combined"),
        ({"options": DesignOptions(budget=10)}, "at least 16 trials"),
        ({"options": DesignOptions(resolution=4)}, "no resolution"),
        ({"components": []}, "nothing to combine"),
    ],
)
def test_what_it_cannot_do_is_an_error_before_anything_runs(changes: dict[str, Any], says: str) -> None:
    with pytest.raises(InvalidStudy, match=says):
        plan_study(asked(**changes))


SCRIPT = """
import assay
NAMES = "abcdef"

def train(config, seed):
    import random
    return {"y": config["a"] + 0.5 * config["b"] * config["c"] + random.gauss(0, 0.1)}

def study(root):
    return assay.Study(train, baseline=dict.fromkeys(NAMES, 1), components=[assay.remove(n, {n: 0}) for n in NAMES],
                       metrics=[assay.maximize("y")], seeds=3, root=root)
"""


def started(project: Path, workers: int) -> subprocess.Popen[bytes]:
    """The study of SCRIPT in a process of its own."""
    (project / "toy_adaptive.py").write_text(SCRIPT)
    code = f"import toy_adaptive; s = toy_adaptive.study({str(project)!r}); s.run(s.plan('adaptive', budget=20), workers={workers})"
    return subprocess.Popen([sys.executable, "-c", code], cwd=project, stderr=subprocess.DEVNULL)


def found_in(project: Path) -> StudyEvidence:
    store = Store.open(project)
    return kept_evidence(store, "last")


def test_killed_and_run_again_with_other_workers_it_says_the_same(project: Path, tmp_path: Path) -> None:
    running = started(project, 1)
    runs = project / ".assay" / "runs"
    try:
        while running.poll() is None and (not runs.exists() or len(list(runs.iterdir())) < 6):
            time.sleep(0.05)
    finally:
        running.send_signal(signal.SIGKILL)
        running.wait()
    assert started(project, 3).wait() == 0
    (tmp_path / "other").mkdir()
    assert started(tmp_path / "other", 1).wait() == 0
    resumed, whole = found_in(project), found_in(tmp_path / "other")
    assert any(row.reused for row in resumed.rows)
    assert plain(resumed.effects) == plain(whole.effects)
    assert plain(resumed.interactions) == plain(whole.interactions)
    assert [row.metrics for row in resumed.rows] == [row.metrics for row in whole.rows]


def test_former_studies_inform_the_search_and_never_the_tests(project: Path) -> None:
    """The same trials with and without them have the same tests; both beliefs are shown."""
    result_of(project, Arithmetic(), asked(design="leave-one-out", seeds=list(range(8)), options=DesignOptions()))
    plain = result_of(project, Arithmetic(), asked())
    informed = result_of(project, Arithmetic(), asked(options=DesignOptions(priors=True)))
    (said,) = [one for one in informed.findings if one.kind == "priors"]
    assert "without them" in said.text
    assert "2 former studies" in said.text
    courses = []
    for definition in (asked(), asked(options=DesignOptions(priors=True))):
        plan = plan_study(definition)
        told = former(Store.open(project), definition, space(8)) if definition.options.priors else None
        courses.append(Courses(definition, plan, told))
        courses[-1].tell(outcomes_of(plan, 40))
    one, other = (each.by_metric["y"] for each in courses)
    assert np.array_equal(one.tests.highest, other.tests.highest)
    assert np.array_equal(one.low, other.low)
    assert one.informed is None
    assert other.informed is not None
    assert plain.plan.trials[:16] == informed.plan.trials[:16]


def test_what_former_studies_say_counts_less_where_recipes_differ(project: Path) -> None:
    result_of(project, Arithmetic(), asked())
    store, of = Store.open(project), space(8)
    same = former(store, asked(seeds=[9]), of).belief["y"]
    other_baseline = former(store, asked(baseline=dict.fromkeys(NAMES, True) | {"z": True}), of).belief["y"]
    other_subject = former(store, asked(subject="other:train"), of).belief["y"]
    assert same[0] > other_baseline[0] > 0
    assert same[0] > other_subject[0] > 0
    renamed = [remove(f"new {name}", {name: False}) for name in NAMES]
    assert former(store, asked(components=renamed), of).studies == ()


def test_trials_that_studies_share_are_told_once(project: Path) -> None:
    """A study that is asked again, by another name or with another hypothesis, is no second study."""

    class Recorded(Arithmetic):
        def carry_out(self, jobs: Sequence[Job], **options: Any) -> list[Outcome]:
            return [
                one._replace(run=f"{job.trial.seed}-{job.configuration.name}")
                for job, one in zip(jobs, super().carry_out(jobs, **options), strict=True)
            ]

    def told(**changes: Any) -> list[float]:
        if changes:
            result_of(project, Recorded(), asked(design="leave-one-out", options=DesignOptions(), **changes))
        found = former(Store.open(project), asked(), space(8))
        return [float(found.belief["y"][0]), len(found.studies)]

    once = told(name="first")
    assert once[0] > 0 and told(name="again") == once and told(name="more", seeds=list(range(8))) == once
    half = told(name="half new", seeds=list(range(4, 12)))
    assert half == [pytest.approx(1.5 * once[0]), 2]


def test_no_other_design_is_told_what_former_studies_found() -> None:
    with pytest.raises(InvalidStudy, match="'adaptive'"):
        plan_study(asked(design="screening", options=DesignOptions(priors=True)))


def test_asked_to_find_it_stops_sooner_and_claims_no_more_than_is_confirmed(project: Path) -> None:
    """What the search found is named with its probability, is no verdict, and the trials are the first of the longer study."""
    found = result_of(project, Arithmetic(), asked(options=DesignOptions(until="found")))
    confirmed = result_of(project, Arithmetic(), asked())
    assert len(found.plan.trials) < len(confirmed.plan.trials)
    assert found.plan.trials == confirmed.plan.trials[: len(found.plan.trials)]
    said = {one.kind: one.text for one in found.findings}
    assert "a × c (probability" in said["found, not confirmed"]
    assert "nothing more was asked for" in said["history"]
    (pair,) = [one for one in found.interactions if one.components == ("a", "c")]
    assert pair.verdict == "cannot tell"
    assert "not confirmed" in pair.words
    assert not any(one.kind == "found, not confirmed" for one in confirmed.findings)


@pytest.mark.parametrize(("design", "until"), [("screening", "found"), (ADAPTIVE, "never")])
def test_where_to_stop_is_for_the_adaptive_design_and_one_of_two(design: str, until: Any) -> None:
    with pytest.raises(InvalidStudy, match=until):
        plan_study(asked(design=design, options=DesignOptions(until=until)))


def test_time_limits_the_adaptive_design_alone(project: Path) -> None:
    components, metrics = [assay.remove("a", a=0)], [assay.maximize("y")]
    study = assay.Study(lambda config, seed: {"y": 1.0}, baseline={"a": 1}, components=components, metrics=metrics, root=project)
    with pytest.raises(InvalidValue, match="limited in time"):
        study.run("leave-one-out", minutes=1)
