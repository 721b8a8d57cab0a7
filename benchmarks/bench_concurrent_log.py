"""8 processes that log at once, each into a run of its own in one store. Bar: no error, every point there, .5 of raw appends.

A raw append is what `bench_log.py` takes for one: a point as a line of JSON, by one `os.write` to a file of the process's own in the same
folder. Shown too, and no bar: as many bytes as a point takes in the journal, which were made before, so that nothing is left to do but the
call of the kernel.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from assay.store.store import Store
from assay.tracking.series import series
from measure import python
from trees import git_tree

PROCESSES, POINTS, ROUNDS = 8, 5000, 5
BAR = 0.5
POINT = {"loss": 0.25, "accuracy": 0.5, "precision": 0.25, "recall": 0.125}
# Each begins when all are ready (a line on standard input) and says how long it took.
FRAME = """
import json, os, sys, time
POINT, POINTS = json.loads(sys.argv[1]), int(sys.argv[2])
{before}
print("ready", flush=True)
sys.stdin.readline()
started = time.monotonic()
for step in range(POINTS):
    {each}
print(json.dumps([started, time.monotonic(), {after}]), flush=True)
{end}
"""
OPEN = 'file = os.open(f"raw-{os.getpid()}", os.O_WRONLY | os.O_APPEND | os.O_CREAT)'
OURS = FRAME.format(
    before='import assay\nrun = assay.start("log")', each="run.log(step=step, **POINT)", after="run.id", end="run.finish()"
)
RAW = FRAME.format(before=OPEN + '\ndata = b"x" * int(sys.argv[3])', each="os.write(file, data)", after="0", end="")
JSON = FRAME.format(
    before=OPEN,
    each='os.write(file, (json.dumps({"step": step, "time": time.time(), **POINT}) + "\\n").encode())',
    after="0",
    end="",
)


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        os.environ["XDG_CACHE_HOME"] = str(Path(folder) / "cache")
        tree = git_tree(Path(folder) / "project", files=10)
        (tree / ".git" / "info" / "exclude").write_text("raw-*\n")
        errors = 0
        _, runs = together(tree, OURS)  # finds out how many bytes a point takes
        size = bytes_of(tree, runs[0]) // POINTS
        names = {"assay run.log": OURS, "json.dumps + os.write": JSON, "os.write of bytes made before": RAW}
        figures: dict[str, list[float]] = {name: [] for name in names}
        for _ in range(ROUNDS):
            for name, script in names.items():
                rate, ids = together(tree, script, size)
                figures[name].append(rate)
                errors += sum(count(tree, run) != POINTS for run in ids) if script is OURS else 0
    rates = {name: statistics.median(found) for name, found in figures.items()}
    ratio = rates["assay run.log"] / rates["json.dumps + os.write"]
    print(f"{PROCESSES} processes at once, {POINTS:,} points of {len(POINT)} metrics each, {size} bytes a point")
    for name, rate in rates.items():
        print(f"  {name:30} {rate:12,.0f} points a second")
    print(f"  runs that lack a point: {errors} of {PROCESSES * ROUNDS}")
    print(
        f"  ratio assay run.log / os.write of bytes made before {rates['assay run.log'] / rates['os.write of bytes made before']:.2f}"
    )
    met = ratio >= BAR and errors == 0
    print(f"  ratio assay run.log / json.dumps + os.write {ratio:.2f}   bar {BAR:g}, no errors: {'met' if met else 'MISSED'}")
    return 0 if met else 1


def together(tree: Path, script: str, size: int = 0) -> tuple[float, list[str]]:
    """Points a second, from the first beginning to the last end, and what each process said."""
    command = [python(), "-c", script, json.dumps(POINT), str(POINTS), str(size)]
    started = [
        subprocess.Popen(command, cwd=tree, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(PROCESSES)
    ]
    for process in started:
        assert process.stdout is not None
        if process.stdout.readline() != "ready\n":
            raise SystemExit("a process could not begin")
    for process in started:
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
    said = [json.loads(process.communicate()[0]) for process in started]
    if any(process.returncode for process in started):
        raise SystemExit("a process failed")
    first, last = min(begin for begin, _, _ in said), max(end for _, end, _ in said)
    return PROCESSES * POINTS / (last - first), [run for _, _, run in said]


def bytes_of(tree: Path, run: str) -> int:
    return sum(path.stat().st_size for path in (Store.open(tree).runs.folder(run)).rglob("*") if "journal" in str(path))


def count(tree: Path, run: str) -> int:
    return len(series(Store.open(tree), run)["loss"].values)


if __name__ == "__main__":
    sys.exit(main())
