"""Components, metrics and hypotheses as a user writes them."""

import math
import subprocess
import sys

import pytest

from assay.ablation.components import change, check_hypotheses, hypothesis, maximize, merge, minimize, remove, replace
from assay.errors import InvalidStudy


def test_keywords_and_paths_say_the_same():
    assert change("depth", "one", model__depth=1) == change("depth", "one", {"model.depth": 1})


def test_a_parameter_called_name_can_be_set():
    """The component's own arguments are positional, so that no key of a configuration is taken away."""
    assert remove("encoder", name=None, values=1).levels[0].settings == {"name": None, "values": 1}


def test_dictionary_keys_are_taken_as_they_are():
    assert remove("x", {"a__b": 1, "n-layer": 2}).levels[0].settings == {"a__b": 1, "n-layer": 2}


def test_several_levels_of_one_name_are_one_factor():
    merged = merge([replace("loss", "ce", loss="ce"), remove("aug", aug=False), replace("loss", "mse", loss="mse")])
    assert [(factor.name, [level.name for level in factor.levels]) for factor in merged] == [
        ("loss", ["ce", "mse"]),
        ("aug", ["removed"]),
    ]


@pytest.mark.parametrize(
    "components",
    [
        lambda: [remove("a", x=1), remove("a", y=1)],
        lambda: [remove("a", x=1), replace("a", "b", x=2)],
        lambda: [change("a", "b", x=1), change("a", "b", x=2)],
        lambda: [remove("", x=1)],
        lambda: [replace("a", " ", x=1)],
        lambda: [remove("a")],
        lambda: [remove("a", {"m.d": 1}, m__d=2)],
        lambda: [remove("a", {"": 1})],
        lambda: [remove(None, x=1)],
    ],
)
def test_what_cannot_be_a_component_is_refused(components):
    with pytest.raises(InvalidStudy) as refused:
        merge(components())
    assert refused.value.exit_code == 2


@pytest.mark.parametrize("margin", [0, -1, math.nan, math.inf, "small", True])
def test_a_margin_is_a_positive_number(margin):
    for goal in (maximize, minimize):
        with pytest.raises(InvalidStudy, match="margin"):
            goal("accuracy", margin=margin)


def test_a_metric_keeps_what_was_said_of_it():
    goal = minimize("latency", margin=1, measured=True)
    assert (goal.name, goal.goal, goal.margin, goal.measured) == ("latency", "minimize", 1.0, True)


@pytest.mark.parametrize(
    "arguments", [{}, {"raises": "a", "lowers": "b"}, {"raises": "a", "by": -1}, {"raises": "a", "by": math.nan}]
)
def test_a_hypothesis_has_one_direction_and_a_size(arguments):
    with pytest.raises(InvalidStudy):
        hypothesis("augmentation", **arguments)


def test_a_hypothesis_on_something_else_names_the_nearest():
    factors = merge([remove("augmentation", augment=False)])
    goals = [maximize("accuracy")]
    check_hypotheses([hypothesis("augmentation", raises="accuracy")], factors, goals)
    with pytest.raises(InvalidStudy, match="Did you mean 'augmentation'"):
        check_hypotheses([hypothesis("augmentatoin", raises="accuracy")], factors, goals)
    with pytest.raises(InvalidStudy, match="Did you mean 'accuracy'"):
        check_hypotheses([hypothesis("augmentation", raises="acuracy")], factors, goals)


def test_naming_components_loads_no_numerical_library():
    """What a user's script imports to describe a study must cost next to nothing."""
    code = (
        "import sys, assay.ablation.components, assay.ablation.designs; sys.exit('numpy' in sys.modules or 'scipy' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
