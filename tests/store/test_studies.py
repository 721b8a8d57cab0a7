"""Studies: a definition is written once, and its id is that of its content."""

from __future__ import annotations

import os

import pytest

from assay.errors import InvalidStudy, StoreDamaged, StoreUnusable
from assay.records.recipe import Recipe
from assay.store.store import Store

# Any record can be a definition; the type of the real one belongs to a floor above.
ONE, TWO = Recipe(seed=1), Recipe(seed=2)


def test_a_definition_comes_back(store: Store) -> None:
    """By its id, by a prefix, and the same for a newcomer."""
    study = store.studies.put(ONE)
    assert study == ONE.id
    assert store.studies.get(study, Recipe) == ONE
    assert Store.open(store.root).studies.get(study[:6], Recipe) == ONE


def test_putting_it_again_changes_nothing(store: Store) -> None:
    """Its file is never written twice."""
    study = store.studies.put(ONE)
    before = (store.path / "studies" / study / "definition").stat()
    assert store.studies.put(ONE) == study
    assert (store.path / "studies" / study / "definition").stat().st_ino == before.st_ino
    assert store.studies.ids() == [study]
    assert list((store.path / "tmp").iterdir()) == []


def test_the_newest_study_comes_first(store: Store) -> None:
    """By the time of its definition; a folder whose making was interrupted is none."""
    first, second = store.studies.put(ONE), store.studies.put(TWO)
    os.utime(store.path / "studies" / first / "definition", (5, 5))
    os.utime(store.path / "studies" / second / "definition", (9, 9))
    (store.path / "studies" / ("c" * 64)).mkdir()
    assert store.studies.ids() == [second, first]


@pytest.mark.parametrize("unknown", ["", "zz", "../x", "0" * 64])
def test_an_unknown_study_is_told(store: Store, unknown: str) -> None:
    """With those that there are."""
    study = store.studies.put(ONE)
    with pytest.raises(InvalidStudy, match=f"no study has this id.*{study[:12]}"):
        store.studies.get(unknown, Recipe)


def test_a_shared_prefix_is_told(store: Store) -> None:
    """With who shares it."""
    seen: dict[str, str] = {}
    for seed in range(17):
        study = store.studies.put(Recipe(seed=seed))
        if study[0] in seen:
            break
        seen[study[0]] = study
    with pytest.raises(InvalidStudy, match="several studies"):
        store.studies.get(study[0], Recipe)


def test_a_changed_definition_is_found(store: Store) -> None:
    """Hypotheses are sealed: an edit after the fact does not pass."""
    study = store.studies.put(ONE)
    path = store.path / "studies" / study / "definition"
    path.chmod(0o644)
    path.write_bytes(path.read_bytes().replace(b"\x01", b"\x02"))
    with pytest.raises(StoreDamaged, match="was changed"):
        store.studies.get(study, Recipe)


def test_a_store_without_its_folder_is_told(store: Store) -> None:
    """By the path."""
    (store.path / "studies").rmdir()
    with pytest.raises(StoreUnusable, match="studies"):
        store.studies.ids()
