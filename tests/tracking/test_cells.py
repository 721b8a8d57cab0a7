"""The cells of a session, in IPython's shell in a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from assay.capture.notebooks import cells_of
from assay.lineage.parents import trace_of
from assay.records.run import Run
from assay.store.store import Store
from assay.tracking.cells import cells_in, session

SHELL = """
import json, sys
from IPython.core.interactiveshell import InteractiveShell
shell = InteractiveShell.instance()
for cell in json.loads(sys.argv[1]):
    shell.run_cell(cell, store_history=True)
"""


def run(folder: Path, *cells: str, **env: str) -> list[Run]:
    """Run the cells; the runs that they began, in that order."""
    subprocess.run([sys.executable, "-c", SHELL, json.dumps(cells)], cwd=folder, env={**os.environ, **env}, check=True)
    store = Store.open(folder)
    return sorted((store.runs.read(run_id) for run_id in store.runs.ids()), key=lambda each: each.start.started)


def kept(folder: Path, found: Run) -> tuple[str, tuple[str, ...] | None]:
    """Path and sources of the cells of a run."""
    store = Store.open(folder)
    use = cells_in(trace_of(store, found))
    assert use is not None and use.id is not None
    return use.path, cells_of(store.objects.get(use.id))


def test_a_cell_that_a_cell_runs_is_part_of_it(project: Path) -> None:
    """Also in the cell in which the session is first seen; run again, the outer cell runs the inner one itself."""
    cells = (
        "get_ipython().run_cell('1/0', store_history=False)\nimport assay\nrun = assay.start()\nget_ipython().run_cell('x = 1')",
        "get_ipython().run_cell('x = 2')", "run.finish()",
    )  # fmt: skip
    (found,) = run(project, *cells)
    assert kept(project, found)[1] == cells


@pytest.mark.parametrize(
    ("named", "path"),
    [("/somewhere/work.ipynb", "work.cells.ipynb"), ("", "session.cells.ipynb"), ("console-1", "session.cells.ipynb")],
)
def test_the_cells_stand_under_the_name_of_the_notebook(project: Path, named: str, path: str) -> None:
    """Jupyter's server tells it to its kernels; where nothing does, they are those of a session."""
    (found,) = run(project, "import assay\nassay.start().finish()", JPY_SESSION_NAME=named)
    assert kept(project, found)[0] == path


def test_the_cells_stand_where_the_session_began(project: Path) -> None:
    """A cell that goes to another folder goes there again when they run again."""
    (project / "sub").mkdir()
    (found,) = run(project, "import os\nos.chdir('sub')", "import assay\nassay.start().finish()")
    assert kept(project, found)[0] == "session.cells.ipynb"


def test_the_same_cells_have_the_same_id(project: Path) -> None:
    """Whenever they ran."""
    for _ in "ab":
        runs = run(project, "x = 1", "import assay\nassay.start().finish()")
    store = Store.open(project)
    assert len({use.id for found in runs if (use := cells_in(trace_of(store, found)))}) == 1 and len(runs) == 2


def test_a_script_is_no_session() -> None:
    assert session() is None
