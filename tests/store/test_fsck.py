"""Whatever is damaged, missing or unreadable in a store is found, and named with the runs that it touches."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from assay.records.dataset import DataEntry, DataVersion
from assay.records.journal import Point
from assay.records.recipe import Recipe
from assay.records.run import Result, Start
from assay.records.trace import FileUse, Trace
from assay.store.fsck import Problem, fsck
from assay.store.inventory import inventory, object_path
from assay.store.runs import new_run_id, this_process
from assay.store.store import Store
from assay.store.tree import write_tree
from assay.store.usage import usage

LARGE = os.urandom(5 << 20)


@pytest.fixture
def runs(store: Store) -> tuple[str, str]:
    """Two runs that share a file of their code and nothing else."""
    return _record(store, b"first", b"model"), _record(store, b"second", LARGE)


def _record(store: Store, code: bytes, artifact: bytes) -> str:
    objects = store.objects
    tree = write_tree(objects, {b"src/train.py": ("file", objects.put(code)), b"same.py": ("file", objects.put(b"same"))})
    writer = store.runs.create(
        Start(id=new_run_id(), name=code.decode(), recipe=objects.put_record(Recipe(code=tree)), started=1.0, host=this_process())
    )
    journal = writer.journal()
    for step in range(3):
        journal.append(Point(1.0, step, {"loss": 0.5}))
    uses = (FileUse(path="model", id=objects.put(artifact), kept=True), FileUse(path="big", id="e" * 64, kept=False))
    writer.finish(Result(state="finished", ended=2.0, trace=objects.put_record(Trace(written=uses))))
    return writer.id


def _spoil(path: Path, position: int = -1) -> None:
    data = bytearray(path.read_bytes())
    data[position] ^= 1
    path.chmod(0o644)
    path.write_bytes(data)


def _only(problems: list[Problem]) -> Problem:
    (problem,) = problems
    return problem


def test_a_sound_store_has_no_problem_and_files_that_were_only_hashed_are_none(store: Store, runs: tuple[str, str]) -> None:
    found = fsck(store)
    assert found.problems == [] and found.runs == 2 and found.objects == len(inventory(store.path)) > 10


@pytest.mark.parametrize("harm", [_spoil, lambda path: path.unlink(), lambda path: (path.chmod(0o644), path.write_bytes(b""))])
def test_a_shared_file_touches_both_runs(store: Store, runs: tuple[str, str], harm: Callable[[Path], object]) -> None:
    content = store.objects.put(b"same")
    harm(object_path(store.path, content))
    problem = _only(fsck(store).problems)
    assert problem.about == content and set(problem.runs) == set(runs) and problem.kind in ("damaged object", "missing object")


def test_a_part_of_a_large_file_touches_the_run_that_wrote_it(store: Store, runs: tuple[str, str]) -> None:
    content = store.objects.put(LARGE)
    _spoil(object_path(store.path, part := store.objects.parts(content)[0]))
    problems = fsck(store).problems
    assert {problem.about for problem in problems} == {content, part} and {problem.runs for problem in problems} == {(runs[1],)}
    object_path(store.path, part).unlink()
    assert _only(fsck(store).problems).about == part


def test_a_damaged_list_of_parts_is_named(store: Store, runs: tuple[str, str]) -> None:
    _spoil(object_path(store.path, content := store.objects.put(LARGE), in_parts=True), 0)
    assert _only(fsck(store).problems) == Problem("damaged object", content, "the list of its parts cannot be read", (runs[1],))


def test_a_damaged_record_touches_its_run(store: Store, runs: tuple[str, str]) -> None:
    recipe = store.runs.read(runs[0]).start.recipe
    _spoil(object_path(store.path, recipe))
    assert _only(fsck(store).problems).runs == (runs[0],)


@pytest.mark.parametrize("name", ["start", "result"])
def test_a_run_whose_files_cannot_be_read_is_named(store: Store, runs: tuple[str, str], name: str) -> None:
    path = store.runs.folder(runs[0]) / name
    path.chmod(0o644)
    path.write_bytes(b"\xc1")
    problem = _only(fsck(store).problems)
    assert (problem.kind, problem.about, problem.runs) == ("run", runs[0], (runs[0],))


def test_a_run_without_a_start_is_named(store: Store, runs: tuple[str, str]) -> None:
    (store.runs.folder(runs[0]) / "start").unlink()
    assert _only(fsck(store).problems).about == runs[0]


def test_a_journal_with_damage_before_its_end_is_named_and_a_torn_end_is_none(store: Store, runs: tuple[str, str]) -> None:
    (journal,) = store.runs.folder(runs[0]).glob("*.journal")
    journal.write_bytes(journal.read_bytes()[:-3])
    assert fsck(store).problems == []
    _spoil(journal, 20)
    problem = _only(fsck(store).problems)
    assert problem.kind == "journal" and problem.about == runs[0] and "damaged bytes" in problem.text


def test_a_study_whose_definition_was_changed_is_named(store: Store) -> None:
    study = store.studies.put(Recipe(seed=1))
    _spoil(store.path / "studies" / study / "definition")
    assert _only(fsck(store).problems).kind == "study"


def test_a_file_that_no_object_can_be_is_named(store: Store, runs: tuple[str, str]) -> None:
    (store.path / "objects" / "zz").mkdir()
    shard = next(path for path in (store.path / "objects").iterdir() if path.name != "zz")
    (shard / "notes.txt").write_text("")
    assert {problem.about for problem in fsck(store).problems} == {"objects/zz", f"objects/{shard.name}/notes.txt"}


def test_repair_moves_damaged_objects_away_so_that_good_ones_can_come(store: Store, runs: tuple[str, str]) -> None:
    content = store.objects.put(b"same")
    _spoil(object_path(store.path, content))
    store.objects.put(b"same")
    assert fsck(store, repair=True).repaired == [content]
    assert _only(fsck(store).problems).kind == "missing object"
    store.objects.put(b"same")
    assert fsck(store).problems == [] and (store.path / "damaged" / content).exists()


def test_usage_counts_shared_content_once_and_says_what_is_a_runs_own(store: Store, runs: tuple[str, str]) -> None:
    found = usage(store)
    sizes = {content: stored.size for content, stored in inventory(store.path).items()}
    folders = sum(path.stat().st_size for path in (store.path / "runs").rglob("*") if path.is_file())
    assert found.bytes == sum(sizes.values()) + folders == sum(kind.bytes for kind in found.kinds)
    assert [run.run for run in found.runs] == [runs[1], runs[0]] and found.runs[0].own > len(LARGE)
    for run in found.runs:
        assert run.bytes - run.own == len(b"same")
    kinds = {kind.kind: kind for kind in found.kinds}
    assert kinds["code"].bytes == sum(size for content, size in sizes.items() if content in _code(store, runs))
    assert "unneeded" not in kinds
    tree = write_tree(store.objects, {b"rows.csv": ("file", store.objects.put(b"1,2"))})
    version = store.objects.put_record(DataVersion(content=tree, sizes=(3,)))
    store.datasets.add(DataEntry(name="rows", path="rows", version=version, content=tree, added=1.0))
    assert {kind.kind: kind.objects for kind in usage(store).kinds if kind.kind in ("data", "unneeded")} == {"data": 2}
    store.objects.put(b"nobody's")
    assert usage(store).kinds[-2].kind == "unneeded" and usage(store).kinds[-2].bytes == len(b"nobody's")


def _code(store: Store, runs: tuple[str, str]) -> set[str]:
    found = {store.objects.put(code) for code in (b"first", b"second", b"same")}
    for run in runs:
        tree = store.objects.record(store.runs.read(run).start.recipe, Recipe).code
        assert tree is not None
        found.add(tree)
        found |= {content for content in inventory(store.path) if store.objects.get(content)[:20].find(b"train.py") > 0}
        found |= {content for content in inventory(store.path) if b"tree/1" in store.objects.get(content)[:40]}
    return found
