"""Where the standalone tracer lies for other interpreters to load: one folder with that file and its parts, kept in the user's cache."""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping
from pathlib import Path

from assay.capture.injected import tracer
from assay.capture.stat_cache import cache_folder
from assay.records.canonical import digest


def tracer_file(fallback: Path | None = None) -> Path:
    """The standalone file, named so that an interpreter runs it at its start, alone in a folder of its own.

    Raises:
        OSError: neither the cache nor `fallback` can be written.
    """
    where = cache_folder()
    known = _known.get(where)
    if known is not None and known.exists():
        return known
    sources = _sources()
    try:
        name = f"inject-{digest(b''.join(sources.values()))[:16]}"
        _known[where] = placed = _placed(Path(where) / name, sources)
    except OSError:
        if fallback is None:
            raise
        return _placed(fallback / "inject", sources)
    return placed


def _sources() -> dict[str, bytes]:
    """The tracer under the name that interpreters look for, last, since it is found once all else stands; its parts under their own."""
    main = Path(tracer.__file__)
    parts = {
        path.name: path.read_bytes() for path in sorted(main.parent.glob("*.py")) if path.name not in (main.name, "__init__.py")
    }
    return parts | {"sitecustomize.py": main.read_bytes()}


# Runs of one process follow each other fast; what this process has checked once it looks for, and does not read again.
_known: dict[str, Path] = {}


def _placed(folder: Path, sources: Mapping[str, bytes]) -> Path:
    for name, source in sources.items():
        _place(folder.absolute() / name, source)
    return folder.absolute() / "sitecustomize.py"


def _place(target: Path, source: bytes) -> None:
    try:
        if target.read_bytes() == source:
            return
    except OSError:
        pass
    target.parent.mkdir(parents=True, exist_ok=True)
    aside = target.parent / f".{os.getpid()}-{threading.get_ident()}"
    aside.write_bytes(source)
    aside.replace(target)
