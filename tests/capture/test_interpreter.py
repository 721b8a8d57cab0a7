"""Which Python a command starts."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path

import pytest

from assay.capture.interpreter import interpreter_of, this_interpreter
from assay.capture.stat_cache import cache_folder


def executable(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)
    return path


def test_this_one() -> None:
    """This process describes itself as it is."""
    here = this_interpreter()
    assert here.python == f"CPython {sys.version.split()[0]}"
    assert (here.executable, here.prefix, here.base_prefix) == (sys.executable, sys.prefix, sys.base_prefix)


def test_an_executable_by_path_and_by_name(tmp_path: Path) -> None:
    """A path and a name on PATH lead to the same interpreter, which is the one of the environment that is given."""
    by_path = interpreter_of([sys.executable, "x.py"], os.environ, tmp_path)
    by_name = interpreter_of(["python", "x.py"], {**os.environ, "PATH": str(Path(sys.executable).parent)}, tmp_path)
    assert by_path is not None and by_name is not None
    assert by_path.prefix == by_name.prefix == sys.prefix
    assert by_path.version == sys.version.split()[0]
    assert not any("inject-" in entry for entry in by_path.path)


def test_a_fresh_virtual_environment(tmp_path: Path) -> None:
    """A virtual environment without Assay, named relative to the working folder, is told with its own prefix."""
    venv.create(tmp_path / "env", with_pip=False, symlinks=True)
    found = interpreter_of(["env/bin/python"], os.environ, tmp_path)
    assert found is not None
    assert found.prefix == str(tmp_path / "env")
    assert found.executable == str(tmp_path / "env" / "bin" / "python")
    assert str(tmp_path / "env") in "".join(found.path)


@pytest.mark.parametrize(
    "first",
    [
        "#!{python}",
        "#!{python} -u",
        "#!/usr/bin/env python3",
        "#!/usr/bin/env -S python3 -u",
        "#!/bin/sh\n'''exec' \"{python}\" \"$0\" \"$@\"\n' '''",
    ],
)
def test_scripts_that_name_their_interpreter(tmp_path: Path, first: str) -> None:
    """Console scripts as pip, uv and people write them."""
    executable(tmp_path / "bin" / "tool", first.format(python=sys.executable) + "\nprint(1)\n")
    env = {**os.environ, "PATH": f"{tmp_path}/bin:{Path(sys.executable).parent}:{os.environ['PATH']}"}
    found = interpreter_of(["tool", "x"], env, tmp_path)
    assert found is not None and found.prefix == sys.prefix


@pytest.mark.parametrize("text", ["#!/bin/sh\npython x.py\n", "no script", "", "#!", "#!/nowhere/python3\n"])
def test_what_starts_no_python(tmp_path: Path, text: str) -> None:
    """Shell scripts, other files, broken first lines: none, without an error."""
    executable(tmp_path / "tool", text)
    assert interpreter_of(["./tool"], os.environ, tmp_path) is None


def test_commands_that_do_not_exist(tmp_path: Path) -> None:
    """Nothing, an unknown name, an unknown path, a folder: none."""
    for command in ([], ["no-such-command"], ["./none"], ["/"]):
        assert interpreter_of(command, os.environ, tmp_path) is None


def test_the_answer_is_kept_and_doubted(tmp_path: Path) -> None:
    """The second question starts no process; another PYTHONPATH or a damaged cache asks again."""
    real = shutil.which("python3", path=sys.base_prefix + "/bin")
    assert real is not None
    copy = tmp_path / "home" / "bin" / "python3"
    copy.parent.mkdir(parents=True)
    shutil.copy(os.path.realpath(real), copy)
    env = {**os.environ, "PYTHONHOME": sys.base_prefix}
    first = interpreter_of([str(copy)], env, tmp_path)
    assert first is not None
    before = os.times()
    assert interpreter_of([str(copy)], env, tmp_path) == first
    after = os.times()
    assert (before.children_user, before.children_system) == (after.children_user, after.children_system)
    other = interpreter_of([str(copy)], {**env, "PYTHONPATH": str(tmp_path)}, tmp_path)
    assert other is not None and str(tmp_path) in other.path
    for kept in Path(cache_folder(), "interpreter-1").iterdir():
        kept.write_bytes(b"garbage")
    assert interpreter_of([str(copy)], env, tmp_path) == first


def test_the_probe_leaves_bytecode(tmp_path: Path) -> None:
    """After the probe, no start of that interpreter has to compile the tracer again, even where Python writes no bytecode."""
    interpreter_of([sys.executable], {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}, tmp_path)
    assert list(Path(cache_folder()).glob("inject-*/__pycache__/sitecustomize.*.pyc"))


def test_a_shim_that_chooses_by_folder(tmp_path: Path) -> None:
    """A shim of pyenv is asked again where another version file lies nearer; any other shim is asked each time."""
    for name, words in (("pyenv", "# pyenv\n"), ("other", "")):
        count = tmp_path / f"{name}.count"
        shim = executable(
            tmp_path / name / "shims" / "python3", f'#!/bin/sh\n{words}echo x >> {count}\nexec "{sys.executable}" "$@"\n'
        )
        for _ in range(2):
            assert interpreter_of([str(shim)], os.environ, tmp_path) is not None
        (tmp_path / "inner").mkdir(exist_ok=True)
        (tmp_path / "inner" / ".python-version").write_text("3.11\n")
        assert interpreter_of([str(shim)], os.environ, tmp_path / "inner") is not None
        assert len(count.read_text().split()) == (2 if name == "pyenv" else 3)


def test_an_interpreter_that_fails(tmp_path: Path) -> None:
    """A program named python that is none gives no answer and no error."""
    executable(tmp_path / "python", "#!/bin/sh\necho no; exit 3\n")
    assert interpreter_of([str(tmp_path / "python")], os.environ, tmp_path) is None
    assert subprocess.run([tmp_path / "python"], check=False, capture_output=True).returncode == 3
