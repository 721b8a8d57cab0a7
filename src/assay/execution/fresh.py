"""The command of a fresh interpreter in which Assay serves trials, carries one out, or comes back to a study from elsewhere."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from assay.execution.setup import interpreter_flags

SERVER = "assay.execution.server"


def boot(module: str) -> str:
    """Code that calls `main` of a module of Assay with the facts that follow as JSON.

    The path, which is one of them, is set before anything of the user's can be imported in place of the library.
    """
    package, _, name = module.rpartition(".")
    path = "import json, sys; facts = json.loads(sys.argv[1]); sys.path[:] = facts['path']"
    return f"{path}; from {package} import {name}; {name}.main(facts)"


def command(role: str, descriptor: int, path: Sequence[str] | None = None) -> list[str]:
    """Command of a fresh interpreter with this one's arguments, as "server", as "far server" below a keeper, or as a single "trial".

    Args:
        role: what it is.
        descriptor: that it inherits, and on which it talks.
        path: where modules are looked for; by default as here.
    """
    facts = {
        "path": list(sys.path if path is None else path),
        "argv": list(sys.argv),
        "command": sys.orig_argv,
        "role": role,
        "descriptor": descriptor,
    }
    return started(SERVER, facts)


def started(module: str, facts: Mapping[str, Any]) -> list[str]:
    """Command of a fresh interpreter with this one's flags that calls `main` of a module of Assay with these facts."""
    # -P: a file of the user's that is called json.py must not be imported in place of the library before the path is set.
    return [sys.executable, "-P", *interpreter_flags(), "-c", boot(module), json.dumps(facts)]
