"""Metrics that a script prints are there while it runs, and after it was killed."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from assay.project.project import Project
from assay.records.run import Run
from assay.store.store import Store
from assay.tracking.series import series
from assay.tracking.so_far import metrics_so_far

Start = Callable[..., "subprocess.Popen[bytes]"]
SCRIPT = """
import sys
for step in (1, 2, 3):
    print(f"step={step} loss={1 / step} lr=0.5", flush=True)
sys.stdin.read()
"""


def test_printed_metrics_are_seen_while_it_runs_and_after_it_was_killed(
    start: Start, project: Path, only_run: Callable[[], Run]
) -> None:
    """`log`, `show` and `ls` read the output as far as it has come, parameters left out, also when nobody ended the run."""
    (project / "train.py").write_text(SCRIPT)
    with start(sys.executable, "train.py", "--lr=0.5", stdin=subprocess.PIPE) as process:
        assert process.stdout is not None
        while process.stdout.readline() != b"step=3 loss=0.3333333333333333 lr=0.5\n":
            assert process.poll() is None
        seen = only_run()
        store = Store.open(project)
        assert seen.state == "running"
        assert series(store, seen.id)["loss"].values == (1.0, 0.5, 1 / 3)
        assert series(store, seen.id)["loss"].steps == (1, 2, 3)
        assert set(metrics_so_far(store, seen)) == {"loss"}
        process.kill()
        process.wait()
        assert only_run().state == "crashed"
        assert series(store, seen.id)["loss"].values == (1.0, 0.5, 1 / 3)
        opened = Project(store, project)
        assert opened.show(seen.id)["run"]["metrics"] == {"loss": 1 / 3}
        assert opened.log(seen.id, ["loss"])["loss"].source == "output"


def test_a_run_that_ended_has_each_printed_point_once(start: Start, project: Path, only_run: Callable[[], Run]) -> None:
    """The end of a run puts its output into the store; readers then go by its journal and its result."""
    (project / "train.py").write_text(SCRIPT)
    assert start(sys.executable, "train.py").wait() == 0
    store, seen = Store.open(project), only_run()
    assert series(store, seen.id)["loss"].values == (1.0, 0.5, 1 / 3)
    assert metrics_so_far(store, seen)["loss"].n == 3
    assert not (store.runs.folder(seen.id) / "stdout").exists()
