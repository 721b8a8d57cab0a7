"""The Pythons of this machine are found without being started twice, and the one that a record means is told."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from pathlib import Path

import pytest

from assay.execution.environments import interpreter_for, interpreters


def test_the_python_under_these_tests_is_among_them() -> None:
    """As what the tests' environment was made from, once, and everything that is found says what it is."""
    found = interpreters()
    here = [each for each in found if os.path.realpath(each.executable) == os.path.realpath(sys.executable)]
    assert [each.version for each in here] == [platform.python_version()]
    for each in found:
        code = "import platform; print(platform.python_implementation(), platform.python_version())"
        said = subprocess.run([each.executable, "-c", code], check=True, capture_output=True, text=True).stdout
        assert said.strip() == each.python


def test_a_virtual_environment_stands_for_what_it_was_made_from(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / "own"], check=True)
    found = interpreters({**os.environ, "PATH": f"{tmp_path}/own/bin:{tmp_path}/nowhere"})
    assert not [each for each in found if each.prefix.startswith(str(tmp_path))]


def test_shims_are_looked_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A shim of pyenv fails for every version that its folder does not choose; the versions beside it are found."""
    version = tmp_path / "pyenv" / "versions" / "x"
    (version / "bin").mkdir(parents=True)
    (version / "bin" / "python3").symlink_to(sys.executable)
    shims = tmp_path / "pyenv" / "shims"
    shims.mkdir()
    (shims / "python3.99").write_text("#!/bin/sh\nexit 127\n")
    (shims / "python3.99").chmod(0o755)
    monkeypatch.setattr(sys, "base_prefix", str(tmp_path / "nowhere"))
    found = interpreters({"PATH": str(shims), "HOME": str(tmp_path)})
    assert [os.path.realpath(each.executable) for each in found] == [os.path.realpath(sys.executable)]


def test_a_record_means_its_version_or_the_nearest_of_its_minor() -> None:
    version = platform.python_version()
    exact = interpreter_for(f"{platform.python_implementation()} {version}")
    assert exact is not None
    assert exact.version == version
    minor = ".".join(version.split(".")[:2])
    near = interpreter_for(f"{platform.python_implementation()} {minor}.999")
    assert near is not None
    assert near.version.startswith(minor + ".")
    assert interpreter_for(f"PyPy {minor}.999 of nobody") is None
    assert interpreter_for("CPython 3.2.0") is None
