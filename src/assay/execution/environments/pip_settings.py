"""What the user told pip about where packages come from, said again for uv, which does not read pip's configuration.

Files, their order and the variables are those of pip's manual ("Configuration"); uv's variables those of its own ("Environment variables").
"""

from __future__ import annotations

import configparser
import os
import ssl
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

# pip's option, the variable by which uv is told the same, and those by which the user may have told uv already.
_SAME: Final = (
    ("index-url", "UV_DEFAULT_INDEX", ("UV_INDEX_URL",)),
    ("extra-index-url", "UV_INDEX", ("UV_EXTRA_INDEX_URL",)),
    ("trusted-host", "UV_INSECURE_HOST", ()),
    ("cert", "SSL_CERT_FILE", ()),
    ("client-cert", "SSL_CLIENT_CERT", ()),
    ("proxy", "ALL_PROXY", ("HTTPS_PROXY", "https_proxy", "all_proxy")),
    ("keyring-provider", "UV_KEYRING_PROVIDER", ()),
)
# What would bend a build of exactly the recorded packages, or lead uv to another interpreter than the one it is told.
_LEFT_OUT: Final = frozenset(
    (
        *("UV_CONSTRAINT", "UV_OVERRIDE", "UV_EXCLUDE", "UV_EXCLUDE_NEWER", "UV_RESOLUTION", "UV_PRERELEASE", "UV_REQUIRE_HASHES"),
        *("UV_PYTHON", "UV_SYSTEM_PYTHON", "UV_PROJECT", "UV_WORKING_DIRECTORY", "UV_TARGET", "UV_PREFIX", "UV_OUTPUT_FORMAT"),
        *("UV_VENV_SEED", "UV_VENV_RELOCATABLE", "UV_VENV_CLEAR", "VIRTUAL_ENV", "CONDA_PREFIX", "PYTHONPATH", "PYTHONHOME"),
    )
)


def pip_settings(environ: Mapping[str, str]) -> dict[str, str]:
    """Options of `pip install` as pip's files and PIP_* variables set them; of several files the last that pip reads wins.

    A file that cannot be read or parsed is passed over: pip itself will have said so.
    """
    found: dict[str, str] = {}
    parsers = [_parsed(path) for path in _files(environ)]
    for section in ("global", "install"):
        for parser in parsers:
            if parser.has_section(section):
                found |= {_option(name): value for name, value in parser.items(section) if value}
    variables = {_option(name[4:]): value for name, value in environ.items() if name.startswith("PIP_") and value}
    return found | variables


def uv_environment(environ: Mapping[str, str], indexes: Sequence[str] = ()) -> dict[str, str]:
    """`environ` for a uv that finds packages where pip would; what the user said to uv itself goes before what was said to pip.

    `indexes` are further ones that the project's own settings of uv name.
    Addresses with credentials stand in variables alone, never in arguments, which every user of the machine can read.
    """
    told = pip_settings(environ)
    env = {name: value for name, value in environ.items() if name not in _LEFT_OUT and not name.startswith("ASSAY_")}
    for option, variable, others in _SAME:
        if told.get(option) and not any(env.get(name) for name in (variable, *others)):
            env[variable] = " ".join(told[option].split())
    if indexes:
        env["UV_INDEX"] = " ".join([*env.get("UV_INDEX", "").split(), *indexes])
    if told.get("find-links"):
        env.setdefault("UV_FIND_LINKS", ",".join(map(_absolute, told["find-links"].split())))
    timeout = told.get("timeout") or told.get("default-timeout")
    if timeout:
        env.setdefault("UV_HTTP_TIMEOUT", timeout.partition(".")[0])
    if "SSL_CERT_FILE" not in env and ssl.get_default_verify_paths().cafile:
        env.setdefault("UV_NATIVE_TLS", "1")  # pip trusts what the system trusts; uv has a list of its own
    # To pip all indexes are equal, and the highest version of any is taken.
    env.setdefault("UV_INDEX_STRATEGY", "unsafe-best-match")
    env.setdefault("UV_LINK_MODE", "hardlink")
    return env | {"UV_NO_PROGRESS": "1", "NO_COLOR": "1", "UV_PYTHON_DOWNLOADS": "never"}


def uv_options(environ: Mapping[str, str]) -> tuple[str, ...]:
    """What the user told pip that uv takes as options only."""
    told = pip_settings(environ)
    options = ["--no-index"] if told.get("no-index", "").lower() in ("1", "true", "yes", "on") else []
    for option in ("no-binary", "only-binary"):
        for name in told.get(option, "").replace(",", " ").split():
            options += [f"--{option}", name]
    return tuple(options)


def _files(environ: Mapping[str, str]) -> list[Path]:
    """pip's configuration files, in the order in which each overrides those before."""
    named = environ.get("PIP_CONFIG_FILE", "")
    if named == os.devnull:
        return []
    home = Path(environ.get("HOME") or Path.home())
    files = [Path(place, "pip", "pip.conf") for place in (environ.get("XDG_CONFIG_DIRS") or "/etc/xdg").split(os.pathsep) if place]
    files.append(Path("/etc/pip.conf"))
    if not (named and Path(named).exists()):
        files += [home / ".pip/pip.conf", Path(environ.get("XDG_CONFIG_HOME") or home / ".config", "pip", "pip.conf")]
    files += [Path(place, "pip.conf") for place in (sys.prefix, environ.get("VIRTUAL_ENV")) if place]
    return [*files, Path(named)] if named else files


def _parsed(path: Path) -> configparser.RawConfigParser:
    parser = configparser.RawConfigParser()
    try:
        parser.read_string(path.read_text(encoding="utf-8"))
    except (OSError, configparser.Error, UnicodeDecodeError):
        parser.clear()
    return parser


def _option(name: str) -> str:
    return name.lower().replace("_", "-").removeprefix("--")


def _absolute(place: str) -> str:
    """A place of find-links that means the same in any working directory."""
    return place if "://" in place else str(Path(place).expanduser().absolute())
