"""`assay run python -c pass` beside `python -c pass`: wall time above bare. Bar: at most 200 ms."""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

from measure import become_reaper, cpu_and_wall, medians, python
from trees import git_tree

ROUNDS = 15
BAR_MS = 200.0


def main() -> int:
    become_reaper()
    with tempfile.TemporaryDirectory() as folder:
        tree = git_tree(Path(folder) / "project", files=100)
        env = {**os.environ, "XDG_CACHE_HOME": str(Path(folder) / "cache")}
        assay = str(Path(python()).with_name("assay"))
        figures = medians(
            {
                "python -c pass": lambda: 1000 * cpu_and_wall([python(), "-c", "pass"], cwd=tree, env=env)[1],
                "assay run python -c pass": lambda: (
                    1000 * cpu_and_wall([assay, "run", "--", python(), "-c", "pass"], cwd=tree, env=env)[1]
                ),
            },
            ROUNDS,
        )
    above = figures["assay run python -c pass"] - figures["python -c pass"]
    print("a recorded command, wall time")
    for name, figure in figures.items():
        print(f"  {name:44} {figure:10.1f} ms")
    print(f"  {'above bare':44} {above:10.1f} ms   bar {BAR_MS:g}: {'met' if above <= BAR_MS else 'MISSED'}")
    return 0 if above <= BAR_MS else 1


if __name__ == "__main__":
    sys.exit(main())
