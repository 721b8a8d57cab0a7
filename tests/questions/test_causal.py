"""The causal reading of evidence whose truth is known: conditional effects, mediation by each argument, placebo, declared graph."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pytest

from assay.ablation.components import change, maximize, remove
from assay.errors import InvalidStudy, UnknownMetric
from assay.execution.protocol import Outcome
from assay.questions.causal import causal_reading
from assay.questions.study.definition import define, plan_study
from assay.questions.study.running import judge
from assay.records.causal import CausalReading
from assay.records.evidence import StudyEvidence

# Removing attention halves the parameters, which are worth 0.01 each; attention itself is worth 0.3, beside mix 0.2 more. Mix works through
# tokens alone, at 0.2 each.
GRAPH = {
    "attention": ["parameters", "accuracy"],
    "width": ["parameters"],
    "parameters": ["accuracy"],
    "mix": ["tokens"],
    "tokens": ["accuracy"],
}
BASELINE = {"attention": 1, "width": 100, "mix": 1, "nothing": 0, "spare": 0}


def system(config: Mapping[str, Any], seed: int) -> dict[str, float]:
    shared = np.random.default_rng(seed).normal()
    own = np.random.default_rng([seed, *map(int, config.values())])
    parameters = config["width"] * (1.0 if config["attention"] else 0.5)
    tokens = 10 + 4 * config["mix"] + own.normal()
    accuracy = shared + 0.01 * parameters + 0.3 * config["attention"] + 0.2 * tokens + 0.2 * config["mix"] * config["attention"]
    return {"accuracy": accuracy + own.normal(0, 0.01), "parameters": parameters, "tokens": tokens}


def study(
    design: str = "full",
    seeds: int = 6,
    configurations: Mapping[str, Mapping[str, Any]] | None = None,
    function: Callable[..., dict[str, float]] = system,
    only: Sequence[str] = ("attention", "width", "mix", "nothing"),
) -> StudyEvidence:
    """The evidence of a study of the system; every trial is computed here."""
    components = {
        "attention": remove("attention", attention=0),
        "width": change("width", "half", width=50),
        "mix": remove("mix", mix=0),
        "nothing": change("nothing", "other", nothing=1),
        "spare": change("spare", "other", spare=1),
    }
    definition = define(
        name="known",
        subject="tests:system",
        baseline=BASELINE,
        components=[components[name] for name in only],
        metrics=[maximize("accuracy", margin=0.05)],
        seeds=range(seeds),
        design=design,
        configurations=configurations or {},
        hypotheses=[],
    )
    plan = plan_study(definition)
    params = {one.name: one.params for one in plan.configurations}
    outcomes = [
        Outcome(trial, None, "finished", function(params[trial.configuration], trial.seed), None, False, 0.0)
        for trial in plan.trials
    ]
    return judge(definition, plan, outcomes)


def conditional(found: CausalReading, component: str, given: str) -> dict[str, tuple[float, float]]:
    return {
        one.state: (one.value.low, one.value.high) for one in found.conditional if (one.component, one.given) == (component, given)
    }


@pytest.mark.parametrize("design", ["full", "pairs", "fractional"])
def test_conditional_effects_are_those_of_the_system(design: str) -> None:
    fraction = {"only": ("attention", "width", "mix", "nothing", "spare")} if design == "fractional" else {}
    found = causal_reading(study(design, **fraction))
    given = conditional(found, "attention", "mix")
    wide = 0.5 * (design == "pairs")  # at the baseline alone, tokens of a single configuration are all the noise
    stands, removed = given["as in the baseline"], given["removed"]
    assert stands[0] - wide < (-0.875 if design != "pairs" else -1.0) < stands[1] + wide
    assert removed[0] - wide < (-0.675 if design != "pairs" else -0.8) < removed[1] + wide
    assert {one.basis for one in found.conditional} == {
        "the design's model" if design == "fractional" else "configurations that differ in it alone"
    }


def test_a_design_that_flips_one_at_a_time_says_which_conditional_effects_it_cannot_give() -> None:
    found = causal_reading(study("leave-one-out", seeds=2))
    assert found.conditional == (), "what is known at the baseline alone is the effect itself"
    assert (
        "flips no two components together" in found.findings[0].text
        and "no conditional effect is identified" in found.findings[0].text
    )


def test_a_matched_control_takes_an_effect_apart_by_design() -> None:
    evidence = study("leave-one-out", configurations={"matched": {"attention": 0, "width": 200}})
    (found,) = [one for one in causal_reading(evidence, mediators=["parameters"]).mediation if one.component == "attention"]
    assert (found.basis, found.by) == ("matched control", "matched") and found.on_mediator.estimate == -50
    assert found.through is not None and found.through.low < -0.5 < found.through.high
    assert found.direct is not None and found.direct.low < -0.5 < found.direct.high
    assert "holding the variable" in found.assumptions[1]


def test_a_component_that_moves_the_variable_alone_takes_an_effect_apart() -> None:
    evidence = study("full")
    (found,) = [
        one
        for one in causal_reading(evidence, mediators=["parameters"], through={"parameters": "width"}).mediation
        if one.component == "attention"
    ]
    # Averaged over width, removing attention takes 37.5 parameters; the rest is 0.3 and half of 0.2.
    assert (found.basis, found.by) == ("moved by a component", "width") and found.on_mediator.estimate == -37.5
    assert found.through is not None and found.through.low < -0.375 < found.through.high
    assert found.direct is not None and found.direct.low < -0.4 < found.direct.high
    by_graph = causal_reading(evidence, mediators=["parameters"], graph=GRAPH).mediation[0]
    assert (by_graph.basis, by_graph.through) == (found.basis, found.through)


def test_what_is_not_seen_to_move_the_variable_is_no_argument() -> None:
    found = causal_reading(study("leave-one-out"), mediators=["tokens"], through={"tokens": "nothing"}).mediation
    (mix,) = [one for one in found if one.component == "mix"]
    assert mix.basis == "sequential ignorability"
    assert mix.words.endswith("That 'nothing' moves tokens is not clearly seen, so nothing is concluded from it.")


def test_without_a_control_the_parts_are_assumed_or_not_given() -> None:
    found = {
        (one.mediator, one.component): one
        for one in causal_reading(study("leave-one-out"), mediators=["parameters", "tokens"]).mediation
    }
    stuck = found["parameters", "attention"]
    assert stuck.basis == "not identified" and stuck.through is None and "matched control" in stuck.words
    assumed = found["tokens", "mix"]
    assert assumed.basis == "sequential ignorability" and any(text.startswith("ASSUMED") for text in assumed.assumptions)
    assert assumed.through is not None and assumed.through.low < -0.8 < assumed.through.high and assumed.rho > 0.9
    nothing = found["parameters", "mix"]
    assert nothing.through is not None and nothing.through.estimate == 0 and nothing.through.exact


def test_a_placebo_that_does_something_refutes() -> None:
    assert [one.passed for one in causal_reading(study(), placebos=["nothing"]).refutation] == [True]
    refuted = causal_reading(study(), placebos=["attention"]).refutation[0]
    assert refuted.passed is False and "cannot be believed" in refuted.words


def test_every_arrow_is_known_by_intervention_by_adjustment_or_not() -> None:
    found = causal_reading(study(), graph={**GRAPH, "mix": ["tokens", "accuracy"]})
    how = {(one.cause, one.effect, one.part): (one.how, one.by) for one in found.identified}
    assert how["attention", "accuracy", "total"] == ("intervention", ("attention",))
    assert how["attention", "accuracy", "direct"] == ("intervention", ("width",))
    assert how["parameters", "accuracy", "total"] == ("intervention", ("width",))
    assert how["tokens", "accuracy", "total"] == ("adjustment", ("mix",))
    hidden = causal_reading(study(), graph={**GRAPH, "mix": ["tokens", "accuracy"], "?luck": ["tokens", "accuracy"]}).identified
    lost = [one for one in hidden if one.how == "not identified"]
    assert {(one.cause, one.effect, one.part) for one in lost} == {("tokens", "accuracy", "total"), ("mix", "accuracy", "direct")}


def test_what_the_configuration_alone_decides_cannot_be_adjusted_for() -> None:
    found = causal_reading(
        study("leave-one-out", only=("attention", "mix")),
        graph={"attention": ["parameters", "accuracy"], "parameters": ["accuracy"]},
    )
    how = {(one.cause, one.effect, one.part): one for one in found.identified}
    assert how["parameters", "accuracy", "total"].how == how["attention", "accuracy", "direct"].how == "not identified"
    assert "configuration alone decides parameters" in how["parameters", "accuracy", "total"].words


def test_an_effect_where_the_graph_has_no_way_contradicts_it() -> None:
    wrong = causal_reading(study(), graph={"attention": ["accuracy"], "width": ["accuracy"], "parameters": ["accuracy"]})
    found = {one.component: one for one in wrong.implications if one.metric == "parameters"}
    assert found["attention"].verdict == found["width"].verdict == "contradicted" and "an arrow is missing" in found["width"].words
    right = causal_reading(study(), graph=GRAPH)
    assert {one.verdict for one in right.implications} <= {"agrees", "cannot tell"}


def test_trials_that_failed_are_left_out_and_a_study_of_one_seed_has_no_intervals() -> None:
    def failing(config: Mapping[str, Any], seed: int) -> dict[str, float]:
        found = system(config, seed)
        return {**found, "parameters": float("nan")} if seed == 0 else found

    evidence = study("leave-one-out", configurations={"matched": {"attention": 0, "width": 200}}, function=failing)
    assert causal_reading(evidence, mediators=["parameters"]).mediation[0].basis == "matched control"
    alone = causal_reading(study(seeds=1), mediators=["parameters"], placebos=["nothing"])
    assert alone.mediation[0].through is None and alone.refutation[0].passed is None


def test_names_that_the_study_does_not_have_are_refused() -> None:
    with pytest.raises(UnknownMetric, match="Did you mean 'parameters'"):
        causal_reading(study(seeds=2), mediators=["parameter"])
    with pytest.raises(InvalidStudy, match=r"no such component: 'noting'.*Did you mean 'nothing'"):
        causal_reading(study(seeds=2), placebos=["noting"])
