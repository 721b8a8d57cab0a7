"""Files that say what a study asks, which are no part of the code that its trials run: writing more into them changes no trial."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from pathlib import Path

from assay.records.factor import Factor

_SUFFIXES = (".yaml", ".yml", ".toml")
_PATCHES = (".diff", ".patch")
_LARGEST = 1 << 20
_COMMAND = re.compile(rb"""^["']?command["']?\s*[:=]""", re.MULTILINE)
_METRICS = re.compile(rb"""^\[?["']?metrics["'.\]]?.*?[:=\]]""", re.MULTILINE)


def aside(root: Path, directory: str, factors: Iterable[Factor]) -> tuple[str, ...]:
    """Study files and patches in the folder of a study, and the patches of its components elsewhere, relative to the root.

    A trial that reads one all the same is given it, as it is given other files that it misses.
    """
    folder = root / directory
    there = list(folder.iterdir()) if folder.is_dir() else []
    names = [path.name for path in there if path.suffix in _PATCHES or (path.suffix in _SUFFIXES and _is_study(path))]
    patches = [patch.name.removeprefix("revert ") for factor in factors for level in factor.levels for patch in level.patches]
    names += [name for name in patches if (folder / name).is_file()]
    return tuple(sorted({os.path.normpath(os.path.join(directory, name)) for name in names}))  # noqa: PTH118 - text


def _is_study(path: Path) -> bool:
    """Whether a file has, at its top level, what every study file has."""
    try:
        content = path.read_bytes() if path.is_file() and path.stat().st_size <= _LARGEST else b""
    except OSError:
        return False
    return _COMMAND.search(content) is not None and _METRICS.search(content) is not None
