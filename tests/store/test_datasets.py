"""Histories of data sets: entries that stay, found by name and version."""

from __future__ import annotations

from pathlib import Path

import pytest

from assay.errors import InvalidValue, StoreDamaged
from assay.records.dataset import DataEntry
from assay.store.datasets import Datasets
from assay.store.store import Store

CONTENTS = ("aa" * 32, "ab" * 32, "bb" * 32)


@pytest.fixture
def three(store: Store) -> Datasets:
    """A data set "digits" with three versions, at times 1, 2 and 3, and another one."""
    before = None
    for moment, content in enumerate(CONTENTS, 1):
        entry = DataEntry(name="digits", path="digits", version=content[::-1], content=content, added=float(moment), before=before)
        before = store.datasets.add(entry)
    store.datasets.add(DataEntry(name="a@b", path="a@b", version="0" * 64, content="1" * 64, added=2.5, card="2" * 64))
    return store.datasets


def test_a_store_without_data_sets_has_none(store: Store) -> None:
    """Stores of before there were data sets have no folder for them."""
    assert not (store.path / "data").exists()
    assert store.datasets.listed() == []
    assert store.datasets.names() == []
    with pytest.raises(InvalidValue) as caught:
        store.datasets.resolve("digits")
    assert "assay data add" in caught.value.next_step


def test_an_entry_is_written_once_under_its_id(three: Datasets, store: Store) -> None:
    """Adding it again changes nothing; the newest comes first in a history."""
    newest = three.history("digits")[0]
    assert three.add(newest.entry) == newest.id
    assert [listed.entry.content for listed in three.history("digits")] == list(reversed(CONTENTS))
    assert len(list((store.path / "data").iterdir())) == 4
    assert three.names() == ["a@b", "digits"]


@pytest.mark.parametrize(
    ("selector", "content"),
    [
        ("digits", CONTENTS[2]), ("digits@last", CONTENTS[2]), ("digits@last~1", CONTENTS[1]), ("digits@last~2", CONTENTS[0]),
        ("digits@aa", CONTENTS[0]), ("digits@ab", CONTENTS[1]), ("digits@" + CONTENTS[2], CONTENTS[2]),
        ("a@b", "1" * 64), ("a@b@last", "1" * 64), ("a@b@11", "1" * 64),
    ],
)  # fmt: skip
def test_versions_are_named(three: Datasets, selector: str, content: str) -> None:
    """By how many lie after them, or by a unique prefix of their content; a name may hold an @."""
    assert three.resolve(selector).entry.content == content


@pytest.mark.parametrize("selector", ["digits@a", "digits@last~3", "digits@", "digits@zz", "letters", "@last", ""])
def test_what_names_none_or_several_is_refused(three: Datasets, selector: str) -> None:
    """The error lists what there is."""
    with pytest.raises(InvalidValue) as caught:
        three.resolve(selector)
    assert caught.value.expected


def test_a_new_card_is_no_new_version(three: Datasets) -> None:
    """`last` has the card, `last~1` is still the version before."""
    newest = three.history("digits")[0]
    three.add(
        DataEntry(
            name="digits", path="digits", version=newest.entry.version, content=newest.entry.content, added=4.0, card="c" * 64
        )
    )
    assert three.resolve("digits").entry.card == "c" * 64
    assert three.resolve("digits@last~1").entry.content == CONTENTS[1]
    assert three.resolve("digits@bb").entry.card == "c" * 64


def test_roots_are_all_that_histories_name(three: Datasets) -> None:
    """Versions, contents and cards: what housekeeping keeps, with all below them."""
    assert three.roots() == {*CONTENTS, *(content[::-1] for content in CONTENTS), "0" * 64, "1" * 64, "2" * 64}


def test_a_changed_entry_is_found(three: Datasets, store: Store) -> None:
    """By its name, which is the id of what it must hold."""
    path = next((store.path / "data").iterdir())
    path.chmod(0o644)
    path.write_bytes(path.read_bytes().replace(b"digits", b"digitz").replace(b"a@b", b"a@c"))
    with pytest.raises(StoreDamaged) as caught:
        three.listed()
    assert Path(str(caught.value.value)) == path
