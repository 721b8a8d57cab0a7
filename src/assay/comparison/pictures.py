"""Pictures and documents compared by what is seen: pixels and marks, not the texts, times and names beside them."""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Iterator

from assay.comparison.closeness import Yardstick
from assay.comparison.values import Meaning, compare_text


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


def compare_jpeg(a: bytes, b: bytes, yardstick: Yardstick) -> Meaning:
    """Two JPEG pictures by what is decoded; comments and camera data do not count. Raises ValueError where one is none."""
    del yardstick  # pictures are the same or not
    same = list(_segments(a)) == list(_segments(b))
    return Meaning("identical", "equal but for its metadata") if same else Meaning("not reproduced", "its pixels differ")


def _segments(data: bytes) -> Iterator[bytes]:
    """The segments of a JPEG file without those of applications and comments (ITU T.81, B.1.1); all that follows a scan's header is one."""
    if not data.startswith(b"\xff\xd8"):
        raise ValueError("not a JPEG file")
    at = 2
    while at + 4 <= len(data):
        marker, kind, size = struct.unpack(">BBH", data[at : at + 4])
        if marker != 0xFF:
            raise ValueError("not a JPEG file that can be read")
        if kind == 0xDA:
            yield data[at:]
            return
        # An Adobe segment says how colours are to be read.
        if not (0xE0 <= kind <= 0xEF or kind == 0xFE) or data[at + 4 : at + 9] == b"Adobe":
            yield data[at : at + 2 + size]
        at += 2 + size


_METADATA = re.compile(rb"<metadata\b.*?</metadata>|<!--.*?-->", re.DOTALL)
_ID = re.compile(rb"""\b(?:id=["']|url\(#|href=["']#)([^"')]+)""")


def compare_svg(a: bytes, b: bytes, yardstick: Yardstick) -> Meaning:
    """Two SVG drawings word by word; metadata, comments, and the names that a plot library makes up do not count.

    Raises:
        ValueError: one is not UTF-8.
    """
    one, other = (_named_by_order(_METADATA.sub(b"", data)) for data in (a, b))
    return compare_text(one, other, yardstick)


def _named_by_order(data: bytes) -> bytes:
    """The drawing with every identifier replaced by its place among them: matplotlib takes random ones for clips and marks."""
    names = list(dict.fromkeys(_ID.findall(data)))
    places = {name: b"id%d" % index for index, name in enumerate(names)}
    return _ID.sub(lambda found: found[0][: -len(found[1])] + places[found[1]], data)


_PASSING = re.compile(
    rb"/(?:CreationDate|ModDate)\s*(?:\([^)]*\)|<[0-9A-Fa-f]*>)|/ID\s*\[[^\]]*\]|<\?xpacket.*?<\?xpacket end[^>]*>|/Producer\s*\([^)]*\)",
    re.DOTALL,
)


def compare_pdf(a: bytes, b: bytes, yardstick: Yardstick) -> Meaning:
    """Two PDF documents byte for byte but for dates, file identifiers and metadata packets. Raises ValueError where one is none."""
    del yardstick
    if not (a.startswith(b"%PDF-") and b.startswith(b"%PDF-")):
        raise ValueError("not a PDF file")
    same = _PASSING.sub(b"", a) == _PASSING.sub(b"", b)
    return Meaning("identical", "equal but for its dates") if same else Meaning("not reproduced", "more than its dates differs")
