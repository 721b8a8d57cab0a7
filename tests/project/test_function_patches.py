"""Patches and commits as components of a study of a function: declared beside parameters, sealed as text, run in copies of the project."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
import time
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from tests.project.patches import BONUS, git, with_patches

import assay
from assay.project.project import Project
from assay.questions.reproduce import reproduce
from assay.questions.study.definition import Definition
from assay.records.recipe import Recipe
from assay.store.store import Store

SCRIPT = """\
import sys
from dataclasses import dataclass
from pathlib import Path

import assay
from part import bonus


@dataclass
class Config:
    rate: int = 1


def train(config, seed):
    assert isinstance(config, Config)
    base = 0.8
    return {"score": base + bonus() + config.rate / 100 + float(Path("data/noise").read_text()) * seed}


study = assay.Study(
    train,
    Config(),
    [
        assay.remove("bonus", patch="revert HEAD"),
        assay.change("base", "lower", patch="lower.diff"),
        assay.change("base", "higher", patch=[Path("higher.diff")], rate=2),
    ],
    [assay.maximize("score")],
    seeds=1,
)
if __name__ == "__main__":
    result = study.run(workers=2)
    print({effect.component: round(effect.estimate, 6) for effect in result.effects})
    print(sorted({row.configuration for row in result.outcomes if not row.reused}))
    print(study.plan().study)
"""
_numbers = count()


@pytest.fixture
def patched(project: Path) -> Path:
    """A project whose last commit gave a bonus, with a script and two patches of it, and data that git ignores."""
    (project / ".gitignore").write_text("data/\n")
    (project / "data").mkdir()
    (project / "data" / "noise").write_text("0.001")
    return with_patches(project, SCRIPT)


def run(root: Path) -> list[str]:
    answer = subprocess.run([sys.executable, "fit.py"], cwd=root, capture_output=True, text=True, check=False)
    assert answer.returncode == 0, answer.stderr
    return answer.stdout.splitlines()


def test_a_script_studies_patches_of_itself_and_of_what_it_imports(patched: Path) -> None:
    effects, ran, study = run(patched)
    assert effects == "{'bonus': -0.05, 'base: lower': -0.1, 'base: higher': 0.11}"
    assert "base: higher" in ran and git(patched, "status", "--porcelain").split() == ["??", "higher.diff", "??", "lower.diff"]
    store = Store.open(patched)
    recipes = [store.objects.record(one.start.recipe, Recipe) for one in store.catalogue.runs()]
    assert {recipe.function for recipe in recipes} == {"fit:train"} and len({recipe.code for recipe in recipes}) == 4
    (base,) = [factor for factor in store.studies.get(study, Definition).factors if factor.name == "base"]
    assert [level.patches[0].text for level in base.levels] == [
        (patched / f"{name}.diff").read_text() for name in ("lower", "higher")
    ]
    lower = patched / "lower.diff"
    lower.write_text(lower.read_text().replace("0.7", "0.6"))
    assert run(patched)[0:2] == ["{'bonus': -0.05, 'base: lower': -0.2, 'base: higher': 0.11}", "['base: lower']"]


def test_a_patched_trial_is_reproduced_also_where_the_project_has_moved(patched: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run(patched)
    moved = patched.rename(patched.parent / "elsewhere")
    (moved / "part.py").write_text("def bonus():\n    return 7.0\n")
    monkeypatch.chdir(moved)
    project = Project.open()
    for name in ("without bonus", "base: lower", "baseline"):
        (found, *_) = [one for one in project.store.catalogue.runs() if one.start.name == name]
        assert reproduce(project.store, project.root, found)[1].verdict == "identical"


def test_a_study_killed_in_the_middle_leaves_nothing_running_and_repeats_nothing(patched: Path) -> None:
    """The patched code itself waits, so that the kill hits patched trials; what had finished by then is reused."""
    place = patched.parent / "at work"
    waiting = "import os, time\nfrom pathlib import Path\n" + BONUS.replace(
        "    return",
        f"    Path({str(place)!r} + str(os.getpid())).touch()\n    while not Path({str(place)!r}).exists(): time.sleep(0.01)\n    return",
    )
    (patched / "part.py").write_text(waiting)
    (patched / "lower.diff").write_text(git(patched, "diff", "part.py"))
    git(patched, "checkout", "-q", "part.py")
    process = subprocess.Popen([sys.executable, "fit.py"], cwd=patched, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    while not (began := list(place.parent.glob("at work*"))):
        assert process.poll() is None, process.stderr and process.stderr.read()
        time.sleep(0.05)
    process.kill()
    process.communicate()
    while Path(f"/proc/{began[0].name.removeprefix('at work')}").exists():
        time.sleep(0.05)
    place.touch()
    ran = run(patched)[1]
    assert "baseline" not in ran and "base: lower" in ran
    states = {run.state for run in Store.open(patched).catalogue.runs() if run.start.name == "base: lower"}
    assert states == {"interrupted", "finished"}
    assert list((Path(os.environ["XDG_CACHE_HOME"]) / "assay-trials").iterdir()) == []


def study(root: Path, monkeypatch: pytest.MonkeyPatch, *components: Any) -> assay.Study:
    """The script's study, imported, with other components."""
    monkeypatch.syspath_prepend(str(root))
    monkeypatch.chdir(root)
    name = f"patched_fit_{next(_numbers)}"
    (root / f"{name}.py").write_text((root / "fit.py").read_text().replace("from part", f"from {name}_part"))
    (root / f"{name}_part.py").write_text(BONUS)
    importlib.invalidate_caches()
    found: assay.Study = importlib.import_module(name).study
    found.components = components or found.components
    return found


def test_patches_that_change_the_same_lines_are_kept_apart_and_named(patched: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = study(patched, monkeypatch)
    found.components = [*found.components, assay.add("other", patch="higher.diff")]
    plan = found.plan("full").plan
    names = [configuration.name for configuration in plan.configurations]
    assert "base: lower + with other" not in names and "base: lower + with other" in plan.left_out
    assert any("base: lower excludes other" in said for said in plan.cannot_see)


@pytest.mark.parametrize(
    ("component", "said"),
    [
        (assay.remove("fix", patch="revert nowhere"), "no such commit: 'nowhere'"),
        (assay.add("fix", commit="HEAD"), "has this change already"),
        (assay.remove("fix", patch="missing.diff"), "a patch cannot be read: 'missing.diff'"),
        (assay.remove("fix", patch="fit.py"), "no patch that git can read"),
        (assay.remove("fix", patch=[]), "names nothing"),
        (assay.remove("fix", patch=3), "in quotes"),
        (assay.remove("fix", patch="old.diff"), "'old.diff' does not apply to the code as it is: 'fit.py, hunk @@"),
        (assay.remove("fix", patch="lower.diff", speed=1), "does not have: 'speed'"),
        (assay.replace("fix", "other", rate=lambda: 1, patch="lower.diff"), "lambda"),
    ],
)
def test_a_patch_that_cannot_be_made_is_an_error_before_anything_runs(
    patched: Path, monkeypatch: pytest.MonkeyPatch, component: Any, said: str
) -> None:
    (patched / "old.diff").write_text((patched / "lower.diff").read_text().replace("-    base = 0.8", "-    base = 0.5"))
    with pytest.raises(assay.AssayError) as caught:
        study(patched, monkeypatch, component).plan()
    assert said in str(caught.value) and not (patched / ".assay").exists()


def test_a_function_that_no_copy_has_is_refused_where_a_component_has_patches(
    patched: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = study(patched, monkeypatch)
    found.train = lambda config, seed: {"score": 1.0}
    found.root = patched
    with pytest.raises(assay.AssayError, match=r"train cannot be imported from a copy.*<lambda>.*leave the patches out"):
        found.plan()
    found.components = [assay.change("rate", "two", rate=2)]
    assert len(found.plan()) == 2


def test_a_parameter_called_patch_stays_a_parameter(project: Path) -> None:
    found = assay.Study(lambda config, seed: {"score": 1.0}, {"patch": 16}, [assay.change("patch", "small", patch=8)], root=project)
    found.metrics = [assay.maximize("score")]
    (factor,) = found.plan().definition.factors
    assert factor.levels[0].settings == {"patch": 8} and factor.levels[0].patches == ()


def test_an_extension_and_a_condition_have_the_patches_too(patched: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = study(patched, monkeypatch, assay.remove("bonus", patch="bonus.diff"))
    name = f"{type(found.baseline).__module__}_part.py"
    text = f"--- a/{name}\n+++ b/{name}\n@@ -1,2 +1,2 @@\n def bonus():\n-    return 0.05\n+    return 0.0\n"
    (patched / "bonus.diff").write_text(text)
    result = found.run()
    assert [effect.estimate for effect in result.effects] == pytest.approx([-0.05])
    (patched / "bonus.diff").unlink()  # what was read is part of the result's study
    survived = result.sensitivity("params", vary={"rate": [2]})
    assert survived.sensitivity is not None
    (patched / "bonus.diff").write_text(text)
    more = found.extend(2)
    assert more.plan().definition.factors[0].levels[0].patches[0].text == text


def test_where_measurements_are_compared_every_trial_is_a_process_of_its_own(
    patched: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The function tells by its command line whether a server forked it."""
    found = study(patched, monkeypatch, assay.add("noop", patch="noop.diff"))
    found.metrics = [*found.metrics, assay.minimize("seconds")]
    part = patched / f"{type(found.baseline).__module__}_part.py"
    part.write_text("def bonus():\n    return float(b'\"trial\"' in open('/proc/self/cmdline', 'rb').read())\n")
    (patched / "noop.diff").write_text(f"--- a/{part.name}\n+++ b/{part.name}\n@@ -1,1 +1,2 @@\n+# a remark\n def bonus():\n")
    result = found.run()
    assert [round(row.metrics["score"], 3) for row in result.outcomes] == [1.81, 1.81]
    assert [finding.about for finding in result.findings if finding.kind == "no-op"] == ["noop"]
