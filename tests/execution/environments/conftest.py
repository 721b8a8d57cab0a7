"""What tests of environments share: one cache of uv for all of them, and packages that are made on the spot."""

from __future__ import annotations

import base64
import hashlib
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def uv_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Every test has a home of its own; what uv fetched for one is there for the next."""
    return tmp_path_factory.mktemp("uv")


@pytest.fixture(autouse=True)
def shared_uv_cache(own_home: Path, uv_cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UV_CACHE_DIR", str(uv_cache))


@pytest.fixture
def base_python() -> Path:
    """The interpreter that the tests' own environment was made from."""
    return Path(sys.base_prefix, "bin", f"python{sys.version_info[0]}.{sys.version_info[1]}")


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
