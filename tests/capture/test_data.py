"""Declared data is identified by content, kept, and checked."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from assay.capture.data import Mismatch, check, declare
from assay.errors import InvalidValue
from assay.records.canonical import digest
from assay.store.store import Store
from assay.store.tree import read_tree


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "root"
    (folder / "data" / "deep").mkdir(parents=True)
    (folder / "train.csv").write_text("1,2\n")
    (folder / "data" / "a.bin").write_bytes(b"a" * (2 << 20))
    (folder / "data" / "deep" / "b.txt").write_text("b\n")
    monkeypatch.chdir(folder)
    return folder


def test_files_and_folders_are_kept_with_their_ids(root: Path) -> None:
    """A file has the id of its bytes, a folder that of its tree, whatever their size."""
    store = Store.open(root)
    declared = declare(store, root, ["train.csv", root / "data"])
    assert declared["train.csv"] == digest(b"1,2\n")
    assert store.objects.get(declared["train.csv"]) == b"1,2\n"
    entries = read_tree(store.objects, declared["data"])
    assert {path: store.objects.get(oid) for path, (_, oid) in entries.items()} == {
        b"a.bin": b"a" * (2 << 20),
        b"deep/b.txt": b"b\n",
    }
    assert check(root, declared) == []


def test_paths_outside_the_root_are_absolute(root: Path, tmp_path: Path) -> None:
    """Relative paths are relative to the working directory; below the root they are recorded relative to it."""
    (tmp_path / "shared.csv").write_text("x\n")
    declared = declare(Store.open(root), root, ["../shared.csv", "data/../train.csv"])
    assert set(declared) == {str(tmp_path / "shared.csv"), "train.csv"}
    assert check(root, declared) == []


def test_links_to_files_stand_for_their_content(root: Path, tmp_path: Path) -> None:
    """A data set made of links, as download caches are, has the content that a reader gets; other links stay links."""
    (tmp_path / "blob").write_text("content\n")
    (root / "data" / "linked.txt").symlink_to(tmp_path / "blob")
    (root / "data" / "loop").symlink_to(root / "data")
    (root / "data" / "broken").symlink_to("nowhere")
    store = Store.open(root)
    entries = read_tree(store.objects, declare(store, root, ["data"])["data"])
    assert entries[b"linked.txt"] == ("file", digest(b"content\n"))
    assert entries[b"loop"] == ("link", digest(os.fsencode(root / "data")))
    assert entries[b"broken"] == ("link", digest(b"nowhere"))


def test_what_changed_or_vanished_is_named(root: Path) -> None:
    """Each mismatch has the recorded id and the present one; nothing is stored by checking."""
    store = Store.open(root)
    declared = declare(store, root, ["train.csv", "data"])
    (root / "train.csv").write_text("3,4\n")
    (root / "data" / "new.txt").write_text("new\n")
    found = {mismatch.path: mismatch for mismatch in check(root, declared)}
    assert found["train.csv"] == Mismatch("train.csv", declared["train.csv"], digest(b"3,4\n"))
    assert found["data"].found not in (None, declared["data"])
    assert digest(b"3,4\n") not in store.objects
    (root / "train.csv").unlink()
    assert Mismatch("train.csv", declared["train.csv"], None) in check(root, declared)
    os.mkfifo(root / "train.csv")
    assert Mismatch("train.csv", declared["train.csv"], None) in check(root, declared)


def test_a_path_that_is_not_there_is_refused_by_name(root: Path) -> None:
    """The error names the path and what was expected."""
    with pytest.raises(InvalidValue) as caught:
        declare(Store.open(root), root, ["train.csv", "missing.csv"])
    assert caught.value.value == "missing.csv"
    assert "file or folder" in caught.value.expected
    assert caught.value.next_step


def test_a_fifo_is_no_data(root: Path) -> None:
    """It is refused, not waited for."""
    os.mkfifo(root / "pipe")
    with pytest.raises(InvalidValue):
        declare(Store.open(root), root, ["pipe"])
