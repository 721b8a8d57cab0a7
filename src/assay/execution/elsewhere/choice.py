"""Where trials run, by name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from math import inf

from assay.errors import ExecutorUnusable, InvalidValue
from assay.execution.crowding import Uncrowded
from assay.execution.elsewhere.crew import Crew
from assay.execution.elsewhere.place import Place
from assay.execution.elsewhere.pool import FarPool
from assay.execution.elsewhere.slurm import Slurm
from assay.execution.protocol import Pools

EXECUTORS = ("local", "slurm", "ray")
RESOURCES = ("num_cpus", "num_gpus", "memory")
"""What a task of Ray can be given, by the names that Ray has for it; `memory` in bytes."""


@contextmanager
def pools_of(executor: str = "local", slurm: str | Sequence[str] = "", ray: str | Mapping[str, float] = "") -> Iterator[Pools]:
    """What makes pools of trials there; jobs are kept from one pool to the next, and when the block ends none is left.

    Args:
        executor: one of `EXECUTORS`.
        slurm: options for `sbatch`.
        ray: resources of each task, as `resources_in` has them; a processor where nothing else is said.

    Raises:
        InvalidValue: there is no such executor, or the options are not for it, or cannot be read.
        ExecutorUnusable: Ray is not installed.

    >>> with pools_of("cloud") as pools:
    ...     pass
    Traceback (most recent call last):
    assay.errors.InvalidValue: there is no such executor: 'cloud'; expected local, slurm or ray.
    """
    place = _place(executor, slurm, ray)
    if place is None:
        yield Uncrowded
        return
    with Crew(place) as crew:
        yield partial(FarPool, crew)


def _place(executor: str, slurm: str | Sequence[str], ray: str | Mapping[str, float]) -> Place | None:
    if executor not in EXECUTORS:
        raise InvalidValue("there is no such executor", value=executor, expected="local, slurm or ray")
    if slurm and executor != "slurm":
        raise InvalidValue("these options are for Slurm alone", value=slurm, expected='the executor "slurm" beside them')
    if ray and executor != "ray":
        raise InvalidValue("these resources are for Ray alone", value=ray, expected='the executor "ray" beside them')
    match executor:
        case "slurm":
            return Slurm(slurm)
        case "ray":
            return _ray(ray)
    return None


def _ray(given: str | Mapping[str, float]) -> Place:
    words = given if isinstance(given, str) else " ".join(f"{name}={amount}" for name, amount in given.items())
    resources = resources_in(words)
    try:
        # Late: Ray is large, and there where somebody asked for it.
        from assay.execution.elsewhere.ray import Ray
    except ImportError as error:
        raise ExecutorUnusable(
            "Ray is not installed beside Assay", value=str(error), next_step="Install it: pip install 'assay[ray]'."
        ) from error
    return Ray({"num_cpus": 1, **resources})


def resources_in(text: str) -> dict[str, float]:
    """Resources as they are written on a command line.

    Raises:
        InvalidValue: a word is no resource.

    >>> resources_in("num_cpus=2 num_gpus=0.5")
    {'num_cpus': 2.0, 'num_gpus': 0.5}
    """
    found = {}
    for word in text.split():
        name, _, amount = word.partition("=")
        try:
            found[name] = float(amount)
        except ValueError:
            found[name] = -1.0
        if name not in RESOURCES or not 0 <= found[name] < inf:
            raise InvalidValue(
                "this is no resource of a task of Ray", value=word, expected=f"NAME=NUMBER with {', '.join(RESOURCES)}"
            )
    return found
