"""Trials of functions: each in a clean process of its own, whatever becomes of it."""

from __future__ import annotations

import math
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from assay.errors import InvalidValue
from assay.execution.functions import Callables, FunctionExecutor
from assay.execution.protocol import Job, Outcome
from assay.execution.setup import THREADS, trial_environment
from assay.execution.trial import OUTPUT
from assay.records.plan import Configuration, Trial
from assay.records.recipe import Recipe
from assay.records.trace import Trace
from assay.store.store import Store
from assay.tracking.series import series

SCRIPT = """
import os, sys, time
from pathlib import Path
from assay import Study, change, maximize

def train(config, seed):
    if seed and not Path("go").exists():
        Path("began").touch()
        time.sleep(600)
    return {"y": float(seed + config["a"])}

study = Study(train, baseline={"a": 1}, components=[change("a", "two", a=2)], metrics=[maximize("y")], seeds=2)
try:
    result = study.run(workers=2)
except KeyboardInterrupt:
    sys.exit(130)
print([(row.metrics, row.reused) for row in result.outcomes])
"""


def jobs(configurations: list[dict[str, Any]], seeds: int = 1) -> list[Job]:
    pairs = [(seed, number) for seed in range(seeds) for number in range(len(configurations))]
    return [
        Job(
            Trial(index=index, configuration=f"c{number}", block=seed, seed=seed),
            Configuration(name=f"c{number}", params=configurations[number]),
        )
        for index, (seed, number) in enumerate(pairs)
    ]


def carry_out(
    root: Path,
    train: Callable[..., object],
    configurations: list[dict[str, Any]] | None = None,
    *,
    seeds: int = 1,
    workers: int = 2,
    prepare: Callable[[int], object] | None = None,
    **options: Any,
) -> list[Outcome]:
    calls = Callables(train, lambda configuration: configuration.params, prepare)
    executor = FunctionExecutor(Store.open(root), root, calls, **options)
    return executor.carry_out(jobs(configurations or [{}], seeds), study="s", workers=workers, report=lambda _: None)


def misbehave(config: dict[str, Any], seed: int) -> object:
    match config["how"]:
        case "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        case "exit":
            os._exit(3)
        case "sys.exit":
            sys.exit(0)
        case "raise":
            raise ValueError("no luck")
        case "segfault":
            os.kill(os.getpid(), signal.SIGSEGV)
        case "list":
            return [0.5]
        case "nothing":
            return None
        case "text":
            return {"y": "high"}
        case "empty":
            return {}
        case "number name":
            return {1: 2.0}
    return {"y": 1.0}


REASONS = {
    "kill": ("crashed", r"killed by signal 9 \(SIGKILL\)"),
    "exit": ("crashed", "exited with code 3"),
    "segfault": ("crashed", r"signal 11 \(SIGSEGV\)"),
    "sys.exit": ("failed", r"called sys\.exit\(0\)"),
    "raise": ("failed", "no luck"),
    "list": ("failed", r"returned list \[0\.5\]; expected a dictionary"),
    "nothing": ("failed", "returned nothing"),
    "text": ("failed", "'high' as metric 'y'; expected a number"),
    "empty": ("failed", "expected a dictionary of metrics"),
    "number name": ("failed", "metric named 1; expected text"),
}


def test_a_trial_that_dies_in_any_way_is_an_outcome_with_its_reason_and_the_others_go_on(project: Path) -> None:
    found = carry_out(project, misbehave, [{"how": how} for how in (*REASONS, "well")])
    for outcome, (state, reason) in zip(found, REASONS.values(), strict=False):
        assert outcome.state == state
        assert outcome.failure is not None
        assert re.search(reason, outcome.failure.text), outcome.failure.text
        assert outcome.metrics == {}
        assert outcome.run is not None
    assert (found[-1].state, found[-1].metrics) == ("finished", {"y": 1.0})


def test_every_reader_sees_the_state_that_the_outcome_has(project: Path) -> None:
    found = carry_out(project, misbehave, [{"how": how} for how in ("kill", "raise", "well")])
    store = Store.open(project)
    assert [store.runs.read(outcome.run or "").state for outcome in found] == [outcome.state for outcome in found]


def test_numbers_of_any_library_are_metrics_and_nan_stays(project: Path) -> None:
    def train(config: object, seed: int) -> dict[str, object]:
        import numpy as np

        return {"f32": np.float32(0.5), "one": np.array([2.0]), "nan": float("nan"), "inf": -math.inf, "yes": np.int64(3)}

    (outcome,) = carry_out(project, train)
    assert math.isnan(outcome.metrics.pop("nan"))
    assert outcome.metrics == {"f32": 0.5, "one": 2.0, "inf": -math.inf, "yes": 3.0}


def test_nothing_leaks_from_one_trial_to_the_next(project: Path) -> None:
    """Globals, the environment, the working directory and the configuration are as they were, in every trial."""
    seen: list[int] = []

    def train(config: dict[str, list[int]], seed: int) -> dict[str, float]:
        before = len(seen) + len(config["list"]) + ("LEAK" in os.environ) + (Path.cwd() == Path("/"))
        seen.append(1)
        config["list"].append(1)
        os.environ["LEAK"] = "1"
        os.chdir("/")
        return {"before": float(before)}

    found = carry_out(project, train, [{"list": []}], seeds=4, workers=1)
    assert [outcome.metrics for outcome in found] == [{"before": 0.0}] * 4
    assert seen == []


def draw(config: dict[str, Any], seed: int) -> dict[str, float]:
    import random

    import numpy as np

    matrix = np.random.standard_normal((64, 64))
    return {"random": random.random(), "numpy": float((matrix @ matrix).sum()), "set": float(hash("text") % 1000)}


def test_results_are_the_same_bits_with_one_worker_with_two_and_in_fresh_interpreters(project: Path) -> None:
    kinds: list[dict[str, Any]] = [{"workers": 1}, {"workers": 2}, {"workers": 2, "start": "spawn"}]
    found = [carry_out(project, draw, seeds=3, reuse=False, **kind) for kind in kinds]
    assert len({repr([outcome.metrics for outcome in outcomes]) for outcomes in found}) == 1
    assert found[0][0].metrics != found[0][1].metrics


def test_a_trial_is_seeded_as_a_plain_call_with_the_seed_unchanged(project: Path) -> None:
    import random

    found = carry_out(project, draw, seeds=3)
    for outcome in found:
        random.seed(outcome.trial.seed)
        assert outcome.metrics["random"] == random.random()


def test_what_a_trial_prints_goes_into_the_folder_of_its_run(project: Path, capfd: pytest.CaptureFixture[str]) -> None:
    def train(config: object, seed: int) -> dict[str, float]:
        print("said aloud")
        os.write(2, b"said natively\n")
        return {"y": 1.0}

    (outcome,) = carry_out(project, train)
    text = (Store.open(project).runs.folder(outcome.run or "") / OUTPUT).read_text()
    assert sorted(text.splitlines()) == ["said aloud", "said natively"]
    assert "said" not in "".join(capfd.readouterr())


def test_a_trial_that_prints_nothing_leaves_a_start_and_a_result_alone(project: Path) -> None:
    """Its metrics are a series all the same. What was printed before a kill is kept."""

    def train(config: dict[str, bool], seed: int) -> dict[str, float]:
        if config["killed"]:
            os.write(1, b"last words")
            os.kill(os.getpid(), signal.SIGKILL)
        return {"y": 1.0}

    silent, killed = carry_out(project, train, [{"killed": False}, {"killed": True}])
    store = Store.open(project)
    assert sorted(path.name for path in store.runs.folder(silent.run or "").iterdir()) == ["result", "start"]
    assert series(store, silent.run or "")["y"].values == (1.0,)
    assert (store.runs.folder(killed.run or "") / OUTPUT).read_text() == "last words"


def test_children_of_a_trial_are_seen(project: Path) -> None:
    """Forked or executed; the folder for their reports is gone with the trial's end."""

    def train(config: object, seed: int) -> dict[str, float]:
        (project / "data").write_text("1")
        subprocess.run([sys.executable, "-c", "open('data'); open('made', 'w')"], cwd=project, check=True)
        return {"y": 1.0}

    (outcome,) = carry_out(project, train)
    store = Store.open(project)
    result = store.runs.read(outcome.run or "").result
    assert result is not None
    trace = store.objects.record(result.trace or "", Trace)
    assert {"made", "data"} <= {use.path for use in trace.written} and trace.processes > 1
    assert sorted(path.name for path in store.runs.folder(outcome.run or "").iterdir()) == ["result", "start"]


def test_writers_that_flush_at_exit_are_flushed(project: Path) -> None:
    def train(config: object, seed: int) -> dict[str, float]:
        import atexit

        atexit.register(Path("flushed").touch)
        return {"y": 1.0}

    os.chdir(project)
    carry_out(project, train)
    assert (project / "flushed").exists()


def test_the_recipe_has_code_function_parameters_seed_threads_and_hash_seed(project: Path) -> None:
    (outcome,) = carry_out(project, draw, [{"lr": 0.5}])
    store = Store.open(project)
    recipe = store.objects.record(store.runs.read(outcome.run or "").start.recipe, Recipe)
    assert recipe.function is not None and "draw" in recipe.function
    assert (recipe.params, recipe.seed, recipe.flags["PYTHONHASHSEED"]) == ({"lr": 0.5}, 0, "0")
    assert recipe.threads["OMP_NUM_THREADS"] == "1"
    assert recipe.code is not None and recipe.python is not None and recipe.packages is not None


def test_what_the_user_has_set_of_threads_and_hash_seed_stays() -> None:
    env = trial_environment({"OMP_NUM_THREADS": "4", "PYTHONHASHSEED": "9"})
    assert env["OMP_NUM_THREADS"] == "4"
    assert env["PYTHONHASHSEED"] == "9"
    assert not any(name in env for name in THREADS if name != "OMP_NUM_THREADS")


def test_what_cannot_be_shipped_is_refused_by_name_before_anything_runs(project: Path) -> None:
    lock = threading.Lock()

    def train(config: object, seed: int) -> dict[str, float]:
        with lock:
            return {"y": 1.0}

    with pytest.raises(InvalidValue, match="lock"):
        carry_out(project, train)
    assert Store.open(project).runs.ids() == []


def test_a_finished_run_is_reused_and_a_failed_one_is_not(project: Path) -> None:
    def train(config: dict[str, bool], seed: int) -> dict[str, float]:
        if config["fails"]:
            raise RuntimeError
        return {"y": float(seed)}

    both: list[dict[str, Any]] = [{"fails": False}, {"fails": True}]
    first, second = carry_out(project, train, both), carry_out(project, train, both)
    assert [outcome.reused for outcome in first] == [False, False]
    assert [outcome.reused for outcome in second] == [True, False]
    assert second[0].run == first[0].run
    assert second[0].metrics == first[0].metrics


def test_a_run_is_reused_only_while_the_data_that_it_read_is_unchanged(project: Path, tmp_path: Path) -> None:
    data = tmp_path / "data.bin"
    data.write_bytes(b"\1" * 10)

    def train(config: dict[str, str], seed: int) -> dict[str, float]:
        return {"sum": float(sum(Path(config["data"]).read_bytes()))}

    config = [{"data": str(data)}]
    assert [carry_out(project, train, config)[0].reused for _ in range(2)] == [False, True]
    status = data.stat()
    data.write_bytes(b"\2" * 10)
    os.utime(data, ns=(status.st_atime_ns, status.st_mtime_ns))  # size and time are those of the old content
    (outcome,) = carry_out(project, train, config)
    assert (outcome.reused, outcome.metrics) == (False, {"sum": 20.0})


def test_code_that_changed_is_not_taken_for_the_code_that_ran(project: Path) -> None:
    assert not carry_out(project, draw)[0].reused
    (project / "train.py").write_text("print('edited')\n")
    assert not carry_out(project, draw)[0].reused


def test_preparation_runs_once_for_each_block_and_each_trial_gets_a_fresh_copy(project: Path) -> None:
    def prepare(seed: int) -> list[float]:
        with open(project / "prepared.log", "a") as log:
            log.write(f"{seed}\n")
        return [float(seed)]

    def train(config: dict[str, float], seed: int, prepared: list[float]) -> dict[str, float]:
        prepared.append(config["a"])
        return {"y": sum(prepared), "length": float(len(prepared))}

    found = carry_out(project, train, [{"a": 10.0}, {"a": 20.0}], seeds=2, prepare=prepare)
    assert [outcome.metrics["y"] for outcome in found] == [10.0, 20.0, 11.0, 21.0]
    assert {outcome.metrics["length"] for outcome in found} == {2.0}
    assert sorted((project / "prepared.log").read_text().split()) == ["0", "1"]
    store = Store.open(project)
    parents = [store.runs.read(outcome.run or "").parents for outcome in found]
    assert all(any(parent.by == "prepare" for parent in group) for group in parents)
    assert parents[0] == parents[1] != parents[2]


def test_trials_whose_preparation_fails_say_so_and_are_not_run(project: Path) -> None:
    def prepare(seed: int) -> int:
        if seed == 1:
            raise OSError("no model")
        return seed

    found = carry_out(project, lambda config, seed, prepared: {"y": 1.0}, seeds=2, prepare=prepare)
    assert [outcome.state for outcome in found] == ["finished", "failed"]
    assert found[1].failure is not None and found[1].failure.text == "prepare failed: no model"
    assert found[1].run is None


def test_a_module_that_starts_its_study_when_imported_is_told_and_starts_no_more_than_one_server(project: Path) -> None:
    (project / "go").touch()
    (project / "loop.py").write_text(SCRIPT)
    done = subprocess.run([sys.executable, "-c", "import loop"], cwd=project, capture_output=True, text=True, timeout=120)
    assert done.returncode == 1
    assert '__name__ == "__main__"' in done.stderr
    assert Store.open(project).runs.ids() == []


def test_a_script_without_a_guard_runs_its_study(project: Path) -> None:
    (project / "go").touch()
    (project / "study.py").write_text(SCRIPT)
    done = subprocess.run([sys.executable, "study.py"], cwd=project, capture_output=True, text=True, timeout=120)
    assert done.stdout == "[({'y': 1.0}, False), ({'y': 2.0}, False), ({'y': 2.0}, False), ({'y': 3.0}, False)]\n", done.stderr


@pytest.fixture
def slow(project: Path) -> Iterator[subprocess.Popen[str]]:
    """A study whose second seed waits; given when that has begun and both runs of the baseline under the first seed have ended: a free
    worker does not wait for the other."""
    (project / ".gitignore").write_text("began\ngo\n")
    (project / "study.py").write_text(SCRIPT)
    process = subprocess.Popen([sys.executable, "study.py"], cwd=project, stderr=subprocess.PIPE, text=True)
    while not (project / "began").exists() or states(project).count("finished") < 2:
        assert process.poll() is None, process.communicate()
        time.sleep(0.01)
    yield process
    process.kill()
    process.communicate()


def descendants(pid: int) -> list[int]:
    children = [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return [*children, *(found for child in children for found in descendants(child))]


def await_death(pids: list[int]) -> None:
    deadline = time.monotonic() + 60
    while any(Path(f"/proc/{pid}").exists() for pid in pids):
        assert time.monotonic() < deadline, "processes were left behind"
        time.sleep(0.01)


def states(project: Path) -> list[str]:
    store = Store.open(project)
    return sorted(store.runs.read(run).state for run in store.runs.ids())


def test_a_killed_study_leaves_no_process_and_no_run_half_there_and_resumes(project: Path, slow: subprocess.Popen[str]) -> None:
    below = descendants(slow.pid)
    assert len(below) >= 2
    slow.send_signal(signal.SIGKILL)
    slow.wait()
    await_death(below)
    assert {"running", "crashed"}.isdisjoint(states(project))
    assert states(project).count("finished") == 2
    (project / "go").touch()
    done = subprocess.run([sys.executable, "study.py"], cwd=project, capture_output=True, text=True, timeout=120)
    assert done.stdout == "[({'y': 1.0}, True), ({'y': 2.0}, False), ({'y': 2.0}, False), ({'y': 3.0}, False)]\n", done.stderr


def test_ctrl_c_records_what_ran_as_interrupted_and_keeps_what_had_finished(project: Path, slow: subprocess.Popen[str]) -> None:
    below = descendants(slow.pid)
    slow.send_signal(signal.SIGINT)
    assert slow.wait(timeout=60) == 130
    await_death(below)
    assert set(states(project)) == {"finished", "interrupted"}
    assert states(project).count("finished") == 2
