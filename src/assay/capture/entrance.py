"""Where the standalone tracer lies for other interpreters to load: one folder with one file, kept in the user's cache."""

from __future__ import annotations

import os
import threading
from pathlib import Path

from assay.capture.injected import tracer
from assay.capture.stat_cache import cache_folder
from assay.records.canonical import digest


def tracer_file(fallback: Path | None = None) -> Path:
    """The standalone file, named so that an interpreter runs it at its start, alone in a folder of its own.

    Raises:
        OSError: neither the cache nor `fallback` can be written.
    """
    source = Path(tracer.__file__).read_bytes()
    folder = Path(cache_folder()) / f"inject-{digest(source)[:16]}"
    try:
        return _placed(folder, source)
    except OSError:
        if fallback is None:
            raise
        return _placed(fallback / "inject", source)


def _placed(folder: Path, source: bytes) -> Path:
    target = folder.absolute() / "sitecustomize.py"
    try:
        if target.read_bytes() == source:
            return target
    except OSError:
        pass
    folder.mkdir(parents=True, exist_ok=True)
    aside = folder.absolute() / f".{os.getpid()}-{threading.get_ident()}"
    aside.write_bytes(source)
    aside.replace(target)
    return target
