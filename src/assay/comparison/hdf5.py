"""HDF5 files compared data set by data set."""

from __future__ import annotations

import io

import h5py
import numpy as np

from assay.comparison.closeness import Yardstick
from assay.comparison.pickles import compare_read
from assay.comparison.values import Meaning


def compare_hdf5(a: bytes, b: bytes, yardstick: Yardstick) -> Meaning:
    """Two HDF5 files by value: data sets and attributes, in the order of their names. Raises ValueError where one is none."""
    return compare_read(_values(a), _values(b), yardstick)


def _values(data: bytes) -> dict[str, object]:
    found: dict[str, object] = {}

    def visit(name: str, item: object) -> None:
        if isinstance(item, h5py.Dataset):
            found[name] = _plain(item[()])
        for key, value in sorted(item.attrs.items()):  # type: ignore[attr-defined]  # groups and data sets alike have them
            found[f"{name}@{key}"] = _plain(value)

    try:
        with h5py.File(io.BytesIO(data), "r") as file:
            visit("/", file)
            # Links to other files are not followed.
            file.visititems(visit)
    except (OSError, RuntimeError, KeyError) as error:
        raise ValueError(f"not an HDF5 file that can be read: {error}") from error
    return found


def _plain(value: object) -> object:
    """An array of numbers as it is; texts, which h5py gives as objects, as lists."""
    array = np.asarray(value)
    return array.tolist() if array.dtype.hasobject else array
