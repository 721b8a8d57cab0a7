"""Notebooks under a supervisor: the cells run in order in the user's interpreter, and the user's own things stay as they are."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import nbformat
import pytest

from assay.records.recipe import Recipe
from assay.records.run import Result, Run
from assay.records.trace import Trace
from assay.store.store import Store
from assay.tracking.supervise import supervise

# Interpreters without IPython, the oldest that is served among them where it is here.
PLAIN = sorted(
    str(found) for name in ("3.8", "3.11") for found in Path.home().glob(f".pyenv/versions/{name}.*/bin/python") if found.exists()
)


def write(path: Path, *cells: str, tags: dict[int, str] | None = None) -> Path:
    """A notebook of code cells; `tags`: by their number, from 1."""
    document = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in cells])
    for number, tag in (tags or {}).items():
        document.cells[number - 1].metadata["tags"] = [tag]
    path.write_text(nbformat.writes(document))
    return path


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A Python without IPython."""
    folder = tmp_path_factory.mktemp("plain")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
    return str(folder / "bin" / "python")


def run(project: Path, *command: str, **options: Any) -> tuple[Run, Result]:
    options.setdefault("relay", False)
    done = supervise(Store.open(project), project, list(command), cwd=project, **options).run
    assert done.result is not None
    return done, done.result


def output(project: Path, result: Result, stream: str = "stdout") -> str:
    return Store.open(project).objects.get(result.output[stream]).decode()


def executed(project: Path, result: Result) -> tuple[str, Any]:
    """Path and document of the executed notebook, which is valid."""
    store = Store.open(project)
    trace = store.objects.record(result.trace or "", Trace)
    (use,) = (use for use in trace.written if use.by == "cells")
    document = nbformat.reads(store.objects.get(use.id or "").decode(), as_version=4)
    nbformat.validate(document)
    return use.path, document


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch) -> None:
    """`python` is the interpreter of the tests, which has IPython."""
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")


@pytest.mark.usefixtures("here")
def test_a_notebook_is_a_command(project: Path, own_home: Path) -> None:
    """It runs in its own folder, in order; code, inputs, metrics, packages and outputs are recorded; nothing of the user's is written."""
    folder = project / "sub"
    folder.mkdir()
    (folder / "part.py").write_text("X = 2\n")
    (folder / "d.csv").write_text("1\n")
    cells = (
        "import os\nimport part\nrate = part.X / 4", "%precision 3\n!echo from-a-shell", "print(f'loss={rate}')\nopen('d.csv').read()",
        "from IPython.display import HTML, display\ndisplay(HTML('<b>bold</b>'))", "import asyncio\nawait asyncio.sleep(0)\n__name__",
        "open('out.txt', 'w').write('x');",
    )  # fmt: skip
    before = write(folder / "train.ipynb", *cells).read_bytes()
    done, result = run(project, "sub/train.ipynb", "--lr", "0.1")
    assert (done.state, result.failure, result.fidelity.missing) == ("finished", None, _shell_gap(result))
    assert result.metrics["loss"].last == 0.5 and result.params == {"lr": 0.1}
    assert done.start.command == ("python", "sub/train.ipynb", "--lr", "0.1")
    store = Store.open(project)
    assert store.objects.record(done.start.recipe, Recipe).command == done.start.command
    trace = store.objects.record(result.trace or "", Trace)
    assert [use.path for use in trace.loaded] == ["sub/part.py", "sub/train.ipynb"]
    assert [use.path for use in trace.read] == ["sub/d.csv"]
    assert [use.path for use in trace.written] == ["sub/out.txt", "sub/train.executed.ipynb"]
    assert "from-a-shell" in output(project, result) and "<IPython.core.display.HTML object>" in output(project, result)
    path, document = executed(project, result)
    assert path == "sub/train.executed.ipynb"
    assert [cell.execution_count for cell in document.cells] == [1, 2, 3, 4, 5, 6]
    assert document.cells[3].outputs[0].data["text/html"] == "<b>bold</b>"
    assert document.cells[4].outputs[0].data["text/plain"] == "'__main__'"
    assert (folder / "train.ipynb").read_bytes() == before
    assert not (own_home / ".ipython").exists() and not (own_home / ".jupyter").exists()


def _shell_gap(result: Result) -> tuple[Any, ...]:
    """The shell that `!` starts is a child which nobody watches, and is named."""
    return tuple(gap for gap in result.fidelity.missing if gap.what.startswith("child process"))


def test_a_cell_that_fails_ends_the_run(project: Path) -> None:
    """The failure names the cell; the traceback begins in it; what ran before is in the executed notebook, what would come after is not."""
    write(project / "a.ipynb", "print('before')", "def f():\n    raise KeyError('x')", "f()", "print('after')")
    done, result = run(project, sys.executable, "a.ipynb")
    assert (done.state, result.exit_code) == ("failed", 1)
    assert result.failure is not None
    assert result.failure.text == "assay: cell 3 of a.ipynb failed: KeyError: 'x'"
    assert 'File "<a.ipynb, cell 2>", line 2, in f\n    raise KeyError' in result.failure.traceback
    assert "interactiveshell" not in result.failure.traceback
    assert output(project, result) == "before\n"
    cells = executed(project, result)[1].cells
    assert [(cell.execution_count, [each.output_type for each in cell.outputs]) for cell in cells] == [
        (1, ["stream"]), (2, []), (3, ["error"]), (None, []),
    ]  # fmt: skip


def test_tags_say_what_may_fail_and_what_is_left_out(project: Path) -> None:
    """As nbclient has them: `raises-exception` and `skip-execution`."""
    write(project / "a.ipynb", "1/0", "print('skipped')", "print('loss=1')", tags={1: "raises-exception", 2: "skip-execution"})
    done, result = run(project, sys.executable, "a.ipynb")
    assert done.state == "finished" and output(project, result) == "loss=1\n"


@pytest.mark.parametrize("interpreter", ["with IPython", "plain"])
def test_a_notebook_that_leaves_ends_as_it_says(project: Path, plain: str, interpreter: str) -> None:
    """`sys.exit(3)` in a cell is exit code 3 and no failure of that cell; SIGTERM and SIGINT are those of the process."""
    python = plain if interpreter == "plain" else sys.executable
    write(project / "a.ipynb", "import sys", "sys.exit(3)", "print('never')")
    assert run(project, python, "a.ipynb")[1].exit_code == 3
    for name, number in (("SIGINT", 2), ("SIGTERM", 15)):
        write(project / "b.ipynb", f"import os, signal, time\nos.kill(os.getpid(), signal.{name})\ntime.sleep(60)")
        done, result = run(project, python, "b.ipynb")
        assert (done.state, result.signal) == ("interrupted", number)


def test_a_parameters_cell_takes_the_arguments(project: Path) -> None:
    """The cell with the tag `parameters` has the defaults; an argument that none of its variables has the name of is an error."""
    cells = ("lr = 0.1\nuse_aug = False", "print(f'rate={lr} {use_aug=}')")
    write(project / "a.ipynb", *cells, tags={1: "parameters"})
    assert output(project, run(project, sys.executable, "a.ipynb")[1]) == "rate=0.1 use_aug=False\n"
    done, result = run(project, sys.executable, "a.ipynb", "--lr", "0.5", "--use-aug")
    assert output(project, result) == "rate=0.5 use_aug=True\n" and result.params == {"lr": 0.5, "use-aug": True}
    done, result = run(project, sys.executable, "a.ipynb", "--lrr", "0.5")
    assert done.state == "failed" and result.failure is not None and "'lrr'" in result.failure.text


def test_without_ipython_cells_are_plain_python(project: Path, plain: str) -> None:
    """Values of last expressions are printed unless a semicolon ends them; `await` works; functions are those of `__main__`."""
    write(
        project / "a.ipynb", "import sys, asyncio\nprint(sys.argv)\n'value'", "3;", "await asyncio.sleep(0, 'awaited')",
        "import pickle\ndef f(): ...\npickle.loads(pickle.dumps(f)) is f and __name__",
    )  # fmt: skip
    done, result = run(project, plain, "a.ipynb", "x")
    assert done.state == "finished", result.failure
    assert output(project, result) == "['a.ipynb', 'x']\n'value'\n'awaited'\n'__main__'\n"
    assert result.fidelity.missing == ()


def test_magics_without_ipython_are_an_error_before_anything_runs(project: Path, plain: str) -> None:
    write(project / "a.ipynb", "open('made', 'w')", "x = 1\n%matplotlib inline")
    done, result = run(project, plain, "a.ipynb")
    assert done.state == "failed" and not (project / "made").exists()
    assert result.failure is not None
    assert "cell 2 of a.ipynb uses IPython's syntax (%matplotlib inline)" in result.failure.text
    assert plain in result.failure.text


@pytest.mark.parametrize("python", PLAIN)
def test_every_interpreter_runs_a_notebook(project: Path, python: str) -> None:
    """The oldest that is served too: cells, their values and a failure."""
    write(project / "a.ipynb", "import json\njson.dumps({'a': 1})", "print('loss=2')")
    done, result = run(project, python, "a.ipynb")
    assert done.state == "finished" and result.metrics["loss"].last == 2.0, result.failure


def test_a_seed_reaches_the_cells(project: Path) -> None:
    """Two runs with one seed draw the same numbers."""
    write(project / "a.ipynb", "import random\nprint(random.random())")
    assert len({output(project, run(project, sys.executable, "a.ipynb", seed=3)[1]) for _ in "ab"}) == 1


def test_what_a_long_cell_prints_is_kept_once(project: Path) -> None:
    """The run's output has all of it; the executed notebook its beginning, and says so."""
    write(project / "a.ipynb", "for _ in range(1500): print('x' * 1000)")
    _, result = run(project, sys.executable, "a.ipynb")
    assert len(output(project, result)) == 1500 * 1001
    text = executed(project, result)[1].cells[0].outputs[0].text
    assert len(text) < 1 << 21 and text.endswith("[more was printed; the run's output has it]\n")


def test_what_a_killed_notebook_did_is_kept(project: Path) -> None:
    """The cells that had ended before SIGKILL are in the executed notebook."""
    write(project / "a.ipynb", "print('done')", "import os, signal\nos.kill(os.getpid(), signal.SIGKILL)")
    done, result = run(project, sys.executable, "a.ipynb")
    assert (done.state, result.signal) == ("failed", 9)
    assert executed(project, result)[1].cells[0].outputs[0].text == "done\n"


def test_secrets_that_a_cell_holds_or_prints_are_redacted(project: Path) -> None:
    """In the executed notebook, as everywhere."""
    secret, other = "AKIA" + "J4XQ7ZP2M9TR5WKC", "AKIA" + "T5WKCJ4XQ7ZP2M9R"
    write(
        project / "a.ipynb",
        "print('AKIA' + 'J4XQ7ZP2M9TR5WKC')",
        "'AKIA' + 'J4XQ7ZP2M9TR5WKC'",
        f"name = '{other}'\npassword = 'hunter29x'",
    )
    _, result = run(project, sys.executable, "a.ipynb")
    told = json.dumps(executed(project, result)[1])
    assert secret not in told and other not in told and "hunter29x" not in told


def test_jupyter_s_own_execution_has_the_notebook_as_code(project: Path) -> None:
    """What executes a notebook by a kernel of its own loads it as code, though git ignores it; the kernel's reads are seen."""
    jupyter = shutil.which("jupyter-execute", path=str(Path(sys.executable).parent))
    assert jupyter is not None
    (project / ".gitignore").write_text("*.ipynb\n")
    (project / "d.csv").write_text("1\n")
    write(project / "a.ipynb", "print(open('d.csv').read())")
    done, result = run(project, jupyter, "a.ipynb")
    assert done.state == "finished", result.failure
    trace = Store.open(project).objects.record(result.trace or "", Trace)
    assert [(use.path, use.kept) for use in trace.loaded] == [("a.ipynb", True)]
    assert [use.path for use in trace.read] == ["d.csv"]
