"""`perform_ablation_study`: the plain loop, bit for bit, with every run a recorded run in a clean process."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

import assay
from assay.errors import InvalidStudy, InvalidValue, TrialsFailed

TOY = Path(__file__).parents[1] / "toy_model.py"


@pytest.fixture
def toy() -> ModuleType:
    spec = importlib.util.spec_from_file_location("toy_model", TOY)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["toy_model"] = module
    try:
        spec.loader.exec_module(module)
        yield module
    finally:
        del sys.modules["toy_model"]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory, where the runs are recorded."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_scores_equal_the_plain_loop_bit_for_bit(toy: ModuleType) -> None:
    found = assay.perform_ablation_study(toy.Toy(), toy.SAMPLES, toy.CONFIGURATIONS, n_runs=5, random_seed=42)
    assert found == toy.plain_loop(toy.CONFIGURATIONS, 5, 42)
    assert list(found) == list(toy.CONFIGURATIONS)
    assert all(type(row["mean_score"]) is float and type(row["std_dev"]) is float for row in found.values())


def test_three_runs_from_seed_42_are_the_default(toy: ModuleType) -> None:
    only = {"Baseline": toy.CONFIGURATIONS["Baseline"]}
    assert assay.perform_ablation_study(toy.Toy(), toy.SAMPLES, only) == toy.plain_loop(only, 3, 42)


def test_every_run_is_recorded_with_its_seed_and_configuration(toy: ModuleType, folder: Path) -> None:
    assay.perform_ablation_study(
        toy.Toy(), toy.SAMPLES, {"Baseline": lambda model: model, "none": toy.without("a", "b", "c")}, n_runs=2
    )
    runs = assay.Project.open(folder).runs()
    assert (
        sorted((run.start.trial.configuration, run.state) for run in runs)
        == [("Baseline", "finished")] * 2 + [("none", "finished")] * 2
    )


def test_a_state_that_training_changes_and_clones_share_is_fresh_in_every_run(toy: ModuleType) -> None:
    base = toy.Learner()
    found = assay.perform_ablation_study(base, toy.SAMPLES, {"same": lambda model: model, "again": lambda model: model}, n_runs=2)
    assert found["same"] == found["again"]
    assert base.state == {"A": 0.5, "B": 0.3, "C": 0.2}


def test_a_configuration_may_edit_in_place_and_return_nothing(toy: ModuleType) -> None:
    def silence(model: object) -> None:
        model.parts = []  # type: ignore[attr-defined]

    found = assay.perform_ablation_study(toy.Toy(), toy.SAMPLES, {"silent": silence}, n_runs=2)
    assert found["silent"] == toy.plain_loop({"silent": toy.without("a", "b", "c")}, 2, 42)["silent"]


def test_one_run_has_a_deviation_of_zero(toy: ModuleType) -> None:
    assert assay.perform_ablation_study(toy.Toy(), toy.SAMPLES, {"one": lambda model: model}, n_runs=1)["one"]["std_dev"] == 0.0


def test_what_is_called_again_is_reused_and_what_is_changed_is_not(toy: ModuleType, folder: Path) -> None:
    for part in ("a", "a", "b"):
        assay.perform_ablation_study(toy.Toy(), toy.SAMPLES, {"off": toy.without(part)}, n_runs=2)
    assert assay.Project.open(folder).count() == 4


@pytest.mark.parametrize("how", ["file", "heredoc", "-c"])
def test_a_script_without_a_guard_works_however_it_is_started(how: str, folder: Path) -> None:
    """Objects of `__main__`, lambdas and closures have no module that a clean process could import."""
    lines = TOY.read_text() + (
        "\nimport assay\n"
        "found = assay.perform_ablation_study(Toy(), SAMPLES, CONFIGURATIONS, n_runs=2, random_seed=7)\n"
        "assert found == plain_loop(CONFIGURATIONS, 2, 7)\nprint('equal')\n"
    )
    (folder / "script.py").write_text(lines)
    arguments = {"file": ["script.py"], "heredoc": ["-"], "-c": ["-c", lines]}[how]
    done = subprocess.run(
        [sys.executable, *arguments], input=lines if how == "heredoc" else None, cwd=folder, capture_output=True, text=True
    )
    assert (done.returncode, done.stdout) == (0, "equal\n"), done.stderr


def test_a_model_that_lacks_methods_is_told_which() -> None:
    class Half:
        def clone(self) -> Half:
            return self

        def evaluate(self, samples: object) -> float:
            return 0.0

    with pytest.raises(InvalidStudy, match=r"no state_dict\(\) and no load_state_dict\(\) and no train\(\)"):
        assay.perform_ablation_study(Half(), [], {"x": lambda model: model})


def test_a_run_that_fails_is_an_error_that_says_which_and_why(toy: ModuleType) -> None:
    def broken(model: object) -> object:
        raise RuntimeError("no such layer")

    with pytest.raises(TrialsFailed, match="no such layer") as caught:
        assay.perform_ablation_study(toy.Toy(), toy.SAMPLES, {"fine": lambda model: model, "bad": broken}, n_runs=1)
    assert "'bad' with seed 42" in str(caught.value)


@pytest.mark.parametrize("n_runs", [0, -1, 2.0, True, None])
def test_a_number_of_runs_that_is_none_is_refused(toy: ModuleType, n_runs: object) -> None:
    with pytest.raises(InvalidValue, match="n_runs of at least 1"):
        assay.perform_ablation_study(toy.Toy(), [], {"x": lambda model: model}, n_runs=n_runs)  # type: ignore[arg-type]


@pytest.mark.parametrize("configurations", [{}, [], {"x": 3}])
def test_configurations_that_are_none_are_refused(toy: ModuleType, configurations: object) -> None:
    with pytest.raises(InvalidStudy):
        assay.perform_ablation_study(toy.Toy(), [], configurations)  # type: ignore[arg-type]
