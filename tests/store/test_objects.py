"""Objects: content by its id, whole or not there."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.errors import MissingContent, StoreDamaged
from assay.records.canonical import digest
from assay.records.recipe import Recipe
from assay.store.objects import CHUNKED_ABOVE, Objects, hash_file
from assay.store.store import Store

BIG = 3 << 20  # bytes; above what is read at once


def files_below(folder: Path) -> list[Path]:
    """Every file in it."""
    return [path for path in folder.rglob("*") if path.is_file()]


@given(st.binary(max_size=5000))
def test_what_is_put_is_got(data: bytes) -> None:
    """Under the BLAKE3 of its bytes, whether it came as bytes or as a file; twice is once."""
    with tempfile.TemporaryDirectory() as folder:
        store = Store.open(Path(folder))
        source = Path(folder) / "source"
        source.write_bytes(data)
        assert store.objects.put(data) == store.objects.put_file(source) == hash_file(source) == digest(data)
        assert store.objects.get(digest(data)) == data
        assert len(files_below(store.path / "objects")) == 1


def test_an_object_is_read_only_and_where_the_format_says(store: Store) -> None:
    """objects/ab/cdef…, mode 0444 as far as the umask allows."""
    content = store.objects.put(b"abc")
    path = store.path / "objects" / content[:2] / content[2:]
    assert path.read_bytes() == b"abc"
    assert stat.S_IMODE(path.stat().st_mode) & 0o333 == 0
    assert store.objects.path(content) == path


def test_a_large_file_is_copied_whole(store: Store, tmp_path: Path) -> None:
    """Through the kernel's copy, with nothing left beside it."""
    data = os.urandom(BIG) + b"end"
    (tmp_path / "model.pt").write_bytes(data)
    content = store.objects.put_file(tmp_path / "model.pt")
    assert store.objects.put_file(str(tmp_path / "model.pt").encode()) == content == digest(data)
    assert store.objects.get(content) == data
    assert files_below(store.path / "tmp") == []


def test_a_large_file_is_copied_across_file_systems(store: Store) -> None:
    """Where neither extents nor the kernel's copy can be used, the bytes arrive all the same."""
    shared_memory = Path("/dev/shm")
    if not os.access(shared_memory, os.W_OK):
        pytest.skip("no second file system here")
    with tempfile.NamedTemporaryFile(dir=shared_memory) as file:
        file.write(b"x" * BIG)
        file.flush()
        assert store.objects.get(store.objects.put_file(file.name)) == b"x" * BIG


def test_an_expected_content_that_is_stored_is_not_read_again(store: Store, tmp_path: Path) -> None:
    """The caller has just hashed it."""
    content = store.objects.put(b"abc")
    assert store.objects.put_file(tmp_path / "vanished", expect=content) == content


def test_a_file_that_changed_gives_the_content_it_has_now(store: Store, tmp_path: Path) -> None:
    """The id that is returned tells the caller."""
    (tmp_path / "f").write_bytes(b"new")
    assert store.objects.put_file(tmp_path / "f", expect=digest(b"old")) == digest(b"new")
    assert digest(b"old") not in store.objects


def test_a_file_that_is_written_meanwhile_gives_a_consistent_object(store: Store, tmp_path: Path) -> None:
    """Whatever mixture was copied, its id is that of the copy."""
    path = tmp_path / "growing"
    path.write_bytes(b"a" * BIG)
    stop = threading.Event()

    def scribble() -> None:
        with path.open("r+b") as file:
            while not stop.is_set():
                for position in range(0, BIG - 64, BIG // 7):
                    file.seek(position)
                    file.write(os.urandom(64))

    thread = threading.Thread(target=scribble)
    thread.start()
    try:
        contents = [store.objects.put_file(path) for _ in range(5)]
    finally:
        stop.set()
        thread.join()
    for content in contents:
        assert len(store.objects.get(content)) == BIG


@pytest.mark.parametrize("make", [lambda path: None, Path.mkdir, os.mkfifo, lambda path: path.symlink_to("nowhere")])
def test_what_is_no_file_is_the_callers_error(store: Store, tmp_path: Path, make: object) -> None:
    """A missing file, a folder, a FIFO without a writer, a link to nothing: an OSError at once."""
    make(tmp_path / "odd")  # type: ignore[operator]
    with pytest.raises(OSError):
        store.objects.put_file(tmp_path / "odd")
    assert files_below(store.path / "tmp") == []


@pytest.mark.parametrize("content", ["0" * 64, "", "zz", "../../../etc/passwd", "A" * 64, "0" * 63 + "/"])
def test_what_is_not_here_is_missing(store: Store, content: str, tmp_path: Path) -> None:
    """Also what is no id at all, and never a way out of the folder."""
    assert content not in store.objects
    with pytest.raises(MissingContent, match="64 hexadecimal"):
        store.objects.get(content)
    with pytest.raises(MissingContent):
        store.objects.copy_to(content, tmp_path / "target")
    assert not (tmp_path / "target").exists()


def test_damage_is_found(store: Store, tmp_path: Path) -> None:
    """A flipped bit is never handed out, neither as bytes nor as a copy."""
    content = store.objects.put(b"weights")
    path = store.objects.path(content)
    path.chmod(0o644)
    path.write_bytes(b"Weights")
    with pytest.raises(StoreDamaged, match=str(path)):
        store.objects.get(content)
    (tmp_path / "target").write_bytes(b"before")
    with pytest.raises(StoreDamaged):
        store.objects.copy_to(content, tmp_path / "target")
    assert (tmp_path / "target").read_bytes() == b"before"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["project", "target"]


def test_an_object_that_a_power_cut_tore_is_written_again(store: Store) -> None:
    """Its size gives it away, so putting the content heals it."""
    content = store.objects.put(b"weights")
    path = store.objects.path(content)
    path.chmod(0o644)
    path.write_bytes(b"")
    assert store.objects.get(store.objects.put(b"weights")) == b"weights"


def test_a_copy_is_the_users_own(store: Store, tmp_path: Path) -> None:
    """Writable, executable where it was, in place of what stood there; writing to it leaves the store alone."""
    content = store.objects.put(b"#!/bin/sh\n")
    target = tmp_path / "new" / "run.sh"
    store.objects.copy_to(content, target, executable=True)
    store.objects.copy_to(content, target, executable=True)
    assert target.stat().st_mode & stat.S_IXUSR
    assert target.stat().st_nlink == 1
    target.write_bytes(b"changed")
    assert store.objects.get(content) == b"#!/bin/sh\n"
    store.objects.copy_to(content, target)
    assert not target.stat().st_mode & stat.S_IXUSR


def test_a_copy_replaces_a_link_and_not_what_it_names(store: Store, tmp_path: Path) -> None:
    """Restoring never writes through a link."""
    (tmp_path / "precious").write_bytes(b"mine")
    (tmp_path / "link").symlink_to("precious")
    store.objects.copy_to(store.objects.put(b"abc"), tmp_path / "link")
    assert (tmp_path / "precious").read_bytes() == b"mine"
    assert (tmp_path / "link").read_bytes() == b"abc"


def test_records_are_stored_as_their_canonical_bytes(store: Store) -> None:
    """So the id of a record is the id of its object."""
    recipe = Recipe(params={"lr": 0.1})
    assert store.objects.put_record(recipe) == recipe.id
    assert store.objects.record(recipe.id, Recipe) == recipe


PUT_FOR_EVER = """
import sys
from pathlib import Path
from assay.store.objects import Objects
objects = Objects(Path(sys.argv[1]))
source = Path(sys.argv[2])
print("ready", flush=True)
number = 0
while True:
    number += 1
    objects.put(b"%d" % number * 1000)
    source.write_bytes(b"%d" % number * 400_000)
    objects.put_file(source)
"""


def test_a_kill_leaves_no_half_object(root: Path, tmp_path: Path) -> None:
    """Whenever the process is killed, every object has its content, and the next opening removes what was being written."""
    store = Store.open(root)
    for delay in (0.0, 0.003, 0.011, 0.019, 0.027):
        child = subprocess.Popen(
            [sys.executable, "-c", PUT_FOR_EVER, str(store.path), str(tmp_path / "source")], stdout=subprocess.PIPE
        )
        assert child.stdout is not None
        child.stdout.readline()
        threading.Event().wait(delay)
        child.send_signal(signal.SIGKILL)
        child.communicate()
        for path in files_below(store.path / "objects"):
            assert hash_file(path) == path.parent.name + path.name
        assert files_below(Store.open(root).path / "tmp") == []


def test_many_threads_put_the_same_content(store: Store) -> None:
    """All succeed, and there is one object."""
    found: list[str] = []
    threads = [threading.Thread(target=lambda: found.append(Objects(store.path).put(b"same" * 10_000))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [digest(b"same" * 10_000)] * 8
    assert len(files_below(store.path / "objects")) == 1


@pytest.mark.parametrize("listed", [0, 1, 6])
def test_which_of_many_contents_are_missing(store: Store, monkeypatch: pytest.MonkeyPatch, listed: int) -> None:
    """Contents that were never put are told from those that were, whole or in parts, however few names of a folder are listed."""
    monkeypatch.setattr("assay.store.objects._LISTED", listed)
    here = {store.objects.put(b"%d" % number) for number in range(300)}
    large = store.objects.put(os.urandom(CHUNKED_ABOVE + 1))
    absent = {digest(b"%d" % number) for number in range(300, 600)}
    assert store.objects.missing(here | absent | {large}) == absent
    assert store.objects.missing(here) == store.objects.missing([]) == set()
    assert store.objects.missing(["../objects", "x"]) == {"../objects", "x"}
