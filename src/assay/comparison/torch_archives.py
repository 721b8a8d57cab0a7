"""What torch.save wrote, compared tensor by tensor under the names that the tensors have in it; torch need not be installed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from assay.comparison.arrays import storage_array
from assay.comparison.closeness import Yardstick
from assay.comparison.pickles import compare_read, read
from assay.comparison.values import Meaning

PICKLE = "data.pkl"
_TENSORS = ("torch._utils._rebuild_tensor_v2", "torch._utils._rebuild_tensor")
_PARAMETER = "torch._utils._rebuild_parameter"
# Written beside the tensors: a digest of them, which says no more than they do.
_DIGEST = ".data/serialization_id"


def without_tensors(members: Mapping[str, bytes]) -> dict[str, bytes]:
    """The members of an archive that hold neither tensors nor what leads to them."""
    return {name: content for name, content in members.items() if name not in (PICKLE, _DIGEST) and not name.startswith("data/")}


def compare_archives(a: Mapping[str, bytes], b: Mapping[str, bytes], yardstick: Yardstick) -> Meaning:
    """Everything that was saved, by value: tensors as arrays, the rest leaf by leaf.

    Args:
        a, b: name to content of the members of each archive.
        yardstick: tolerance, and the folders that a text may name.

    Raises:
        ValueError: one cannot be read as data.
    """
    one, other = (_with_arrays(read(members[PICKLE]), members) for members in (a, b))
    return compare_read(one, other, yardstick)


def _with_arrays(value: object, members: Mapping[str, bytes]) -> object:
    """`value` with an array wherever the pickle would have built a tensor."""
    if isinstance(value, dict):
        return {key: _with_arrays(item, members) for key, item in value.items()}
    if not isinstance(value, list):
        return value
    if len(value) >= 5 and value[0] in _TENSORS:
        return _tensor(value[1], value[2], value[3], value[4], members)
    if len(value) >= 2 and value[0] == _PARAMETER:
        return _with_arrays(value[1], members)
    return [_with_arrays(item, members) for item in value]


def _tensor(storage: Any, offset: int, shape: Sequence[int], strides: Sequence[int], members: Mapping[str, bytes]) -> np.ndarray:
    kind, key = storage[1], storage[2]
    if f"data/{key}" not in members:
        raise ValueError(f"the storage {key} of a tensor is missing")
    flat = storage_array(members[f"data/{key}"], kind)
    last = offset + sum((size - 1) * stride for size, stride in zip(shape, strides, strict=True))
    if offset < 0 or any(number < 0 for number in (*shape, *strides)) or (all(shape) and last >= len(flat)):
        raise ValueError("a tensor reaches beyond its storage")
    steps = [stride * flat.itemsize for stride in strides]
    return np.lib.stride_tricks.as_strided(flat[offset:], tuple(shape), steps, writeable=False)
