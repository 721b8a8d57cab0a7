"""Entries of a run's journal: what is appended while it runs, each whole or not there at all.

Entries are arrays with a one-letter tag, since a training loop writes millions of them. Times are seconds since 1970, UTC.
"""

from __future__ import annotations

from typing import Any

import msgspec


class Point(msgspec.Struct, frozen=True, array_like=True, tag="m"):
    """Metrics logged together; `step` None: the writer counts nothing. `source` as in `assay.records.run.Metric`."""

    time: float
    step: int | None
    values: dict[str, float]
    measured: bool = False
    source: str = "log"


class Params(msgspec.Struct, frozen=True, array_like=True, tag="p"):
    """Parameters that became known while the run was running."""

    time: float
    values: dict[str, Any]


class Saved(msgspec.Struct, frozen=True, array_like=True, tag="s"):
    """An artifact that `run.save` put into the store: path as in `assay.records.trace.FileUse`, content id, size in bytes."""

    time: float
    path: str
    id: str
    size: int


class Noted(msgspec.Struct, frozen=True, array_like=True, tag="n"):
    """A finding made while the run was running."""

    time: float
    kind: str
    about: str
    text: str


class Sums(msgspec.Struct, frozen=True, array_like=True, tag="c"):
    """Checksums of arrays (a model's layers) at one moment: name to the first 16 bytes of BLAKE3 over type, shape and bytes, and L2 norm.

    The order is that of the model. `rank` is that of the process among several of one run, 0 where there is one.
    """

    time: float
    step: int | None
    layers: dict[str, tuple[bytes, float]]
    rank: int = 0


Entry = Point | Params | Saved | Noted | Sums
