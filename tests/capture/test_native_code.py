"""Whether a compiled library can open files is read from what it needs of others."""

from __future__ import annotations

import struct
from pathlib import Path

import blake3
import markupsafe
import msgspec

from assay.capture.native_code import opens_files, that_open_files


def library_of(package: object) -> Path:
    return next(Path(package.__file__ or "").parent.glob("*.so"))  # type: ignore[attr-defined]


def test_libraries_that_ask_for_files_are_told_from_those_that_do_not() -> None:
    """Real ones: blake3 hashes files by itself, the others are given bytes."""
    assert [opens_files(str(library_of(package))) for package in (blake3, msgspec, markupsafe)] == [True, False, False]


def test_what_cannot_be_told_is_taken_for_one_that_does(tmp_path: Path) -> None:
    """A library that is cut short, or of another class of machines; what is none, or gone, opens nothing."""
    whole = library_of(msgspec).read_bytes()
    for name, data in {"cut.so": whole[:4096], "other.so": b"\x7fELF\x01\x01" + whole[6:], "text.so": b"INPUT(-lc)"}.items():
        (tmp_path / name).write_bytes(data)
    assert [opens_files(str(tmp_path / name)) for name in ("cut.so", "other.so", "text.so", "gone.so")] == [
        True,
        True,
        False,
        False,
    ]


def test_only_libraries_are_looked_into(tmp_path: Path) -> None:
    """By their names, versioned ones among them."""
    for name in ("b.so.1", "a.so", "data.bin"):
        (tmp_path / name).write_bytes(library_of(blake3).read_bytes())
    found = that_open_files(str(tmp_path / name) for name in ("b.so.1", "data.bin", "a.so"))
    assert [Path(path).name for path in found] == ["a.so", "b.so.1"]


def test_a_table_that_leads_nowhere_ends_the_search(tmp_path: Path) -> None:
    """Names that would lie beyond the end of the file."""
    data = bytearray(library_of(msgspec).read_bytes())
    struct.pack_into("<Q", data, 0x28, len(data) - 8)
    (tmp_path / "a.so").write_bytes(data)
    assert opens_files(str(tmp_path / "a.so"))
