"""The main job on real data: an ablation of a digit recogniser, its report, and one of its runs reproduced.

python examples/digits/demo.py [REPORT_FOLDER]
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import assay
from digits import Config, train

HERE = Path(__file__).resolve().parent
SEEDS = 5


def main() -> int:
    report_folder = Path(sys.argv[1] if len(sys.argv) > 1 else "demo-report").resolve()
    began = time.monotonic()
    study = assay.Study(
        train,
        baseline=Config(),
        components=[
            assay.remove("scaling", scaling=False),
            assay.remove("gradient features", gradients=False),
            assay.remove("augmentation", shifts=0),
            assay.remove("class weighting", class_weight=None),
            assay.replace("support vector machine", "logistic regression", model="logistic"),
            assay.replace("support vector machine", "random forest", model="forest"),
            assay.change("regularisation", "ten times stronger", regularisation=1.0),
        ],
        metrics=[
            assay.maximize("accuracy", margin=0.005),
            assay.maximize("balanced_accuracy", margin=0.005),
            assay.minimize("inference_ms", measured=True),
        ],
        seeds=SEEDS,
        configurations={"plain": {"scaling": False, "gradients": False, "shifts": 0, "class_weight": None}},
        hypotheses=[
            assay.hypothesis("augmentation", raises="accuracy", by=0.01),
            assay.hypothesis("class weighting", raises="balanced_accuracy"),
        ],
        name="digits",
        root=HERE,
    )
    plan = study.plan("leave-one-out")
    print(plan)
    result = study.run(plan, workers=2)
    print()
    print(result.table())
    print()
    for effect in result.effects:
        if effect.metric == "accuracy":
            print(f"- {effect.words}")
    for answer in result.answers:
        print(f"? {answer.hypothesis.words}: {answer.answer}")
    for finding in result.findings:
        print(f"! {finding.about}: {finding.text}")

    print("\nDoes one of these runs come back? A fresh folder, a fresh interpreter, the recorded code and seed:")
    project = assay.Project.open(HERE)
    run = project.resolve("max:accuracy")
    again, verdict = project.reproduce(run)
    print(f"{run.id[:8]} -> {again.id[:8]}: {verdict.verdict}")
    for metric in verdict.metrics:
        print(f"  {metric.name:20} {metric.a!s:22} {metric.b!s:22} {'measured' if metric.measured else metric.sameness}")

    result.report(report_folder)
    print(f"\nDone in {time.monotonic() - began:.0f} s. Report: {report_folder / 'index.html'}")
    return 0 if verdict.verdict == "identical" else 1


if __name__ == "__main__":
    sys.exit(main())
