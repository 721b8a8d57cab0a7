"""Notebooks at the command line: recorded, compared by their cells, reproduced, and varied in a study."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Assay = Callable[..., Any]


def write(path: Path, *cells: str, count: int | None = None, tags: tuple[str, ...] = ()) -> None:
    """A notebook whose first cell has these tags, as it looks when it was executed `count` times."""
    outputs = [{"output_type": "stream", "name": "stdout", "text": f"{count}\n"}] if count else []
    document = {
        "cells": [
            {"cell_type": "code", "id": f"c{at}", "metadata": {"tags": list(tags)} if at == 0 else {}, "execution_count": count,
             "outputs": outputs, "source": source}
            for at, source in enumerate(cells)
        ],
        "metadata": {}, "nbformat": 4, "nbformat_minor": 5,
    }  # fmt: skip
    path.write_text(json.dumps(document))


@pytest.fixture
def on_path(monkeypatch: pytest.MonkeyPatch) -> None:
    """`python` is the interpreter of the tests."""
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")


@pytest.mark.usefixtures("on_path")
def test_a_notebook_is_recorded_compared_and_reproduced(assay: Assay, folder: Path) -> None:
    """What running it in Jupyter changes is no difference; an edited cell is one, shown as text; it comes back in a folder of its own."""
    cells = ("lr = 0.5", "for step in range(3):\n    print(f'step={step} loss={lr / (step + 1)}')")
    write(folder / "a.ipynb", *cells)
    first = assay("run", "--name", "first", "a.ipynb")
    assert (first.code, first.err) == (0, "") and first.out.startswith("step=0 loss=0.5\n")
    write(folder / "a.ipynb", *cells, count=4)
    assert assay("run", "--name", "second", "a.ipynb").code == 0
    same = assay("diff", "first", "second", "--json").document
    assert (same["differences"], same["patched"], same["cells"]) == ([], [], {})
    write(folder / "a.ipynb", "lr = 0.25", cells[1], count=5)
    assert assay("run", "--name", "third", "a.ipynb").code == 0
    other = assay("diff", "second", "third")
    assert other.code == 1
    assert "  a.ipynb  changed, +1 -1 lines" in other.out
    assert "Cells of a.ipynb\n  @@ -1,5 +1,5 @@\n   # %%\n  -lr = 0.5\n  +lr = 0.25\n" in other.out
    again = assay("reproduce", "third", "--json")
    assert (again.code, again.document["verdict"]) == (0, "identical")
    executed = assay("restore", "third", "a.executed.ipynb", "--to", "back", "--json")
    assert executed.code == 0 and "step=2" in (folder / "back" / "a.executed.ipynb").read_text()


def test_what_cannot_be_run_is_said_before_the_start(assay: Assay, folder: Path) -> None:
    """A missing notebook is 127 and a broken one 125, as for any command; nothing is recorded."""
    missing = assay("run", "none.ipynb")
    assert missing.code == 127 and "the notebook does not exist" in missing.err
    (folder / "broken.ipynb").write_text("{")
    broken = assay("run", sys.executable, "broken.ipynb")
    assert broken.code == 125 and "this is no notebook" in broken.err and "Jupyter's notebook format" in broken.err
    assert assay("ls", "--json").document["total"] == 0


@pytest.mark.usefixtures("on_path")
def test_a_notebook_runs_from_a_snapshot(assay: Assay, folder: Path) -> None:
    """The cells of then, whatever the folder has become."""
    write(folder / "a.ipynb", "print('loss=1')")
    assert assay("run", "--name", "then", "a.ipynb").code == 0
    write(folder / "a.ipynb", "print('loss=2')")
    assert assay("run", "--from-snapshot=then", "a.ipynb").out == "loss=1\n"
    assert assay("run", "--from-snapshot", "a.ipynb").out == "loss=2\n"


@pytest.mark.usefixtures("on_path")
def test_a_study_varies_a_notebook(assay: Assay, folder: Path) -> None:
    """`{overrides}` reach the variables of the cell with the tag `parameters`; the second time every trial is reused."""
    write(folder / "a.ipynb", "lr = 0.1\nseed = 0", "print(f'score={lr * (2 + seed)}')", tags=("parameters",))
    (folder / "study.yaml").write_text(
        "command: a.ipynb {overrides} --seed {seed}\nbaseline: {lr: 0.5}\ncomponents:\n  rate: {change: {small: {lr: 0.25}}}\n"
        "metrics:\n  score: {goal: maximize}\nseeds: 2\n"
    )
    done = assay("study", "run", "study.yaml", "--json")
    assert done.code == 0, done.err
    trials = done.document["trials"]
    assert sorted(trial["metrics"]["score"] for trial in trials) == [0.5, 0.75, 1.0, 1.5]
    again = assay("study", "run", "study.yaml", "--json").document["trials"]
    assert {trial["run"] for trial in again} == {trial["run"] for trial in trials}
