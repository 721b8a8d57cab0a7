"""What becomes of trials when their jobs end: jobs here are processes of this machine, which are really killed."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from assay.errors import ExecutorUnusable, InvalidStudy, TrialsFailed
from assay.execution.elsewhere.crew import Crew
from assay.execution.elsewhere.keeper import keeper_command
from assay.execution.elsewhere.meeting import Invitation
from assay.execution.elsewhere.place import Sighting
from assay.execution.elsewhere.pool import FarPool
from assay.execution.functions import Callables, FunctionExecutor
from assay.execution.protocol import Job, Outcome
from assay.records.plan import Configuration, Trial
from assay.store.store import Store


class Processes:
    """A place whose jobs are processes of this machine; `late` are those that are said to have ended by their limit of time."""

    name = "the test"

    def __init__(self, command: Sequence[str] = ()) -> None:
        self.command = command
        self.jobs: dict[str, subprocess.Popen[bytes]] = {}
        self.late: set[str] = set()

    def submit(self, invitation: Invitation) -> str:
        job = str(len(self.jobs) + 1)
        command = self.command or keeper_command(invitation, "SLURM_JOB_ID")
        self.jobs[job] = subprocess.Popen(command, env={**os.environ, "SLURM_JOB_ID": job}, stderr=subprocess.DEVNULL)
        return job

    def look(self, jobs: Sequence[str]) -> dict[str, Sighting]:
        codes = {job: self.jobs[job].poll() for job in jobs}
        return {
            job: Sighting("RUNNING" if code is None else "ENDED", code is not None, exit_code=code, timed_out=job in self.late)
            for job, code in codes.items()
        }

    def cancel(self, jobs: Sequence[str]) -> None:
        for job in jobs:
            self.jobs[job].terminate()

    def said(self, job: str, folder: Path) -> str:
        return ""

    def leave(self) -> None:
        pass


@pytest.fixture
def place() -> Iterator[Processes]:
    place = Processes()
    yield place
    for process in place.jobs.values():
        process.kill()
        process.wait()


def carry_out(root: Path, place: Processes, train: Callable[..., object], number: int = 1, workers: int = 1) -> list[Outcome]:
    with Crew(place) as crew:
        calls = Callables(train, lambda configuration: configuration.params)
        executor = FunctionExecutor(
            Store.open(root), root, calls, pools=lambda setup, take: FarPool(crew, setup, take), reuse=False
        )
        jobs = [Job(Trial(index=i, configuration="c", block=i, seed=i), Configuration(name="c", params={})) for i in range(number)]
        return executor.carry_out(jobs, study="s", workers=workers, report=lambda _: None)


def parent(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


def test_a_server_that_is_killed_loses_its_trial_alone_and_its_job_goes_on(project: Path, place: Processes) -> None:
    def train(config: dict[str, Any], seed: int) -> dict[str, float]:
        if seed == 0:
            os.kill(os.getppid(), signal.SIGKILL)
            time.sleep(600)
        return {"y": float(seed)}

    found = carry_out(project, place, train, 2)
    assert [one.state for one in found] == ["crashed", "finished"] and len(place.jobs) == 1
    assert "the process that starts trials in job 1" in found[0].failure.text and "signal 9" in found[0].failure.text
    # Whether the server could still pass on which run it was, or not: the store has it.
    assert sorted(run.state for run in Store.open(project).catalogue.runs()) == ["crashed", "finished"]


def test_a_job_that_is_killed_with_all_its_processes_loses_its_trial_alone(project: Path, place: Processes) -> None:
    def train(config: dict[str, Any], seed: int) -> dict[str, float]:
        if seed == 0:
            os.kill(parent(os.getppid()), signal.SIGKILL)
            time.sleep(600)
        return {"y": float(seed)}

    found = carry_out(project, place, train, 2)
    assert [one.state for one in found] == ["crashed", "finished"] and len(place.jobs) == 2
    assert "job 1 of the test" in found[0].failure.text and "ended: ENDED" in found[0].failure.text


def test_a_trial_cut_off_by_the_time_that_others_used_begins_again_and_one_that_had_it_all_crashes(
    project: Path, place: Processes, tmp_path: Path
) -> None:
    place.late |= {"1", "2", "3"}
    folder = str(tmp_path)

    def train(config: dict[str, Any], seed: int) -> dict[str, float]:
        begun = Path(folder) / f"begun-{seed}"
        if seed == 2 or (seed == 1 and not begun.exists()):
            begun.touch()
            os.kill(parent(os.getppid()), signal.SIGTERM)
            time.sleep(600)
        return {"y": float(seed)}

    found = carry_out(project, place, train, 3)
    assert [one.state for one in found] == ["finished", "finished", "crashed"]
    assert len(place.jobs) == 3


def test_a_job_for_which_nothing_is_left_gives_its_machine_back(
    project: Path, place: Processes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("assay.execution.elsewhere.pool._IDLE", 0.0)
    folder = str(tmp_path)

    def train(config: dict[str, Any], seed: int) -> dict[str, float]:
        keepers = [Path(folder) / f"keeper-{number}" for number in (0, 1)]
        keepers[seed].write_text(str(parent(os.getppid())))
        while not all(file.exists() and file.read_text() for file in keepers):  # each has a job of its own
            time.sleep(0.05)
        while seed and Path(f"/proc/{keepers[0].read_text()}/exe").exists():
            time.sleep(0.05)
        return {"y": float(seed)}

    assert [one.state for one in carry_out(project, place, train, 2, workers=2)] == ["finished", "finished"]


def test_a_trial_that_is_stopped_alone_is_interrupted_and_its_server_goes_on(
    project: Path, place: Processes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("assay.execution.elsewhere.pool._ENDING", 0.2)

    def train(config: dict[str, Any], seed: int) -> dict[str, float]:
        if seed == 0:
            raise KeyboardInterrupt
        return {"y": float(seed)}

    found = carry_out(project, place, train, 2)
    assert [one.state for one in found] == ["interrupted", "finished"] and len(place.jobs) == 1


def test_jobs_that_end_before_a_trial_end_the_study_with_the_reason(project: Path) -> None:
    place = Processes(["sh", "-c", "exit 127"])
    with pytest.raises(
        ExecutorUnusable, match="job 1 of the test ended before it had begun a trial: it does not see the study's Python"
    ):
        carry_out(project, place, lambda config, seed: {"y": 1.0})
    place = Processes(["true"])
    with pytest.raises(ExecutorUnusable, match="job 3 of the test ended before it had begun a trial: ENDED"):
        carry_out(project, place, lambda config, seed: {"y": 1.0})


def test_a_keeper_that_does_not_see_the_folder_says_so(project: Path, place: Processes, monkeypatch: pytest.MonkeyPatch) -> None:
    def elsewhere(invitation: Invitation) -> str:
        return Processes.submit(place, invitation._replace(folder="/nowhere"))

    monkeypatch.setattr(place, "submit", elsewhere)
    with pytest.raises(ExecutorUnusable, match="it does not see the study's folder"):
        carry_out(project, place, lambda config, seed: {"y": 1.0})


class Unloadable:
    """A function that kills, or fails, whoever loads it."""

    def __init__(self, how: str) -> None:
        self.how = how

    def __call__(self, config: dict[str, Any], seed: int) -> dict[str, float]:
        return {"y": 1.0}

    def __reduce__(self) -> tuple[object, ...]:
        return (os._exit, (3,)) if self.how == "dies" else (int, ("x",))


@pytest.mark.parametrize(("how", "error"), [("dies", TrialsFailed), ("fails", InvalidStudy)])
def test_a_function_that_cannot_be_loaded_ends_the_study(project: Path, place: Processes, how: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        carry_out(project, place, Unloadable(how))
