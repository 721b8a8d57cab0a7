"""Which contents can be compared by what they mean, and by whom."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from importlib import import_module
from pathlib import PurePosixPath

from assay.comparison.closeness import Yardstick
from assay.comparison.values import Meaning, compare_json, compare_json_lines, compare_table, compare_text

Comparison = Callable[[bytes, bytes, Yardstick], Meaning]

_LIGHT: dict[str, Comparison] = {
    "json": compare_json, "jsonl": compare_json_lines, "ndjson": compare_json_lines, "csv": compare_table, "tsv": compare_table,
}  # fmt: skip
_TEXT = frozenset({"txt", "dat", "md", "tex", "yaml", "yml", "toml", "ini", "cfg", "log", "out", "err", "html"})
# Suffix to module and function. What reads arrays needs numpy, and some of it a library that need not be there.
_HEAVY = {
    "npy": ("arrays", "compare_npy"), "safetensors": ("containers", "compare_safetensors"),
    "pkl": ("pickles", "compare_pickles"), "pickle": ("pickles", "compare_pickles"), "joblib": ("pickles", "compare_pickles"),
    "h5": ("hdf5", "compare_hdf5"), "hdf5": ("hdf5", "compare_hdf5"), "hdf": ("hdf5", "compare_hdf5"),
    "parquet": ("parquet", "compare_parquet"), "feather": ("parquet", "compare_feather"),
    "png": ("pictures", "compare_png"), "jpg": ("pictures", "compare_jpeg"), "jpeg": ("pictures", "compare_jpeg"),
    "svg": ("pictures", "compare_svg"), "pdf": ("pictures", "compare_pdf"),
}  # fmt: skip
_ARCHIVES = {
    **dict.fromkeys(("npz", "zip", "pt", "pth", "ckpt", "keras", "whl"), "compare_zip"),
    **dict.fromkeys(("tar", "tgz", "tbz2", "txz"), "compare_tar"),
}
_COMPRESSED = frozenset({"gz", "bz2", "xz"})


def by_meaning(path: str, a: bytes, b: bytes, yardstick: Yardstick) -> Meaning:
    """Whether two contents that are not the same bytes mean the same; the suffix of `path` says what they are.

    What cannot be read as its suffix promises, or is of no known kind, is not reproduced, and the note says so.
    """
    comparison = _comparison_for(path, a, b)
    if comparison is None:
        return Meaning("not reproduced", "its bytes differ, and contents of this kind cannot be compared by value")
    try:
        return comparison(a, b, yardstick)
    except (ValueError, RecursionError):
        return Meaning("not reproduced", "its bytes differ, and it cannot be read as its name promises")
    except ModuleNotFoundError as error:
        return Meaning("not reproduced", f"its bytes differ; comparing it by value needs {error.name}, which is not installed here")


def _comparison_for(path: str, a: bytes, b: bytes) -> Comparison | None:
    name = PurePosixPath(path)
    suffix = name.suffix.lower().lstrip(".")
    if suffix in _LIGHT:
        return _LIGHT[suffix]
    if suffix in _TEXT:
        return compare_text
    if suffix in _COMPRESSED:
        return partial(_compare_compressed, name.stem)
    # Weights of Transformers are called .bin, and are what torch saves; older torch wrote plain pickles.
    zipped = a.startswith(b"PK") and b.startswith(b"PK")
    if suffix in _ARCHIVES or (suffix == "bin" and zipped):
        return partial(_compare_archive, _ARCHIVES.get(suffix, "compare_zip"))
    return partial(_compare_heavy, *_HEAVY[suffix]) if suffix in _HEAVY else None


def _compare_heavy(module: str, function: str, a: bytes, b: bytes, yardstick: Yardstick) -> Meaning:
    comparison: Comparison = getattr(import_module(f"assay.comparison.{module}"), function)
    return comparison(a, b, yardstick)


def _compare_archive(function: str, a: bytes, b: bytes, yardstick: Yardstick) -> Meaning:
    from assay.comparison import containers

    answer: Meaning = getattr(containers, function)(a, b, yardstick, by_meaning)
    return answer


def _compare_compressed(inner: str, a: bytes, b: bytes, yardstick: Yardstick) -> Meaning:
    from assay.comparison.containers import decompressed

    one, other = decompressed(a), decompressed(b)
    if one == other:
        return Meaning("identical", "equal when decompressed")
    return by_meaning(inner, one, other, yardstick)
