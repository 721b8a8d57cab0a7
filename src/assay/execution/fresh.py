"""The command of a fresh interpreter in which Assay serves trials, or carries one out."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence

from assay.execution.setup import interpreter_flags

# The path is set before anything of the user's can be imported in place of the library.
BOOT = (
    "import json, sys; facts = json.loads(sys.argv[1]); sys.path[:] = facts['path']; "
    "from assay.execution import server; server.main(facts)"
)


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
    # -P: a file of the user's that is called json.py must not be imported in place of the library before the path is set.
    return [sys.executable, "-P", *interpreter_flags(), "-c", BOOT, json.dumps(facts)]
