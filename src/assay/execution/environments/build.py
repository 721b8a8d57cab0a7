"""An environment with exactly the recorded packages."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import blake3

from assay.capture.interpreter import Interpreter, interpreter_of
from assay.capture.packages import packages_of
from assay.errors import EnvironmentUnavailable
from assay.execution.environments.installing import install
from assay.execution.environments.interpreters import interpreter_for
from assay.execution.environments.own import add_commands, add_own
from assay.execution.environments.place import Place, Whole
from assay.execution.environments.requirements import Sorted, requirement, shown, sort_packages
from assay.execution.environments.uv import Uv, find_uv
from assay.execution.environments.versions import Missing, with_nearest
from assay.records.environment import Package
from assay.records.finding import Finding

_FORM = "environment/1"  # part of what an environment is named by: another way to build is another environment


class Built(NamedTuple):
    """An environment that can be used.

    Attributes:
        python: absolute path of its interpreter.
        findings: what is not exactly as it was recorded.
    """

    python: Path
    findings: tuple[Finding, ...]


def build(
    packages: Sequence[Package],
    python: str | Path,
    *,
    prefix: str | None = None,
    roots: Sequence[str] = (),
    commands: Mapping[str, str] = {},
    indexes: Sequence[str] = (),
    environ: Mapping[str, str] | None = None,
    report: Callable[[Finding], None] | None = None,
) -> Built:
    """An environment with exactly these packages, from the user's cache where one like it was built before.

    Packages come from where pip is configured to look, VCS ones at their commit, archives from their address; no dependency is added.
    What no index has any more, or has with other files, is copied from the recorded environment where that is still whole. Editable
    packages, and else such as were installed from the project, are named by their metadata alone, as editable ones of their folder:
    `with_own_imports` finds them in a run's code tree.

    Args:
        packages: as `assay.capture.environment.packages_in` gives them.
        python: path of the interpreter to build with, or "CPython 3.11.7": that version, else another of its minor version.
        prefix: of the recorded environment.
        roots: folders that the project stood in: its packages are imported from the run's code tree, and not built.
        commands: entry points of the project's packages, {"train": "own.cli:main"}.
        indexes: addresses of further indexes to look in, beside those that pip is told of.
        environ: environment variables, pip's and uv's among them; those of this process where it is None.
        report: called with each finding, before the environment is returned.

    Raises:
        EnvironmentUnavailable: packages can no longer be had (each is named, with the nearest versions that can), the Python is not at
            hand, there is no uv, or the cache folder cannot be written.
    """
    env = os.environ if environ is None else environ
    base, found = _interpreter(python, env)
    parts = sort_packages(packages, roots)
    place = Place(_digest(base, parts, roots, commands))
    whole = place.whole()
    if whole is None or not _still_whole(place, whole, env):
        whole = _build(find_uv(env, indexes), place, base, parts, prefix, roots, commands, instead_of=whole)
    findings = (*found, *whole.findings)
    if report is not None:
        for finding in findings:
            report(finding)
    return Built(place.path / whole.folder / "bin" / "python", findings)


def _interpreter(python: str | Path, env: Mapping[str, str]) -> tuple[Interpreter, list[Finding]]:
    if isinstance(python, Path) or "/" in python:
        found = interpreter_of([str(python)], env, Path.cwd())
        if found is None:
            raise _no_python(str(python), "an interpreter that starts")
        return found, []
    found = interpreter_for(python, env)
    if found is None:
        raise _no_python(python, "this version, or another of the same minor version, on PATH, in pyenv or in uv")
    if found.python == python:
        return found, []
    return found, [
        Finding(kind="python", about="python", text=f"{python} is not at hand; {found.python} was used ({found.executable})")
    ]


def _no_python(python: str, expected: str) -> EnvironmentUnavailable:
    return EnvironmentUnavailable(
        "this Python is not at hand",
        value=python,
        expected=expected,
        next_step="Install it (`uv python install VERSION` does), or use the current environment.",
    )


def _digest(base: Interpreter, parts: Sorted, roots: Sequence[str], commands: Mapping[str, str]) -> str:
    """Name of the environment: of all that it is made from. Where the roots stand matters only for packages that lie in none."""
    lines = [_FORM, base.python, os.path.realpath(base.executable)]
    lines += sorted(f"{requirement(package)} {package.record}" for package in parts.pins)
    lines += sorted(f"{package.name}=={package.version} in {package.url} {package.record}" for package in parts.own)
    lines += sorted(f"command {name} = {entry}" for name, entry in commands.items())
    lines += sorted(f"{package.name} is beyond" for package in parts.beyond)
    lines += [f"project {root}" for root in sorted(roots)] if parts.own else []
    return blake3.blake3("\n".join(lines).encode("utf-8", "surrogateescape")).hexdigest(12)


def _still_whole(place: Place, whole: Whole, env: Mapping[str, str]) -> bool:
    """Whether an environment still has the packages that it was made with, and a Python that runs: neither is Assay's alone."""
    found = interpreter_of([str(place.path / whole.folder / "bin" / "python")], env, place.path)
    return found is not None and packages_of(_alone(found)) == whole.installed


def _alone(interpreter: Interpreter) -> Interpreter:
    """The interpreter with its environment's own folders alone: PYTHONPATH of this process may add others."""
    path = tuple(folder for folder in interpreter.path if folder.startswith(interpreter.prefix + "/"))
    return Interpreter(
        implementation=interpreter.implementation,
        version=interpreter.version,
        executable=interpreter.executable,
        prefix=interpreter.prefix,
        base_prefix=interpreter.base_prefix,
        path=path,
    )


def _build(
    uv: Uv,
    place: Place,
    base: Interpreter,
    parts: Sorted,
    prefix: str | None,
    roots: Sequence[str],
    commands: Mapping[str, str],
    instead_of: Whole | None,
) -> Whole:
    try:
        with place.building() as folder:
            made = _make(uv, folder, base)
            findings, missing = install(uv, made, parts.pins, prefix)
            if missing:
                raise _unavailable(with_nearest(uv, missing, Path(made.executable)))
            findings += add_own(made, parts.own, prefix, roots)
            add_commands(made, commands)
            findings += _beyond(parts.beyond)
            place.publish(Whole(folder.name, packages_of(made), tuple(findings)), instead_of)
        whole = place.whole()
    except OSError as error:
        raise EnvironmentUnavailable(
            f"no environment can be built in the cache folder ({error.strerror or error})",
            value=str(place.path),
            expected="a folder that this user can write",
            next_step="Free some space, or set XDG_CACHE_HOME to a folder on another disk.",
        ) from error
    if whole is None:
        raise EnvironmentUnavailable(
            "the environment was removed while it was built",
            value=str(place.path),
            expected="a cache folder that nobody empties meanwhile",
            next_step="Try again.",
        )
    return whole


def _make(uv: Uv, folder: Path, base: Interpreter) -> Interpreter:
    """An empty virtual environment, as its interpreter describes itself."""
    refusal = uv.ask("venv", "-q", "--no-project", "--python", base.executable, folder).refusal
    python = folder / "bin" / "python"
    found = interpreter_of([str(python)], uv.env, folder.parent) if refusal is None else None
    if found is None:
        raise EnvironmentUnavailable(
            f"no virtual environment can be made with this Python ({refusal or 'it does not start'})",
            value=base.executable,
            expected="a Python that uv can make environments with",
            next_step="Name another Python, or use the current environment.",
        )
    return _alone(found)


def _unavailable(missing: Sequence[Missing]) -> EnvironmentUnavailable:
    near = []
    for each in missing:
        versions = [f"{version} {side}" for version, side in ((each.below, "below"), (each.above, "above")) if version]
        near.append(f"{each.package.name}: {' and '.join(versions) or 'no version near it'}")
    reasons = dict.fromkeys(each.reason for each in missing)
    return EnvironmentUnavailable(
        f"packages can no longer be had ({'; '.join(reasons)})",
        value=", ".join(shown(each.package) for each in missing),
        expected="packages that an index, their address or the recorded environment still has; nearest are " + "; ".join(near),
        next_step="Tell pip where they are (PIP_EXTRA_INDEX_URL, PIP_FIND_LINKS), or use the current environment.",
    )


def _beyond(packages: Sequence[Package]) -> list[Finding]:
    if not packages:
        return []
    names = ", ".join(shown(package) for package in packages)
    return [Finding(kind="package", about="conda", text=f"installed by conda beside Python packages, and not built again: {names}")]
