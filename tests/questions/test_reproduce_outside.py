"""Code from beyond the project, reproduced and restored: editable installations, sibling folders, PYTHONPATH."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import pytest

from assay.errors import InputChanged
from assay.project.project import Project
from assay.questions.reproduce import reproduce
from assay.records.run import Run
from assay.records.trace import Trace
from assay.store.store import Store
from assay.tracking.supervise import supervise

PRINTS = "import shared\nprint(f'loss={shared.value()}')\n"


@pytest.fixture
def shared(project: Path) -> Path:
    """A package in a folder beside the project, with data of its own."""
    folder = project.parent / "shared folder"
    (folder / "shared").mkdir(parents=True)
    (folder / "shared/__init__.py").write_text("from shared.part import value\n")
    (folder / "shared/part.py").write_text("def value():\n    return 0.25\n")
    return folder


@pytest.fixture
def environ(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    monkeypatch.delenv("VIRTUAL_ENV", raising=False)
    monkeypatch.delenv("PYTHONPATH", raising=False)
    return monkeypatch


def recorded(project: Path, script: str, *, python: str = sys.executable, env: dict[str, str] | None = None) -> tuple[Store, Run]:
    (project / "train.py").write_text(script)
    store = Store.open(project)
    run = supervise(store, project, [python, "train.py"], cwd=project, env={**os.environ, **(env or {})}, relay=False).run
    assert run.state == "finished", run.result
    return store, run


def loaded(store: Store, run: Run) -> dict[str, str | None]:
    assert run.result is not None
    return {use.path: use.id for use in store.objects.record(run.result.trace or "", Trace).loaded if use.kept}


@pytest.mark.parametrize("way", ["relative", "variable"])
def test_a_sibling_folder_is_found_from_the_new_place(environ, project, shared, way) -> None:
    """Unchanged code beside the project is used where it lies, though the folder of the reproduction has no such neighbour."""
    script = PRINTS if way == "variable" else f"import sys\nsys.path.insert(0, '../{shared.name}')\n{PRINTS}"
    store, run = recorded(project, script, env={"PYTHONPATH": str(shared)} if way == "variable" else None)
    assert set(loaded(store, run)) == {"train.py", f"{shared}/shared/__init__.py", f"{shared}/shared/part.py"}
    _, verdict = reproduce(store, project, run)
    assert verdict.verdict == "identical"
    assert not [finding for finding in verdict.findings if "shared" in finding.about]


@pytest.mark.parametrize("now", ["changed", "gone"])
@pytest.mark.parametrize("way", ["relative", "variable"])
def test_code_beside_the_project_that_is_another_comes_from_the_store(environ, project, shared, way, now) -> None:
    """What was loaded then is loaded again, whatever the neighbour has become, and the user is told."""
    script = PRINTS if way == "variable" else f"import sys\nsys.path.append('../{shared.name}')\n{PRINTS}"
    store, run = recorded(project, script, env={"PYTHONPATH": str(shared)} if way == "variable" else None)
    part = shared / "shared/part.py"
    if now == "gone":
        part.unlink()
    else:
        part.write_text("def value():\n    return 0.75\n")
    environ.setenv("PYTHONPATH", str(shared))
    again, verdict = reproduce(store, project, run)
    assert verdict.verdict == "identical", verdict
    assert [(finding.kind, finding.about) for finding in verdict.findings] == [("code outside the project", str(part))]
    assert sorted(loaded(store, again).values()) == sorted(loaded(store, run).values())


def test_code_that_is_looked_for_where_it_lies_is_named(environ, project, shared) -> None:
    """A script that puts an absolute folder before all others loads what is there now, and the answer says so."""
    store, run = recorded(project, f"import sys\nsys.path.insert(0, {str(shared)!r})\n{PRINTS}")
    part = shared / "shared/part.py"
    part.write_text("def value():\n    return 0.75\n")
    _, verdict = reproduce(store, project, run)
    assert verdict.verdict == "not reproduced"
    told = [finding.text for finding in verdict.findings if finding.about == str(part)]
    assert len(told) == 2 and "was loaded as it is now all the same" in told[1]


def test_a_script_beyond_the_project_that_is_another_is_refused(environ, project, shared) -> None:
    """What the command names by its place is run from there; another content there stops the reproduction by name."""
    tool = shared / "tool.py"
    tool.write_text("print('loss=1')\n")
    store = Store.open(project)
    run = supervise(store, project, [sys.executable, str(tool)], cwd=project, relay=False).run
    tool.write_text("print('loss=2')\n")
    with pytest.raises(InputChanged, match="another content") as raised:
        reproduce(store, project, run)
    assert raised.value.value == str(tool)


@pytest.fixture(scope="module")
def throwaway(tmp_path_factory) -> Path:
    """A virtual environment with a package that is installed in editable form from outside the project."""
    place = tmp_path_factory.mktemp("venv")
    venv.create(place / "env", with_pip=True, symlinks=True)
    source = place / "mylib"
    (source / "src/mylib").mkdir(parents=True)
    (source / "src/mylib/__init__.py").write_text("VALUE = 0.25\n")
    (source / "pyproject.toml").write_text(
        '[build-system]\nrequires = ["setuptools"]\nbuild-backend = "setuptools.build_meta"\n'
        '[project]\nname = "mylib"\nversion = "1.0"\n[tool.setuptools.packages.find]\nwhere = ["src"]\n'
    )
    install = [place / "env/bin/python", "-m", "pip", "install", "-q", "--no-build-isolation", "--no-index", "-e", source]
    # The build needs setuptools, which is taken from the interpreter of the tests.
    subprocess.run(install, check=True, env={**os.environ, "PYTHONPATH": sysconfig.get_path("purelib")}, capture_output=True)
    return place


def test_an_editable_installation_is_code_of_the_run(environ, project, throwaway) -> None:
    """Its files are kept; edited since, the recorded ones are imported before it."""
    source = throwaway / "mylib/src/mylib/__init__.py"
    source.write_text("VALUE = 0.25\n")
    script = "import mylib\nprint(f'loss={mylib.VALUE}')\n"
    store, run = recorded(project, script, python=str(throwaway / "env/bin/python"))
    assert set(loaded(store, run)) == {"train.py", str(source)}
    source.write_text("VALUE = 0.125\n")
    again, verdict = reproduce(store, project, run)
    assert verdict.verdict == "identical"
    assert again.metrics["loss"] == 0.25
    target = Project.open(project).restore(run, to=project.parent / "restored")
    path = Project.open(project).module_path(run, target)
    out = subprocess.run(
        [throwaway / "env/bin/python", "train.py"],
        cwd=target,
        env={**os.environ, "PYTHONPATH": ":".join(path)},
        capture_output=True,
    )
    assert out.stdout == b"loss=0.25\n"


def test_restoring_puts_back_what_was_loaded(environ, project, shared) -> None:
    """A module that git ignores is in its place; one from beyond the project is below `.outside`, and the command says how to use it."""
    (project / ".gitignore").write_text("secret_sauce.py\n.assay\n")
    (project / "secret_sauce.py").write_text("HOT = 1\n")
    recorded(project, "import secret_sauce\n" + PRINTS, env={"PYTHONPATH": str(shared)})
    (project / "secret_sauce.py").unlink()
    command = [sys.executable, "-m", "assay", "restore", "last", "--to", "../back", "--json"]
    done = subprocess.run(command, cwd=project, capture_output=True, text=True, check=True)
    document = json.loads(done.stdout)
    back = project.parent / "back"
    assert (back / "secret_sauce.py").read_text() == "HOT = 1\n"
    assert list(map(os.path.realpath, document["module_path"])) == [f"{back}/.outside{shared}"]
    env = {**os.environ, "PYTHONPATH": document["module_path"][0]}
    assert subprocess.run([sys.executable, "train.py"], cwd=back, env=env, capture_output=True).stdout == b"loss=0.25\n"
