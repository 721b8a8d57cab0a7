"""A whole process with one empty run: start, 3 parameters, 1 metric, finish. CPU above bare Python, all descendants counted.

Assay captures in full (a git tree of 100 files, every installed package); sacred keeps the script's own sources. Bar: at most .5 of
sacred's.
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

from measure import become_reaper, cpu_and_wall, medians, python, report
from trees import git_tree

ROUNDS = 15
OURS = """
import assay
with assay.run("empty", params={"lr": 0.1, "depth": 3, "name": "x"}) as run:
    run.log(loss=0.3, step=1)
"""
SACRED = """
from sacred import Experiment
from sacred.observers import FileStorageObserver
ex = Experiment("empty")
ex.observers.append(FileStorageObserver("sacred_runs"))
@ex.config
def config():
    lr = 0.1
    depth = 3
    name = "x"
@ex.main
def main(_run):
    _run.log_scalar("loss", 0.3, 1)
ex.run(options={"--loglevel": "ERROR"})
"""
SIGNAC = """
import signac
job = signac.init_project().open_job({"lr": 0.1, "depth": 3, "name": "x"}).init()
job.document.loss = 0.3
"""


def main() -> int:
    become_reaper()
    with tempfile.TemporaryDirectory() as folder:
        tree = git_tree(Path(folder) / "project", files=100)
        env = {**os.environ, "XDG_CACHE_HOME": str(Path(folder) / "cache")}
        for name, code in (("ours.py", OURS), ("with_sacred.py", SACRED), ("with_signac.py", SIGNAC), ("bare.py", "")):
            (tree / name).write_text(code)

        def cpu(script: str) -> float:
            return 1000 * cpu_and_wall([python(), script], cwd=tree, env=env)[0]

        total = medians(
            {
                "bare": lambda: cpu("bare.py"),
                "assay": lambda: cpu("ours.py"),
                "sacred": lambda: cpu("with_sacred.py"),
                "signac (captures nothing)": lambda: cpu("with_signac.py"),
            },
            ROUNDS,
        )
    above = {name: figure - total["bare"] for name, figure in total.items() if name != "bare"}
    return 0 if report("an empty run, CPU above bare Python", "ms", above, ours="assay", peer="sacred", bar=0.5) else 1


if __name__ == "__main__":
    sys.exit(main())
