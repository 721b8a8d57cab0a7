"""Environments have exactly the recorded packages, are whole or not there, and say what is not as it was recorded."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from assay.capture.interpreter import Interpreter, interpreter_of, this_interpreter
from assay.capture.packages import packages_of
from assay.errors import EnvironmentUnavailable
from assay.execution.environments import Built, build, interpreters
from assay.records.environment import Package

SIX = Package(name="six", version="1.16.0")


def interpreter(python: Path) -> Interpreter:
    found = interpreter_of([str(python)], os.environ, Path("/"))
    assert found is not None
    return found


def installed(built: Built) -> dict[str, Package]:
    return {package.name: package for package in packages_of(interpreter(built.python)).packages}


def says(python: Path, code: str) -> str:
    return subprocess.run([python, "-c", code], check=True, capture_output=True, text=True).stdout.strip()


def git(root: Path, *arguments: str) -> str:
    return subprocess.run(["git", *arguments], cwd=root, check=True, capture_output=True, text=True).stdout


def builds_left(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.rglob("environments/*/*") if path.name != "whole.json")


def test_what_pip_installed_comes_back_file_for_file(base_python: Path) -> None:
    """The digest of a package's files does not depend on the tool that installed it, and nothing beside the packages is there."""
    wanted = [
        package for package in packages_of(this_interpreter()).packages if package.name in ("idna", "iniconfig", "six", "tqdm")
    ]
    assert len(wanted) == 4
    assert all(package.record for package in wanted)
    built = build(wanted, base_python)
    assert built.findings == ()
    assert list(installed(built).values()) == wanted


def test_an_environment_is_built_once(base_python: Path) -> None:
    first = build([SIX], base_python)
    assert build([SIX], base_python) == first
    assert says(first.python, "import six; print(six.__version__)") == "1.16.0"


def test_one_that_somebody_changed_is_built_anew(base_python: Path, own_home: Path) -> None:
    first = build([SIX], base_python)
    shutil.rmtree(first.python.parent.parent / "lib")
    second = build([SIX], base_python)
    assert says(second.python, "import six; print(six.__version__)") == "1.16.0"
    assert builds_left(own_home) == [second.python.parent.parent.name]


def test_a_version_that_does_not_exist_is_named_with_those_beside_it(base_python: Path, own_home: Path) -> None:
    with pytest.raises(EnvironmentUnavailable) as caught:
        build([SIX, Package(name="idna", version="3.5.9"), Package(name="no-such-package-of-assay", version="1.0")], base_python)
    assert caught.value.value == "idna==3.5.9, no-such-package-of-assay==1.0"
    assert "idna: 3.5 below and 3.6 above" in caught.value.expected
    assert "no-such-package-of-assay: no version near it" in caught.value.expected
    assert builds_left(own_home) == []


def test_other_files_under_the_same_version_are_said(base_python: Path) -> None:
    built = build([msgspec.structs.replace(SIX, record="0" * 64)], base_python)
    assert [(finding.kind, finding.about) for finding in built.findings] == [("package", "six")]
    assert "other files" in built.findings[0].text


def test_a_commit_is_built_as_it_was(tmp_path: Path, base_python: Path) -> None:
    repository = tmp_path / "thing"
    repository.mkdir()
    backend = '[build-system]\nrequires = ["flit_core>=3.9"]\nbuild-backend = "flit_core.buildapi"\n'
    (repository / "pyproject.toml").write_text(backend + '[project]\nname = "thing"\nversion = "1.0"\ndescription = "A thing"\n')
    (repository / "thing.py").write_text("WORD = 'then'\n")
    git(repository, "init", "-q")
    git(repository, "add", "-A")
    git(repository, "commit", "-q", "-m", "then")
    commit = git(repository, "rev-parse", "HEAD").strip()
    (repository / "thing.py").write_text("WORD = 'now'\n")
    git(repository, "commit", "-q", "-a", "-m", "now")
    package = Package(name="thing", version="1.0", origin="vcs", url=f"git+file://{repository}", commit=commit)
    built = build([package], base_python)
    assert says(built.python, "import thing; print(thing.WORD)") == "then"
    assert installed(built)["thing"] == msgspec.structs.replace(package, record=installed(built)["thing"].record)


def test_editable_packages_are_known_and_their_folders_never_written(tmp_path: Path, base_python: Path) -> None:
    """One of the project is left to the module path; one from elsewhere is imported from where it lies, which is said."""
    project, beside = tmp_path / "project", tmp_path / "beside"
    for folder, name in ((project, "mine"), (beside, "theirs")):
        (folder / "src").mkdir(parents=True)
        (folder / "src" / f"{name}.py").write_text("PLACE = __file__\n")
    recorded = [
        Package(name="mine", version="0.1", origin="editable", url=str(project)),
        Package(name="theirs", version="0.2", origin="editable", url=str(beside)),
    ]
    built = build(recorded, base_python, roots=[str(project)])
    assert says(built.python, "import theirs; print(theirs.PLACE)") == str(beside / "src" / "theirs.py")
    assert says(built.python, "from importlib.metadata import version; print(version('mine'), version('theirs'))") == "0.1 0.2"
    assert says(built.python, "import importlib.util; print(importlib.util.find_spec('mine'))") == "None"
    assert [finding.about for finding in built.findings] == ["theirs"]
    assert [package.origin for package in installed(built).values()] == ["editable", "editable"]
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["beside", "mine.py", "project", "src", "src", "theirs.py"]


def test_what_conda_installed_beside_python_packages_is_named(base_python: Path) -> None:
    """It is in no index; a Python package of conda's is looked for in one."""
    recorded = [
        Package(name="libblas", version="3.9.0", origin="conda"),
        Package(name="six", version="1.16.0", origin="conda", record="0"),
    ]
    built = build(recorded, base_python)
    assert list(installed(built)) == ["six"]
    assert [(finding.about, "libblas==3.9.0" in finding.text) for finding in built.findings] == [("six", False), ("conda", True)]


@pytest.fixture
def old(
    tmp_path: Path, base_python: Path, make_wheel: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> tuple[Path, Package]:
    """An environment with a package that no index has any more, nor uv's cache."""
    make_wheel(tmp_path / "index", "assay_lost_thing", "1.0")
    only_here = {"PIP_FIND_LINKS": str(tmp_path / "index"), "PIP_NO_INDEX": "1"}
    with monkeypatch.context() as elsewhere:
        elsewhere.setenv("XDG_CACHE_HOME", str(tmp_path / "old"))
        built = build([Package(name="assay-lost-thing", version="1.0")], base_python, environ={**os.environ, **only_here})
    shutil.rmtree(tmp_path / "index")
    (package,) = installed(built).values()
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "emptied"))
    return built.python.parent.parent, package


def test_what_no_index_has_is_copied_from_the_recorded_environment(old: tuple[Path, Package], base_python: Path) -> None:
    prefix, package = old
    built = build([package], base_python, prefix=str(prefix))
    shutil.rmtree(prefix)
    made = built.python.parent / "assay_lost_thing"
    assert subprocess.run([made], check=True, capture_output=True, text=True).stdout.split() == ["1.0", str(made.parent.parent)]
    assert ["copied from the recorded environment" in finding.text for finding in built.findings] == [True]
    assert installed(built)["assay-lost-thing"].record == package.record


def test_a_recorded_environment_that_was_edited_is_no_source(old: tuple[Path, Package], base_python: Path) -> None:
    prefix, package = old
    (module,) = prefix.rglob("assay_lost_thing.py")
    module.write_text("VERSION = 'edited'\n")
    with pytest.raises(EnvironmentUnavailable, match=r"assay-lost-thing==1\.0"):
        build([package], base_python, prefix=str(prefix))


BUILD = """
import sys
from pathlib import Path
from assay.execution.environments import build
from assay.records.environment import Package
wanted = [Package(name="six", version="1.16.0"), Package(name="idna", version="3.7"), Package(name="attrs", version="23.1.0")]
print(build(wanted, Path(sys.argv[1])).python)
"""


def test_a_killed_build_leaves_nothing_that_counts(base_python: Path, own_home: Path) -> None:
    """The next build of any environment takes away what the killed one left, and the next of the same is whole."""
    with subprocess.Popen([sys.executable, "-c", BUILD, base_python], start_new_session=True, stdout=subprocess.PIPE) as process:
        while process.poll() is None and not list(own_home.rglob("environments/*/*.building")):
            time.sleep(0.001)
        os.killpg(process.pid, signal.SIGKILL)
    other = build([SIX], base_python).python.parent.parent
    assert builds_left(own_home) == [other.name]
    built = subprocess.run([sys.executable, "-c", BUILD, base_python], check=True, capture_output=True, text=True)
    python = Path(built.stdout.strip())
    assert says(python, "import six, idna, attrs; print(six.__version__)") == "1.16.0"
    assert builds_left(own_home) == sorted([other.name, python.parent.parent.name])


def test_two_at_once_both_end_with_the_same_whole_environment(base_python: Path, own_home: Path) -> None:
    both = [subprocess.Popen([sys.executable, "-c", BUILD, base_python], stdout=subprocess.PIPE, text=True) for _ in range(2)]
    answers = {process.communicate()[0].strip() for process in both}
    assert [process.returncode for process in both] == [0, 0]
    (python,) = answers
    assert says(Path(python), "import six, idna, attrs; print(six.__version__)") == "1.16.0"
    assert builds_left(own_home) == [Path(python).parent.parent.name]


def test_another_patch_version_of_python_is_said() -> None:
    newest = interpreters()[0]
    minor = ".".join(newest.version.split(".")[:2])
    built = build([], f"{newest.implementation} {minor}.999")
    assert [finding.kind for finding in built.findings] == ["python"]
    assert says(built.python, "import platform; print(platform.python_version())") == newest.version


@pytest.mark.parametrize("python", ["CPython 3.2.0", "/nowhere/bin/python3"])
def test_a_python_that_is_not_at_hand_is_named(python: str) -> None:
    with pytest.raises(EnvironmentUnavailable, match="not at hand") as caught:
        build([SIX], python)
    assert caught.value.value == python


def test_without_uv_the_error_says_how_to_get_it(base_python: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    with pytest.raises(EnvironmentUnavailable, match=r"pip install uv"):
        build([SIX], base_python, environ={**os.environ, "PATH": str(tmp_path)})
