"""Containers compared by what is in them: zip and tar archives (.npz, .pt, .tar.gz), safetensors. Their own time stamps do not count."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Mapping

import numpy as np

from assay.comparison.arrays import compare_arrays, safetensors_arrays
from assay.comparison.closeness import Yardstick, worst
from assay.comparison.torch_archives import PICKLE, compare_archives, without_tensors
from assay.comparison.values import Meaning

Inner = Callable[[str, bytes, bytes, Yardstick], Meaning]
"""Compares two members of a container that are not the same bytes, by the name they have in it."""


def compare_zip(a: bytes, b: bytes, yardstick: Yardstick, inner: Inner) -> Meaning:
    """Two zip archives member by member; where torch wrote them, tensor by tensor.

    Raises:
        ValueError: one is no zip archive, or is damaged.
    """
    one, other = _members(a), _members(b)
    if PICKLE in one and PICKLE in other:
        values = compare_archives(one, other, yardstick)
        rest = compare_members(without_tensors(one), without_tensors(other), yardstick, inner)
        return values if worst([values.sameness, rest.sameness]) == values.sameness else rest
    return compare_members(one, other, yardstick, inner)


def compare_members(a: Mapping[str, bytes], b: Mapping[str, bytes], yardstick: Yardstick, inner: Inner) -> Meaning:
    """Named contents one by one; the worst of them decides, and the first such is named."""
    verdicts: list[tuple[str, Meaning]] = []
    for name in [*a, *(name for name in b if name not in a)]:
        if name not in a or name not in b:
            verdicts.append((name, Meaning("not reproduced", f"only in {'a' if name in a else 'b'}")))
        elif a[name] != b[name]:
            verdicts.append((name, inner(name, a[name], b[name], yardstick)))
    return together(verdicts, "equal member by member")


def _members(data: bytes) -> dict[str, bytes]:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = {entry.filename: archive.read(entry) for entry in archive.infolist() if not entry.is_dir()}
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError) as error:
        raise ValueError(f"not a zip archive that can be read: {error}") from error
    return _without_top(members)


def _without_top(members: dict[str, bytes]) -> dict[str, bytes]:
    """The members below the one folder that holds them all: torch names it after the file, and the file may carry a time stamp."""
    top = {name.partition("/")[0] for name in members}
    if len(top) == 1 and all("/" in name for name in members):
        return {name.partition("/")[2]: content for name, content in members.items()}
    return members


def compare_tar(a: bytes, b: bytes, yardstick: Yardstick, inner: Inner) -> Meaning:
    """Two tar archives, compressed or not, member by member; owners and times do not count. Raises ValueError where one is none."""
    return compare_members(_unpacked(a), _unpacked(b), yardstick, inner)


def _unpacked(data: bytes) -> dict[str, bytes]:
    """Name to content; a link is what it points to. Nothing is ever extracted to disk."""
    found = {}
    try:
        with tarfile.open(fileobj=io.BytesIO(data), mode="r:*") as archive:
            for member in archive:
                file = archive.extractfile(member) if member.isreg() else None
                found[member.name] = file.read() if file else f"{member.type!r} {member.linkname}".encode()
    except (tarfile.TarError, OSError, EOFError, zlib.error, lzma.LZMAError) as error:
        raise ValueError(f"not a tar archive that can be read: {error}") from error
    return found


def together(verdicts: list[tuple[str, Meaning]], equal: str) -> Meaning:
    """The worst of several comparisons; its note names the first such, and says in how many more something differs."""
    sameness = worst(meaning.sameness for _, meaning in verdicts)
    if sameness == "identical":
        return Meaning("identical", equal)
    name, meaning = next((name, meaning) for name, meaning in verdicts if meaning.sameness == sameness)
    others = sum(1 for _, meaning in verdicts if meaning.sameness != "identical") - 1
    return Meaning(sameness, f"{name}: {meaning.note}" + (f" and {others} more" if others else ""))


def compare_safetensors(a: bytes, b: bytes, yardstick: Yardstick) -> Meaning:
    """Two .safetensors files tensor by tensor; their metadata does not count. Raises ValueError where one is none."""
    return compare_named(_safetensors(a), _safetensors(b), yardstick)


def compare_named(a: Mapping[str, np.ndarray], b: Mapping[str, np.ndarray], yardstick: Yardstick) -> Meaning:
    """Named arrays one by one, in the order of `a`."""
    verdicts = []
    for name in [*a, *(name for name in b if name not in a)]:
        if name not in a or name not in b:
            verdicts.append((name, Meaning("not reproduced", f"only in {'a' if name in a else 'b'}")))
        else:
            verdicts.append((name, compare_arrays(a[name], b[name], yardstick.tolerance)))
    return together(verdicts, "equal tensor by tensor")


def _safetensors(data: bytes) -> dict[str, np.ndarray]:
    if len(data) < 8 or (size := struct.unpack("<Q", data[:8])[0]) > len(data) - 8:
        raise ValueError("not a .safetensors file")
    header = json.loads(data[8 : 8 + size])
    if not isinstance(header, dict):
        raise ValueError("not a .safetensors header")
    return safetensors_arrays(header, data[8 + size :])


def decompressed(data: bytes) -> bytes:
    """What a file compressed by gzip, bzip2 or xz holds. Raises ValueError where it is none."""
    try:
        for magic, inflate in ((b"\x1f\x8b", gzip.decompress), (b"BZh", bz2.decompress), (b"\xfd7zXZ", lzma.decompress)):
            if data.startswith(magic):
                return inflate(data)
    except (OSError, EOFError, zlib.error, lzma.LZMAError) as error:
        raise ValueError("not a compressed file that can be read") from error
    raise ValueError("not a compressed file")
