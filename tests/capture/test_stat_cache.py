"""The kept copy spares work and is never trusted beyond its digest; a mark is trusted only where its time is clearly past."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.capture.stat_cache import KeptCopy, cache_folder
from assay.capture.watch import Mark, digest_names, mark, mark_file, same_file


def test_a_kept_value_comes_back() -> None:
    """What was saved is loaded; another subject has a file of its own."""
    KeptCopy("kind", ["a"]).save({"x": 1})
    assert KeptCopy("kind", ["a"]).load(dict[str, int]) == {"x": 1}
    assert KeptCopy("kind", ["b"]).load(dict[str, int]) is None
    assert KeptCopy("other", ["a"]).load(dict[str, int]) is None


def test_every_flipped_byte_is_noticed() -> None:
    """A copy with any byte changed, or cut anywhere, is no copy."""
    copy = KeptCopy("kind", ["a"])
    copy.save({"name": 12345})
    path = next((Path(cache_folder()) / "kind").iterdir())
    whole = path.read_bytes()
    for position in range(len(whole)):
        path.write_bytes(whole[:position] + bytes([whole[position] ^ 1]) + whole[position + 1 :])
        assert copy.load(dict[str, int]) is None
        path.write_bytes(whole[:position])
        assert copy.load(dict[str, int]) is None


def test_a_copy_of_another_form_is_ignored() -> None:
    """An older Assay's copy under the same name is not read as something else."""
    copy = KeptCopy("kind", ["a"])
    copy.save(["text"])
    assert copy.load(dict[str, int]) is None


def test_names_that_are_not_unicode_are_not_kept() -> None:
    """Such a value is not saved, and nothing is raised."""
    copy = KeptCopy("kind", ["a\udcff"])
    copy.save({"b\udcff": 1})
    assert copy.load(dict[str, int]) is None


def test_writers_at_once_leave_a_whole_copy() -> None:
    """Of many savings at once, one whole value stays, and nothing beside it."""
    values = [{str(number): number} for number in range(64)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda value: KeptCopy("kind", ["a"]).save(value), values))
    assert KeptCopy("kind", ["a"]).load(dict[str, int]) in values
    assert len(list((Path(cache_folder()) / "kind").iterdir())) == 1


def test_old_copies_make_room_for_new_ones() -> None:
    """The cache does not grow for ever, and the newest copies stay."""
    for number in range(300):
        KeptCopy("kind", [str(number)]).save(number)
    assert len(list((Path(cache_folder()) / "kind").iterdir())) == 256
    assert KeptCopy("kind", ["299"]).load(int) == 299


@pytest.mark.parametrize(
    ("age", "settled"),
    [(0, False), (10_000_001, False), (49_000_001, False), (51_000_001, True), (-1_000_000_001, False)],
)
def test_a_mark_is_settled_only_where_its_time_is_clearly_past(tmp_path: Path, age: int, settled: bool) -> None:
    """Within a tick of the clock, and in the future, a stat record proves nothing."""
    path = tmp_path / "file"
    path.write_text("x")
    status = path.stat()
    assert mark(status, max(status.st_mtime_ns, status.st_ctime_ns) + age).settled is settled


def test_times_in_whole_seconds_need_seconds_to_settle(tmp_path: Path) -> None:
    """A file system that keeps whole seconds is known by its times."""
    path = tmp_path / "file"
    path.write_text("x")
    os.utime(path, ns=(0, 4_000_000_000_000_000_000))
    status = path.stat()
    assert not mark(status, status.st_mtime_ns + 2_000_000_000).settled
    assert mark(status, status.st_mtime_ns + 3_000_000_000).settled


def test_a_file_is_the_same_only_with_the_same_bytes(tmp_path: Path) -> None:
    """Compared by stat record where that proves something, else by content; appearing and vanishing are changes."""
    path = tmp_path / "file"
    assert same_file(str(path), None)
    path.write_text("one")
    assert not same_file(str(path), None)
    known = mark_file(str(path), 0)
    assert known is not None
    assert not known.settled
    assert same_file(str(path), known)
    path.write_text("two")
    assert not same_file(str(path), known)
    path.unlink()
    assert not same_file(str(path), known)


def test_an_unsettled_mark_matches_nothing(tmp_path: Path) -> None:
    """Not even the record that it was made of."""
    status = tmp_path.stat()
    assert not mark(status, status.st_ctime_ns).matches(status)
    assert mark(status, status.st_ctime_ns + 10_000_000_000).matches(status)
    assert not Mark(1, 2, 3, 4, settled=True).matches(status)


@given(st.lists(st.text(st.characters(exclude_characters="\0/", exclude_categories=["Cs"])), unique=True))
def test_the_order_of_names_does_not_matter(names: list[str]) -> None:
    """Folders are listed in any order; one name more or less is another digest."""
    shuffled = sorted(names, key=lambda name: name[::-1])
    assert digest_names(names) == digest_names(shuffled)
    assert digest_names([*names, "one/"]) != digest_names(names)
