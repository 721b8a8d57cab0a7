"""The same command with another Python: what an environment that was built for a run is used by."""

from __future__ import annotations

import os
from collections.abc import MutableMapping, Sequence
from pathlib import Path

from assay.tracking.command import is_python


def with_interpreter(words: Sequence[str], env: MutableMapping[str, str], interpreter: Path) -> tuple[str, ...]:
    """The words of a command whose Python, or whose program that a package installed, is that of `interpreter`'s environment.

    `env` is changed so that what the command itself starts is found there first, as in an activated environment.
    """
    folder = interpreter.parent
    env["PATH"] = os.pathsep.join(filter(None, (str(folder), env.get("PATH", os.defpath))))
    env["VIRTUAL_ENV"] = str(folder.parent)
    for name in ("PYTHONHOME", "CONDA_PREFIX"):
        env.pop(name, None)
    program, *arguments = words
    if is_python(program):
        return (str(interpreter), *arguments)
    installed = folder / program.rpartition("/")[2]
    return (str(installed) if installed.exists() else program, *arguments)
