"""Whoever can `pip install` can build an environment again: uv is told what pip was told, and credentials are never shown."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from assay.errors import EnvironmentUnavailable
from assay.execution.environments import build
from assay.execution.environments.pip_settings import pip_settings, uv_environment, uv_options
from assay.records.environment import Package

NOTHING = {"PIP_CONFIG_FILE": os.devnull}


def test_files_and_variables_override_each_other_in_pips_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """System below user below environment; a section for `install` above the one for all commands; variables above every file."""
    monkeypatch.setattr(sys, "prefix", str(tmp_path / "prefix"))
    files = {
        "xdg/pip/pip.conf": "[global]\nindex-url = system\ntimeout = 1\nproxy = system\ncert = system\n[install]\nproxy = install\n",
        "home/.config/pip/pip.conf": "[global]\nindex_url = user\nproxy = user\n",
        "prefix/pip.conf": "[global]\ntimeout = 3\n",
    }
    for path, text in files.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
    environ = {"XDG_CONFIG_DIRS": str(tmp_path / "xdg"), "HOME": str(tmp_path / "home"), "PIP_CERT": "variable", "PIP_PROXY": ""}
    found = pip_settings(environ)
    expected = {"index-url": "user", "timeout": "3", "proxy": "install", "cert": "variable"}
    assert {name: found[name] for name in expected} == expected
    assert pip_settings({**environ, **NOTHING})["cert"] == "variable"
    assert "index-url" not in pip_settings({**environ, **NOTHING})


def test_a_file_that_is_no_configuration_is_passed_over(tmp_path: Path) -> None:
    (tmp_path / "pip.conf").write_bytes(b"\xff\xfe no section")
    assert "index-url" not in pip_settings({"PIP_CONFIG_FILE": str(tmp_path / "pip.conf"), "HOME": str(tmp_path)})


def test_uv_is_told_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    told = {
        "PIP_INDEX_URL": "https://one.example/simple",
        "PIP_EXTRA_INDEX_URL": "https://two.example/simple\n  https://three.example/simple",
        "PIP_FIND_LINKS": "wheels https://four.example/files",
        "PIP_NO_INDEX": "1",
        "PIP_NO_BINARY": "a,b",
        "PIP_DEFAULT_TIMEOUT": "60",
        "PIP_CERT": "/certificates.pem",
    }
    env = uv_environment({**NOTHING, **told})
    assert env["UV_DEFAULT_INDEX"] == "https://one.example/simple"
    assert env["UV_INDEX"] == "https://two.example/simple https://three.example/simple"
    assert env["UV_FIND_LINKS"] == f"{tmp_path}/wheels,https://four.example/files"
    assert env["UV_HTTP_TIMEOUT"] == "60"
    assert env["SSL_CERT_FILE"] == "/certificates.pem"
    assert uv_options({**NOTHING, **told}) == ("--no-index", "--no-binary", "a", "--no-binary", "b")


def test_what_uv_was_told_goes_first_and_nothing_bends_a_build() -> None:
    env = uv_environment(
        {**NOTHING, "PIP_INDEX_URL": "https://pip.example", "UV_DEFAULT_INDEX": "https://uv.example", "UV_CONSTRAINT": "c"}
    )
    assert env["UV_DEFAULT_INDEX"] == "https://uv.example"
    assert "UV_CONSTRAINT" not in env


def test_a_package_is_found_where_pip_was_told_to_look(tmp_path: Path, base_python: Path, make_wheel: Callable[..., Path]) -> None:
    make_wheel(tmp_path / "one", "assay_test_thing", "1.0")
    make_wheel(tmp_path / "two", "assay_test_thing", "2.0")
    (tmp_path / "pip.conf").write_text(f"[global]\nno-index = true\nfind-links =\n    {tmp_path}/one\n    {tmp_path}/two\n")
    environ = {**os.environ, "PIP_CONFIG_FILE": str(tmp_path / "pip.conf")}
    environ.pop("PIP_FIND_LINKS", None)
    wanted = Package(name="assay-test-thing", version="1.0")
    assert build([wanted], base_python, environ=environ).findings == ()
    with pytest.raises(EnvironmentUnavailable, match=r"assay-test-thing: 1\.0 below and 2\.0 above"):
        build([Package(name="assay-test-thing", version="1.5")], base_python, environ=environ)


def test_credentials_of_an_index_are_not_shown(base_python: Path) -> None:
    closed = {"PIP_INDEX_URL": "http://me:open-sesame@127.0.0.1:9/simple", "UV_HTTP_RETRIES": "0"}
    with pytest.raises(EnvironmentUnavailable) as caught:
        build([Package(name="six", version="1.16.0")], base_python, environ={**os.environ, **NOTHING, **closed})
    assert "127.0.0.1" in str(caught.value)
    assert "open-sesame" not in str(caught.value)
