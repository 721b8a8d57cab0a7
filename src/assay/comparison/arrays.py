"""Arrays compared by value: NumPy files, and the raw storages of tensors."""

from __future__ import annotations

import io
from collections.abc import Mapping

import numpy as np

from assay.comparison.closeness import Tolerance, Yardstick
from assay.comparison.values import Meaning
from assay.records.verdict import Sameness

# Storage classes as torch pickles name them. bfloat16 has no NumPy type: its bits are the upper half of a float32.
STORAGES = {
    "DoubleStorage": "<f8", "FloatStorage": "<f4", "HalfStorage": "<f2", "BFloat16Storage": "bf16", "LongStorage": "<i8",
    "IntStorage": "<i4", "ShortStorage": "<i2", "CharStorage": "<i1", "ByteStorage": "<u1", "BoolStorage": "?",
    "ComplexFloatStorage": "<c8", "ComplexDoubleStorage": "<c16",
}  # fmt: skip


def compare_npy(a: bytes, b: bytes, yardstick: Yardstick) -> Meaning:
    """Two .npy files by value. Raises ValueError where one is none, or holds Python objects."""
    return compare_arrays(load_npy(a), load_npy(b), yardstick.tolerance)


def load_npy(data: bytes) -> np.ndarray:
    """The array in a .npy file; Python objects in it are refused, never unpickled (ValueError)."""
    loaded = np.load(io.BytesIO(data), allow_pickle=False)
    if not isinstance(loaded, np.ndarray):
        raise ValueError("not a .npy file")
    return loaded


def storage_array(data: bytes, storage: str) -> np.ndarray:
    """A raw tensor storage as a vector. Raises ValueError where the storage class is unknown."""
    if storage not in STORAGES:
        raise ValueError(f"unknown storage {storage}")
    return _storage(data, STORAGES[storage])


def _storage(data: bytes, dtype: str) -> np.ndarray:
    if dtype == "bf16":
        return (np.frombuffer(data, "<u2").astype("<u4") << 16).view("<f4")
    return np.frombuffer(data, dtype)


def compare_arrays(a: np.ndarray, b: np.ndarray, tolerance: Tolerance) -> Meaning:
    """Two arrays by value; the note names the first element that differs, and the largest difference."""
    if a.shape != b.shape or a.dtype != b.dtype:
        return Meaning("not reproduced", f"{a.dtype}{list(a.shape)} against {b.dtype}{list(b.shape)}")
    sameness = array_sameness(a, b, tolerance)
    return Meaning(sameness, "equal by value" if sameness == "identical" else _in_words(a, b))


def _in_words(a: np.ndarray, b: np.ndarray) -> str:
    differ = np.asarray(a != b)
    if a.dtype.kind in "fc":
        differ &= ~(np.isnan(a) & np.isnan(b))
        if not differ.any():  # they differ in the sign of a zero
            differ = np.signbit(a) != np.signbit(b) if a.dtype.kind == "f" else np.ones(a.shape, bool)
    # Structured arrays compare field by field, and give one answer for each element.
    first = tuple(int(index) for index in np.argwhere(differ)[0]) if differ.any() else ()
    text = f"{int(np.count_nonzero(differ))} of {a.size} elements differ, first at {list(first)}: {a[first]} against {b[first]}"
    if a.dtype.names or a.dtype.kind not in "fc":
        return text
    with np.errstate(all="ignore"):
        gap = np.abs(a.astype("c16") - b.astype("c16"))
    finite = gap[np.isfinite(gap)]
    return f"{text}; largest difference {finite.max():.3g}" if finite.size else text


def array_sameness(a: np.ndarray, b: np.ndarray, tolerance: Tolerance) -> Sameness:
    """As for numbers: the same bits (any NaN equals any other), else floats within tolerance, everything else exactly."""
    if a.shape != b.shape or a.dtype != b.dtype:
        return "not reproduced"
    if a.dtype.kind not in "fc":
        return "identical" if np.array_equal(a, b) else "not reproduced"
    if a.dtype.kind == "c":
        return array_sameness(_parts(a), _parts(b), tolerance)
    return _float_arrays(np.ascontiguousarray(a), np.ascontiguousarray(b), tolerance)


def _parts(a: np.ndarray) -> np.ndarray:
    return np.stack([a.real, a.imag])


def _float_arrays(a: np.ndarray, b: np.ndarray, tolerance: Tolerance) -> Sameness:
    nan = np.isnan(a)
    if not np.array_equal(nan, np.isnan(b)):
        return "not reproduced"
    same_bits = (a == b) & (np.signbit(a) == np.signbit(b))
    if np.all(same_bits | nan):
        return "identical"
    # Half and single precision are widened, so that the bound itself is not rounded.
    wide_a, wide_b = a.astype("f8", copy=False), b.astype("f8", copy=False)
    with np.errstate(invalid="ignore", over="ignore"):
        bound = tolerance.atol + tolerance.rtol * np.maximum(np.abs(wide_a), np.abs(wide_b))
        near = (np.abs(wide_a - wide_b) <= bound) & np.isfinite(a) & np.isfinite(b)
    return "numerical" if np.all(near | same_bits | nan) else "not reproduced"


_SAFETENSORS = {"F64": "<f8", "F32": "<f4", "F16": "<f2", "BF16": "bf16", "I64": "<i8", "I32": "<i4", "I16": "<i2", "I8": "<i1",
                "U64": "<u8", "U32": "<u4", "U16": "<u2", "U8": "<u1", "BOOL": "?"}  # fmt: skip


def safetensors_arrays(header: Mapping[str, object], body: bytes) -> dict[str, np.ndarray]:
    """The tensors of a .safetensors file, whose `header` says type, shape and place of each. Raises ValueError where it does not."""
    arrays = {}
    for name, entry in header.items():
        if name == "__metadata__":
            continue
        try:
            kind, shape, (begin, end) = entry["dtype"], entry["shape"], entry["data_offsets"]  # type: ignore[index]
            arrays[name] = _storage(body[begin:end], _SAFETENSORS[kind]).reshape(shape)
        except (KeyError, TypeError) as error:
            raise ValueError(f"not a .safetensors header: {name}") from error
    return arrays
