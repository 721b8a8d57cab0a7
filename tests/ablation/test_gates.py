"""What is asked of a baseline, and the settings around its own."""

from __future__ import annotations

from typing import Any

import pytest

from assay.ablation.components import between, change, maximize, placebo, remove
from assay.ablation.configurations import settings_of
from assay.ablation.controls import controlled
from assay.ablation.gates import check_gate, gate, neighbours
from assay.ablation.plans import make_plan
from assay.errors import InvalidStudy, UnknownParameter
from assay.records.plan import Configuration

BASELINE: dict[str, Any] = {"model": {"lr": 0.01, "depth": 4}, "loss": "ce", "on": True}


@pytest.mark.parametrize(
    ("tune", "expected"),
    [
        ({"model.lr": between(1e-4, 1.0, log=True)}, [{"model.lr": 0.001}, {"model.lr": 0.1}]),
        ({"model.lr": between(0.0, 0.02, levels=3)}, [{"model.lr": 0.0}, {"model.lr": 0.02}]),
        ({"model.depth": between(1, 4)}, [{"model.depth": 3}]),
        ({"model.depth": between(1, 5, levels=9)}, [{"model.depth": 3}, {"model.depth": 5}]),
        ({"model.lr": [0.001, 0.003, 0.01, 0.03, 0.1]}, [{"model.lr": 0.003}, {"model.lr": 0.03}]),
        ({"loss": ["ce", "focal", "hinge"]}, [{"loss": "focal"}, {"loss": "hinge"}]),
        ({}, []),
    ],
)
def test_neighbours_are_one_step_each_way(tune: dict[str, Any], expected: list[dict[str, Any]]) -> None:
    assert neighbours(BASELINE, gate(tune)) == expected


def test_a_budget_that_is_enough_gives_all_combinations() -> None:
    tune = {"model.lr": [0.001, 0.1], "model.depth": [2, 8]}
    assert len(neighbours(BASELINE, gate(tune, budget=7))) == 4
    every = neighbours(BASELINE, gate(tune, budget=8))
    assert len(every) == 8 and {"model.lr": 0.1, "model.depth": 8} in every


@pytest.mark.parametrize(
    ("told", "says"),
    [
        ({"tune": {"model.lr": []}}, "nothing that it could be"),
        ({"tune": {"model.lr": [float("nan")]}}, "cannot be this"),
        ({"tune": {"model.lr": "0.1"}}, "nothing that it could be"),
        ({"tune": ["model.lr"]}, "no mapping"),
        ({"budget": 0}, "no count"),
        ({"seeds": True}, "no count"),
        ({"reproducible": "yes"}, "does not know"),
        ({"tuning": "same budget"}, "no hyperparameter is named"),
        ({"criterion": 3}, "no metric"),
        ({"other_seeds": 1}, "no truth value"),
    ],
)
def test_what_a_gate_cannot_be_told(told: dict[str, Any], says: str) -> None:
    with pytest.raises(InvalidStudy, match=says):
        gate(**told)


@pytest.mark.parametrize(
    ("told", "says"),
    [
        ({"tune": {"model.lr": between(0.1, 1.0)}}, "does not lie in the range"),
        ({"tune": {"loss": between(0.1, 1.0)}}, "does not lie in the range"),
        ({"tune": {"loss": ["ce"]}}, "no other value"),
        ({"tune": {"model.lr": [0.1], "model.depth": [2]}, "budget": 1}, "does not cover"),
        ({"criterion": "f1"}, "no metric of the study"),
        ({"tune": {"model.depth": [2, 8]}, "tuning": "same budget"}, "is tuned for every configuration"),
    ],
)
def test_what_a_gate_cannot_ask_of_this_study(told: dict[str, Any], says: str) -> None:
    with pytest.raises(InvalidStudy, match=says):
        check_gate(gate(**told), BASELINE, [maximize("accuracy")], [change("depth", "one", model__depth=1)])


def test_a_hyperparameter_that_does_not_exist_is_named_with_the_nearest() -> None:
    with pytest.raises(UnknownParameter, match=r"model\.lr"):
        neighbours(BASELINE, gate({"model.lrr": [0.1]}))


def test_a_placebo_sets_nothing_or_what_nothing_depends_on() -> None:
    assert placebo().levels[0].settings == {}
    assert placebo("note", on=False).levels[0].settings == {"on": False}
    plan = make_plan("full", BASELINE, [remove("on", on=False), placebo()], seeds=1)
    assert {one.name for one in plan.configurations} == {"baseline", "without on", "with placebo", "without on + with placebo"}


def test_a_matched_control_is_a_configuration_and_one_more_comparison() -> None:
    factor = remove("on", on=False, matched={"model.depth": 3})
    plan = make_plan("leave-one-out", BASELINE, [factor], 2, {"on, matched": {"model.depth": 3}})
    assert plan.comparisons == 3
    (one,) = controlled([factor], plan.configurations)
    assert (one.name, one.ablated, one.control) == ("on, beyond size", 1, 2)


@pytest.mark.parametrize("matched", [{}, 3])
def test_a_control_that_sets_nothing_is_refused(matched: Any) -> None:
    with pytest.raises(InvalidStudy, match="matched control"):
        remove("on", on=False, matched=matched)


@pytest.mark.parametrize("ends", [(1, 0), (0,), "01", (0, "1"), (True, 2)])
def test_a_range_that_is_none_is_refused(ends: Any) -> None:
    with pytest.raises(InvalidStudy, match="no range"):
        maximize("accuracy", range=ends)


def test_a_configuration_with_hyperparameters_of_its_own_has_those_of_the_other_too() -> None:
    tuned = Configuration(name="plain, lr", of="plain", settings={"model.lr": 0.1})
    assert settings_of(tuned, [], {"plain": {"on": False}}) == {"on": False, "model.lr": 0.1}
