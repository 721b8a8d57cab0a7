"""What `assay sensitivity` is asked to vary, checked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from assay.errors import InvalidValue
from assay.records.factor import MetricGoal
from assay.records.sensitivity import SensitiveTo

KINDS: tuple[SensitiveTo, ...] = ("seeds", "params", "splits", "metrics", "data")
_TAKES: dict[SensitiveTo, tuple[str, ...]] = {
    "seeds": ("more",),
    "params": ("vary", "crossed"),
    "splits": ("vary", "crossed", "test_share"),
    "metrics": ("metrics", "readings"),
    "data": ("vary", "crossed", "data"),
}
_OPTIONS = {
    "vary": "--vary",
    "crossed": "--crossed",
    "more": "--more",
    "metrics": "--metric",
    "readings": "--at",
    "data": "--data",
    "test_share": "--test-share",
}


class Wanted(NamedTuple):
    """What is varied, and what may be run for it.

    Attributes:
        vary: parameter paths with their other values.
        crossed: all combinations of them, instead of one parameter at a time.
        more: new seeds.
        metrics: recorded metrics in the place of the study's own.
        readings: values of a series: "min", "mean of the last 5" …
        data: file or folder that the command names, with those to put in its place.
        test_share: of a split, the share of items that is tested.
        budget: most trials that may be run.
        workers: trials at once.
        executor, slurm, ray: where they run, as for `assay.Study.run`.
    """

    vary: Mapping[str, Sequence[Any]] = {}
    crossed: bool = False
    more: int = 0
    metrics: Sequence[MetricGoal] = ()
    readings: Sequence[str] = ()
    data: Mapping[str, Sequence[str]] = {}
    test_share: float | None = None
    budget: int | None = None
    workers: int = 1
    executor: str = "local"
    slurm: str = ""
    ray: str = ""

    @property
    def where(self) -> dict[str, str]:
        """Where trials run, as `run` of a study takes it."""
        return {"executor": self.executor, "slurm": self.slurm, "ray": self.ray}


def check(to: SensitiveTo, wanted: Wanted) -> Wanted:
    """What is wanted, where it goes together.

    Raises:
        InvalidValue: there is no such kind, an option belongs to another one, or one that the kind needs is missing or no size.
    """
    if to not in KINDS:
        raise InvalidValue("conclusions cannot be sensitive to this", value=to, expected=", ".join(KINDS[:-1]) + f" or {KINDS[-1]}")
    for name, option in _OPTIONS.items():
        if getattr(wanted, name) and name not in _TAKES[to]:
            kinds = " or ".join(kind for kind in KINDS if name in _TAKES[kind])
            raise InvalidValue(f"{option} does not go with --to {to}", value=option, expected=f"--to {kinds}")
    if to in ("params", "data") and not (wanted.vary or wanted.data):
        option = (
            "--vary lr=0.01,0.1, or hyperparameters that the study's gate tunes"
            if to == "params"
            else "--vary dataset=A,B, or --data FILE=OTHER"
        )
        raise InvalidValue("nothing is varied", value=f"--to {to}", expected=option)
    _check_sizes(wanted)
    if to == "splits" and not wanted.vary and wanted.test_share is None:
        raise InvalidValue(
            "nothing is said of the splits",
            value="--to splits",
            expected="--vary split=0..4 where a parameter chooses the split, --test-share 0.25 where the seed draws it, or a study of folds",
        )
    return wanted


def _check_sizes(wanted: Wanted) -> None:
    if wanted.more < 0 or wanted.workers < 1 or (wanted.budget is not None and wanted.budget < 0):
        raise InvalidValue(
            "this is no number of seeds, workers or trials",
            value=(wanted.more, wanted.workers, wanted.budget),
            expected="none below 0",
        )
    if wanted.test_share is not None and not 0 < wanted.test_share < 1:
        raise InvalidValue(
            "this is no share of the items", value=wanted.test_share, expected="a number between 0 and 1, such as 0.25"
        )
