"""A run comes back in an environment that is built again from its record, whatever became of the one that it ran in."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from assay.capture.stat_cache import cache_folder
from assay.errors import EnvironmentUnavailable, InvalidValue, UsageError
from assay.questions.reproduce import reproduce
from assay.records.environment import Environment
from assay.records.run import Run
from assay.records.verdict import Verdict
from assay.store.store import Store
from assay.tracking.supervise import supervise

SCRIPT = """
import six
from importlib.metadata import version
print(f"parts={sum(map(int, six.__version__.split('.')))}")
print(f"mine={float(version('mine'))}")
"""
MINE = """
def main():
    import six
    print(f"digits={len(six.__version__)} edition=1")
"""
PYPROJECT = """
[build-system]
requires = ["flit_core>=3.9"]
build-backend = "flit_core.buildapi"
[project]
name = "mine"
version = "0.1"
description = "Mine"
[project.scripts]
mine = "mine:main"
"""


STUDY = """
import assay
import six
from training import train

if __name__ == "__main__":
    study = assay.Study(
        train, baseline={"rate": 0.5, "shift": True}, components=[assay.remove("shift", shift=False)],
        metrics=[assay.maximize("score")], seeds=1,
    )
    study.run()
"""
TRAINING = """
import random
import six

def train(config, seed):
    return {"score": random.random() * config["rate"] + int(six.__version__.split(".")[1]) + config["shift"]}
"""


def uv(*arguments: str | Path) -> None:
    subprocess.run([Path(sys.executable).parent / "uv", *arguments], check=True, capture_output=True)


class Lab:
    """A project with a package of its own, installed in editable form in a virtual environment beside it."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "project"
        self.venv = folder / "venv"
        self.root.mkdir()
        for name, text in (("train.py", SCRIPT), ("mine.py", MINE), ("pyproject.toml", PYPROJECT)):
            (self.root / name).write_text(text)
        base = Path(sys.base_prefix, "bin", f"python{sys.version_info[0]}.{sys.version_info[1]}")
        uv("venv", "-q", "--python", base, self.venv)
        self.install("six==1.15.0", "-e", str(self.root))
        self.store = Store.open(self.root)

    def install(self, *words: str) -> None:
        uv("pip", "install", "-q", "--python", self.venv / "bin/python", *words)

    def run(self, *words: str) -> Run:
        run = supervise(self.store, self.root, [str(self.venv / "bin" / words[0]), *words[1:]], cwd=self.root, relay=False).run
        assert run.state == "finished"
        return run

    def again(self, run: Run, env: str = "rebuild") -> tuple[Run, Verdict]:
        return reproduce(self.store, self.root, run, env=env)


@pytest.fixture
def lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> Lab:
    monkeypatch.delenv("VIRTUAL_ENV", raising=False)
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path_factory.getbasetemp() / "uv-of-reproductions"))
    return Lab(tmp_path)


def test_a_package_that_was_upgraded_since_comes_back_in_its_version(lab: Lab) -> None:
    """The new run has the recipe of the old one, packages and all; the project's own package is imported from the code of then."""
    run = lab.run("python", "train.py")
    lab.install("six==1.16.0")
    _, verdict = lab.again(run, "current")
    assert verdict.verdict == "not reproduced"
    assert [finding.text for finding in verdict.findings if finding.about == "six"] == ["six: 1.15.0 then, 1.16.0 now"]
    again, verdict = lab.again(run)
    assert verdict.verdict == "identical", verdict
    assert verdict.findings == ()
    assert again.start.recipe == run.start.recipe
    assert again.result is not None
    prefix = lab.store.objects.record(again.result.environment or "", Environment).prefix or ""
    assert "/environments/" in prefix


def test_a_command_of_the_project_runs_the_code_of_then(lab: Lab) -> None:
    """Though the environment of then is gone, and the code has changed."""
    run = lab.run("mine")
    shutil.rmtree(lab.venv)
    (lab.root / "mine.py").write_text("raise SystemExit('the code of today')")
    again, verdict = lab.again(run)
    assert verdict.verdict == "identical", verdict
    assert [finding for finding in verdict.findings if finding.kind != "python"] == []
    assert "/environments/" in again.start.command[0]


def test_what_can_no_longer_be_had_is_named_before_anything_runs(lab: Lab, tmp_path: Path) -> None:
    (tmp_path / "gone").mkdir()
    (tmp_path / "gone" / "pyproject.toml").write_text(PYPROJECT.replace('"mine"', '"assay-lost-thing"'))
    (tmp_path / "gone" / "assay_lost_thing.py").write_text('"""Lost."""\n')
    lab.install(str(tmp_path / "gone"))
    run = lab.run("python", "train.py")
    shutil.rmtree(lab.venv)
    shutil.rmtree(tmp_path / "gone")
    count = len(lab.store.runs.ids())
    with pytest.raises(EnvironmentUnavailable) as caught:
        lab.again(run)
    assert caught.value.value == "assay-lost-thing==0.1"
    assert len(lab.store.runs.ids()) == count


def test_a_package_of_the_project_that_was_not_editable_comes_from_where_it_still_is(lab: Lab) -> None:
    """File for file from the recorded environment; where that is gone, from the run's code tree, which is said."""
    lab.install("--reinstall", str(lab.root))
    run = lab.run("mine")
    (lab.root / "mine.py").write_text("raise SystemExit('the code of today')")
    _, verdict = lab.again(run)
    assert (verdict.verdict, verdict.findings) == ("identical", ())
    shutil.rmtree(lab.venv)
    shutil.rmtree(Path(cache_folder()) / "environments")
    _, verdict = lab.again(run)
    assert verdict.verdict == "identical", verdict
    said = [finding.text for finding in verdict.findings if finding.about == "mine"]
    assert "imported from the run's code tree" in said[0]


def test_an_index_that_the_project_names_is_looked_in(lab: Lab, tmp_path: Path, make_wheel: Callable[..., Path]) -> None:
    """As uv itself would; pip's configuration does not know of it."""
    wheel = make_wheel(tmp_path / "simple" / "assay-private-thing", "assay_private_thing", "1.0")
    (wheel.parent / "index.html").write_text(f'<!DOCTYPE html><html><body><a href="{wheel.name}">{wheel.name}</a></body></html>')
    address = f"file://{tmp_path}/simple"
    lab.install("--index", address, "assay-private-thing==1.0")
    (lab.root / "pyproject.toml").write_text(f'{PYPROJECT}\n[[tool.uv.index]]\nname = "private"\nurl = "{address}"\n')
    (lab.root / "train.py").write_text("import assay_private_thing\nprint(f'version={assay_private_thing.VERSION}')\n")
    run = lab.run("python", "train.py")
    shutil.rmtree(lab.venv)
    assert lab.again(run)[1].verdict == "identical"


def test_an_environment_of_another_name_is_refused(lab: Lab) -> None:
    with pytest.raises(InvalidValue, match="current or rebuild"):
        lab.again(lab.run("python", "train.py"), "conda")


def test_a_run_of_no_python_has_no_environment_to_build(lab: Lab) -> None:
    run = supervise(lab.store, lab.root, ["sh", "-c", "echo loss=1"], cwd=lab.root, relay=False).run
    with pytest.raises(UsageError, match="not recorded"):
        lab.again(run)


def test_the_command_line_builds_and_says_so(lab: Lab) -> None:
    run = lab.run("python", "train.py")
    assay = Path(sys.executable).parent / "assay"
    done = subprocess.run([assay, "reproduce", run.id, "--env", "rebuild", "--json"], cwd=lab.root, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["verdict"] == "identical"


@pytest.mark.slow
def test_a_trial_of_a_function_is_called_in_the_environment_of_its_study(lab: Lab) -> None:
    """With the study's own packages, and this Assay."""
    lab.install("-e", str(Path(__file__).parents[2]))
    (lab.root / "study.py").write_text(STUDY)
    (lab.root / "training.py").write_text(TRAINING)
    subprocess.run([lab.venv / "bin/python", "study.py"], cwd=lab.root, check=True, capture_output=True)
    trial = lab.store.runs.read(lab.store.runs.ids()[0])
    shutil.rmtree(lab.venv)
    again, verdict = lab.again(trial)
    assert verdict.verdict == "identical", verdict
    assert again.start.recipe == trial.start.recipe
    assert {finding.about for finding in verdict.findings} <= {"assay", "VIRTUAL_ENV"}
