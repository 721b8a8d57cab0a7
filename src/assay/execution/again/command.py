"""How a recorded command is run again: program, folder and environment."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from assay.capture.environment import settings
from assay.capture.secrets import REDACTED
from assay.errors import UsageError
from assay.execution.own_imports import with_own_imports
from assay.records.environment import Environment, Package
from assay.records.finding import Finding
from assay.records.recipe import Recipe
from assay.records.run import Run

# Variables by which a recording that goes on in this process would reach into the new one.
_OWN = ("ASSAY_RUN", "ASSAY_STORE", "ASSAY_TRACE", "ASSAY_SEED", "ASSAY_TRIAL")


class Again(NamedTuple):
    """A command as it is run again."""

    words: tuple[str, ...]
    cwd: Path
    env: dict[str, str]
    findings: tuple[Finding, ...] = ()

    def with_folders(self, first: Sequence[str], last: Sequence[str]) -> Again:
        """The same with more folders on the module path, before and after those that it has."""
        path = [*first, *filter(None, self.env.get("PYTHONPATH", "").split(os.pathsep)), *last]
        return self._replace(env=self.env | {"PYTHONPATH": os.pathsep.join(dict.fromkeys(path))}) if path else self


def command_again(
    run: Run,
    recipe: Recipe,
    seen: Environment,
    packages: Sequence[Package],
    root: Path,
    workspace: Path,
    environ: Mapping[str, str],
) -> Again:
    """The recorded command, to be run in `workspace`.

    Thread counts and flags are those of the recipe. A Python named without a path is the one that ran then, where it still exists and no
    virtual environment is active; everything else is found as a shell would find it now.

    Args:
        run: what is repeated.
        recipe: of it.
        seen: environment that it ran in.
        packages: installed there; those that were installed in editable form from the project are taken from the workspace.
        root: the project's root now.
        workspace: folder that holds the code tree and the inputs.
        environ: environment of this process.

    Raises:
        UsageError: the command held a secret, which is never stored.
    """
    if any(REDACTED in word for word in run.start.command):
        raise UsageError(
            "the command held a secret, which was not stored, so it cannot be run again from the record",
            value=" ".join(run.start.command),
            expected="a command without secrets in its arguments",
            next_step="Pass secrets in environment variables, and record the run again.",
        )
    program, findings = _program(run, recipe, seen, root, workspace, environ)
    env = _environment(recipe, run, seen, packages, root, workspace, environ)
    return Again((program, *recipe.command[1:]), workspace / recipe.directory, env, tuple(findings))


def _program(
    run: Run, recipe: Recipe, seen: Environment, root: Path, workspace: Path, environ: Mapping[str, str]
) -> tuple[str, list[Finding]]:
    typed = run.start.command[0] if run.start.command else recipe.command[0]
    if "/" in typed:
        return _program_at(typed, run, root, workspace), []
    is_python = recipe.command[0] in ("python", "pypy")
    recorded = seen.executable
    activated = "VIRTUAL_ENV" in environ or "CONDA_PREFIX" in environ
    if not (is_python and recorded and os.access(recorded, os.X_OK)) or activated:
        return typed, []
    now = shutil.which(typed, path=environ.get("PATH"))
    if now is None or os.path.realpath(now) == os.path.realpath(recorded):
        return recorded, []
    text = f"{typed} is {now} here; the run used {recorded}, which was used again (activate an environment to use that one)"
    return recorded, [Finding(kind="environment", about="python", text=text)]


def _program_at(typed: str, run: Run, root: Path, workspace: Path) -> str:
    """A program given by path: the workspace's own where it is part of the code, else where it stands (a virtual environment)."""
    then = Path(run.start.cwd, typed)
    if not then.is_relative_to(run.start.root):
        return str(then)
    inner = then.relative_to(run.start.root)
    return next((str(place / inner) for place in (workspace, root) if (place / inner).exists()), str(then))


def _environment(
    recipe: Recipe,
    run: Run,
    seen: Environment,
    packages: Sequence[Package],
    root: Path,
    workspace: Path,
    environ: Mapping[str, str],
) -> dict[str, str]:
    env = recipe_environment(recipe, environ)
    entries = [*seen.variables.get("PYTHONPATH", "").split(os.pathsep), *env.get("PYTHONPATH", "").split(os.pathsep)]
    env["PYTHONPATH"] = os.pathsep.join(filter(None, entries))
    env = with_own_imports(env, packages, (run.start.root, str(root)), workspace)
    return env if env["PYTHONPATH"] else {name: value for name, value in env.items() if name != "PYTHONPATH"}


def recipe_environment(recipe: Recipe, environ: Mapping[str, str]) -> dict[str, str]:
    """`environ` with the threads and flags of a recipe in place of its own: what a shell sets beyond them would be another recipe."""
    threads, flags = settings(environ)
    env = {name: value for name, value in environ.items() if name not in _OWN and name not in threads and name not in flags}
    return env | {**recipe.flags, **recipe.threads}
