"""Declared data is identified by content and kept, file by file."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from assay.capture.data import declare
from assay.errors import InvalidValue
from assay.records.canonical import digest
from assay.store.store import Store


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "root"
    (folder / "data" / "deep").mkdir(parents=True)
    (folder / "train.csv").write_text("1,2\n")
    (folder / "data" / "a.bin").write_bytes(b"a" * (2 << 20))
    (folder / "data" / "deep" / "b.txt").write_text("b\n")
    return folder


def test_files_and_folders_are_kept_with_their_ids(root: Path) -> None:
    """Each file has the id of its bytes, whatever its size; a folder stands for the files below it."""
    store = Store.open(root)
    declared = {use.path: use for use in declare(store, root, root, ["train.csv", root / "data"])}
    assert set(declared) == {"train.csv", "data/a.bin", "data/deep/b.txt"}
    assert all(use.kept and use.by == "declared" for use in declared.values())
    for path, use in declared.items():
        assert use.id is not None
        assert store.objects.get(use.id) == (root / path).read_bytes()
        assert (use.size, use.mtime) == ((root / path).stat().st_size, (root / path).stat().st_mtime_ns)


def test_declared_again_they_are_as_they_are_now(root: Path) -> None:
    """What is known from the time before never hides a change, nor what the store has lost."""
    store = Store.open(root)
    first = declare(store, root, root, ["data"])
    (root / "data" / "a.bin").write_bytes(b"b" * (2 << 20))
    lost = next(use.id for use in first if use.path == "data/deep/b.txt")
    assert lost is not None
    store.objects.path(lost).unlink()
    again = {use.path: use.id for use in declare(store, root, root, ["data"])}
    assert again == {"data/a.bin": digest(b"b" * (2 << 20)), "data/deep/b.txt": digest(b"b\n")}
    assert store.objects.get(lost) == b"b\n"


def test_paths_outside_the_root_are_absolute(root: Path, tmp_path: Path) -> None:
    """Relative paths are relative to the working directory; below the root they are recorded relative to it."""
    (tmp_path / "shared.csv").write_text("x\n")
    declared = declare(Store.open(root), root, root / "data", ["../../shared.csv", "../train.csv"])
    assert [use.path for use in declared] == [str(tmp_path / "shared.csv"), "train.csv"]


def test_links_to_files_stand_for_their_content(root: Path, tmp_path: Path) -> None:
    """A data set made of links, as download caches are, has the content that a reader gets; other links are no files."""
    (tmp_path / "blob").write_text("content\n")
    (root / "data" / "linked.txt").symlink_to(tmp_path / "blob")
    (root / "data" / "loop").symlink_to(root / "data")
    (root / "data" / "broken").symlink_to("nowhere")
    declared = {use.path: use.id for use in declare(Store.open(root), root, root, ["data"])}
    assert declared["data/linked.txt"] == digest(b"content\n")
    assert set(declared) == {"data/a.bin", "data/deep/b.txt", "data/linked.txt"}


def test_secrets_are_identified_and_not_kept(root: Path) -> None:
    """A declared folder may hold a file of credentials: the run knows which it was, the store does not have it."""
    (root / "data" / ".env").write_text("KEY=1\n")
    store = Store.open(root)
    secret = next(use for use in declare(store, root, root, ["data"]) if use.path == "data/.env")
    assert secret.id == digest(b"KEY=1\n")
    assert not secret.kept
    assert "secret" in secret.note
    assert secret.id not in store.objects


def test_what_rules_keep_out_is_identified_and_not_kept(root: Path) -> None:
    """By rules for the project's paths, in a folder, as a single file and elsewhere; a rule that is made or taken away later counts."""
    rules = root / ".assayignore"
    rules.write_text("deep/\n*.csv\n")
    store = Store.open(root)
    declared = {use.path: use for use in declare(store, root, root, ["train.csv", "data"])}
    assert {path for path, use in declared.items() if not use.kept} == {"train.csv", "data/deep/b.txt"}
    assert declared["train.csv"].id == digest(b"1,2\n") and declared["train.csv"].id not in store.objects
    assert "kept out by .assayignore" in declared["train.csv"].note
    rules.write_text("/data/a.bin\n")
    kept = {use.path for use in declare(store, root, root, ["train.csv", "data"]) if use.kept}
    assert kept == {"train.csv", "data/deep/b.txt"}
    rules.unlink()
    assert all(use.kept and use.id in store.objects for use in declare(store, root, root, ["train.csv", "data"]))


@pytest.mark.parametrize("kind", ["missing", "pipe"])
def test_what_is_no_data_is_refused_by_name(root: Path, kind: str) -> None:
    """A FIFO is refused, not waited for; the error names the path and what was expected."""
    if kind == "pipe":
        os.mkfifo(root / "pipe")
    with pytest.raises(InvalidValue) as caught:
        declare(Store.open(root), root, root, ["train.csv", kind])
    assert caught.value.value == str(root / kind)
    assert "file or folder" in caught.value.expected
    assert caught.value.next_step
