"""`assay run --from-snapshot`: the command in a folder of its own, and where its outputs are afterwards."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from typing import Any

from assay.cli.output import hint
from assay.project.project import Project
from assay.records.trace import FileUse
from assay.report.layout import safe

_SHOWN = 5


def run_snapshot(command: Sequence[str], source: str | None, **options: Any) -> int:
    """Run it, tell the user where its outputs are, and give its own exit code."""
    done = Project.open(create=True).run_from_snapshot(command, source, **options)
    run = done.supervised.run
    with contextlib.suppress(OSError):  # the terminal may be gone by now; the command's own code is what counts
        hint(f"assay: run {run.id[:8]} {run.state}, in a folder of its own that is gone now. {_outputs(run.id[:8], done.written)}")
        lost = [use for use in done.written if not use.kept]
        if lost:
            hint(f"assay: not kept: {_names(lost)} (`assay show {run.id[:8]}` says why)")
        if done.missed:
            shown = " ".join(f"--data {safe(path)}" for path in done.missed[:_SHOWN])
            hint(f"assay: the folder lacked files of the project that are not code; give them to the run with {shown}")
        for place in done.today:
            hint(f"assay: {safe(place)} lies beyond the project and did not come from the snapshot: its code was that of today")
    return done.supervised.exit_code


def _outputs(run: str, written: Sequence[FileUse]) -> str:
    inside = [use for use in written if use.kept and not use.path.startswith("/")]
    outside = [use for use in written if use.path.startswith("/")]
    text = "It wrote no files in it."
    if inside:
        text = f"What it wrote is kept as its artifacts: {_names(inside)} (`assay restore {run} PATH --to DIR` gives them back)."
    return text + (f" Elsewhere it wrote {_names(outside)}." if outside else "")


def _names(uses: Sequence[FileUse]) -> str:
    more = f" and {len(uses) - _SHOWN} more" if len(uses) > _SHOWN else ""
    return ", ".join(safe(use.path) for use in uses[:_SHOWN]) + more
