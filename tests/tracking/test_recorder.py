"""A run of this process: what is logged is kept, whatever ends the process, and the end says how it ended."""

from __future__ import annotations

import math
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

from assay.errors import InvalidValue
from assay.records.canonical import canonical
from assay.records.journal import Point
from assay.records.recipe import Recipe
from assay.records.run import Failure, TrialOf
from assay.records.trace import Trace
from assay.store.store import Store
from assay.tracking.recorder import Recorder
from assay.tracking.series import series


@pytest.fixture
def store(project: Path) -> Store:
    return Store.open(project)


@pytest.fixture
def recorder(store: Store, project: Path) -> Iterator[Recorder]:
    recorder = Recorder.begin(store, project, name="r", tags=("t",), params={"lr": 0.1})
    yield recorder
    recorder.finish()


def script(project: Path, body: str, **options: object) -> subprocess.CompletedProcess[str]:
    """A program that uses Assay in its own process."""
    (project / "script.py").write_text("import assay, os, signal, sys\n" + body)
    return subprocess.run([sys.executable, "script.py"], cwd=project, capture_output=True, text=True, **options)  # type: ignore[call-overload, no-any-return]


def test_a_run_keeps_what_it_was_given(recorder: Recorder, store: Store, project: Path) -> None:
    """Name, tags, parameters, code, metrics with their summaries, artifacts, resources."""
    for step in range(4):
        recorder.log({"loss": 1 / (step + 1)}, step)
    recorder.log({"loss": math.nan}, 4)
    recorder.log({"seconds": 2}, measured=True)
    (project / "model.bin").write_bytes(b"weights")
    content = recorder.save(project / "model.bin")
    recorder.set_params({"depth": np.int64(3)})
    assert store.runs.read(recorder.id).state == "running"
    run = recorder.finish()
    assert canonical(store.runs.read(recorder.id)) == canonical(run)
    assert (run.state, run.start.name, run.start.tags) == ("finished", "r", ("t",))
    assert run.params == {"lr": 0.1, "depth": 3}
    assert run.result is not None
    loss = run.result.metrics["loss"]
    assert math.isnan(loss.last) and math.isnan(loss.mean)
    assert (loss.minimum, loss.maximum, loss.n, loss.step) == (0.25, 1.0, 5, 4)
    assert run.result.metrics["seconds"].measured and not loss.measured
    assert series(store, run.id)["loss"].steps == (0, 1, 2, 3, 4)
    trace = store.objects.record(run.result.trace or "", Trace)
    assert [(use.path, use.id, use.by) for use in trace.written] == [("model.bin", content, "save")]
    assert store.objects.get(content) == b"weights"
    assert "train.py" in store.objects.get(store.objects.record(run.start.recipe, Recipe).code or "").decode("latin-1")
    assert run.result.resources.peak_memory > 1 << 20


@pytest.mark.parametrize("value", [1, np.float32(1), np.array(1.0), np.array([1]), torch.tensor(1.0), torch.tensor([1])])
def test_numbers_of_every_library_are_logged(recorder: Recorder, value: float) -> None:
    """One element is a number, whoever made it."""
    recorder.log({"x": value}, np.int64(3))  # type: ignore[arg-type]
    run = recorder.finish()
    assert run.metrics == {"x": 1.0}


@pytest.mark.parametrize("value", [True, "0.5", None, np.bool_(True), torch.tensor(True), [1.0], np.array([1.0, 2.0]), 1j])
def test_what_is_no_number_is_refused_by_name(recorder: Recorder, value: object) -> None:
    """The message names the metric; nothing of the point is kept."""
    with pytest.raises(InvalidValue, match="'accuracy'"):
        recorder.log({"loss": 0.5, "accuracy": value})  # type: ignore[dict-item]
    assert recorder.finish().metrics == {}


@pytest.mark.parametrize("step", [1.5, "1", True])
def test_a_step_that_is_not_whole_is_refused(recorder: Recorder, step: object) -> None:
    """Steps count."""
    with pytest.raises(InvalidValue, match="step"):
        recorder.log({"loss": 0.5}, step)  # type: ignore[arg-type]


def test_an_ended_run_takes_nothing_more(recorder: Recorder) -> None:
    """Logging into it is an error; finishing it again changes nothing."""
    first = recorder.finish("failed", Failure(kind="E", text="x"))
    with pytest.raises(InvalidValue, match="ended"):
        recorder.log({"loss": 1.0})
    assert recorder.finish() == first


def test_threads_log_into_one_run(recorder: Recorder, store: Store) -> None:
    """No point is lost or counted twice."""
    threads = [threading.Thread(target=lambda: [recorder.log({"x": 1.0}) for _ in range(200)]) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    run = recorder.finish()
    assert run.result is not None and run.result.metrics["x"].n == 800
    assert len(series(store, run.id)["x"].values) == 800


def test_a_forked_child_logs_into_the_run_and_does_not_end_it(recorder: Recorder, store: Store) -> None:
    """Workers of a data loader may log; the run is the parent's to finish."""
    recorder.log({"x": 1.0})
    child = os.fork()
    if child == 0:
        recorder.log({"y": 2.0})
        recorder.finish("failed")
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    assert store.runs.read(recorder.id).state == "running"
    recorder.log({"x": 3.0})
    assert recorder.finish().metrics == {"x": 3.0, "y": 2.0}


def test_a_trial_is_recorded_under_its_recipe(store: Store, project: Path) -> None:
    """A study gives recipe and place; the run has both."""
    recipe = Recipe(function="m:f", params={"a": 1}, seed=3)
    trial = TrialOf(study="s" * 64, configuration="baseline")
    run = Recorder.begin(store, project, recipe=recipe, params={"a": 1}, trial=trial).finish()
    assert run.start.recipe == recipe.id and run.start.trial == trial
    assert run.params == {"a": 1}


@pytest.fixture
def trial(store: Store, project: Path) -> Recorder:
    """A run that is ended by who carries it out."""
    return Recorder.begin(store, project, recipe=Recipe(function="m:f"), params={}, guarded=False)


def files(store: Store, recorder: Recorder) -> list[str]:
    """Kinds of files in a run's folder."""
    return sorted(path.suffix or path.name for path in store.runs.folder(recorder.id).iterdir())


def test_a_trial_that_says_its_metrics_at_its_end_makes_no_file_for_them(store: Store, trial: Recorder) -> None:
    """They are in its result and in its series."""
    trial.conclude({"score": 1})
    trial.conclude({"seconds": 2}, measured=True)
    assert files(store, trial) == ["start"]
    run = trial.finish()
    assert files(store, trial) == ["result", "start"]
    assert run.metrics == {"score": 1.0, "seconds": 2.0}
    assert {name: (found.values, found.measured) for name, found in series(store, run.id).items()} == {
        "score": ((1.0,), False),
        "seconds": ((2.0,), True),
    }
    with pytest.raises(InvalidValue, match="has ended"):
        trial.conclude({"score": 2.0})


def test_what_a_trial_logs_is_kept_at_once_and_what_it_concludes_follows(store: Store, trial: Recorder) -> None:
    """Threads that log first at the same instant share one journal."""
    threads = [threading.Thread(target=trial.log, args=({"x": 1.0},)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert files(store, trial) == [".journal", "start"]
    assert [entry.values for entry in store.runs.entries(trial.id) if isinstance(entry, Point)] == [{"x": 1.0}] * 4
    trial.conclude({"x": 2.0})
    run = trial.finish()
    assert run.result is not None and (run.result.metrics["x"].n, run.result.metrics["x"].last) == (5, 2.0)
    assert series(store, run.id)["x"].values == (1.0, 1.0, 1.0, 1.0, 2.0)


def test_a_forked_child_of_a_trial_logs_though_the_trial_has_not(store: Store, trial: Recorder) -> None:
    """Both are in the result and in the series."""
    child = os.fork()
    if child == 0:
        trial.log({"y": 2.0})
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    trial.conclude({"x": 1.0})
    run = trial.finish()
    assert run.metrics == {"x": 1.0, "y": 2.0}
    assert set(series(store, run.id)) == {"x", "y"}


def test_metrics_files_of_the_process_are_read(recorder: Recorder, project: Path) -> None:
    """What the program wrote beside its own log counts; what it logged stands first."""
    (project / "metrics.json").write_text('{"accuracy": 0.5, "loss": 9}')
    recorder.log({"loss": 0.25})
    assert recorder.finish().metrics == {"loss": 0.25, "accuracy": 0.5}


def test_a_lost_store_does_not_hurt_the_program(project: Path) -> None:
    """The store is removed while the program logs: one warning, and the program ends well."""
    done = script(
        project,
        "import shutil\nrun = assay.start()\nrun.log(x=1)\nshutil.rmtree('.assay')\n"
        "run.log(x=2)\nrun.save('script.py') if False else None\nrun.finish()\nprint('well')",
    )
    assert (done.stdout, done.returncode) == ("well\n", 0)
    assert done.stderr.count("assay: warning") == 1 and "Traceback" not in done.stderr


ENDINGS = [
    ("run = assay.start()\nrun.log(x=1)", "finished", 0),
    ("run = assay.start()\nrun.log(x=1)\nsys.exit(3)", "finished", 3),
    ("run = assay.start()\nrun.log(x=1)\nraise ValueError('no')", "failed", 1),
    ("run = assay.start()\nrun.log(x=1)\nraise KeyboardInterrupt", "interrupted", -signal.SIGINT),
    ("run = assay.start()\nrun.log(x=1)\nos.kill(os.getpid(), signal.SIGTERM)", "interrupted", -signal.SIGTERM),
    ("run = assay.start()\nrun.log(x=1)\nos.kill(os.getpid(), signal.SIGKILL)", "crashed", -signal.SIGKILL),
    ("with assay.run() as run:\n    run.log(x=1)\n    sys.exit(3)", "failed", 3),
    ("with assay.run() as run:\n    run.log(x=1)\n    raise ValueError('no')", "failed", 1),
    ("with assay.run() as run:\n    run.log(x=1)\n    os.kill(os.getpid(), signal.SIGINT)", "interrupted", -signal.SIGINT),
]


@pytest.mark.parametrize(("body", "state", "code"), ENDINGS)
def test_every_end_of_a_process_ends_its_run(project: Path, store: Store, body: str, state: str, code: int) -> None:
    """The run's state says how the process ended, and the process ends as it would have without Assay."""
    done = script(project, body)
    (run_id,) = store.runs.ids()
    run = store.runs.read(run_id)
    assert (run.state, done.returncode) == (state, code)
    assert series(store, run_id)["x"].values == (1.0,)
    if state == "failed" and code == 1:
        assert run.result is not None and run.result.failure is not None
        assert (run.result.failure.kind, run.result.failure.text) == ("ValueError", "no")
        assert "ValueError: no" in done.stderr


def test_a_handler_of_the_users_own_stays(project: Path, store: Store) -> None:
    """A program that handles SIGTERM itself decides what becomes of it."""
    done = script(
        project,
        "signal.signal(signal.SIGTERM, lambda *_: print('mine'))\nrun = assay.start()\nos.kill(os.getpid(), signal.SIGTERM)\nrun.finish()",
    )
    assert (done.stdout, done.returncode) == ("mine\n", 0)
    (run_id,) = store.runs.ids()
    assert store.runs.read(run_id).state == "finished"


def test_sigterm_amid_logging_loses_nothing(project: Path, store: Store) -> None:
    """A loop that does nothing but log is terminated: the run is interrupted, and has every acknowledged point."""
    program = subprocess.Popen(
        [
            sys.executable,
            "-u",
            "-c",
            "import assay\nrun = assay.start()\ni = 0\nwhile True:\n    run.log(x=i, step=i)\n    print(i)\n    i += 1",
        ],
        cwd=project,
        stdout=subprocess.PIPE,
    )
    assert program.stdout is not None
    for _ in range(50):
        last = program.stdout.readline()
    program.terminate()
    last = (program.stdout.read().split() or [last])[-1]
    program.stdout.close()
    assert program.wait() == -signal.SIGTERM
    (run_id,) = store.runs.ids()
    assert store.runs.read(run_id).state == "interrupted"
    assert series(store, run_id)["x"].values[-1] >= int(last)
