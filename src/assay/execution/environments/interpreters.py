"""Which Pythons are at hand on this machine, each asked for itself."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from assay.capture.interpreter import Interpreter, interpreter_of

_NAME: Final = re.compile(r"(?:python|pypy)(?:3(?:\.\d+)?)?")
_HIDDEN: Final = ("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV", "CONDA_PREFIX")


def interpreters(environ: Mapping[str, str] | None = None) -> tuple[Interpreter, ...]:
    """The Python 3 interpreters at hand, the newest first: of this process, on PATH, of pyenv and of uv; none is downloaded.

    Virtual environments are left out: what they were made from stands for them.
    """
    env = {name: value for name, value in (os.environ if environ is None else environ).items() if name not in _HIDDEN}
    programs = dict.fromkeys(os.path.realpath(program) for program in _programs(env) if os.access(program, os.X_OK))
    asked = (interpreter_of([program], env, Path("/")) for program in programs)
    found = {each.executable: each for each in asked if each is not None and each.prefix == each.base_prefix}
    return tuple(sorted((each for each in found.values() if _numbers(each.version)[:1] == (3,)), key=_order, reverse=True))


def interpreter_for(python: str, environ: Mapping[str, str] | None = None) -> Interpreter | None:
    """The interpreter at hand that a record means: the same version, else the newest of the same minor version; None where there is none.

    Args:
        python: as `Environment.python` has it, "CPython 3.11.7"; a version alone is one of CPython, and may stop at the minor.
        environ: variables that say where to look; this process' own where it is None.
    """
    implementation, _, version = python.rpartition(" ")
    at_hand = [each for each in interpreters(environ) if each.implementation == (implementation or "CPython")]
    exact = (each for each in at_hand if each.version == version)
    near = (each for each in at_hand if _numbers(each.version)[:2] == _numbers(version)[:2])
    return next(exact, None) or next(near, None)


def _programs(env: Mapping[str, str]) -> Iterator[str]:
    yield f"{sys.base_prefix}/bin/python{sys.version_info[0]}.{sys.version_info[1]}"
    home = env.get("HOME") or str(Path.home())
    data = env.get("XDG_DATA_HOME") or f"{home}/.local/share"
    folders = [Path(folder) for folder in env.get("PATH", os.defpath).split(os.pathsep) if folder.startswith("/")]
    # A shim runs the version that its folder chooses, and fails for all others; the versions themselves stand beside it.
    kept = [folder.parent / "versions" for folder in folders if folder.name == "shims"]
    kept += [
        Path(env.get("PYENV_ROOT") or f"{home}/.pyenv", "versions"),
        Path(env.get("UV_PYTHON_INSTALL_DIR") or f"{data}/uv/python"),
    ]
    folders = [folder for folder in folders if folder.name != "shims"]
    for folder in (*folders, *(inner for above in kept for inner in sorted(above.glob("*/bin")))):
        try:
            yield from (entry.path for entry in os.scandir(folder) if _NAME.fullmatch(entry.name))
        except OSError:
            continue  # PATH may name folders that are not there


def _order(interpreter: Interpreter) -> tuple[tuple[int, ...], str]:
    return _numbers(interpreter.version), interpreter.executable


def _numbers(version: str) -> tuple[int, ...]:
    """Parts of a version as numbers: "3.14.0rc1" counts as 3.14.0."""
    return tuple(int(part) for part in re.findall(r"\d+", re.split(r"[a-z]|\+", version)[0]))
