"""Studies whose answer is known: what was planted in `planted.py`, asked with several designs, and what each of them finds.

python examples/planted/study.py [DESIGN...]
"""

from __future__ import annotations

import sys
from pathlib import Path

import assay
from planted import Config, train

HERE = Path(__file__).resolve().parent
DESIGNS = ("leave-one-out", "pairs", "full", "fractional", "shapley")
TRUTH = """Planted: pad and cipher are worth 12 points together and nothing alone; relabelling costs 5 points; stream changes every number and no
expectation; incense changes nothing at all."""


def make_study(seeds: int = 5, root: Path = HERE) -> assay.Study:
    """The study; its components are in the order of what was planted."""
    return assay.Study(
        train,
        baseline=Config(),
        components=[
            assay.remove("pad", pad=False),
            assay.remove("cipher", cipher=False),
            assay.remove("relabelling", relabel=0.0),
            assay.change("stream", "another", stream=1),
            assay.remove("incense", incense=0.0),
        ],
        metrics=[assay.maximize("accuracy", margin=0.03)],
        seeds=seeds,
        configurations={"neither bit": {"pad": False, "cipher": False}},
        hypotheses=[assay.hypothesis("pad", raises="accuracy", by=0.02), assay.hypothesis("stream", raises="accuracy")],
        name="planted",
        root=root,
    )


def main() -> int:
    print(TRUTH)
    for design in sys.argv[1:] or DESIGNS:
        study = make_study()
        result = study.run(study.plan(design), workers=2)
        print(f"\n{design}: {len(result.outcomes)} trials")
        for effect in result.effects:
            print(f"- {effect.words}")
        for interaction in result.interactions:
            if interaction.verdict == "matters":
                print(f"× {interaction.words}")
        for finding in result.findings:
            print(f"! {finding.about}: {finding.text}")
        for answer in result.answers:
            print(f"? {answer.hypothesis.component} {answer.hypothesis.direction} {answer.hypothesis.metric}: {answer.answer}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
