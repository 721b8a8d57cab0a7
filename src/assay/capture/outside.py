"""Code that a run loaded from beyond the project: the folders it was imported from, and copies that can be imported from elsewhere.

Editable installations, sibling folders on `sys.path`, PYTHONPATH: their files are the user's as much as the project's own, and a trace
keeps them. What belongs to an interpreter or was installed is the environment, and no concern of this module.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path, PurePosixPath
from typing import Final

from assay.records.environment import Environment, Package
from assay.records.trace import FileUse, Trace
from assay.store.objects import Objects

_INSTALLED = ("site-packages", "dist-packages")
APART: Final = ".outside"
"""Folder of a restored tree for code from beyond the project."""


def interpreter_folders(environment: Environment) -> list[str]:
    """Folders of the interpreter that a run used, its standard library's included."""
    folders = [environment.prefix or ""]
    if environment.executable:
        # Of a virtual environment, the standard library stands where its Python does.
        folders.append(str(Path(os.path.realpath(environment.executable)).parent.parent))
    return [folder for folder in folders if folder not in ("", "/")]


def loaded_outside(loaded: Iterable[FileUse], environment: Iterable[str]) -> list[FileUse]:
    """The uses that are the user's code beyond the root.

    Args:
        loaded: of a trace; paths below the root are relative.
        environment: absolute folders of the interpreter.
    """
    folders = list(environment)
    return [use for use in loaded if use.path.startswith("/") and not is_installed(use.path, folders)]


def is_installed(path: str, environment: Sequence[str]) -> bool:
    """Whether a file or folder is an installed package's, or lies in one of the folders of an interpreter."""
    parts = PurePosixPath(path).parts
    installed = any(part in _INSTALLED or part.endswith((".dist-info", ".egg-info")) for part in parts)
    return installed or any(_is_below(path, folder) for folder in environment)


def named_folders(module_path: str, packages: Iterable[Package]) -> list[str]:
    """Absolute folders that a run's record says were searched for modules: those on PYTHONPATH, and the sources of editable packages."""
    folders = [entry.rstrip("/") for entry in module_path.split(":") if entry.startswith("/")]
    for package in packages:
        place = (package.url or "").removeprefix("file://").rstrip("/")
        if package.origin == "editable" and place.startswith("/"):
            folders += [f"{place}/src", place]
    return list(dict.fromkeys(folders))


def import_folders(uses: Iterable[FileUse], named: Sequence[str]) -> list[str]:
    """The folders that have to be on the module path for these files to be imported by the names that they had.

    A package says where it lies by its `__init__.py`. A folder without one is a namespace package where a named folder holds it, and
    stands on the path itself otherwise; where both can be meant, both are given.
    """
    paths = [use.path for use in uses]
    packages = {path.removesuffix("/__init__.py") for path in paths if path.endswith("/__init__.py")}
    found: dict[str, None] = {}
    for path in sorted(paths):
        folder = path.rpartition("/")[0]
        while folder in packages:
            folder = folder.rpartition("/")[0]
        inside = folder
        holding = [name for name in named if _is_below(path, name)]
        if holding and folder not in holding:
            found[max(holding, key=len)] = None
            inside = path.removeprefix(folder + "/").partition("/")[0].partition(".")[0]
            if inside in sys.stdlib_module_names:
                continue  # on the module path it would hide a module of the standard library
        found[folder or "/"] = None
    return list(found)


def lay_copies(objects: Objects, uses: Iterable[FileUse], target: Path) -> None:
    """Write the recorded content of files beyond the root below `target`, each at its absolute path there.

    Raises:
        MissingContent: the store does not have one.
        OSError: `target` cannot be written.
    """
    for use in uses:
        if use.id is not None:
            copy = moved(use.path, target)
            copy.parent.mkdir(parents=True, exist_ok=True)
            objects.copy_to(use.id, copy)


def restore_loaded(objects: Objects, trace: Trace, environment: Environment, target: Path) -> None:
    """Put what a run loaded beside its code tree into the restored folder `target`.

    Modules that git ignores go to their places; code from beyond the project goes below `.outside`, each file at its absolute path there.
    Nothing that stands in `target` is replaced, and what the store does not have is left out.

    Raises:
        OSError: `target` cannot be written.
    """
    kept = [use for use in trace.loaded if use.id is not None and use.id in objects]
    real = os.path.realpath(target)
    for use in kept:
        place = target / use.path
        # A link of the tree may lead out of the folder.
        inside = (os.path.realpath(place.parent) + "/").startswith(real + "/")
        if not use.path.startswith("/") and inside and not os.path.lexists(place):
            objects.copy_to(use.id or "", place)
    lay_copies(objects, loaded_outside(kept, interpreter_folders(environment)), target / APART)


def restored_folders(trace: Trace, environment: Environment, packages: Iterable[Package], target: Path) -> list[str]:
    """The folders below the restored folder `target` that have to be on PYTHONPATH for code from beyond the project to be imported."""
    outside = loaded_outside(trace.loaded, interpreter_folders(environment))
    folders = import_folders(outside, named_folders(environment.variables.get("PYTHONPATH", ""), packages))
    return [str(place) for folder in folders if (place := moved(folder, target / APART)).is_dir()]


def moved(path: str, target: Path) -> Path:
    """Where `lay_copies` puts a file or folder."""
    return target / path.lstrip("/")


def below(uses: Iterable[FileUse], folders: Sequence[str]) -> Iterator[FileUse]:
    """The uses of files that lie below one of the folders."""
    return (use for use in uses if any(_is_below(use.path, folder) for folder in folders))


def _is_below(path: str, folder: str) -> bool:
    return PurePosixPath(path).is_relative_to(folder)
