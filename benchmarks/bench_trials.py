"""Clean trials a second: an empty trial, 2 workers, every trial a recorded run. Bar: at least 150, as the median of several rounds.

Beside each round: small files made a second in the same place just before it, and CPU milliseconds a trial, of all processes. Disks that
are shared or worn, and neighbours, move the rate; the CPU a trial moves least. Beside them, in the same run: bare forks a second, and new
interpreters a second (what a trial by `python -c` costs). A trial makes a folder and three files that stay.
"""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

import assay
from measure import python
from trees import git_tree

TRIALS = 600
WORKERS = 2
ROUNDS = 5
BAR = 150.0


class Round(NamedTuple):
    """Trials a second, CPU seconds a trial, and files a second just before."""

    trials: float
    cpu: float
    files: float


def empty(config: dict[str, int], seed: int) -> dict[str, float]:
    return {"score": float(seed + config["a"])}


def one_round(folder: Path) -> Round:
    """In a project of its own, so that nothing is reused."""
    files = files_a_second(folder / "files")
    study = assay.Study(
        empty,
        baseline={"a": 1, "b": 1},
        components=[assay.change("a", "two", a=2), assay.change("b", "two", b=2)],
        metrics=[assay.maximize("score")],
        seeds=TRIALS // 3,
        root=git_tree(folder / "project", files=100),
    )
    plan = study.plan("leave-one-out")
    started, used = time.perf_counter(), cpu_seconds()
    result = study.run(plan, workers=WORKERS)
    elapsed, used = time.perf_counter() - started, cpu_seconds() - used
    finished = [row for row in result.evidence.rows if row.state == "finished" and not row.reused]
    if len(finished) != TRIALS:
        raise SystemExit(f"{len(finished)} of {TRIALS} trials finished")
    return Round(TRIALS / elapsed, used / TRIALS, files)


def cpu_seconds() -> float:
    """Of this process and of all that it has waited for."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


def forks_a_second(count: int = 400) -> float:
    started = time.perf_counter()
    for _ in range(count):
        pid = os.fork()
        if pid == 0:
            os._exit(0)
        os.waitpid(pid, 0)
    return count / (time.perf_counter() - started)


def files_a_second(folder: Path, count: int = 600) -> float:
    """Each in a new folder, as a run's files are."""
    started = time.perf_counter()
    for number in range(count):
        made = folder / f"{number}"
        made.mkdir(parents=True)
        (made / "file").write_bytes(bytes(500))
    return 2 * count / (time.perf_counter() - started)


def interpreters_a_second(count: int = 40) -> float:
    started = time.perf_counter()
    for _ in range(count):
        subprocess.run([python(), "-c", "pass"], check=True)
    return count / (time.perf_counter() - started)


def main() -> int:
    rounds = []
    for _ in range(ROUNDS):
        with tempfile.TemporaryDirectory() as folder:
            os.environ["XDG_CACHE_HOME"] = str(Path(folder) / "cache")
            rounds.append(one_round(Path(folder)))
    ours = statistics.median(each.trials for each in rounds)
    print(f"clean, recorded trials a second, {WORKERS} workers, start of the server included")
    print(f"  {'assay, median of the rounds':44} {ours:10.0f} /s   bar {BAR:g}: {'met' if ours >= BAR else 'MISSED'}")
    print(f"  {'CPU a trial, all processes, median':44} {1e3 * statistics.median(each.cpu for each in rounds):10.1f} ms")
    for number, each in enumerate(rounds, 1):
        print(
            f"    round {number}: {each.trials:5.0f} trials/s, {1e3 * each.cpu:5.1f} ms CPU a trial, {each.files:6.0f} small files/s"
        )
    print(f"  {'bare fork + wait, one after another':44} {forks_a_second():10.0f} /s")
    print(f"  {'new interpreters, one after another':44} {interpreters_a_second():10.0f} /s")
    return 0 if ours >= BAR else 1


if __name__ == "__main__":
    sys.exit(main())
