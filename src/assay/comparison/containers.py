"""Containers compared by what is in them: zip archives (.npz, .pt, .zip), gzip, PNG. Their own time stamps do not count."""

from __future__ import annotations

import gzip
import io
import json
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator

import numpy as np

from assay.comparison.arrays import array_sameness, compare_npy, compare_storage, safetensors_arrays
from assay.comparison.closeness import Yardstick, worst
from assay.comparison.pickles import compare_pickles, read
from assay.comparison.values import Meaning

# Written by torch beside the tensors: a digest of them, which says no more than they do.
_TORCH_DIGEST = ".data/serialization_id"


def compare_zip(a: bytes, b: bytes, yardstick: Yardstick) -> Meaning:
    """Two zip archives member by member: arrays and tensors by value, everything else by content.

    Raises:
        ValueError: one is no zip archive, or is damaged.
    """
    one, other = _members(a), _members(b)
    storages = _torch_storages(one) | _torch_storages(other)
    verdicts: list[tuple[str, Meaning]] = []
    for name in [*one, *(name for name in other if name not in one)]:
        if name == _TORCH_DIGEST or one.get(name) == other.get(name):
            continue
        if name not in one or name not in other:
            verdicts.append((name, Meaning("not reproduced", f"only in {'a' if name in one else 'b'}")))
        else:
            verdicts.append((name, _member(name, one[name], other[name], storages, yardstick)))
    return _together(verdicts, "equal member by member")


def _members(data: bytes) -> dict[str, bytes]:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = {entry.filename: archive.read(entry) for entry in archive.infolist() if not entry.is_dir()}
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError) as error:
        raise ValueError(f"not a zip archive that can be read: {error}") from error
    # torch names the first folder after the file, and the file may carry a time stamp in its name.
    top = {name.partition("/")[0] for name in members}
    if len(top) == 1 and all("/" in name for name in members):
        return {name.partition("/")[2]: content for name, content in members.items()}
    return members


def _torch_storages(members: dict[str, bytes]) -> dict[str, str]:
    """Member name of each tensor storage to its class, where the archive was written by torch."""
    if "data.pkl" not in members:
        return {}
    try:
        return {f"data/{key}": kind for key, kind in read(members["data.pkl"])[1].items()}
    except ValueError:
        return {}


def _member(name: str, a: bytes, b: bytes, storages: dict[str, str], yardstick: Yardstick) -> Meaning:
    readers: dict[str, Callable[[], Meaning]] = {
        "npy": lambda: compare_npy(a, b, yardstick),
        "pkl": lambda: compare_pickles(a, b, yardstick),
    }
    try:
        if name in storages:
            return compare_storage(a, b, storages[name], yardstick.tolerance)
        suffix = name.rpartition(".")[2]
        if suffix in readers:
            return readers[suffix]()
    except ValueError:
        pass  # named like something it is not: its bytes decide
    return Meaning("not reproduced", "its bytes differ")


def _together(verdicts: list[tuple[str, Meaning]], equal: str) -> Meaning:
    sameness = worst(meaning.sameness for _, meaning in verdicts)
    if sameness == "identical":
        return Meaning("identical", equal)
    name, meaning = next((name, meaning) for name, meaning in verdicts if meaning.sameness == sameness)
    others = sum(1 for _, meaning in verdicts if meaning.sameness != "identical") - 1
    return Meaning(sameness, f"{name}: {meaning.note}" + (f" and {others} more" if others else ""))


def compare_safetensors(a: bytes, b: bytes, yardstick: Yardstick) -> Meaning:
    """Two .safetensors files tensor by tensor; their metadata does not count. Raises ValueError where one is none."""
    one, other = _safetensors(a), _safetensors(b)
    verdicts = []
    for name in [*one, *(name for name in other if name not in one)]:
        if name not in one or name not in other:
            verdicts.append((name, Meaning("not reproduced", f"only in {'a' if name in one else 'b'}")))
        else:
            sameness = array_sameness(one[name], other[name], yardstick.tolerance)
            verdicts.append((name, Meaning(sameness, "within tolerance" if sameness == "numerical" else "differs")))
    return _together(verdicts, "equal tensor by tensor")


def _safetensors(data: bytes) -> dict[str, np.ndarray]:
    if len(data) < 8 or (size := struct.unpack("<Q", data[:8])[0]) > len(data) - 8:
        raise ValueError("not a .safetensors file")
    header = json.loads(data[8 : 8 + size])
    if not isinstance(header, dict):
        raise ValueError("not a .safetensors header")
    return safetensors_arrays(header, data[8 + size :])


def gunzip(data: bytes) -> bytes:
    """What a gzip file holds. Raises ValueError where it is none."""
    try:
        return gzip.decompress(data)
    except (OSError, EOFError, zlib.error) as error:
        raise ValueError("not a gzip file") from error


def compare_png(a: bytes, b: bytes, yardstick: Yardstick) -> Meaning:
    """Two PNG pictures by their pixels; texts and times in them do not count. Raises ValueError where one is none."""
    del yardstick  # pictures are the same or not
    same = _pixels(a) == _pixels(b)
    return Meaning("identical", "equal pixel by pixel") if same else Meaning("not reproduced", "its pixels differ")


def _pixels(data: bytes) -> tuple[bytes, ...]:
    """Header, palette, transparency and decompressed pixels: the chunks that decide what is seen (PNG specification, section 11)."""
    chunks = dict.fromkeys((b"IHDR", b"PLTE", b"tRNS", b"IDAT"), b"")
    for kind, content in _chunks(data):
        if kind in chunks:
            chunks[kind] += content
    try:
        pixels = zlib.decompress(chunks.pop(b"IDAT"))
    except zlib.error as error:
        raise ValueError("not a PNG file that can be read") from error
    return (*chunks.values(), pixels)


def _chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    if not data.startswith(b"\x89PNG\r\n\x1a\n"):
        raise ValueError("not a PNG file")
    at = 8
    while at + 8 <= len(data):
        size, kind = struct.unpack(">I4s", data[at : at + 8])
        yield kind, data[at + 8 : at + 8 + size]
        at += size + 12


BY_SUFFIX: dict[str, Callable[[bytes, bytes, Yardstick], Meaning]] = {
    "npy": compare_npy, "npz": compare_zip, "zip": compare_zip, "pt": compare_zip, "pth": compare_zip, "ckpt": compare_zip,
    "keras": compare_zip, "pkl": compare_pickles, "pickle": compare_pickles, "safetensors": compare_safetensors, "png": compare_png,
}  # fmt: skip
