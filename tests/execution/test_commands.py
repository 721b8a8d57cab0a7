"""Trials of commands: a folder of their own, with the code of the study's start and the files that they read."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from assay.errors import CommandNotFound, InputChanged, MissingContent
from assay.execution.commands import CommandExecutor, Commands
from assay.execution.protocol import Job, Outcome
from assay.execution.workspace import copy_checked, workspace
from assay.records.canonical import digest
from assay.records.factor import MetricGoal
from assay.records.plan import Configuration, Trial
from assay.store.objects import hash_file
from assay.store.store import Store
from assay.store.tree import write_tree

SCRIPT = """
import pathlib, sys
out = pathlib.Path("out")
out.mkdir(exist_ok=True)
(out / "model.txt").write_text(sys.argv[1])
numbers = pathlib.Path("data/numbers.txt").read_text().split()
print(f"total={sum(map(int, numbers)) * int(sys.argv[1])}")
"""

SPOILS = """
pathlib.Path("train.py").write_text("spoiled")
pathlib.Path("data/numbers.txt").write_text("0")
pathlib.Path("data/numbers.txt").unlink()
"""


@pytest.fixture
def scripted(project: Path) -> Path:
    """A project whose data git ignores."""
    (project / "train.py").write_text(SCRIPT)
    (project / ".gitignore").write_text("data/\n")
    (project / "data").mkdir()
    (project / "data" / "numbers.txt").write_text("1 2 3")
    return project


def carry_out(
    root: Path, command: tuple[str, ...] = (sys.executable, "train.py"), *, count: int = 2, workers: int = 2, **options: Any
) -> tuple[list[Outcome], CommandExecutor]:
    goals = options.pop("goals", (MetricGoal(name="total", goal="maximize"),))
    commands = Commands(lambda configuration, seed: (*command, str(configuration.params["a"])), ".", goals=goals, **options)
    executor = CommandExecutor(Store.open(root), root, commands)
    jobs = [
        Job(
            Trial(index=number, configuration=f"c{number}", block=0, seed=0),
            Configuration(name=f"c{number}", params={"a": number + 1}),
        )
        for number in range(count)
    ]
    return executor.carry_out(jobs, study="s", workers=workers, report=lambda _: None), executor


def test_trials_run_beside_each_other_and_never_touch_the_users_files(scripted: Path) -> None:
    (scripted / "train.py").write_text(SCRIPT + SPOILS)
    before = {path: path.read_bytes() for path in scripted.rglob("*") if path.is_file() and ".git/" not in str(path)}
    found, _ = carry_out(scripted, data=("data",))
    assert [outcome.metrics["total"] for outcome in found] == [6.0, 12.0]
    assert {path: path.read_bytes() for path in before} == before
    assert not (scripted / "out").exists()


def test_what_a_trial_writes_becomes_its_artifacts(scripted: Path) -> None:
    found, _ = carry_out(scripted, data=("data",))
    store = Store.open(scripted)
    assert [run for run, path in store.catalogue.wrote(digest(b"2")) if path == "out/model.txt"] == [found[1].run]


@pytest.mark.parametrize("place", ["", "pathlib.Path(__file__).parent / "])
def test_files_that_nobody_named_are_found_by_running_again_and_said(scripted: Path, place: str) -> None:
    """Those that the script looks for beside itself too, in a folder that is gone by then."""
    (scripted / "train.py").write_text(SCRIPT.replace('Path("data', f'Path({place}"data'))
    found, executor = carry_out(scripted)
    assert [outcome.metrics["total"] for outcome in found] == [6.0, 12.0]
    assert [(finding.kind, "data/numbers.txt" in finding.text) for finding in executor.findings] == [("data found", True)]


def test_a_folder_that_a_trial_lists_has_all_its_files(scripted: Path) -> None:
    """A trial that counts its data must count the user's, not those that happened to be found."""
    (scripted / "data" / "more.txt").write_text("4")
    script = "import os\nopen('data/numbers.txt').close()\nprint(f'total={len(os.listdir(\"data\"))}')\n"
    (scripted / "train.py").write_text(script)
    found, executor = carry_out(scripted)
    assert [outcome.metrics["total"] for outcome in found] == [2.0, 2.0]
    assert "data/more.txt" in executor.findings[0].text
    again, _ = carry_out(scripted)
    assert all(outcome.reused for outcome in again)
    (scripted / "data" / "third.txt").write_text("5")
    assert [outcome.metrics["total"] for outcome in carry_out(scripted)[0]] == [3.0, 3.0]


def test_files_that_earlier_runs_read_are_there_at_once(scripted: Path) -> None:
    carry_out(scripted, data=("data",))
    found, executor = carry_out(scripted, count=3)
    assert [outcome.reused for outcome in found] == [True, True, False]
    assert found[2].metrics["total"] == 18.0
    assert executor.findings == []


def test_a_trial_is_run_again_when_the_data_that_it_read_has_changed(scripted: Path) -> None:
    carry_out(scripted, data=("data",))
    (scripted / "data" / "numbers.txt").write_text("5")
    found, _ = carry_out(scripted, data=("data",))
    assert [(outcome.reused, outcome.metrics["total"]) for outcome in found] == [(False, 5.0), (False, 10.0)]


def test_what_nobody_watches_is_run_again_when_the_data_that_it_was_given_has_changed(scripted: Path) -> None:
    """A shell reads unseen, so all that was laid out for it counts as read."""
    (scripted / "train.sh").write_text('echo "total=$(cat data/numbers.txt)$1"\n')
    (scripted / "data" / "numbers.txt").write_text("1")
    asked = {"command": ("sh", "train.sh"), "data": ("data",)}
    assert [outcome.metrics["total"] for outcome in carry_out(scripted, **asked)[0]] == [11.0, 12.0]
    assert all(outcome.reused for outcome in carry_out(scripted, **asked)[0])
    (scripted / "data" / "numbers.txt").write_text("2")
    found, _ = carry_out(scripted, **asked)
    assert [(outcome.reused, outcome.metrics["total"]) for outcome in found] == [(False, 21.0), (False, 22.0)]


def test_a_trial_is_run_again_when_code_from_beyond_the_project_has_changed(
    scripted: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    beyond = tmp_path_factory.mktemp("beyond")
    monkeypatch.setenv("PYTHONPATH", str(beyond))
    (scripted / "train.py").write_text("import sys, beside\nprint(f'total={beside.times * int(sys.argv[1])}')\n")
    for times, reused in ((3, False), (3, True), (4, False)):
        (beyond / "beside.py").write_text(f"times = {times}\n")
        found, _ = carry_out(scripted)
        assert [(outcome.reused, outcome.metrics["total"]) for outcome in found] == [(reused, times), (reused, 2 * times)]


def test_no_folder_of_a_trial_is_left(scripted: Path, own_home: Path) -> None:
    carry_out(scripted, data=("data",))
    place = own_home / ".cache" / "assay-trials"
    assert place.is_dir()
    assert list(place.iterdir()) == []


def test_a_command_that_fails_is_an_outcome_with_its_last_words(scripted: Path) -> None:
    (scripted / "train.py").write_text("raise ValueError('no convergence')")
    found, _ = carry_out(scripted, count=1)
    assert found[0].state == "failed"
    assert found[0].failure is not None and "no convergence" in found[0].failure.text


def test_a_program_that_does_not_exist_is_told_before_anything_runs(scripted: Path) -> None:
    with pytest.raises(CommandNotFound, match="no-such-program"):
        carry_out(scripted, ("no-such-program",))
    assert Store.open(scripted).runs.ids() == []


def test_data_that_does_not_exist_is_told(scripted: Path) -> None:
    with pytest.raises(MissingContent, match="nowhere"):
        carry_out(scripted, data=("nowhere",))


def test_metrics_are_read_where_the_study_says(scripted: Path) -> None:
    (scripted / "train.py").write_text(
        "import json\n"
        "with open('log.jsonl', 'w') as log:\n"
        "    for step, loss in enumerate([3.0, 1.0, 2.0]):\n"
        "        log.write(json.dumps({'step': step, 'loss': loss}) + '\\n')\n"
        "print('accuracy=0.5')\n"
    )
    goals = (
        MetricGoal(name="best", goal="minimize", source="jsonl:log.jsonl:loss", at="min"),
        MetricGoal(name="late", goal="minimize", source="jsonl:log.jsonl:loss", at="mean of the last 2"),
        MetricGoal(name="loss", goal="minimize"),
        MetricGoal(name="said", goal="maximize", source="output:accuracy"),
    )
    found, _ = carry_out(scripted, count=1, goals=goals)
    assert {name: found[0].metrics[name] for name in ("best", "late", "loss", "said")} == {
        "best": 1.0,
        "late": 1.5,
        "loss": 2.0,
        "said": 0.5,
    }


def test_a_metric_of_the_same_name_does_not_stand_in_for_the_source_that_a_study_names(scripted: Path) -> None:
    """`from: "output:absent"` finds nothing, though the output has the goal's own name."""
    (found, _) = carry_out(scripted, data=("data",), goals=(MetricGoal(name="total", goal="maximize", source="output:absent"),))
    assert [outcome.metrics for outcome in found] == [{}, {}]


def test_a_workspace_refuses_a_file_that_is_no_longer_what_it_was(project: Path) -> None:
    store = Store.open(project)
    tree = write_tree(store.objects, {b"a.txt": ("file", store.objects.put(b"code"))})
    (project / "data.txt").write_text("old")
    old = hash_file(project / "data.txt")
    (project / "data.txt").write_text("new")
    with pytest.raises(InputChanged, match=r"data\.txt"), workspace(store.objects, tree, project, {"data.txt": old}):
        pass


def test_a_copy_is_a_file_of_its_own_with_its_mode(tmp_path: Path) -> None:
    source = tmp_path / "tool"
    source.write_bytes(b"x" * 100_000)
    source.chmod(0o755)
    copy_checked(source, tmp_path / "deep" / "copy", hash_file(source))
    (tmp_path / "deep" / "copy").write_bytes(b"y")
    assert source.read_bytes() == b"x" * 100_000
    assert (tmp_path / "deep" / "copy").stat().st_mode & 0o111
