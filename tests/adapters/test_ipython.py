"""`%load_ext assay` in the real kernel of Jupyter's, driven by nbclient, and in a shell of IPython's alone."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from assay.capture.notebooks import cells_of
from assay.lineage.parents import trace_of
from assay.project.project import Project
from assay.questions.reproduce import reproduce
from assay.records.run import Run
from assay.records.trace import FileUse
from assay.tracking.cells import cells_in

# Executes the cells that it is given in a new kernel, goes on after those that fail, and prints each cell's outputs.
KERNEL = """
import json, sys, nbformat
from nbclient import NotebookClient
cells = json.loads(sys.argv[1])
notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
NotebookClient(notebook, allow_errors=True, kernel_name="python3", resources={"metadata": {"path": "."}}).execute()
print(json.dumps([cell.outputs for cell in notebook.cells]))
"""
# Runs the cells in IPython's shell in this process.
SHELL = """
import json, sys
from IPython.core.interactiveshell import InteractiveShell
shell = InteractiveShell.instance()
for cell in json.loads(sys.argv[1]):
    shell.run_cell(cell, store_history=True)
"""


def run(program: str, folder: Path, *cells: str) -> str:
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", program, json.dumps(cells)], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def in_kernel(folder: Path, *cells: str) -> list[list[dict[str, Any]]]:
    """Each cell's outputs."""
    outputs: list[list[dict[str, Any]]] = json.loads(run(KERNEL, folder, *cells).splitlines()[-1])
    return outputs


@pytest.fixture
def folder(project: Path) -> Path:
    """A project whose data git ignores."""
    (project / ".gitignore").write_text("*.csv\n")
    (project / "d.csv").write_text("3\n")
    return project


def session_cells(project: Project, found: Run) -> tuple[FileUse, dict[str, Any], tuple[str, ...]]:
    """Where the cells of a run are kept, as a notebook and as sources."""
    use = cells_in(trace_of(project.store, found))
    assert use is not None and use.id is not None
    content = project.store.objects.get(use.id)
    return use, json.loads(content), cells_of(content) or ()


def test_a_run_of_a_session_holds_every_cell_until_its_end(folder: Path) -> None:
    """In the order in which they ran: cells that failed, and cells that were edited and run again, with what they read before it began."""
    cells = (
        "%load_ext assay", "rate = int(open('d.csv').read())", "1/0", "import assay\nwith assay.run('one') as run:\n    run.log(loss=rate)",
        "rate = rate + 1", "with assay.run('two') as run:\n    run.log(loss=rate)", "%assay start three --param lr=0.1 --tag t --seed 3",
        "undefined", "with assay.run() as inner:\n    inner.log(acc=rate * 2)\nopen('made.txt', 'w').write('x')", "%assay stop", "late = 1",
    )  # fmt: skip
    outputs = in_kernel(folder, *cells)
    assert [at for at, found in enumerate(outputs) if any(each["output_type"] == "error" for each in found)] == [2, 7]
    project = Project.open(folder)
    ends = {"one": 4, "two": 6, "three": 10}
    for turn, (name, end) in enumerate(ends.items(), 1):
        found = project.resolve(name)
        use, document, sources = session_cells(project, found)
        assert found.state == "finished" and use.path == "session.cells.ipynb"
        assert sources == cells[:end]
        assert document["metadata"]["assay"] == {"turn": turn}
        tagged = [at for at, cell in enumerate(document["cells"]) if cell["metadata"].get("tags")]
        # How the cell ends that the run ends in is known by nobody yet.
        assert tagged == [at for at in (2, 7, end - 1) if at < end]
        assert [read.path for read in trace_of(project.store, found).read] == ["d.csv"]
        assert found.result is not None and "cells" in found.result.fidelity.captured
        assert [gap.what for gap in found.result.fidelity.missing] == ["cells", "output"]
    three = project.resolve("three")
    assert (three.params, three.start.tags, three.metrics) == ({"lr": 0.1}, ("t",), {"acc": 8.0})
    assert [use.path for use in trace_of(project.store, three).written] == ["made.txt"]
    assert project.resolve("two").metrics == {"loss": 4.0}
    assert len(project.store.runs.ids()) == 3

    # The cells run again in a fresh process, and each run's record is of that run alone.
    for name in ("two", "three"):
        again, verdict = reproduce(project.store, folder, project.resolve(name))
        assert (verdict.verdict, again.metrics) == ("identical", project.resolve(name).metrics)
    restored = project.restore(project.resolve("two"), to=folder.parent / "restored")
    assert cells_of((restored / "session.cells.ipynb").read_bytes()) == cells[:6]


def test_without_the_extension_the_history_has_the_cells(folder: Path) -> None:
    """How cells ended and what they read before the first run is named as unknown; from that run on cells are watched."""
    cells = (
        "x = 1/0", "x = open('d.csv').read()", "import assay\nrun = assay.start('a')", "run.log(loss=1)", "1/0", "run.finish()",
        "run = assay.start('b')\nrun.log(loss=2)",
    )  # fmt: skip
    in_kernel(folder, *cells)
    project = Project.open(folder)
    first, second = project.resolve("a"), project.resolve("b")
    _, document, sources = session_cells(project, first)
    assert sources == cells[:6]
    assert [bool(cell["metadata"]) for cell in document["cells"]] == [True, True, False, False, True, True]
    assert first.result is not None
    assert [gap.why for gap in first.result.fidelity.missing if "first 2" in gap.why] == [
        "whether the first 2 of them failed is not known: they ran before Assay was there (`%load_ext assay` in the first cell)",
        "what the first 2 cells read is not known: they ran before Assay was there (`%load_ext assay` in the first cell)",
    ]
    # The kernel ended it, with all that had run by then.
    assert second.state == "finished" and session_cells(project, second)[2] == cells


def test_the_magic_says_what_is_open_and_what_is_wrong(project: Path) -> None:
    """A mistake is a sentence and no traceback, and leaves what is open open; a second start ends the first run."""
    told = run(
        SHELL, project, "%load_ext assay", "%assay", "%assay go", "%assay start a b", "%assay start a --param lr", "%assay start a --seed x",
        "%assay stop", "%assay start one", "%assay start two", "%assay", "%unload_ext assay", "import assay; assay.start('three').finish()",
    )  # fmt: skip
    runs = {found.start.name: found for found in Project.open(project).runs()}
    one, two = runs["one"].id, runs["two"].id
    assert {name: found.state for name, found in runs.items()} == {"one": "finished", "two": "finished", "three": "finished"}
    lines = [line for line in told.splitlines() if line.startswith(("assay", "UsageError"))]
    assert lines == [
        "assay: no run is open",
        f"assay: run {one} is open; each cell belongs to it until %assay stop",
        f"assay: run {one} has ended",
        f"assay: run {two} is open; each cell belongs to it until %assay stop",
        f"assay: run {two} is open",
        f"assay: run {two} has ended",
    ]
    assert "Traceback" not in told


def test_secrets_in_cells_are_not_kept(project: Path) -> None:
    """The cells are kept with a marker in the place of each, and a gap says where it was."""
    run(SHELL, project, "name = 'AKIA" + "J4XQ7ZP2M9TR5WKC'\npassword = 'hunter29x'", "import assay\nassay.start('a').finish()")
    opened = Project.open(project)
    found = opened.resolve("a")
    (use,) = trace_of(opened.store, found).loaded
    assert use.id is not None and use.kept
    kept = opened.store.objects.get(use.id)
    assert b"hunter29x" not in kept and b"AKIA" not in kept and kept.count(b"REDACTED-BY-ASSAY") == 2
    assert found.result is not None and any("an AWS access key" in gap.why for gap in found.result.fidelity.missing)
