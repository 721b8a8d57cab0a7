"""A folder that is known by its bytes: nothing of it is decoded while nothing changed, and every change is seen."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from assay.capture.data_known import Known, Remembered, kept
from assay.capture.data_scan import known_of, scan


def known_files(folder: Path) -> dict[bytes, Known]:
    """What reading the files of a folder gave, with records that prove it."""
    later = time.time_ns() + 10**10
    return {os.fsencode(path.name): known_of(path.stat(), later, "file", "a" * 64) for path in folder.iterdir() if path.is_file()}


def remembered(folder: Path) -> Remembered:
    """The folder as another process finds it kept."""
    form = kept(os.fsencode(folder), known_files(folder))
    return Remembered(msgspec.msgpack.decode(msgspec.msgpack.encode(form), type=type(form)))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two files, and a folder with another."""
    made = tmp_path / "set"
    (made / "below").mkdir(parents=True)
    for name in ("a", "b", "below/c"):
        (made / name).write_text(name)
    return made


def test_what_did_not_change_is_not_decoded(folder: Path) -> None:
    """Whole folders are handed on as they are kept, and kept again."""
    known = {b"": remembered(folder), b"below": remembered(folder / "below")}
    found = scan(os.fsencode(folder), known)
    assert found.same and not found.fresh
    assert all(found.files[path] is known[path] for path in known)
    assert not any("_files" in vars(each) for each in known.values())
    assert kept(os.fsencode(folder), known[b""]) is known[b""].kept
    assert dict(known[b""]) == known_files(folder) and len(known[b"below"]) == 1


def _as_long_ago(folder: Path) -> None:
    before = (folder / "a").stat()
    (folder / "a").write_text("x")
    os.utime(folder / "a", ns=(before.st_atime_ns, before.st_mtime_ns))


def _by_a_link(folder: Path) -> None:
    (folder / "a").rename(folder.parent / "elsewhere")
    (folder / "a").symlink_to(folder.parent / "elsewhere")


@pytest.mark.parametrize(
    "change",
    [
        lambda folder: (folder / "a").write_text("longer"),
        _as_long_ago,
        lambda folder: (folder / "a").chmod(0o755),
        lambda folder: (folder / "a").unlink(),
        lambda folder: (folder / "a").rename(folder / "d"),
        lambda folder: (folder / "d").write_text("new"),
        lambda folder: shutil.copy2(folder / "a", folder / "copy") and (folder / "copy").replace(folder / "a"),
        lambda folder: os.mkfifo(folder / "fifo"),
        lambda folder: (folder / ".git").mkdir(),
        lambda folder: (folder / "below").rename(folder / "above"),
        lambda folder: shutil.rmtree(folder / "below") or (folder / "below").write_text("a file now"),
        _by_a_link,
    ],
    ids=["longer", "as long ago", "mode", "gone", "renamed", "new", "replaced", "fifo", "git", "folder", "folder to file", "link"],
)
def test_every_change_is_seen(folder: Path, change: Callable[[Path], object]) -> None:
    """The scan finds what it finds without the bytes."""
    known = {b"": remembered(folder), b"below": remembered(folder / "below")}
    time.sleep(0.02)  # the clock of the file system ticks
    change(folder)
    plain = {path: dict(files) for path, files in known.items()}
    found, expected = scan(os.fsencode(folder), known), scan(os.fsencode(folder), plain)
    assert {path: dict(files) for path, files in found.files.items()} == dict(expected.files)
    assert found.fresh == expected.fresh and found.left_out == expected.left_out and found.same == expected.same
    descriptor = os.open(folder, os.O_RDONLY)
    assert known[b""].below(descriptor, os.fsencode(folder)) is None
    os.close(descriptor)


@pytest.mark.parametrize("odd", ["link", "fifo", ".git", "unsettled", "unknown"])
def test_bytes_that_do_not_tell_all_are_not_kept(folder: Path, odd: str) -> None:
    """Where a link, something that is no data, or a file whose record proves nothing lies in it, the folder is looked at in full."""
    files = known_files(folder)
    match odd:
        case "link":
            (folder / "link").symlink_to("a")
            files[b"link"] = files[b"a"]
        case "fifo":
            os.mkfifo(folder / "fifo")
        case ".git":
            (folder / ".git").mkdir()
        case "unsettled":
            files[b"a"].settled = False
        case _:
            del files[b"a"]
    form = kept(os.fsencode(folder), files)
    assert (form.records, form.names, form.below) == (b"", b"", ())
    assert dict(Remembered(form)) == files
    assert kept(os.fsencode(folder / "gone"), files).records == b""
