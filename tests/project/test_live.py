"""`assay.run` as a user holds it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

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
