"""Patches and commits as components of a study of a command: each trial runs the code that its levels make, in a folder of its own."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from tests.project.patches import git, with_patches

from assay.project.command_study import CommandStudy
from assay.project.study_file import load_study_file
from assay.questions.study.definition import Definition
from assay.records.recipe import Recipe
from assay.store.store import Store
from assay.store.tree import read_tree

SCRIPT = """\
import sys
from part import bonus

seed = int(sys.argv[1])


def noise():
    return (seed * 7919 % 13) / 1000


base = 0.8


print(f"score={base + bonus() + noise()}")
"""
STUDY = f"""\
command: {sys.executable} fit.py {{seed}}
components:
  bonus: {{remove: {{patch: revert HEAD}}}}
  base: {{change: {{lower: {{patch: lower.diff}}, higher: {{patch: higher.diff}}}}}}
metrics: {{score: maximize}}
seeds: 2
"""


@pytest.fixture
def patched(project: Path) -> Path:
    """A project whose last commit gave a bonus, with two patches of another file beside it."""
    return with_patches(project, SCRIPT)


def study_of(root: Path, text: str = STUDY) -> CommandStudy:
    path = root / "study.yaml"
    path.write_text(text)
    return load_study_file(path)


def test_each_trial_runs_the_code_that_its_levels_make(patched: Path) -> None:
    result = study_of(patched).run(workers=2)
    effects = {effect.component: effect.estimate for effect in result.effects}
    assert effects == pytest.approx({"bonus": -0.05, "base: lower": -0.1, "base: higher": 0.1})
    store = Store.open(patched)
    trees = {row.configuration: set() for row in result.outcomes}
    for row in result.outcomes:
        assert row.run is not None
        trees[row.configuration].add(store.objects.record(store.runs.read(row.run).start.recipe, Recipe).code)
    assert [len(own) for own in trees.values()] == [1] * 4 and len(set.union(*trees.values())) == 4
    (reverted,) = trees["without bonus"]
    assert b"0.05" not in store.objects.get(read_tree(store.objects, reverted)[b"part.py"][1])
    assert git(patched, "diff", "HEAD") == "" and (patched / "fit.py").read_text() == SCRIPT


def test_finished_trials_of_patched_code_are_reused_until_the_patch_changes(patched: Path) -> None:
    study_of(patched).run(workers=2)
    assert all(row.reused for row in study_of(patched).run().outcomes)
    lower = patched / "lower.diff"
    lower.write_text(lower.read_text().replace("0.7", "0.6"))
    again = study_of(patched).run(workers=2)
    assert {row.configuration for row in again.outcomes if not row.reused} == {"base: lower"}
    assert {effect.component: effect.estimate for effect in again.effects}["base: lower"] == pytest.approx(-0.2)


def test_the_definition_seals_what_a_patch_is_and_not_only_its_name(patched: Path) -> None:
    first = study_of(patched).plan().study
    lower = patched / "lower.diff"
    sealed = lower.read_text()
    lower.write_text(sealed.replace("0.7", "0.6"))
    study = study_of(patched)
    assert study.plan().study != first
    study.run(workers=2)
    (base,) = [
        factor for factor in Store.open(patched).studies.get(study.plan().study, Definition).factors if factor.name == "base"
    ]
    assert base.levels[0].patches[0].text == lower.read_text()


def test_combinations_that_conflict_are_left_out_and_named(patched: Path) -> None:
    text = STUDY.replace("metrics:", "  other: {add: {patch: higher.diff}}\nmetrics:")
    plan = study_of(patched, text + "design: full\n").plan().plan
    names = [configuration.name for configuration in plan.configurations]
    assert "base: higher + with other" in names  # the same change twice is one
    assert "base: lower + with other" not in names and "base: lower + with other" in plan.left_out
    assert any("base: lower excludes other" in said for said in plan.cannot_see)


@pytest.mark.parametrize(
    ("patch", "said"),
    [
        ("{patch: revert HEAD~1}", "does not apply"),
        ("{patch: missing.diff}", r"missing\.diff"),
        ("{patch: revert nowhere}", "no such commit"),
        ("{commit: nowhere}", "no such commit"),
        ("{commit: 1234567}", "quotes"),
        ("{patch: []}", "names nothing"),
        ("{patch: fit.py}", "no patch that git can read"),
        ("{commit: HEAD}", "has this change already"),
        ("{commit: -n}", "no such commit"),
        ("{patch: lower.diff, rate: 1}", "does not have: 'rate'"),
    ],
)
def test_a_patch_that_cannot_be_made_is_an_error_before_anything_runs(patched: Path, patch: str, said: str) -> None:
    (patched / "part.py").write_text("def bonus():\n    return 0.05\n\n\ndef other():\n    return 1\n")
    git(patched, "commit", "-q", "-a", "-m", "other")
    with pytest.raises(Exception, match=said):
        study_of(patched, STUDY.replace("{patch: revert HEAD}", patch)).plan()
    assert not (patched / ".assay").exists()


def test_a_parameter_called_patch_stays_a_parameter(patched: Path) -> None:
    text = "command: python fit.py {overrides}\nbaseline: {patch: 16}\ncomponents: {patch: {change: {small: {patch: 8}}}}\n"
    (factor,) = study_of(patched, text + "metrics: {score: maximize}\n").plan().definition.factors
    assert factor.levels[0].settings == {"patch": 8} and factor.levels[0].patches == ()


def test_a_study_file_that_asks_more_leaves_the_trials_what_they_were(patched: Path) -> None:
    study_of(patched, STUDY.replace("  base:", "  # base:")).run(workers=2)
    (patched / "beside.yaml").write_text((patched / "study.yaml").read_text())
    result = study_of(patched, STUDY + "# one more line\n").run(workers=2)
    assert {row.configuration for row in result.outcomes if row.reused} == {"baseline", "without bonus"}
    (patched / "settings.yaml").write_text("rate: 1\n")
    assert not any(row.reused for row in study_of(patched).run(workers=2).outcomes)
