"""What a user holds: the project, its runs, and what can be asked of them. Runs are really carried out and recorded."""

from __future__ import annotations

import math
import shutil
import sys
from pathlib import Path

import pytest

from assay.errors import InvalidValue, MissingContent, StoreUnusable, UnknownMetric, UnknownRun
from assay.project.project import Project, runs
from assay.store.store import Store
from assay.tracking.supervise import supervise

TRAIN = """
import sys
rate = float(sys.argv[2])
for step in range(3):
    print(f"step={step} loss={rate * step}")
open("weights.txt", "w").write(f"weights of {rate}")
"""
EVALUATE = "print(f'score={len(open(\"weights.txt\").read())}')\n"


def record(root: Path, *words: str, **options):
    """`python WORDS` recorded in the project at `root`."""
    return supervise(Store.open(root), root, [sys.executable, *words], cwd=root, relay=False, **options).run


@pytest.fixture
def lab(project) -> Path:
    (project / "train.py").write_text(TRAIN)
    (project / "evaluate.py").write_text(EVALUATE)
    return project


def test_runs_are_listed_filtered_sorted_and_found_by_every_kind_of_name(lab):
    first = record(lab, "train.py", "--lr", "0.1", name="base")
    second = record(lab, "train.py", "--lr", "0.2")
    project = Project.open(lab)
    assert [run.id for run in project.runs()] == [second.id, first.id]
    assert [run.id for run in project.runs("metrics.loss < .3 and params.lr == .1")] == [first.id]
    assert [run.id for run in project.runs(sort="metrics.loss", limit=1)] == [first.id]
    assert project.count("params.lr > 1") == 0
    for selector in ("base", "last~1", "min:loss", first.id, first.id[:10]):
        assert project.resolve(selector).id == first.id
    with pytest.raises(UnknownRun):
        project.resolve("nonesuch")


def test_the_project_is_found_from_a_folder_inside_it(lab, monkeypatch):
    run = record(lab, "train.py", "--lr", "0.1")
    (lab / "deep" / "er").mkdir(parents=True)
    monkeypatch.chdir(lab / "deep" / "er")
    assert Project.open().root == lab
    assert [each.id for each in runs("metrics.loss > 0")] == [run.id]


def test_where_nothing_was_recorded_it_is_said_and_nothing_is_made(lab):
    with pytest.raises(StoreUnusable, match="nothing has been recorded"):
        Project.open(lab)
    assert not (lab / ".assay").exists()


def test_the_series_of_a_run_and_of_one_metric(lab):
    record(lab, "train.py", "--lr", "0.5")
    project = Project.open(lab)
    assert project.log("last")["loss"].values == (0.0, 0.5, 1.0)
    assert list(project.log("last", ["loss"])) == ["loss"]
    with pytest.raises(UnknownMetric, match="'los'"):
        project.log("last", ["los"])


def test_two_runs_differ_in_what_was_changed_and_in_nothing_else(lab):
    record(lab, "train.py", "--lr", "0.1")
    (lab / "train.py").write_text(TRAIN + "# a comment\n")
    record(lab, "train.py", "--lr", "0.2")
    project = Project.open(lab)
    found = project.diff("last~1", "last")
    assert [(each.kind, each.name) for each in found] == [("code", "train.py"), ("param", "command"), ("param", "lr")]
    assert "+# a comment\n" in project.patch("last~1", "last")
    assert project.compare("last~1", "last").verdict == "not reproduced"


def test_a_run_is_reproduced_by_name(lab):
    run = record(lab, "train.py", "--lr", "0.1", name="base")
    again, verdict = Project.open(lab).reproduce("base", {"loss": (1e-3, 0.0)})
    assert (verdict.verdict, again.start.parents[0].run) == ("identical", run.id)


def test_a_file_leads_to_the_run_that_made_it_and_to_what_that_built_on(lab, tmp_path):
    """Renamed and moved out of the project: its content is enough, and so is the content's id."""
    train = record(lab, "train.py", "--lr", "0.1")
    evaluate = record(lab, "evaluate.py")
    moved = tmp_path / "best.bin"
    moved.write_bytes((lab / "weights.txt").read_bytes())
    project = Project.open(lab)
    assert project.origin(moved).runs == (train.id,)
    lineage = project.lineage(evaluate.id)
    assert lineage.runs == (evaluate.id, train.id)
    assert [(edge.source, edge.target, edge.by, edge.path) for edge in lineage.edges] == [
        (train.id, evaluate.id, "read", "weights.txt")
    ]
    shutil.rmtree(project.store.runs.folder(train.id))
    assert project.lineage(evaluate.id).runs == (evaluate.id,)
    assert project.lineage(evaluate.id).edges[0].source == train.id
    (tmp_path / "stranger").write_text("?")
    assert project.origin(tmp_path / "stranger").runs == ()
    with pytest.raises(InvalidValue, match="neither a file"):
        project.origin(tmp_path / "missing")


def test_code_is_put_back_into_a_new_folder_whole_or_in_part(lab, tmp_path):
    record(lab, "train.py", "--lr", "0.1")
    (lab / "train.py").write_text("changed\n")
    project = Project.open(lab)
    assert (project.restore("last", to=tmp_path / "all") / "train.py").read_text() == TRAIN
    part = project.restore("last", ["evaluate.py"], to=tmp_path / "part")
    assert [path.name for path in part.iterdir()] == ["evaluate.py"]
    assert (lab / "train.py").read_text() == "changed\n"


def test_putting_back_never_touches_what_is_there(lab, tmp_path):
    record(lab, "train.py", "--lr", "0.1")
    project = Project.open(lab)
    with pytest.raises(InvalidValue, match="nothing else is"):
        project.restore("last", to=lab)
    with pytest.raises(InvalidValue, match="nothing else is"):
        project.restore("last", to=lab / "train.py")
    with pytest.raises(MissingContent, match="has such a file"):
        project.restore("last", ["nonesuch.py"], to=tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_runs_behave_as_a_list(lab):
    record(lab, "train.py", "--lr", "0.1", name="one")
    record(lab, "train.py", "--lr", "0.1")
    found = Project.open(lab).runs()
    assert len(found) == 2
    assert [run.id for run in found[1:]] == [found[1].id]
    assert "one" in repr(found)


def test_runs_become_a_table(lab):
    pytest.importorskip("pandas")
    run = record(lab, "train.py", "--lr", "0.1", params={"model": {"depth": 3}})
    table = Project.open(lab).runs().to_pandas()
    assert list(table.index) == [run.id]
    assert table.loc[run.id, "params.model.depth"] == 3
    assert math.isclose(table.loc[run.id, "metrics.loss"], 0.2)
    assert str(table["started"].dt.tz) == "UTC"
    assert next(iter(Project.open(lab).runs("params.lr > 9").to_pandas().columns)) == "name"
