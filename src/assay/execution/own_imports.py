"""Imports of a run in a folder of its own: from that folder, though the environment takes them from the user's project."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from assay.records.environment import Package


def moved(path: str, roots: Sequence[str], folder: Path) -> str:
    """A path below one of the roots as the same path below `folder`; any other as it is."""
    for root in roots:
        if path == root or path.startswith(root.rstrip("/") + "/"):
            return str(folder / os.path.relpath(path, root))
    return path


def editable_folders(packages: Sequence[Package], roots: Sequence[str], folder: Path) -> list[str]:
    """Folders below `folder` from which packages are imported that the environment takes from the project itself.

    An editable installation names the user's own folder, whose code is that of today. What stands on PYTHONPATH is found before it.
    """
    sources = [(package.url or "").removeprefix("file://") for package in packages if package.origin == "editable"]
    places = [Path(place) for source in sources if (place := moved(source, roots, folder)) != source]
    return [str(inner) for place in places for inner in (place / "src", place) if inner.is_dir()]


def with_own_imports(env: dict[str, str], packages: Sequence[Package], roots: Sequence[str], folder: Path) -> dict[str, str]:
    """`env` with a module path on which what lies in the project is found below `folder` first."""
    entries = [moved(entry, roots, folder) for entry in env.get("PYTHONPATH", "").split(os.pathsep) if entry]
    entries = list(dict.fromkeys([*editable_folders(packages, roots, folder), *entries]))
    return env | {"PYTHONPATH": os.pathsep.join(entries)} if entries else env
