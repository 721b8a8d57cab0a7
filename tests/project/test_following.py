"""The run that a trainer's callback logs into."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

import assay
from assay.project.following import Following
from assay.project.project import Project
from assay.tracking.leaving import current


@pytest.fixture(autouse=True)
def in_project(project: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The working directory is a project's, and no run stays open."""
    monkeypatch.chdir(project)
    yield
    assert current() is None


def test_it_begins_and_ends_a_run_of_its_own(project: Path) -> None:
    """Each training is a run; ending what was never begun changes nothing."""
    following = Following("trained")
    following.finish()
    for loss in (0.5, 0.25):
        following.params({"lr": 0.1})
        following.log({"loss": loss}, 1)
        following.finish()
    runs = Project.open(project).runs()
    assert [(run.start.name, run.state, run.metrics["loss"]) for run in runs] == [
        ("trained", "finished", 0.25),
        ("trained", "finished", 0.5),
    ]


def test_it_joins_the_run_that_is_open(project: Path) -> None:
    """And leaves it open."""
    with assay.run("mine") as run:
        following = Following()
        following.log({"loss": 0.5}, 1)
        following.finish()
        run.log(after=1.0)
    (found,) = Project.open(project).runs()
    assert found.metrics == {"loss": 0.5, "after": 1.0}


def test_what_is_no_number_or_no_plain_value_does_no_harm(project: Path) -> None:
    """A trainer hands over what it has; the user cannot correct it."""
    following = Following()
    following.params({"path": Path("x"), "nested": {1: [object, float("nan")]}, "big": 2**70, "none": None, "flag": True})
    following.log({"loss": 0.5, "words": "abc", "flag": True, "many": [1, 2]}, 3)
    following.log({"words": "abc"})
    following.finish()
    (run,) = Project.open(project).runs()
    assert run.metrics == {"loss": 0.5}
    given = {"path": "x", "nested": {"1": [str(object), "nan"]}, "big": str(2**70), "none": None, "flag": True}
    assert {name: run.params[name] for name in given} == given  # beside the arguments of this very process
