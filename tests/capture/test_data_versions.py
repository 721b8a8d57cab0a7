"""Versions of data sets: what is in them, what is not and why, and that nothing of it is done twice."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.capture.data_changes import Change, File, changes, files_of
from assay.capture.data_scan import Fresh
from assay.capture.data_take import LeftOut, take
from assay.capture.data_versions import Added, add_version
from assay.errors import InvalidValue
from assay.records.canonical import digest
from assay.store.store import Store
from assay.store.tree import read_tree

NAMES = [b"plain.txt", b"-rf", b"new\nline", b"\xff\xfe", b"x" * 255, "é".encode(), b"deep/er/file"]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    (folder / "set").mkdir(parents=True)
    for number, name in enumerate(NAMES):
        path = folder / "set" / os.fsdecode(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"content %d" % number)
    return folder


@pytest.fixture
def store(root: Path) -> Store:
    return Store.open(root)


def contents(store: Store, added: Added) -> dict[bytes, bytes]:
    """Path to bytes of every file and link of a version."""
    return {path: store.objects.get(content) for path, (_, content) in read_tree(store.objects, added.version.content).items()}


def test_a_version_has_every_file_under_its_exact_name(store: Store, root: Path) -> None:
    """Names that are options, hold line ends, are no Unicode or as long as a name can be; sizes are in the order of the paths."""
    added = add_version(store, root, root / "set")
    assert contents(store, added) == {name: b"content %d" % number for number, name in enumerate(NAMES)}
    assert added.listed.entry.name == added.listed.entry.path == "set"
    assert {path: file.size for path, file in files_of(store.objects, added.version, "set").items()} == dict.fromkeys(NAMES, 9)
    assert added.version.left_out == added.version.not_kept == {}


def test_the_same_content_is_no_new_version(store: Store, root: Path) -> None:
    """Added again unchanged, nothing is added; put back as it was, the version has the id that it had."""
    first = add_version(store, root, root / "set")
    again = add_version(store, root, root / "set")
    assert not again.new
    assert again.listed == first.listed
    (root / "set" / "plain.txt").write_text("other")
    second = add_version(store, root, root / "set")
    (root / "set" / "plain.txt").write_bytes(b"content 0")
    third = add_version(store, root, root / "set")
    assert [first.new, second.new, third.new] == [True, True, True]
    assert third.version == first.version != second.version
    history = [listed.entry for listed in store.datasets.history("set")]
    assert [entry.content for entry in history] == [added.version.content for added in (third, second, first)]
    assert [entry.before for entry in history[:2]] == [listed.id for listed in store.datasets.history("set")[1:]]


def test_what_only_a_stat_record_shows_is_seen(store: Store, root: Path) -> None:
    """Same size, same modification time, another content: the change time tells."""
    first = add_version(store, root, root / "set")
    path = root / "set" / "plain.txt"
    found = path.stat()
    path.write_bytes(b"Content 0")
    os.utime(path, ns=(found.st_atime_ns, found.st_mtime_ns))
    assert contents(store, add_version(store, root, root / "set"))[b"plain.txt"] == b"Content 0"
    assert contents(store, first)[b"plain.txt"] == b"content 0"


def test_links_fifos_and_sockets_are_named(store: Store, root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A link to a file stands for it, wherever it leads; links to folders and to nothing stay links; what is no file is left out."""
    (tmp_path / "outside.bin").write_bytes(b"outside")
    folder = root / "set"
    (folder / "file-link").symlink_to(tmp_path / "outside.bin")
    (folder / "folder-link").symlink_to(tmp_path)
    (folder / "dangling").symlink_to("nowhere")
    (folder / "loop").symlink_to("loop")
    os.mkfifo(folder / "fifo")
    monkeypatch.chdir(folder)
    with socket.socket(socket.AF_UNIX) as bound:
        bound.bind("socket")
        added = add_version(store, root, folder)
    tree = read_tree(store.objects, added.version.content)
    assert tree[b"file-link"] == ("file", digest(b"outside"))
    assert {path for path, (kind, _) in tree.items() if kind == "link"} == {b"folder-link", b"dangling", b"loop"}
    assert set(added.version.left_out) == {"folder-link", "dangling", "loop", "fifo", "socket"}
    assert not {b"fifo", b"socket"} & tree.keys()
    assert not add_version(store, root, folder).new


def test_secrets_are_hashed_and_not_kept(store: Store, root: Path) -> None:
    """By name or content; the version says which, and has their ids."""
    token = b"key = AKIA" + b"IOSFODNN7QWERTY2"
    (root / "set" / ".env").write_bytes(b"A=1")
    (root / "set" / "notes.md").write_bytes(token)
    added = add_version(store, root, root / "set")
    assert set(added.version.not_kept) == {".env", "notes.md"}
    tree = read_tree(store.objects, added.version.content)
    assert tree[b"notes.md"] == ("file", digest(token))
    assert digest(token) not in store.objects
    assert digest(b"A=1") not in store.objects
    assert not add_version(store, root, root / "set").new


def test_hashed_data_is_not_in_the_store_until_it_is_kept(store: Store, root: Path) -> None:
    """The policy stays as it was chosen; choosing the other one is a new version of the same content."""
    hashed = add_version(store, root, root / "set", policy="hashed")
    assert digest(b"content 0") not in store.objects
    assert not add_version(store, root, root / "set").new
    kept = add_version(store, root, root / "set", policy="kept")
    assert kept.new
    assert kept.version.content == hashed.version.content
    assert store.objects.get(digest(b"content 0")) == b"content 0"


def test_another_store_at_the_same_place_gets_all_of_it(store: Store, root: Path) -> None:
    """What is remembered of files never stands for what the store has."""
    add_version(store, root, root / "set")
    (root / ".assay").rename(root / "old")
    again = add_version(Store.open(root), root, root / "set")
    assert again.new
    assert contents(Store.open(root), again)[b"plain.txt"] == b"content 0"


def test_one_file_is_a_data_set(store: Store, root: Path) -> None:
    """Its version has the id of its bytes, which `b3sum` prints; a name of one's own stays with the path."""
    path = root / "set" / "plain.txt"
    added = add_version(store, root, path, name="plain")
    assert (added.version.content, added.version.kind, added.version.sizes) == (digest(b"content 0"), "file", (9,))
    path.chmod(0o755)
    assert add_version(store, root, path).listed.entry.name == "plain"
    assert [listed.entry.name for listed in store.datasets.listed()] == ["plain", "plain"]


def test_a_file_that_vanishes_or_becomes_a_fifo_is_left_out(store: Store, root: Path) -> None:
    """It was listed, and is not there to be read; nothing waits for a writer."""
    os.mkfifo(root / "set" / "pipe")
    for name in (b"gone", b"pipe"):
        with pytest.raises(LeftOut):
            take(store.objects, os.fsencode(root / "set"), Fresh(b"", name, is_link=False), keep=True, refuse=lambda path: "")


@pytest.mark.parametrize(("path", "name"), [("absent", None), ("set", " x"), ("set", ""), ("set", "a\nb")])
def test_what_cannot_be_added_is_refused(store: Store, root: Path, path: str, name: str | None) -> None:
    """And nothing is added."""
    with pytest.raises(InvalidValue):
        add_version(store, root, root / path, name=name)
    assert store.datasets.listed() == []


def test_a_clock_that_was_set_back_does_not_turn_history_round(store: Store, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The last version that was added is the last one."""
    add_version(store, root, root / "set")
    (root / "set" / "new").write_text("new")
    monkeypatch.setattr("time.time", lambda: 1.0)
    second = add_version(store, root, root / "set")
    assert store.datasets.resolve("set").entry.content == second.version.content


STATE = st.dictionaries(
    st.sampled_from([b"a", b"b", b"c/d", b"c/a", b"e"]), st.sampled_from([digest(b"1"), digest(b"2"), digest(b"3")]), max_size=5
).map(lambda files: {path: File("file", content, 1) for path, content in files.items()})


def applied(state: dict[bytes, File], found: list[Change]) -> dict[bytes, File]:
    """A state after these changes."""
    after = dict(state)
    for change in found:
        if change.kind in ("removed", "renamed"):
            del after[(change.before or change.path).encode()]
    for change in found:
        if change.b is not None:
            after[change.path.encode()] = change.b
    return after


@given(STATE, STATE)
def test_changes_lead_from_one_state_to_the_other(a: dict[bytes, File], b: dict[bytes, File]) -> None:
    """Applied to a they give b; nothing differs from itself; a rename keeps the content."""
    found = changes(a, b)
    assert applied(a, found) == b
    assert changes(a, a) == []
    assert all(change.a == change.b for change in found if change.kind == "renamed")
    assert len({(change.kind == "removed", change.path) for change in found}) == len(found)
