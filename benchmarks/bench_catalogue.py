"""100,000 runs: those that fulfil an expression, sorted by a metric, the first 20. Bars: 10 ms in process, 250 ms as a command.

Beside it: the same question to a plain table of SQLite with a column for each value and an index over the sort key. The runs are real records in
a real store, which takes some minutes to fill; the index over them is made before anything is measured, and its time is shown.
"""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from assay.records.recipe import Recipe
from assay.records.run import Metric, Result, Start
from assay.store.process import this_process
from assay.store.runs import new_run_id
from assay.store.store import Store
from measure import medians, python

RUNS, LIMIT, ROUNDS = int(os.environ.get("BENCH_RUNS", "100000")), 20, 5
WHERE, SORT = "metrics.loss < 0.5 and params.lr == 0.1", "-metrics.accuracy"
QUESTION = "SELECT id FROM plain WHERE loss < 0.5 AND lr = 0.1 ORDER BY accuracy DESC LIMIT 20"
IN_PROCESS_MS, COMMAND_MS = 10.0, 250.0


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        os.environ["XDG_CACHE_HOME"] = str(Path(folder) / "cache")
        root = Path(folder) / "project"
        root.mkdir()
        plain = sqlite3.connect(":memory:")
        fill(Store.open(root), plain)
        store = Store.open(root)
        started = time.perf_counter()
        store.catalogue.count()
        print(f"an index over {RUNS:,} runs, made once: {time.perf_counter() - started:.1f} s")
        expected = [row[0] for row in plain.execute(QUESTION)]
        if [run.id for run in store.catalogue.runs(where=WHERE, sort=SORT, limit=LIMIT)] != expected:
            raise SystemExit("the catalogue and the plain table answer differently")
        figures = medians(
            {
                "assay, in process": lambda: ask(store),
                "plain SQLite, in process": lambda: milliseconds(lambda: plain.execute(QUESTION).fetchall()),
                "assay ls, as a command": lambda: milliseconds(lambda: command(root)),
            },
            ROUNDS,
        )
    print(f"{RUNS:,} runs, `{WHERE}`, by {SORT}, the first {LIMIT}, wall")
    for name, figure in figures.items():
        print(f"  {name:30} {figure:10.2f} ms")
    inside, _, outside = figures.values()
    print(f"  bar {IN_PROCESS_MS:g} ms in process: {'met' if inside <= IN_PROCESS_MS else 'MISSED'}")
    print(f"  bar {COMMAND_MS:g} ms as a command: {'met' if outside <= COMMAND_MS else 'MISSED'}")
    return 0 if inside <= IN_PROCESS_MS and outside <= COMMAND_MS else 1


def fill(store: Store, plain: sqlite3.Connection) -> None:
    plain.execute("CREATE TABLE plain (id TEXT, lr REAL, loss REAL, accuracy REAL)")
    plain.execute("CREATE INDEX by_accuracy ON plain (accuracy)")
    rates = (0.1, 0.01, 0.001)
    recipes = {lr: store.objects.put_record(Recipe(params={"lr": lr})) for lr in rates}
    begin, host = time.time() - 2 * RUNS, this_process()
    for number in range(RUNS):
        # Multiples of a prime walk through all values below the modulus, in no order that follows the runs'.
        lr, loss, accuracy = rates[number % 3], number * 7919 % RUNS / RUNS, number * 104729 % RUNS / RUNS
        writer = store.runs.create(Start(id=new_run_id(), recipe=recipes[lr], started=begin + number, host=host))
        metrics = {"loss": metric(loss), "accuracy": metric(accuracy)}
        writer.finish(Result(state="finished", ended=begin + number + 1, params={"lr": lr}, metrics=metrics))
        plain.execute("INSERT INTO plain VALUES (?, ?, ?, ?)", (writer.id, lr, loss, accuracy))


def metric(value: float) -> Metric:
    return Metric(last=value, minimum=value, maximum=value, mean=value)


def ask(store: Store) -> float:
    return milliseconds(lambda: store.catalogue.runs(where=WHERE, sort=SORT, limit=LIMIT))


def command(root: Path) -> None:
    subprocess.run(
        [python(), "-m", "assay", "ls", "--where", WHERE, "--sort", SORT, "--limit", str(LIMIT)],
        cwd=root, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip


def milliseconds(act: Callable[[], object]) -> float:
    started = time.perf_counter()
    act()
    return 1000 * (time.perf_counter() - started)


if __name__ == "__main__":
    sys.exit(main())
