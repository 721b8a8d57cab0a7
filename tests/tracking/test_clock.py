"""A clock that is set while runs go on: what lasted still lasted as long, and what was said last is the last."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from assay.store.store import Store
from assay.tracking.series import series

# Time as this process sees it is off by what a file says. The program that is recorded sets it anew at once, since a clock is never empty.
SET = "open(os.environ['CLOCK_OFF'] + '.new', 'w').write(os.environ['SET_TO']); os.replace(os.environ['CLOCK_OFF'] + '.new', os.environ['CLOCK_OFF'])"
CLOCK = """\
import os, sys, time
real, off = time.time, os.environ["CLOCK_OFF"]
time.time = lambda: real() + float(open(off).read())
time.time_ns = lambda: int(time.time() * 1e9)
"""
COMMAND = CLOCK + "from assay.cli.main import entry\nentry()\n"
PROGRAM = f"import os\nprint('loss=2', flush=True)\n{SET}\nprint('loss=1')\n"
LIVE = CLOCK + (
    f"import assay\nwith assay.run('live') as run:\n    run.log(loss=2, step=1)\n    {SET}\n    run.log(loss=1, step=2)\n"
)


@pytest.fixture(params=[-86400, 86400], ids=["back", "forward"])
def clock(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file that says by how many seconds the clock is off, and what it is set to meanwhile: a day back or forth."""
    path = tmp_path / "off"
    path.write_text("0")
    monkeypatch.setenv("CLOCK_OFF", str(path))
    monkeypatch.setenv("SET_TO", str(request.param))
    return path


@pytest.mark.parametrize("kind", ["command", "live"])
def test_a_clock_that_is_set_while_a_run_goes_on(project: Path, clock: Path, kind: str) -> None:
    """It ends after it began, by as much as it lasted; its points keep their order, and the last value is the last."""
    words = [COMMAND, "run", sys.executable, "-c", PROGRAM] if kind == "command" else [LIVE]
    subprocess.run([sys.executable, "-c", *words], cwd=project, check=True, stdout=subprocess.DEVNULL)
    store = Store.open(project)
    (run_id,) = store.runs.ids()
    run = store.runs.read(run_id)
    assert run.result is not None and run.result.resources is not None
    assert (run.state, run.metrics["loss"]) == ("finished", 1.0)
    assert 0 <= run.result.ended - run.start.started < 600 and 0 < run.result.resources.wall < 600
    assert series(store, run_id)["loss"].values == (2.0, 1.0)


def test_what_is_said_last_counts(project: Path, clock: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A tag that is taken away after the clock was set is gone, and notes stand in the order in which they were written."""

    def assay(*arguments: str) -> str:
        done = subprocess.run([sys.executable, "-c", COMMAND, *arguments], cwd=project, check=True, capture_output=True, text=True)
        return done.stdout

    assay("run", "--name", "one", "true")
    assay("tag", "one", "paper")
    assay("note", "one", "first")
    clock.write_text("-86400")
    assay("note", "one", "second")
    assay("tag", "one", "paper", "--remove")
    shown = json.loads(assay("show", "one", "--json"))["run"]
    assert (shown["tags"], [note["text"] for note in shown["notes"]]) == ([], ["first", "second"])
