"""Which versions of a package can be had for a Python."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final, NamedTuple

from assay.capture.secrets import redact
from assay.errors import EnvironmentUnavailable
from assay.execution.environments.uv import Uv, find_uv
from assay.records.environment import Package

_AT_ONCE: Final = 8  # questions to the index
_QUIET: Final = {"PIP_DISABLE_PIP_VERSION_CHECK": "1"}


class Missing(NamedTuple):
    """A package that cannot be had: why, and the nearest versions that can, below and above."""

    package: Package
    reason: str
    below: str | None = None
    above: str | None = None


def available_versions(name: str, python: Path, environ: Mapping[str, str] | None = None) -> list[str]:
    """All versions of a package that can be had for an interpreter, the oldest first; without pre-releases where there are others.

    They are asked of pip (uv has no command for it), with the user's own configuration: the interpreter's pip, else one that uv fetches.

    Raises:
        EnvironmentUnavailable: the package is unknown, no index can be reached, or there is neither pip nor uv.
    """
    env = dict(os.environ if environ is None else environ) | _QUIET
    asked = _ask([str(python), "-m", "pip"], name, env)
    if "No module named pip" in asked.stderr:
        uv = find_uv(environ)
        fetched = [
            uv.program,
            "run",
            "-q",
            "--no-project",
            "--isolated",
            "--python",
            str(python),
            "--with",
            "pip",
            "python",
            "-m",
            "pip",
        ]
        asked = _ask(fetched, name, uv.env | _QUIET)
    found = re.search(r"^Available versions: (.*)$", asked.stdout, re.MULTILINE)
    if found is None:
        said = [line.removeprefix("ERROR: ") for line in asked.stderr.splitlines() if line.startswith("ERROR: ")]
        raise EnvironmentUnavailable(
            f"no version of this package can be had ({redact('; '.join(said))[0] or 'pip gave no reason'})",
            value=name,
            expected="a package of an index that pip is configured for",
            next_step="`python -m pip index versions NAME` shows what pip finds.",
        )
    return found[1].split(", ")[::-1]


def nearest(uv: Uv, package: Package, python: Path) -> tuple[str | None, str | None]:
    """The nearest versions below and above that of a package; None where there is none, or its version is not one that can be ordered."""
    public = package.version.partition("+")[0]
    # 2.1+cpu stands above 2.1, and is no bound that a requirement may have.
    below = f"<={public}" if public != package.version else f"<{public}"
    return version_of(uv, package.name + below, python), version_of(
        uv, f"{package.name}>{public}", python, "--resolution", "lowest"
    )


def version_of(uv: Uv, line: str, python: Path, *options: str) -> str | None:
    """The version that a requirement of one package is met by; None where nothing meets it."""
    answer = uv.find("compile", "-q", "--no-header", "--no-annotate", "--no-deps", "--python", python, *options, "-", text=line)
    found = re.search(r"^[\w.-]+==(\S+)", answer.output, re.MULTILINE)
    return found[1] if answer.refusal is None and found else None


def with_nearest(uv: Uv, missing: list[Missing], python: Path) -> list[Missing]:
    """The same, with the nearest versions of those that came from an index."""

    def fill(each: Missing) -> Missing:
        if each.package.origin not in ("index", "conda"):
            return each
        below, above = nearest(uv, each.package, python)
        return each._replace(below=below, above=above)

    with ThreadPoolExecutor(_AT_ONCE) as pool:
        return list(pool.map(fill, missing))


def _ask(pip: list[str], name: str, env: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(
            [*pip, "index", "versions", name],
            env=env,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
        )
    except OSError as error:
        raise EnvironmentUnavailable(
            f"this interpreter cannot be started ({error.strerror or error})",
            value=pip[0],
            expected="an executable Python",
            next_step="`assay.execution.environments.interpreters()` lists those at hand.",
        ) from error
