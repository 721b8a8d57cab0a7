"""Large content is kept in parts, and nobody who asks for it by its id can tell."""

from __future__ import annotations

import io
import random
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assay.errors import MissingContent, StoreDamaged
from assay.records.canonical import decode, digest
from assay.store.chunks import LARGEST, SMALLEST, put_chunks
from assay.store.hashing import hash_file
from assay.store.objects import CHUNKED_ABOVE, Objects
from assay.store.parts import SUFFIX, Parts
from assay.store.store import Store

LARGE = CHUNKED_ABOVE + (3 << 20)


def noise(size: int, seed: int = 0) -> bytes:
    """Bytes that no compression and no luck makes equal."""
    return random.Random(seed).randbytes(size)


def listed(objects: Objects, content_id: str) -> Path:
    """Where the list of a content's parts lies."""
    return Path(f"{objects.path(content_id)}{SUFFIX}")


@pytest.fixture
def large(store: Store, tmp_path: Path) -> tuple[str, bytes]:
    """A file that is kept in parts: its id and bytes."""
    data = noise(LARGE)
    (tmp_path / "large").write_bytes(data)
    content = store.objects.put_file(tmp_path / "large")
    if not store.objects.parts(content):
        pytest.skip("this file system shares whole files, so none is cut")
    return content, data


def test_a_large_file_has_the_id_of_its_bytes_and_comes_back(store: Store, large: tuple[str, bytes], tmp_path: Path) -> None:
    """As bytes and as a file with its mode; what lies in the store is the list and its parts."""
    content, data = large
    assert content == digest(data) == hash_file(tmp_path / "large")
    assert content in store.objects
    assert store.objects.get(content) == data
    store.objects.copy_to(content, tmp_path / "copy", executable=True)
    assert (tmp_path / "copy").read_bytes() == data
    assert (tmp_path / "copy").stat().st_mode & 0o100
    assert not store.objects.path(content).exists()
    assert list((store.path / "tmp").iterdir()) == []


def test_parts_are_whole_objects_that_join_to_the_content(store: Store, large: tuple[str, bytes]) -> None:
    """`parts` names them in order; the list says their sizes; small content has none."""
    content, data = large
    parts = store.objects.parts(content)
    assert b"".join(store.objects.get(part) for part in parts) == data
    found = decode(listed(store.objects, content).read_bytes(), Parts)
    assert [part for part, _ in found.pieces] == parts
    assert found.size == len(data)
    assert store.objects.parts(parts[0]) == []
    with pytest.raises(MissingContent):
        store.objects.parts("0" * 64)


def test_bytes_and_files_of_any_size_are_the_same_object(store: Store, large: tuple[str, bytes]) -> None:
    """What was put as a file is known when it is put as bytes; nothing is written again."""
    content, data = large
    before = {path: path.stat().st_ino for path in (store.path / "objects").rglob("*") if path.is_file()}
    assert store.objects.put(data) == content
    assert {path: path.stat().st_ino for path in (store.path / "objects").rglob("*") if path.is_file()} == before


def test_a_change_in_the_middle_costs_what_changed(store: Store, large: tuple[str, bytes], tmp_path: Path) -> None:
    """Overwritten, inserted or removed: all but the parts around it are shared."""
    content, data = large
    middle = LARGE // 2
    for changed in (
        data[:middle] + noise(1000, 1) + data[middle + 1000 :],
        data[:middle] + b"inserted" + data[middle:],
        data[:middle] + data[middle + 777 :],
    ):
        (tmp_path / "large").write_bytes(changed)
        again = store.objects.put_file(tmp_path / "large")
        new = set(store.objects.parts(again)) - set(store.objects.parts(content))
        assert again == digest(changed)
        assert sum(store.objects.path(part).stat().st_size for part in new) <= 3 * LARGEST
        assert store.objects.get(again) == changed


def test_holes_cost_nothing_in_the_store_and_come_back_as_holes(store: Store, tmp_path: Path) -> None:
    """A sparse file of 64 MiB keeps little more than what was written into it, and its copy is as sparse."""
    with open(tmp_path / "sparse", "wb") as file:
        file.truncate(64 << 20)
        file.seek(40 << 20)
        file.write(noise(5000))
    content = store.objects.put_file(tmp_path / "sparse")
    kept = sum(path.stat().st_blocks * 512 for path in (store.path / "objects").rglob("*") if path.is_file())
    store.objects.copy_to(content, tmp_path / "copy")
    assert hash_file(tmp_path / "copy") == hash_file(tmp_path / "sparse") == content
    assert kept <= 8 << 20
    assert (tmp_path / "copy").stat().st_blocks * 512 <= 8 << 20


def test_a_missing_or_damaged_part_is_named(store: Store, large: tuple[str, bytes], tmp_path: Path) -> None:
    """Reading raises, and what stood at the target of a copy still stands there."""
    content, _ = large
    (tmp_path / "target").write_text("mine")
    part = store.objects.path(store.objects.parts(content)[2])
    part.chmod(0o644)
    part.write_bytes(b"x" * part.stat().st_size)
    for read in (lambda: store.objects.get(content), lambda: store.objects.copy_to(content, tmp_path / "target")):
        with pytest.raises(StoreDamaged) as damaged:
            read()
        assert damaged.value.value == str(part)
    part.unlink()
    for read in (lambda: store.objects.get(content), lambda: store.objects.copy_to(content, tmp_path / "target")):
        with pytest.raises(MissingContent):
            read()
    assert (tmp_path / "target").read_text() == "mine"
    assert sorted(path.name for path in tmp_path.iterdir() if path.name.startswith(".assay-")) == []


def test_putting_it_again_mends_what_is_torn(store: Store, large: tuple[str, bytes], tmp_path: Path) -> None:
    """After a power cut parts and list may be short or empty; who still has the content puts it back."""
    content, data = large
    torn = [store.objects.path(store.objects.parts(content)[0]), listed(store.objects, content)]
    for path in torn:
        path.chmod(0o644)
        path.write_bytes(b"")
    with pytest.raises(StoreDamaged):
        store.objects.get(content)
    assert store.objects.put_file(tmp_path / "large") == content
    assert store.objects.get(content) == data


def test_a_file_that_is_cut_short_while_it_is_read_gives_what_was_read(store: Store, tmp_path: Path) -> None:
    """One consistent object, whose id is that of its bytes, however short."""
    data = noise(LARGE)
    for left in (0, 10, SMALLEST * 3):
        source = io.BytesIO(data[:left])
        content = store.objects._put_chunks(source.readinto)
        assert content == digest(data[:left])
        assert store.objects.get(content) == data[:left]


@settings(max_examples=20, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 5 << 20), st.integers(0, 255)), max_size=4), st.integers(1, 1 << 20))
def test_chunks_join_to_what_was_read(runs: list[tuple[int, int]], step: int) -> None:
    """Whatever the content and however few bytes a read returns; each chunk lies between the bounds, the last one excepted."""
    data = b"".join(bytes([value]) * (length // 2) + noise(length // 2, value) for length, value in runs)
    source = io.BytesIO(data)
    kept: list[bytes] = []
    content, parts = put_chunks(
        lambda buffer: source.readinto(buffer[: min(step, len(buffer))]), lambda piece: kept.append(piece) or digest(piece)
    )
    assert b"".join(kept) == data
    assert content == digest(data)
    assert parts.pieces == tuple((digest(piece), len(piece)) for piece in kept)
    assert all(SMALLEST <= len(piece) <= LARGEST for piece in kept[:-1])


def test_large_files_are_hashed_as_b3sum_does(tmp_path: Path) -> None:
    """Read ahead by a thread in buffers: at their edges as between them."""
    for size in ((32 << 20), (32 << 20) + 1, (36 << 20) - 1):
        data = noise(size)
        (tmp_path / "file").write_bytes(data)
        assert hash_file(tmp_path / "file") == digest(data)


def test_a_folder_cannot_be_hashed(tmp_path: Path) -> None:
    """The error is that of the operating system."""
    with pytest.raises(OSError, match="directory"):
        hash_file(tmp_path)


@pytest.mark.parametrize("size", [1, 33 << 20])
def test_a_hash_gives_up_when_its_time_is_over(tmp_path: Path, size: int) -> None:
    """Small files and those that several threads hash: who has no time gets no id, and an error that says so."""
    (tmp_path / "file").write_bytes(bytes(size))
    with pytest.raises(TimeoutError):
        hash_file(tmp_path / "file", until=time.monotonic())
