"""What tests of environments share: one cache of uv for all of them."""

from __future__ import annotations

import sys
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
