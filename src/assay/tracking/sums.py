"""Checksums of arrays by layer: of a torch module or its state, of Keras weights, of any mapping or list of arrays.

No library is imported for it: whoever hands over a tensor has its library loaded.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from blake3 import blake3

from assay.errors import InvalidValue

LENGTH = 16
"""Bytes of a checksum: enough that two layers never share one by accident."""


def named_arrays(thing: object, *, gradients: bool = False) -> dict[str, Any]:
    """The arrays in `thing` by name, in its own order, nested names with dots between them; gradients stand first, since they act first.

    Args:
        thing: a torch module, a Keras model, an array, or mappings and lists of arrays and numbers (a state, a pytree). Texts and nothing
            are passed over.
        gradients: of a torch module, those of its parameters too, where they have one.

    Raises:
        InvalidValue: it holds no array, or something that is none; gradients are asked of what has none.
    """
    torch = sys.modules.get("torch")
    keras = _of_keras(thing)
    if keras and not gradients:  # first, since on torch it is a module too, which names its parameters otherwise
        found = keras
    elif torch is not None and isinstance(thing, torch.nn.Module):
        found = {name: array for name, array in thing.state_dict().items() if hasattr(array, "dtype")}
        if gradients:
            graded = ((name, parameter.grad) for name, parameter in thing.named_parameters())
            found = {f"{name} (gradient)": grad for name, grad in graded if grad is not None} | found
    elif gradients:
        raise InvalidValue(
            "only a torch module tells the gradients of its parameters",
            value=type(thing).__name__,
            expected="a torch.nn.Module",
            next_step="Hand the gradients over by name: assay.checkpoint_sums({name: gradient}, step=step).",
        )
    else:
        found = dict(_leaves(thing, ""))
    if not found:
        raise InvalidValue("there is no array to take checksums of", value=type(thing).__name__, expected=_EXPECTED)
    return found


_EXPECTED = "a torch module, a Keras model, or a mapping or list of arrays"


def _of_keras(thing: object) -> dict[str, Any]:
    """The weights of a Keras model by their paths; nothing for anything else."""
    weights = None if isinstance(thing, Mapping) else getattr(thing, "weights", None)
    if not isinstance(weights, list | tuple) or not all(hasattr(weight, "name") and hasattr(weight, "shape") for weight in weights):
        return {}
    return {str(getattr(weight, "path", None) or weight.name): weight for weight in weights}


def _leaves(thing: object, name: str) -> Iterator[tuple[str, Any]]:
    if hasattr(thing, "dtype") and hasattr(thing, "shape") and not getattr(thing.dtype, "hasobject", False):
        yield name or "array", thing
    elif isinstance(thing, Mapping):
        for key, item in thing.items():
            yield from _leaves(item, f"{name}.{key}" if name else str(key))
    elif isinstance(thing, list | tuple):
        for index, item in enumerate(thing):
            yield from _leaves(item, f"{name}.{index}" if name else str(index))
    elif isinstance(thing, bool | int | float | complex):
        yield name or "number", np.asarray(thing)
    elif thing is not None and not isinstance(thing, str):
        raise InvalidValue(f"this is no array{f' ({name})' if name else ''}", value=type(thing).__name__, expected=_EXPECTED)


def checksum(array: Any) -> tuple[bytes, float]:
    """The first 16 bytes of BLAKE3 over type, shape and bytes of an array, and its L2 norm, in single precision
    unless it is an array of doubles (NaN where it has none).

    >>> checksum(np.array([3.0, 4.0]))[1]
    5.0
    """
    torch = sys.modules.get("torch")
    if torch is not None and isinstance(array, torch.Tensor):
        kind, shape, data, norm = _of_tensor(torch, array)
    else:
        kind, shape, data, norm = _of_array(array)
    digest = blake3(f"{kind} {list(shape)} ".encode())
    digest.update(data)
    return digest.digest(length=LENGTH), norm


def _of_tensor(torch: Any, tensor: Any) -> tuple[str, tuple[int, ...], Any, float]:
    """A tensor's own bytes; torch has types that NumPy has not."""
    kept = tensor.detach()
    kept = (kept if kept.layout is torch.strided else kept.to_dense()).cpu().resolve_conj().resolve_neg().contiguous()
    flat = kept.reshape(-1)
    data = flat.view(torch.uint8).numpy() if flat.numel() else np.empty(0, np.uint8)
    size = flat.abs() if flat.is_complex() else flat
    # In the tensor's own precision, which is many times faster; half precision would overflow.
    norm = torch.linalg.vector_norm(size if size.dtype in (torch.float32, torch.float64) else size.to(torch.float32))
    return str(kept.dtype).removeprefix("torch."), tuple(kept.shape), data, float(norm)


def _of_array(array: Any) -> tuple[str, tuple[int, ...], Any, float]:
    # A variable of Keras hands its value over detached from what computes gradients; an array converts itself.
    convert = getattr(array, "numpy", None)
    plain = np.asarray(convert() if callable(convert) else array)
    data = np.ascontiguousarray(plain).reshape(-1).view(np.uint8) if plain.size else b""
    size = np.abs(plain) if plain.dtype.kind == "c" else plain
    try:
        flat = size.reshape(-1) if size.dtype in ("f4", "f8") else size.reshape(-1).astype("f4")
        norm = float(np.linalg.norm(flat))
    except (TypeError, ValueError):
        norm = float("nan")
    return str(plain.dtype), plain.shape, data, norm
