"""Marks of runs: only added, merged by putting files together, folded by time."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from assay.records.canonical import canonical, digest
from assay.records.mark import Mark
from assay.store.marks import Marks
from assay.store.store import Store

RecordRun = Callable[..., str]
RUN = "a" * 16
marks = st.lists(
    st.builds(Mark, run=st.just(RUN), time=st.integers(0, 3).map(float), kind=st.sampled_from(["tag", "untag", "note"]), text=st.sampled_from("xyz")),
    max_size=8,
)  # fmt: skip


def opened(folder: Path) -> Marks:
    """Marks in a store's folder."""
    (folder / "tmp").mkdir(parents=True, exist_ok=True)
    return Marks(folder)


def test_a_marks_id_is_that_of_its_canonical_bytes(tmp_path: Path) -> None:
    """This one stays for ever."""
    mark = Mark(run=RUN, time=1.0, kind="tag", text="paper", user="u", host="h")
    assert opened(tmp_path).add(mark) == digest(canonical(mark)) == PINNED


PINNED = "96d19561972d548f4dc7b5a568014593bd4e0b755256318d62019d1b2ede87ba"


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(marks, marks)
def test_merging_two_stores_does_not_depend_on_the_order(
    tmp_path_factory: pytest.TempPathFactory, left: list[Mark], right: list[Mark]
) -> None:
    """Whoever's marks come first, and whatever both have already."""
    folders = [tmp_path_factory.mktemp("marks") for _ in range(2)]
    for folder, order in zip(folders, (left + right, right + left), strict=True):
        for mark in order:
            opened(folder).add(mark)
    one, other = (opened(folder).of(RUN) for folder in folders)
    assert one == other
    assert one.tags(["start"]) == other.tags(["start"])
    assert len({(mark.time, mark.text) for mark in one.notes}) == len(one.notes)


def test_a_later_mark_counts_and_readers_see_it_at_once(tmp_path: Path) -> None:
    """In another process too, which is another object here."""
    writer, reader = opened(tmp_path), opened(tmp_path)
    assert reader.of(RUN).tags(["start"]) == ["start"]
    for moment, kind, word in ((1.0, "tag", "x"), (2.0, "untag", "start"), (3.0, "untag", "x"), (4.0, "tag", "x")):
        writer.add(Mark(run=RUN, time=moment, kind=kind, text=word))
        assert ("x" in reader.of(RUN).tags(["start"])) == (moment != 3.0)
    assert reader.of(RUN).tags(["start"]) == ["x"]


def test_a_mark_that_cannot_be_read_takes_no_other_with_it(tmp_path: Path) -> None:
    """Torn by a power cut, or of a later version."""
    marks = opened(tmp_path)
    marks.add(Mark(run=RUN, time=1.0, kind="tag", text="x"))
    (tmp_path / "marks" / ("0" * 64)).write_bytes(b"")
    assert opened(tmp_path).of(RUN).tags([]) == ["x"]


def test_questions_over_runs_know_the_tags_that_stand(store: Store, record_run: RecordRun) -> None:
    """Given and taken away after the run had ended and was in the tables."""
    one, other = record_run(tags=("old",)), record_run()
    find = lambda word: [run.id for run in store.catalogue.runs(where=f"'{word}' in tags")]  # noqa: E731
    assert find("old") == [one]
    store.marks.add(Mark(run=other, time=1.0, kind="tag", text="old"))
    store.marks.add(Mark(run=one, time=2.0, kind="untag", text="old"))
    assert find("old") == [other]
    assert store.catalogue.count("'old' in tags") == 1


def test_removed_runs_are_in_no_answer_until_they_are_brought_back(store: Store, record_run: RecordRun) -> None:
    """And are collected only once they have been away for long."""
    run = record_run(name="gone", wrote={"m": "1" * 64})
    store.runs.remove(run)
    assert store.runs.ids() == [] and store.catalogue.wrote("1" * 64) == [] and store.runs.removed() == [run]
    store.runs.forget_removed(before=1.0)
    store.runs.bring_back(run)
    assert store.catalogue.resolve("gone") == run and store.catalogue.wrote("1" * 64) == [(run, "m")]
    store.runs.remove(run)
    removed = store.path / "removed" / run
    os.utime(removed, (1.0, 1.0))
    store.runs.forget_removed(before=2.0)
    assert store.runs.removed() == []
