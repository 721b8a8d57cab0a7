"""The environment of a run as files that other tools build it from: pins for pip, a Dockerfile, an Apptainer definition."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath
from typing import Final

from assay.execution.environments.requirements import requirement, sort_packages
from assay.records.environment import Environment, Package
from assay.records.recipe import Recipe

_AT: Final = "/work"
# What says where things stood on the machine of then; in a container they stand elsewhere.
_PLACES: Final = frozenset(("PATH", "PYTHONPATH", "VIRTUAL_ENV", "PYTHONHOME", "CONDA_PREFIX", "LD_LIBRARY_PATH", "HOME", "TMPDIR"))


def environment_files(
    recipe: Recipe, environment: Environment, packages: Sequence[Package], roots: Sequence[str], *, inputs: bool
) -> dict[str, str]:
    """Name to text of each file: requirements.txt, and, where a Python was seen, Dockerfile and apptainer.def.

    Args:
        recipe: of the run.
        environment, packages: what it ran in.
        roots: folders that the project stood in; packages that were imported from there come with the code.
        inputs: whether the bundle has a folder of inputs.
    """
    found = {"environment/requirements.txt": requirements(packages, roots)}
    version = re.match(r"CPython (\d+\.\d+\.\d+)", environment.python or "")
    if version is not None:
        found["environment/Dockerfile"] = _dockerfile(recipe, version[1], inputs)
        found["environment/apptainer.def"] = _apptainer(recipe, version[1], inputs)
    return found


def requirements(packages: Sequence[Package], roots: Sequence[str]) -> str:
    """Pins that nothing but the recorded packages satisfies; the hash of what was installed stands beside each where it was recorded.

    >>> print(requirements([Package(name="six", version="1.16.0", record="ab12")], []), end="")
    # The exact packages of the run. The hash is the BLAKE3 of the installed package's RECORD, which lists the hash of each of its files.
    six===1.16.0  # RECORD blake3:ab12
    """
    parts = sort_packages(packages, roots)
    lines = [
        "# The exact packages of the run. The hash is the BLAKE3 of the installed package's RECORD, which lists the hash of each of its files."
    ]
    lines += [requirement(package) + (f"  # RECORD blake3:{package.record}" if package.record else "") for package in parts.pins]
    lines += [f"# {package.name}=={package.version} was imported from the project: its code is in code/" for package in parts.own]
    lines += [f"# {package.name}=={package.version} was installed by conda beside Python packages" for package in parts.beyond]
    return "\n".join(lines) + "\n"


def settings_of(recipe: Recipe) -> dict[str, str]:
    """Environment variables that the run was started with and that can change its result."""
    found = {**recipe.threads, **recipe.flags} | ({"ASSAY_SEED": str(recipe.seed)} if recipe.seed is not None else {})
    return {name: value for name, value in sorted(found.items()) if name not in _PLACES and value.isprintable()}


def _dockerfile(recipe: Recipe, python: str, inputs: bool) -> str:
    """Built from the folder that the bundle was unpacked into."""
    lines = [
        "# docker build -f environment/Dockerfile -t run . && docker run run",
        f"FROM python:{python}-slim",
        f"WORKDIR {_AT}",
        "COPY environment/requirements.txt /tmp/requirements.txt",
        "RUN pip install --no-cache-dir --no-deps -r /tmp/requirements.txt",
        f"COPY code/ {_AT}/",
        *([f"COPY inputs/ {_AT}/"] if inputs else []),
        *(f"ENV {name}={json.dumps(value)}" for name, value in _variables(settings_of(recipe)).items()),
        f"WORKDIR {PurePosixPath(_AT) / recipe.directory}",
    ]
    if recipe.command:
        lines.append(f"CMD {json.dumps(_command(recipe))}")
    return "\n".join(lines) + "\n"


def _apptainer(recipe: Recipe, python: str, inputs: bool) -> str:
    lines = [
        "# apptainer build run.sif environment/apptainer.def && apptainer run --writable-tmpfs run.sif",
        "Bootstrap: docker",
        f"From: python:{python}-slim",
        "",
        "%files",
        "    environment/requirements.txt /tmp/requirements.txt",
        "    code /opt/code",
        *(["    inputs /opt/inputs"] if inputs else []),
        "",
        "%post",
        "    pip install --no-cache-dir --no-deps -r /tmp/requirements.txt",
        f"    mkdir {_AT}",
        f"    cp -R /opt/code/. {_AT}",
        *([f"    cp -R /opt/inputs/. {_AT}"] if inputs else []),
        "",
        "%environment",
        *(f"    export {name}={shlex.quote(value)}" for name, value in settings_of(recipe).items()),
        "",
        "%runscript",
        f"    cd {shlex.quote(str(PurePosixPath(_AT) / recipe.directory))}",
    ]
    if recipe.command:
        lines.append(f"    exec {shlex.join(_command(recipe))}")
    return "\n".join(lines) + "\n"


def _variables(values: Mapping[str, str]) -> dict[str, str]:
    """Values as a Dockerfile takes them for themselves."""
    return {name: value.replace("$", "\\$") for name, value in values.items()}


def _command(recipe: Recipe) -> list[str]:
    """The command, with the Python of the image in place of one at an absolute path."""
    words = list(recipe.command)
    if words[0].startswith("/") and re.fullmatch(r"python[\d.]*", PurePosixPath(words[0]).name):
        words[0] = "python"
    return words
