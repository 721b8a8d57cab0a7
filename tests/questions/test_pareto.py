"""Quality against cost: dominated only where that is clear, and said otherwise."""

import math

import numpy as np
import pytest
from msgspec.structs import replace

from assay.ablation.components import change, maximize, minimize, remove
from assay.ablation.plans import make_plan
from assay.errors import InvalidStudy, UnknownMetric
from assay.execution.protocol import Job, Outcome
from assay.project.study_result import StudyResult
from assay.questions.study.costs import as_measured, costed
from assay.questions.study.pareto import pareto
from assay.records.evidence import StudyEvidence, TrialResult
from assay.records.run import Resources
from assay.report.pareto import pareto_drawing
from assay.stats.all_pairs import all_pairs

NAMES = ("fast", "slow", "twin", "both worse")
TRUTH = {"baseline": (0.90, 10.0), "fast": (0.88, 5.0), "slow": (0.90, 20.0), "twin": (0.901, 9.99), "both worse": (0.80, 30.0)}


def study(*, sd=0.002, seeds=5, truth=TRUTH, goals=None):
    """Evidence of a leave-one-out study of the truth (accuracy, latency) with noise."""
    names = [name for name in truth if name != "baseline"]
    factors = tuple(change(name, "on", {name: 1}) for name in names)
    plan = make_plan("leave-one-out", dict.fromkeys(names, 0), factors, seeds)
    random = np.random.default_rng(3)
    rows = []
    for trial in plan.trials:
        accuracy, latency = truth[trial.configuration.removesuffix(": on")]
        metrics = {"accuracy": accuracy + sd * random.normal(), "latency_ms": latency * (1 + sd * random.normal())}
        used = Resources(wall=latency, cpu_user=latency, peak_memory=2**20)
        rows.append(
            TrialResult(
                index=trial.index,
                configuration=trial.configuration,
                block=trial.block,
                seed=trial.seed,
                run="r",
                state="finished",
                metrics=metrics,
                seconds=latency,
                resources=used,
            )
        )
    goals = goals or (maximize("accuracy"), minimize("latency_ms"))
    return StudyEvidence(study="5f" * 32, plan=plan, rows=tuple(rows), goals=goals, factors=factors)


def stands(front):
    return {point.configuration.removesuffix(": on"): point.standing for point in front.points}


def test_the_front_and_what_is_dominated():
    front = pareto(study(), ("accuracy", "latency_ms"))
    found = stands(front)
    assert (found["fast"], found["both worse"]) == ("front", "dominated")
    worse = front.points[-1]
    assert worse.by is not None and "accuracy higher by" in worse.words and "latency_ms lower by" in worse.words
    assert front.maximize == (True, False) and front.comparisons == 20


def test_what_is_only_costlier_is_not_clearly_dominated_without_a_margin():
    """Its accuracy may be higher for all that the seeds say; with a margin for that, it is dominated."""
    assert stands(pareto(study()))["slow"] in ("undecided", "front")
    goals = (maximize("accuracy", margin=0.02), minimize("latency_ms"))
    assert stands(pareto(study(goals=goals)))["slow"] == "dominated"


def test_one_seed_dominates_nothing():
    front = pareto(study(seeds=1))
    assert "dominated" not in stands(front).values()
    assert stands(front)["both worse"] == "undecided" and "the seeds do not tell" in front.points[-1].words


def test_exact_values_are_compared_as_they_are():
    found = stands(pareto(study(sd=0.0)))
    assert found == {"baseline": "dominated", "fast": "front", "slow": "dominated", "twin": "front", "both worse": "dominated"}


def test_costs_that_assay_measured_count():
    assert stands(pareto(study(), ("accuracy", "seconds")))["both worse"] == "dominated"
    assert pareto(study(), ("accuracy", "peak_memory", "cpu_seconds")).maximize == (True, False, False)


def test_a_configuration_without_a_value_stands_nowhere_and_takes_no_seed_from_the_others():
    evidence = study()
    rows = tuple(
        replace(row, metrics={"accuracy": math.inf}) if row.configuration.startswith("slow") else row for row in evidence.rows
    )
    front = pareto(replace(evidence, rows=rows))
    assert stands(front)["slow"] == "no value" and front.blocks == (5, 5)
    assert stands(front)["both worse"] == "dominated"
    failed = tuple(replace(row, state="failed", metrics={}) for row in evidence.rows)
    assert set(stands(pareto(replace(evidence, rows=failed))).values()) == {"no value"}


@pytest.mark.parametrize("asked", [("accuracy",), ("accuracy", "accuracy")])
def test_a_front_needs_two_metrics(asked):
    with pytest.raises(InvalidStudy, match="two metrics"):
        pareto(study(), asked)


def test_a_metric_without_a_goal_is_refused_by_name():
    with pytest.raises(UnknownMetric, match="which way is better") as error:
        pareto(study(), ("accuracy", "loss"))
    assert "latency_ms" in error.value.expected and "seconds" in error.value.expected


def test_false_dominance_is_rare():
    """Five configurations of one truth in two metrics, 400 seeded studies: fewer than 5 % call any dominated, in a 99.9 % binomial bound."""
    random = np.random.default_rng(9)
    wrong = 0
    for _ in range(400):
        a, b = (all_pairs(random.normal(size=(4, 5)), families=2) for _ in range(2))
        wrong += bool((abs(a.differences) > a.half).any() or (abs(b.differences) > b.half).any())
    assert wrong <= 35


def test_the_page_and_the_drawing_hold_it(tmp_path):
    result = StudyResult(study())
    page = result.report(tmp_path).index.read_text()
    assert 'id="pareto"' in page and '<svg class="pareto"' in page and "is dominated by" in page
    assert result.pareto("accuracy", "latency_ms").points[1].standing == "front"
    hostile = study(truth={"baseline": (0.9, 1.0), "<b>x": (0.8, 2.0)})
    assert "<b>" not in pareto_drawing(pareto(hostile))


def test_costs_are_metrics_where_a_study_asks_for_them():
    """They are measurements; what a trial reports by the name itself stands, and what did not finish costs nothing."""
    goals = as_measured([maximize("accuracy"), minimize("seconds"), minimize("cpu_seconds")])
    assert [goal.measured for goal in goals] == [False, True, True]
    plan = make_plan("leave-one-out", {"a": 1}, [remove("a", a=0)], 1)
    used = Resources(wall=2.0, cpu_user=1.0, cpu_system=0.5, peak_memory=8)
    told = []

    class Done:
        def carry_out(self, jobs, *, study, workers, report):
            own = [{"accuracy": 1.0}, {"accuracy": 1.0, "seconds": 7.0}]
            outcomes = [Outcome(one.trial, "run", "finished", m, None, False, 2.0, used) for one, m in zip(jobs, own, strict=True)]
            outcomes.append(Outcome(jobs[0].trial, "run", "failed", {}, None, False, 2.0, used))
            for one in outcomes:
                report(one)
            return outcomes

    jobs = [Job(trial, plan.configurations[0]) for trial in plan.trials]
    found = costed(Done(), goals).carry_out(jobs, study="s", workers=1, report=told.append)
    assert [one.metrics for one in found] == [
        {"accuracy": 1.0, "seconds": 2.0, "cpu_seconds": 1.5},
        {"accuracy": 1.0, "seconds": 7.0, "cpu_seconds": 1.5},
        {},
    ]
    assert told == found
    done = Done()
    assert costed(done, goals[:1]) is done
