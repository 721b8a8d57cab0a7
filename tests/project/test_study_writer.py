"""Studies written as files, and made again from what is sealed: nothing that they ask is lost on the way."""

from __future__ import annotations

from pathlib import Path

import pytest

from assay.project.study_again import study_again
from assay.project.study_file import load_study_file
from assay.project.study_writer import write_study
from assay.store.store import Store

FILE = """\
name: whole
command: python fit.py {overrides} --seed {seed} --part {part}
baseline: {lr: 0.1, depth: 4, augment: true, note: a}
components:
  augmentation: {remove: {augment: false}, matched: {depth: 3}}
  depth: {change: {two: {depth: 2}, three: {depth: 3}}, matched: {two: {lr: 0.2}}}
  note: {placebo: {note: b}}
  fix: {add: {patch: fix.diff}}
constraints: [fix requires augmentation]
metrics:
  accuracy: {goal: maximize, margin: 0.005, range: [0, 1], at: mean of the last 2}
  loss: {goal: minimize, from: "output:loss"}
seeds: 2
folds: {count: 2, parameter: part}
placebo: true
gate:
  tune: {lr: {low: 0.01, high: 1, log: true, levels: 7}, depth: [2, 4, 8]}
  criterion: loss
  seeds: 1
  reproducible: statistical
  other_seeds: true
graph: {augmentation: [accuracy]}
hypotheses: [augmentation raises accuracy by 0.01]
"""
PATCH = "--- a/fit.py\n+++ b/fit.py\n@@ -1 +1 @@\n-print(1)\n+print(2)\n"


def test_a_study_is_the_same_after_it_was_written_or_made_again(project: Path) -> None:
    (project / "fit.py").write_text("print(1)\n")
    (project / "fix.diff").write_text(PATCH)
    (project / "study.yaml").write_text(FILE)
    study = load_study_file(project / "study.yaml")
    write_study(study, project / "again.yaml")
    definition = study.plan().definition
    assert load_study_file(project / "again.yaml").plan().definition == definition
    store = Store.open(project)
    store.studies.put(definition)
    made, _ = study_again(store, "whole", project)
    assert made.plan().definition == definition


@pytest.mark.parametrize("said", ["alike", "unlike"])
def test_what_is_known_of_the_spreads_is_kept(project: Path, said: str) -> None:
    file = project / "study.yaml"
    file.write_text(
        "name: s\ncommand: python train.py {overrides}\nbaseline: {a: 1}\ncomponents: {a: {remove: {a: 0}}}\n"
        f"metrics: {{accuracy: maximize}}\nspreads: {said}\n"
    )
    study = load_study_file(file, project)
    assert study.plan().definition.options.spreads == said
    write_study(study, project / "again.yaml")
    assert load_study_file(project / "again.yaml", project).plan().definition.options.spreads == said


def test_the_priors_of_an_adaptive_study_are_kept(project: Path) -> None:
    (project / "fit.py").write_text("print(1)\n")
    (project / "study.yaml").write_text(
        "command: python fit.py {overrides} --seed {seed}\nbaseline: {augment: true}\ncomponents: {augment: {remove: {augment: false}}}\n"
        "metrics: {accuracy: maximize}\ndesign: adaptive\nbudget: 16\npriors: true\nuntil: found\n"
    )
    study = load_study_file(project / "study.yaml")
    write_study(study, project / "again.yaml")
    store = Store.open(project)
    store.studies.put(study.plan().definition)
    for again in (load_study_file(project / "again.yaml"), study_again(store, "last", project)[0]):
        assert again.plan().definition.options.priors
        assert again.plan().definition.options.until == "found"
