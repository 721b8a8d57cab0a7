"""Which Python a command will run, asked of that Python itself, where Assay need not be installed."""

# Paths are text here: observed names need not be valid Unicode, and there can be hundreds of thousands of them.
# ruff: noqa: PTH113, PTH116, PTH118, PTH119, PTH120

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import msgspec

from assay.capture.entrance import tracer_file
from assay.capture.injected import tracer
from assay.capture.stat_cache import KeptCopy
from assay.records.canonical import Record

# What changes an interpreter's answer without changing its files.
_VARIABLES: Final = (
    "PYTHONPATH",
    "PYTHONHOME",
    "PYTHONNOUSERSITE",
    "PYTHONUSERBASE",
    "PYTHONPLATLIBDIR",
    "VIRTUAL_ENV",
    "CONDA_PREFIX",
)
_NAMES: Final = re.compile(r"(python|pypy)[0-9.]*")
# How pip and uv begin a script whose interpreter has a path too long, or with spaces, for the kernel.
_LONG_SHEBANG: Final = re.compile(rb"#!/bin/sh\s*\n'''exec' [\"']?([^\"'\n]+?)[\"']? \"\$0\"")
_IMPLEMENTATIONS: Final = {"cpython": "CPython", "pypy": "PyPy", "graalpy": "GraalPy"}
_PATIENCE: Final = 30.0  # seconds; an interpreter on a cold network disk takes a few


class Interpreter(Record, frozen=True, kw_only=True):
    """A Python interpreter as it described itself.

    Attributes:
        implementation: "CPython", "PyPy" …
        version: "3.11.7".
        executable: absolute path under which it runs; a virtual environment's own, not what that links to.
        prefix, base_prefix: `sys.prefix` and `sys.base_prefix`; they differ in a virtual environment.
        path: its `sys.path` without the script's folder.
        stdlib: folders of its standard library.
    """

    implementation: str
    version: str
    executable: str
    prefix: str
    base_prefix: str
    path: tuple[str, ...] = ()
    stdlib: tuple[str, ...] = ()

    @property
    def python(self) -> str:
        """Implementation and version, "CPython 3.11.7"."""
        return f"{self.implementation} {self.version}"


def this_interpreter() -> Interpreter:
    """The interpreter of this process."""
    return interpreter_from(tracer.start_facts())


def interpreter_from(facts: Mapping[str, Any]) -> Interpreter:
    """The interpreter that a process reported in its start facts."""
    name = str(facts["implementation"])
    return Interpreter(
        implementation=_IMPLEMENTATIONS.get(name, name),
        version=str(facts["version"]),
        executable=str(facts["executable"]),
        prefix=str(facts["prefix"]),
        base_prefix=str(facts["base_prefix"]),
        path=tuple(map(str, facts["path"])),
        stdlib=tuple(map(str, facts["stdlib"])),
    )


def interpreter_of(command: Sequence[str], env: Mapping[str, str], cwd: Path) -> Interpreter | None:
    """The Python interpreter that `command` starts when it is run with `env` in `cwd`; None where it starts none that can be told.

    A Python executable and a script whose first line names one are told; a shell script that starts Python later is not. The answer
    is kept in the user's cache for as long as the executable, its environment's configuration and the variables that matter are the same.
    """
    program = find_program(command[0], env, cwd) if command else None
    for _ in range(4):  # a script may name a script; the kernel follows four as well
        if program is None:
            return None
        if is_python(program):
            return _asked(program, env, cwd)
        named = _named_by(program)
        program = find_program(named, env, cwd) if named else None
    return None


def find_program(name: str, env: Mapping[str, str], cwd: Path) -> str | None:
    """Absolute path of the executable that `name` starts with `env` in `cwd`; None where there is none."""
    if "/" in name:
        path = os.path.join(cwd, name)
        return os.path.normpath(path) if os.path.isfile(path) and os.access(path, os.X_OK) else None
    places = [os.path.join(cwd, place) for place in env.get("PATH", os.defpath).split(os.pathsep)]
    return shutil.which(name, path=os.pathsep.join(places))


def is_python(program: str) -> bool:
    """Whether a path has the name of a Python interpreter."""
    return _NAMES.fullmatch(os.path.basename(program)) is not None


def _named_by(script: str) -> str | None:
    """The interpreter that the first line of `script` names, as it is written there."""
    try:
        with open(script, "rb") as file:
            head = file.read(1024)
    except OSError:
        return None
    long = _LONG_SHEBANG.match(head)
    if long:
        return os.fsdecode(long[1])
    if not head.startswith(b"#!"):
        return None
    words = os.fsdecode(head[2:].partition(b"\n")[0]).split()
    if words and os.path.basename(words[0]) == "env":
        words = [word for word in words[1:] if not word.startswith("-") and "=" not in word]
    return words[0] if words else None


class _Kept(msgspec.Struct, frozen=True):
    about: tuple[str, ...]
    interpreter: Interpreter


def _asked(program: str, env: Mapping[str, str], cwd: Path) -> Interpreter | None:
    about = _circumstances(program, env, cwd)
    if about is None:
        return _probe(program, env, cwd)
    kept = KeptCopy("interpreter-1", about)
    known = kept.load(_Kept)
    if known is not None and known.about == about:
        return known.interpreter
    answer = _probe(program, env, cwd)
    if answer is not None:
        kept.save(_Kept(about, answer))
    return answer


def _circumstances(program: str, env: Mapping[str, str], cwd: Path) -> tuple[str, ...] | None:
    """All that the answer of `program` follows from; None where that cannot be told, as for a shim that chooses by folder."""
    try:
        with open(program, "rb") as file:
            head = file.read(512)
        real = os.path.realpath(program)
    except OSError:
        return None
    parts = [program, real, _stat(real)]
    if b"pyenv" in head and head.startswith(b"#!"):
        parts += _pyenv_choice(program, env, cwd)
    elif not head.startswith(b"\x7fELF") or os.path.basename(os.path.dirname(program)) == "shims":
        return None
    above = os.path.dirname(os.path.dirname(program))
    parts += [
        _stat(os.path.join(above, "pyvenv.cfg")),
        _stat(os.path.join(os.path.dirname(program), "pyvenv.cfg")),
        tracer.__file__,
        _stat(tracer.__file__),
    ]
    parts += [f"{name}={env.get(name)}" for name in _VARIABLES]
    parts.append(str(cwd) if env.get("PYTHONPATH") else "")  # its entries may be relative
    # New .pth files and newly made folders change sys.path without a change of the executable.
    parts += [_stat(str(library)) for library in sorted(Path(above, "lib").glob("python3*/site-packages"))]
    return tuple(parts)


def _pyenv_choice(shim: str, env: Mapping[str, str], cwd: Path) -> list[str]:
    """All by which a shim of pyenv chooses the interpreter: asking it takes 140 ms, most of them in the shell."""
    home = os.path.dirname(os.path.dirname(shim))
    local = next((path for folder in (cwd, *cwd.parents) if (path := folder / ".python-version").exists()), None)
    chosen = [local, Path(home, "version"), Path(home, "versions")]
    return [str(env.get("PYENV_VERSION")), *(f"{path} {_stat(str(path))}" for path in chosen if path)]


def _stat(path: str) -> str:
    try:
        found = os.stat(path)
    except OSError:
        return "absent"
    return f"{found.st_size} {found.st_mtime_ns} {found.st_ino} {found.st_dev}"


def _probe(program: str, env: Mapping[str, str], cwd: Path) -> Interpreter | None:
    try:
        answer = subprocess.run(
            [program, str(tracer_file()), "--probe"],
            env={name: value for name, value in env.items() if not name.startswith("ASSAY_")},
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_PATIENCE,
            check=True,
        )
        return interpreter_from(msgspec.json.decode(answer.stdout.splitlines()[-1]))
    except (OSError, subprocess.SubprocessError, msgspec.DecodeError, ValueError, LookupError, TypeError):
        return None
