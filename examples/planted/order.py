"""Does the convolution matter? Only where the positions are in their order: the published interaction of mnist1d, found by a factorial.

python examples/planted/order.py [STEPS]
"""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import assay
from one_dimensional import Config, train

HERE = Path(__file__).resolve().parent


def make_study(steps: int = Config.steps, seeds: int = 3, root: Path = HERE) -> assay.Study:
    """Two components, all four combinations."""
    return assay.Study(
        train,
        baseline=replace(Config(), steps=steps),
        components=[
            assay.replace("convolution", "perceptron", model="perceptron"),
            assay.change("order", "shuffled", shuffled=True),
        ],
        metrics=[assay.maximize("accuracy", margin=0.03)],
        seeds=seeds,
        name="order",
        root=root,
    )


def main() -> int:
    study = make_study(steps=int(sys.argv[1]) if len(sys.argv) > 1 else Config.steps)
    result = study.run(study.plan("full"), workers=2)
    print(result.table())
    for said in (*result.effects, *result.interactions):
        print(f"- {said.words}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
