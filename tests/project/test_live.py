"""`assay.run` as a user holds it."""

from __future__ import annotations

import math
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import assay
from assay.errors import InvalidValue
from assay.records.recipe import Recipe
from assay.store.store import Store


@pytest.fixture
def here(project: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(project)
    return project


def test_a_run_as_a_context(here: Path) -> None:
    """Names that are identifiers as keywords, others in a mapping; the run is finished after the block."""
    with assay.run("baseline", params={"lr": 0.1}, tags=["a"]) as run:
        run.log(loss=0.5, step=1)
        run.log({"val/loss": 0.25}, step=1, acc=0.75)
        run.log(step=2, seconds=3.0, measured=True)
        run.param(batch=32)
    found = Store.open(here).runs.read(run.id)
    assert found.state == "finished" and found.start.name == "baseline"
    assert found.metrics == {"loss": 0.5, "val/loss": 0.25, "acc": 0.75, "seconds": 3.0}
    assert found.params == {"lr": 0.1, "batch": 32}
    assert found.result is not None and found.result.metrics["seconds"].measured


def test_an_exception_passes_on_and_fails_the_run(here: Path) -> None:
    """The failure has type, text and traceback."""
    with pytest.raises(ZeroDivisionError), assay.run() as run:
        print(1 / 0)
    result = Store.open(here).runs.read(run.id).result
    assert result is not None and result.failure is not None
    assert (result.state, result.failure.kind) == ("failed", "ZeroDivisionError")
    assert "test_live.py" in result.failure.traceback


def test_one_run_at_a_time(here: Path) -> None:
    """A second run while one is active is an error that names it."""
    first = assay.start()
    with pytest.raises(InvalidValue, match=first.id):
        assay.run()
    first.finish()
    assay.start().finish()
    assert len(Store.open(here).runs.ids()) == 2


def test_a_run_cannot_end_as_running(here: Path) -> None:
    """Only a state in which a run can end is taken."""
    with assay.run() as run, pytest.raises(InvalidValue, match="running"):
        run.finish("running")


def test_the_seed_is_set_and_recorded(here: Path) -> None:
    """Two runs with one seed draw the same numbers; seed and command are in the recipe."""
    code = "import assay, random\nwith assay.run(seed=3): print(random.random())"
    (here / "draw.py").write_text(code)
    done = [
        subprocess.run([sys.executable, "-W", "ignore", "draw.py", "--lr", "0.5"], capture_output=True, check=True).stdout
        for _ in "ab"
    ]
    assert done[0] == done[1] != b""
    store = Store.open(here)
    recipes = {store.runs.read(run_id).start.recipe for run_id in store.runs.ids()}
    assert len(recipes) == 1
    recipe = store.objects.record(recipes.pop(), Recipe)
    assert (recipe.seed, recipe.params, recipe.command[-3:]) == (3, {"lr": 0.5}, ("draw.py", "--lr", "0.5"))


def test_data_is_declared_and_kept(here: Path) -> None:
    """A declared input is in the recipe with its content, which is in the store."""
    (here / "data").mkdir()
    (here / "data" / "a.csv").write_text("1")
    with assay.run(data=["data"]) as run:
        pass
    store = Store.open(here)
    recipe = store.objects.record(store.runs.read(run.id).start.recipe, Recipe)
    assert {path: store.objects.get(content) for path, content in recipe.data.items()} == {"data/a.csv": b"1"}


def test_a_folder_is_saved_as_a_tree(here: Path) -> None:
    """Each file becomes an artifact, and the tree's id is given back."""
    (here / "checkpoint").mkdir()
    (here / "checkpoint" / "a").write_text("1")
    (here / "checkpoint" / "b").write_text("2")
    with assay.run() as run:
        tree = run.save("checkpoint")
    store = Store.open(here)
    assert tree in store.objects


class _Mute:
    def __str__(self) -> str:
        raise OSError("gone")


WRONG_ARGUMENTS: list[tuple[dict[str, Any], str]] = [
    ({"parms": {"lr": 0.1}}, r"no argument 'parms'.*Did you mean 'params'\?"),
    ({"lr": 0.1}, r"no argument 'lr'.*params="),
    ({"name": 3}, "name is text"),
    ({"name": {"lr": 0.1}}, r"params="),
    ({"tags": "paper"}, r"tags is a list: 'paper'"),
    ({"tags": [1]}, "a tag is a word: 1"),
    ({"data": "x.csv"}, "data is a list"),
    ({"data": ["absent.csv"]}, "absent.csv"),
    ({"seed": "1"}, "no seed: '1'; expected an integer"),
    ({"params": [1]}, "parameters are a mapping"),
    ({"params": {1: 2}}, "parameter's name is text"),
    ({"params": {"weights": np.zeros(20_000)}}, "20000 elements"),
    ({"params": {"mute": _Mute()}}, "'mute' cannot be recorded.*OSError"),
    ({"root": "/absent/folder"}, "root is no folder"),
    ({"root": 3}, "the root is text or a Path"),
]


@pytest.mark.parametrize(("given", "said"), WRONG_ARGUMENTS)
def test_a_wrong_argument_is_told_and_begins_no_run(here: Path, given: dict[str, Any], said: str) -> None:
    """The error names what was given and what would be right; nothing is written."""
    with pytest.raises(InvalidValue, match=said):
        assay.run(**given)
    assert not (here / ".assay").exists() or Store.open(here).runs.ids() == []


WRONG_CALLS: list[tuple[Callable[[Any], object], str]] = [
    (lambda run: run.log("loss", 0.3), r"\('loss', 0.3\).*run.log\(loss=0.3"),
    (lambda run: run.log({"loss": 0.3}, 1), "step=1"),
    (lambda run: run.log(["loss"]), "names with values"),
    (lambda run: run.log(np.arange(3.0)), "names with values"),
    (lambda run: run.log(loss="0.3"), "'loss' is no number: '0.3'"),
    (lambda run: run.log(loss=np.arange(3.0)), "one element"),
    (lambda run: run.log(loss=True), "no number: True"),
    (lambda run: run.log(val={"loss": 0.3}), "'val' is no number"),
    (lambda run: run.log(), "no metrics were given.*run.log"),
    (lambda run: run.log(step=3), "no metrics were given"),
    (lambda run: run.log(loss=0.3, step="a"), "no step: 'a'"),
    (lambda run: run.save("absent.pt"), "absent.pt"),
    (lambda run: run.save(None), "a path to save"),
    (lambda run: run.param("lr", 0.1), r"run.param\(lr=0.1"),
    (lambda run: run.param(), "no params were given"),
]


@pytest.mark.parametrize(("call", "said"), WRONG_CALLS)
def test_a_wrong_call_is_told_and_the_run_goes_on(here: Path, call: Callable[[Any], object], said: str) -> None:
    """Nothing of the wrong call is recorded, and the next right one is."""
    with assay.run(params={}) as run:
        with pytest.raises(InvalidValue, match=said):
            call(run)
        run.log({})
        run.log(loss=0.5)
    found = Store.open(here).runs.read(run.id)
    assert found.metrics == {"loss": 0.5} and found.params == {}


@pytest.mark.parametrize("call", [lambda run: run.log(loss=1.0), lambda run: run.param(lr=1), lambda run: run.save(__file__)])
def test_a_run_that_has_ended_takes_no_more(here: Path, call: Callable[[Any], object]) -> None:
    with assay.run() as run:
        pass
    with pytest.raises(InvalidValue, match="has ended"):
        call(run)


def test_parameters_of_any_kind_are_recorded_as_plain_values(here: Path) -> None:
    """Small arrays as lists, functions by their name; what is no number is text."""
    with assay.run(params={"betas": np.array([0.5, 0.25]), "activation": math.tanh, "big": 2**80, "where": Path("x")}) as run:
        pass
    assert Store.open(here).runs.read(run.id).params == {
        "betas": [0.5, 0.25], "activation": "math.tanh", "big": str(2**80), "where": "x"
    }  # fmt: skip
