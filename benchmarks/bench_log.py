"""`run.log` of 4 metrics at a step, durable against SIGKILL, beside one raw JSON line by `os.write`. Bar: at most 1.2 of it.

Both end in one write(2) to a file of the same folder before they return; what the kernel has, SIGKILL cannot take.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from pathlib import Path

import assay
from measure import medians, report
from trees import git_tree

POINTS = 20_000
ROUNDS = 9


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        os.environ["XDG_CACHE_HOME"] = str(Path(folder) / "cache")
        tree = git_tree(Path(folder) / "project", files=10)
        raw = os.open(tree / "raw.jsonl", os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        run = assay.start("log", root=tree)

        def ours() -> float:
            started = time.perf_counter()
            for step in range(POINTS):
                run.log(step=step, loss=0.25 + step, accuracy=0.5, precision=0.25, recall=0.125)
            return 1e6 * (time.perf_counter() - started) / POINTS

        def json_line() -> float:
            started = time.perf_counter()
            for step in range(POINTS):
                point = {
                    "step": step,
                    "time": time.time(),
                    "loss": 0.25 + step,
                    "accuracy": 0.5,
                    "precision": 0.25,
                    "recall": 0.125,
                }
                os.write(raw, (json.dumps(point) + "\n").encode())
            return 1e6 * (time.perf_counter() - started) / POINTS

        figures = medians({"assay run.log": ours, "json.dumps + os.write": json_line}, ROUNDS)
        run.finish()
        os.close(raw)
    return (
        0 if report("4 metrics at a step, wall", "µs", figures, ours="assay run.log", peer="json.dumps + os.write", bar=1.2) else 1
    )


if __name__ == "__main__":
    sys.exit(main())
