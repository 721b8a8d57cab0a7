"""What every test stands on: a home, a cache and a git identity of its own, so that no test touches the user's."""

from __future__ import annotations

import base64
import hashlib
import os
import subprocess
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# BLAS reads the variable once, as NumPy loads. The workers of the tests share the cores, and its threads would only wait for each other; what
# the tests start has the threads that it would have anywhere.
if "OPENBLAS_NUM_THREADS" not in os.environ:
    os.environ["OPENBLAS_NUM_THREADS"] = "1"
    import numpy  # noqa: F401

    del os.environ["OPENBLAS_NUM_THREADS"]

# How long an example takes says more of the machine than of the law that it tests.
settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")

# Variables by which an outer run, store or seed would reach into the tests.
_INHERITED = (
    "ASSAY_HOME",
    "ASSAY_RUN",
    "ASSAY_STORE",
    "ASSAY_TRACE",
    "ASSAY_SEED",
    "PYTHONHASHSEED",
    "GIT_DIR",
    "GIT_WORK_TREE",
    "GIT_INDEX_FILE",
)


def pytest_configure() -> None:
    """A store above the folder of the tests would be taken for the store of every project in it."""
    folder = Path(tempfile.gettempdir()).resolve()
    for above in (folder, *folder.parents):
        if (above / ".assay").exists():
            raise pytest.UsageError(f"{above / '.assay'} is a store above the tests' projects; remove it, or set TMPDIR")


@pytest.fixture(autouse=True)
def own_home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home folder that ends with the test; everything that Assay or git keeps for a user goes there."""
    home = tmp_path_factory.mktemp("home")
    for name in [name for name in os.environ if name in _INHERITED]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("XDG_CACHE_HOME", str(home / ".cache"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(home / ".config"))
    for role in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{role}_NAME", "Test")
        monkeypatch.setenv(f"GIT_{role}_EMAIL", "test@example.org")
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    return home


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A git repository with one committed script, as a user would have it."""
    root = tmp_path / "project"
    root.mkdir()
    (root / "train.py").write_text("print('loss=0.5')\n")
    git(root, "init", "-q", "-b", "main")
    git(root, "add", "-A")
    git(root, "commit", "-q", "-m", "first")
    return root


def git(root: Path, *arguments: str) -> str:
    """Output of a git command in `root`."""
    return subprocess.run(["git", *arguments], cwd=root, check=True, capture_output=True, text=True).stdout


@pytest.fixture
def make_wheel() -> Callable[..., Path]:
    """Makes a wheel with one module, and a command of the package's name that prints its version."""
    return _make_wheel


def _make_wheel(folder: Path, name: str, version: str, code: str = "") -> Path:
    info = f"{name}-{version}.dist-info"
    files = {
        f"{name}.py": f"VERSION = '{version}'\n{code}\ndef main():\n    import sys\n    print(VERSION, sys.prefix)\n",
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{info}/entry_points.txt": f"[console_scripts]\n{name} = {name}:main\n",
    }
    lines = [f"{path},sha256={_hash(text)},{len(text)}" for path, text in files.items()] + [f"{info}/RECORD,,"]
    folder.mkdir(parents=True, exist_ok=True)
    wheel = folder / f"{name}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        for path, text in {**files, f"{info}/RECORD": "\n".join(lines) + "\n"}.items():
            archive.writestr(path, text)
    return wheel


def _hash(text: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
