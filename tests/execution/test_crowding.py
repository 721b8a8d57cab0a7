"""Trials that need more of a device than is free beside others: they run again by themselves, once, and that is said."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from assay.execution.functions import Callables, FunctionExecutor
from assay.execution.protocol import Job, Outcome
from assay.records.plan import Configuration, Trial
from assay.store.store import Store

Train = Callable[[dict[str, str], int], dict[str, float]]


def on_a_device(folder: Path, others: int) -> Train:
    """A function that has the device to itself for as long as it runs, and gives it back once so many others have found it taken."""
    place = str(folder)

    def train(config: dict[str, str], seed: int) -> dict[str, float]:
        device, refused = Path(place) / "device", Path(place) / "refused"
        refused.mkdir(exist_ok=True)
        try:
            device.touch(exist_ok=False)
        except FileExistsError:
            (refused / str(seed)).touch()
            raise RuntimeError("CUDA out of memory. Tried to allocate 60.00 GiB") from None
        if config["needs"] == "more than there is":
            device.unlink()
            raise RuntimeError("CUDA out of memory. Tried to allocate 600.00 GiB")
        end = time.monotonic() + 60
        while len(list(refused.iterdir())) < others and time.monotonic() < end:
            time.sleep(0.01)
        device.unlink()
        return {"y": float(seed)}

    return train


def carry_out(project: Path, train: Train, seeds: int, workers: int, needs: str = "") -> tuple[FunctionExecutor, list[Outcome]]:
    executor = FunctionExecutor(Store.open(project), project, Callables(train, lambda one: one.params, None))
    configuration = Configuration(name="c", params={"needs": needs})
    jobs = [Job(Trial(index=seed, configuration="c", block=seed, seed=seed), configuration) for seed in range(seeds)]
    return executor, executor.carry_out(jobs, study="s", workers=workers, report=lambda _: None)


def test_what_does_not_fit_beside_another_runs_again_alone(project: Path, tmp_path: Path) -> None:
    folder = tmp_path / "device of the test"
    folder.mkdir()
    executor, found = carry_out(project, on_a_device(folder, 2), 3, 3)
    assert [(one.state, one.metrics) for one in found] == [("finished", {"y": float(seed)}) for seed in range(3)]
    assert [finding.kind for finding in executor.findings] == ["device memory"]
    states = sorted(run.state for run in Store.open(project).catalogue.runs())
    assert states == ["failed", "failed", "finished", "finished", "finished"], "failed runs are kept"


@pytest.mark.parametrize(("workers", "runs"), [(1, 1), (2, 2)])
def test_what_does_not_fit_at_all_fails_once_more_and_no_more(project: Path, tmp_path: Path, workers: int, runs: int) -> None:
    _, (outcome,) = carry_out(project, on_a_device(tmp_path, 0), 1, workers, needs="more than there is")
    assert outcome.state == "failed" and outcome.failure is not None and "600.00 GiB" in outcome.failure.text
    assert len(list(Store.open(project).catalogue.runs())) == runs
