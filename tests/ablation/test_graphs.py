"""Declared graphs: separation and adjustment as in Pearl's textbook, and graphs that cannot be."""

from __future__ import annotations

import pytest

from assay.ablation.graphs import back_door, check_graph, front_door, separated
from assay.errors import InvalidStudy

# Pearl, Causality, figure 3.4: the back-door criterion.
FIGURE = {
    "X1": ["X3", "X4"], "X2": ["X4", "X5"], "X3": ["Xi"], "X4": ["Xi", "Xj"], "X5": ["Xj"], "Xi": ["X6"], "X6": ["Xj"],
}  # fmt: skip
OTHERS = ["X1", "X2", "X3", "X4", "X5", "X6"]


def test_the_textbooks_graph_is_adjusted_by_the_sets_that_it_names() -> None:
    into = {node: [] if node == "Xi" else children for node, children in FIGURE.items()}
    assert separated(into, "Xi", "Xj", ["X3", "X4"]) and separated(into, "Xi", "Xj", ["X4", "X5"])
    assert not separated(into, "Xi", "Xj", ["X4"])  # it opens the way X3 - X1 - X4 - X2 - X5
    assert not separated(into, "Xi", "Xj", [])
    found = back_door(FIGURE, "Xi", "Xj", OTHERS)
    assert found is not None and len(found) == 2 and "X4" in found
    assert back_door(FIGURE, "Xi", "Xj", ["X4"]) is None
    assert front_door(FIGURE, "Xi", "Xj", ["X6"]) == ("X6",)


def test_a_collider_is_not_adjusted_for() -> None:
    graph = {"?u": ["x", "m"], "?w": ["m", "y"], "x": ["y"]}  # M-bias
    assert back_door(graph, "x", "y", ["m"]) == ()
    assert not separated({**graph, "x": []}, "x", "y", ["m"])


def test_smoking_and_tar_are_the_front_door() -> None:
    graph = {"?genotype": ["smoking", "cancer"], "smoking": ["tar"], "tar": ["cancer"]}
    assert back_door(graph, "smoking", "cancer", ["tar"]) is None
    assert front_door(graph, "smoking", "cancer", ["tar"]) == ("tar",)
    # A direct way beside the tar, or a common cause of tar and cancer, closes it.
    assert front_door({**graph, "smoking": ["tar", "cancer"]}, "smoking", "cancer", ["tar"]) is None
    assert front_door({**graph, "?asbestos": ["tar", "cancer"]}, "smoking", "cancer", ["tar"]) is None


@pytest.mark.parametrize(
    ("graph", "said"),
    [
        (
            {"part": ["size"], "size": ["score", "size2"]},
            "neither a component nor a measured variable: 'size2'.*Did you mean 'size'",
        ),
        ({"part": ["size"], "size": ["score"], "score": ["size"]}, "cycle: 'size -> score -> size'"),
        ({"size": ["part"]}, "act on a component"),
    ],
)
def test_graphs_that_cannot_be_are_refused_by_name(graph: dict[str, list[str]], said: str) -> None:
    with pytest.raises(InvalidStudy, match=said):
        check_graph(graph, ["part"], ["size", "score"])


def test_before_the_trials_every_other_name_may_be_measured() -> None:
    check_graph({"part": ["size"], "size": ["score"]}, ["part"])
    with pytest.raises(InvalidStudy, match="act on a component"):
        check_graph({"size": ["part"]}, ["part"])


def test_a_large_graph_is_asked_without_trying_every_subset() -> None:
    many = [f"v{number}" for number in range(40)]
    graph = {"?u": ["x", "y"], "x": ["y"], **{name: ["x", "y"] for name in many}}
    assert back_door(graph, "x", "y", many) is None
    assert back_door({**graph, "?u": []}, "x", "y", many) == tuple(many)
