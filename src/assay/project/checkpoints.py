"""`assay.checkpoint_sums`: one line in a training loop, after which the first layer and step in which two runs part are known."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from assay.errors import AssayError
from assay.tracking.ending import Shortfall
from assay.tracking.joined import JoinedCommand
from assay.tracking.leaving import current
from assay.tracking.recorder import Recorder, whole_step
from assay.tracking.sums import checksum, named_arrays

_shortfall = Shortfall()
# The part of this process in the run of the `assay run` above it; a forked child opens one of its own.
_joined: dict[tuple[int, str], JoinedCommand | None] = {}


def checkpoint_sums(arrays: Any, *, step: int | None = None, gradients: bool = False) -> None:
    """Record a checksum and the norm of every layer, so that a comparison names the first layer and step in which two runs part.

    `assay.checkpoint_sums(model, step=step)` costs about what reading the weights a few times does; tensors of an accelerator are copied.
    When this returns, the sums survive whatever ends the process. Where no run is open (the script was started without
    `assay run`, and called no `assay.run`) nothing is recorded, and nothing is said.

    Args:
        arrays: a torch module, a Keras model, or a mapping or list of arrays (a state, a pytree), nested as it may be.
        step: whole number that counts the moments; None: they are counted in their order.
        gradients: of a torch module, record those of its parameters too.

    Raises:
        InvalidValue: there is no array in it, or something that is none; gradients of what has none; a step that is not whole.

    >>> checkpoint_sums({"weight": [0.5, 1.0]}, step=0)
    """
    found = named_arrays(arrays, gradients=gradients)
    count = None if step is None else whole_step(step)
    recording = _recording()
    if recording is None:
        return
    with _shortfall.border("checksums of layers"):
        recording.sums({name: checksum(array) for name, array in found.items()}, count)


def _recording() -> Recorder | JoinedCommand | None:
    """What this process records into; None where no run is open."""
    active = current()
    if isinstance(active, Recorder):
        return active
    run_id = os.environ.get("ASSAY_RUN")
    if run_id is None:
        return None
    key = os.getpid(), run_id
    if key not in _joined:
        _joined[key] = None
        try:
            _joined[key] = JoinedCommand(run_id, Path(os.environ.get("ASSAY_STORE", "")))
        except AssayError as error:  # the run was removed, or the store is gone: the program goes on
            _shortfall.add("checksums of layers", str(error))
    return _joined[key]
