"""Clean trials a second: an empty trial, 2 workers, every trial a recorded run. Bar: at least 150.

Beside it, in the same run: bare forks a second and small files made a second in the same place (the physical limits: a trial is one fork
and six files), and new interpreters a second (what a trial by `python -c` costs).
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import assay
from measure import python
from trees import git_tree

TRIALS = 600
WORKERS = 2
BAR = 150.0


def empty(config: dict[str, int], seed: int) -> dict[str, float]:
    return {"score": float(seed + config["a"])}


def trials_a_second(tree: Path) -> float:
    study = assay.Study(
        empty,
        baseline={"a": 1, "b": 1},
        components=[assay.change("a", "two", a=2), assay.change("b", "two", b=2)],
        metrics=[assay.maximize("score")],
        seeds=TRIALS // 3,
        root=tree,
    )
    plan = study.plan("leave-one-out")
    started = time.perf_counter()
    result = study.run(plan, workers=WORKERS)
    elapsed = time.perf_counter() - started
    finished = [row for row in result.evidence.rows if row.state == "finished" and not row.reused]
    if len(finished) != TRIALS:
        raise SystemExit(f"{len(finished)} of {TRIALS} trials finished")
    return TRIALS / elapsed


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
    with tempfile.TemporaryDirectory() as folder:
        os.environ["XDG_CACHE_HOME"] = str(Path(folder) / "cache")
        ours = trials_a_second(git_tree(Path(folder) / "project", files=100))
        files = files_a_second(Path(folder) / "files")
    print(f"clean, recorded trials a second, {WORKERS} workers, start of the server included")
    print(f"  {'assay':44} {ours:10.0f} /s   bar {BAR:g}: {'met' if ours >= BAR else 'MISSED'}")
    print(f"  {'bare fork + wait, one after another':44} {forks_a_second():10.0f} /s")
    print(f"  {'folders and small files made, one by one':44} {files:10.0f} /s")
    print(f"  {'new interpreters, one after another':44} {interpreters_a_second():10.0f} /s")
    return 0 if ours >= BAR else 1


if __name__ == "__main__":
    sys.exit(main())
