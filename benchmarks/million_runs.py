"""A store of one million runs, made on the spot, and what the everyday commands take in it: wall seconds and peak memory of each.

Not a benchmark beside a peer, and not among those of `make bench`: making the folders takes minutes and about 13 GiB of disk. The runs are
written as `Runs` writes them, without the renames. The first command builds the catalogue, which is the price of `reindex` as well; all
others must not grow with the number of runs beyond a listing of their folder.

    python benchmarks/million_runs.py [RUNS] [FOLDER]     a FOLDER that was made before is used again
"""

from __future__ import annotations

import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from assay.records.canonical import canonical
from assay.records.recipe import Recipe
from assay.records.run import Metric, Result, Start
from assay.records.trace import FileUse, Trace
from assay.store.process import this_process
from assay.store.runs import new_run_id
from assay.store.store import Store

RECIPES = 1000
COMMANDS = {
    "ls (builds the catalogue)": ["ls"],
    "ls": ["ls"],
    "ls --json --limit 20": ["ls", "--json", "--limit", "20"],
    "ls --where --sort": ["ls", "--where", "metrics.loss < .001 and params.lr > .5", "--sort", "metrics.loss"],
    "ls --where (half of them)": ["ls", "--where", "metrics.loss < .5"],
    "show last": ["show", "last"],
    "show PREFIX": ["show", "PREFIX"],
    "show min:loss": ["show", "min:loss"],
    "run true": ["run", "true"],
    "show last, after it": ["show", "last"],
    "run python -c pass": ["run", sys.executable, "-c", "pass"],
    "reindex": ["reindex"],
}


def make(root: Path, runs: int) -> None:
    """Fill the store of the project at `root`."""
    store = Store.open(root)
    dice = random.Random(0)
    params = [{"lr": dice.random(), "seed": number, "model": f"m{number % 7}"} for number in range(RECIPES)]
    recipes = [store.objects.put_record(Recipe(params=values)) for values in params]
    traces = [
        store.objects.put_record(Trace(written=(FileUse(path="out.txt", id=store.objects.put(b"%d" % number), kept=True),)))
        for number in range(RECIPES)
    ]
    here = this_process()
    began = time.time() - 10 * runs
    for number in range(runs):
        which = number % RECIPES
        start = Start(id=new_run_id(), recipe=recipes[which], name=f"run{number}", started=began + 10 * number, host=here)
        loss = dice.random()
        metrics = {"loss": Metric(last=loss, minimum=loss, maximum=1.0, mean=0.5, n=9)}
        result = Result(state="finished", ended=start.started + 5, metrics=metrics, params=params[which], trace=traces[which])
        folder = f"{store.path}/runs/{start.id}"
        os.mkdir(folder)  # noqa: PTH102 - a million of them
        for name, record in (("start", start), ("result", result)):
            descriptor = os.open(f"{folder}/{name}", os.O_WRONLY | os.O_CREAT, 0o444)
            os.write(descriptor, canonical(record))
            os.close(descriptor)


def measured(arguments: list[str], root: Path) -> tuple[float, float]:
    """Wall seconds of a command, and the peak of its memory in MiB."""
    before = time.perf_counter()
    with subprocess.Popen([sys.executable, "-m", "assay", *arguments], cwd=root, stdout=subprocess.DEVNULL) as process:
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"assay {' '.join(arguments)} ended with {process.returncode}")
    return time.perf_counter() - before, usage.ru_maxrss / 1024


def main(runs: int, root: Path) -> None:
    """Make what is not there, then print the table."""
    os.environ["XDG_CACHE_HOME"] = str(root / "cache")
    if not (root / ".assay").exists():
        before = time.perf_counter()
        make(root, runs)
        print(f"{runs:,} runs made in {time.perf_counter() - before:.0f} s", flush=True)
    some = next(iter(os.scandir(root / ".assay" / "runs"))).name
    print(f"  {'':28} {'seconds':>9} {'MiB':>8}")
    for name, arguments in COMMANDS.items():
        seconds, memory = measured([some if word == "PREFIX" else word for word in arguments], root)
        print(f"  {name:28} {seconds:9.2f} {memory:8.0f}", flush=True)


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    if len(sys.argv) > 2:
        Path(sys.argv[2]).mkdir(parents=True, exist_ok=True)
        main(count, Path(sys.argv[2]))
    else:
        with tempfile.TemporaryDirectory() as made:
            main(count, Path(made))
