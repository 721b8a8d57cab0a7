"""Which contents can be compared by what they mean, and by whom."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import PurePosixPath

from assay.comparison.closeness import Yardstick
from assay.comparison.values import Meaning, compare_json, compare_json_lines, compare_table, compare_text

Comparison = Callable[[bytes, bytes, Yardstick], Meaning]

_LIGHT: dict[str, Comparison] = {
    "json": compare_json, "jsonl": compare_json_lines, "ndjson": compare_json_lines, "csv": compare_table, "tsv": compare_table,
}  # fmt: skip
_TEXT = frozenset({"txt", "dat", "md", "tex", "yaml", "yml", "toml", "ini", "cfg", "log", "out", "err", "svg", "html"})


def by_meaning(path: str, a: bytes, b: bytes, yardstick: Yardstick) -> Meaning:
    """Whether two contents that are not the same bytes mean the same; the suffix of `path` says what they are.

    What cannot be read as its suffix promises, or is of no known kind, is not reproduced, and the note says so.
    """
    comparison = _comparison_for(path)
    if comparison is None:
        return Meaning("not reproduced", "its bytes differ, and contents of this kind cannot be compared by value")
    try:
        return comparison(a, b, yardstick)
    except (ValueError, RecursionError):
        return Meaning("not reproduced", "its bytes differ, and it cannot be read as its name promises")


def _comparison_for(path: str) -> Comparison | None:
    name = PurePosixPath(path)
    suffix = name.suffix.lower().lstrip(".")
    if suffix in _LIGHT:
        return _LIGHT[suffix]
    if suffix in _TEXT:
        return compare_text
    # Arrays need numpy, which a comparison of numbers and texts must not wait for.
    from assay.comparison import containers

    if suffix == "gz":
        return _unzipped(name.stem, containers.gunzip)
    return containers.BY_SUFFIX.get(suffix)


def _unzipped(inner: str, gunzip: Callable[[bytes], bytes]) -> Comparison:
    def compare(a: bytes, b: bytes, yardstick: Yardstick) -> Meaning:
        one, other = gunzip(a), gunzip(b)
        if one == other:
            return Meaning("identical", "equal when decompressed")
        return by_meaning(inner, one, other, yardstick)

    return compare
