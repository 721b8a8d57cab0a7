"""Where the traceback of a fault of Assay's own is kept, so that the user's terminal is spared it."""

from __future__ import annotations

import os
import tempfile
import time
import traceback
from pathlib import Path


def keep_traceback(error: Exception) -> str:
    """Where the traceback was written: the user's cache folder, or else a temporary one; that it is nowhere, where neither can be written."""
    text = "".join(traceback.format_exception(error))
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path("~/.cache").expanduser()) / "assay"
    for folder in (cache, Path(tempfile.gettempdir())):
        path = folder / f"traceback-{time.strftime('%Y%m%d-%H%M%S')}-{os.getpid()}.txt"
        try:
            folder.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8", errors="backslashreplace")
        except OSError:
            continue
        return str(path)
    return "no file, since neither the cache nor a temporary folder can be written"
