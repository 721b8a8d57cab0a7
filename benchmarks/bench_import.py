"""CPU to import Assay, above bare Python, beside signac's and sacred's. Bar: at most .65 of signac's."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from measure import become_reaper, cpu_and_wall, medians, python, report

ROUNDS = 15


def main() -> int:
    become_reaper()
    with tempfile.TemporaryDirectory() as folder:

        def cpu(code: str) -> float:
            return 1000 * cpu_and_wall([python(), "-c", code], cwd=Path(folder))[0]

        # The second line of Assay's is what a first use loads: `import assay` alone is lazy, and would flatter.
        total = medians(
            {
                "bare": lambda: cpu("pass"),
                "assay": lambda: cpu("import assay"),
                "assay, names used": lambda: cpu("import assay; assay.run, assay.start"),
                "signac": lambda: cpu("import signac"),
                "sacred": lambda: cpu("import sacred"),
            },
            ROUNDS,
        )
    above = {name: figure - total["bare"] for name, figure in total.items() if name != "bare"}
    met = report("import, CPU above bare Python", "ms", above, ours="assay", peer="signac", bar=0.65)
    return (
        0
        if report("the same, with what a run needs", "ms", above, ours="assay, names used", peer="signac", bar=0.65) and met
        else 1
    )


if __name__ == "__main__":
    sys.exit(main())
