"""Where trials run, by name."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial

from assay.errors import InvalidValue
from assay.execution.elsewhere.crew import Crew
from assay.execution.elsewhere.place import Place
from assay.execution.elsewhere.pool import FarPool
from assay.execution.elsewhere.slurm import Slurm
from assay.execution.pool import Pool
from assay.execution.protocol import Pools

EXECUTORS = ("local", "slurm")


@contextmanager
def pools_of(executor: str = "local", slurm: str | Sequence[str] = "") -> Iterator[Pools]:
    """What makes pools of trials there; jobs are kept from one pool to the next, and when the block ends none is left.

    Args:
        executor: one of `EXECUTORS`.
        slurm: options for `sbatch`.

    Raises:
        InvalidValue: there is no such executor, or the options are not for it, or cannot be read.

    >>> with pools_of("cloud") as pools:
    ...     pass
    Traceback (most recent call last):
    assay.errors.InvalidValue: there is no such executor: 'cloud'; expected local or slurm.
    """
    place = _place(executor, slurm)
    if place is None:
        yield Pool
        return
    with Crew(place) as crew:
        yield partial(FarPool, crew)


def _place(executor: str, slurm: str | Sequence[str]) -> Place | None:
    if executor not in EXECUTORS:
        raise InvalidValue("there is no such executor", value=executor, expected=" or ".join(EXECUTORS))
    if slurm and executor != "slurm":
        raise InvalidValue("these options are for Slurm alone", value=slurm, expected='the executor "slurm" beside them')
    return Slurm(slurm) if executor == "slurm" else None
