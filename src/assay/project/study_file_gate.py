"""What a study file says of its baseline's gate, and of the range of a metric."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from assay.ablation.components import between, maximize
from assay.ablation.gates import gate
from assay.errors import InvalidStudy
from assay.project.study_reader import Reader
from assay.records.gate import GateAsked, Tuned

_GATE_KEYS = ("tune", "criterion", "budget", "seeds", "reproducible", "tuning", "tuning_seeds", "other_seeds")
_RANGE_KEYS = ("low", "high", "levels", "log")

Place = Sequence[str | int]


def gate_of(read: Reader, value: object) -> GateAsked | None:
    """What is asked of the baseline; None for nothing.

    Raises:
        InvalidStudy: it asks for something that there is not; the line is named.
    """
    if value is None:
        return None
    body = read.checked(value, ("gate",))
    read.only(body, _GATE_KEYS, ("gate",), "the gate")
    tune = {path: _values(read, path, item) for path, item in read.checked(body.pop("tune", None) or {}, ("gate", "tune")).items()}
    try:
        return gate(tune, **body)
    except InvalidStudy as error:
        raise read.wrong(error.problem, ("gate",), error.value, error.expected, error.next_step) from error


def written_gate(asked: GateAsked) -> dict[str, Any]:
    """What a study file says of a gate, without what needs no saying; `gate_of` gives it back."""
    plainly = gate()
    body = {name: getattr(asked, name) for name in _GATE_KEYS if getattr(asked, name) != getattr(plainly, name)}
    return body | ({"tune": {one.path: _written(one) for one in asked.tune}} if asked.tune else {})


def _written(one: Tuned) -> list[Any] | dict[str, Any]:
    return list(one.values) or {"low": one.low, "high": one.high, "levels": one.levels, "log": one.log}


def range_of(read: Reader, metric: str, value: Any, place: Place) -> tuple[float, float] | None:
    """Lowest and highest value of a metric, `[0, 1]`; None where nothing is said.

    Raises:
        InvalidStudy: it is no range; the line is named.
    """
    try:
        return maximize(metric, range=value).range
    except InvalidStudy as error:
        raise read.wrong(error.problem, place, value, error.expected) from error


def _values(read: Reader, path: str, item: object) -> Sequence[Any]:
    """`[VALUE, …]`, or `{low: L, high: H, levels: N, log: true}` for a range."""
    place = ("gate", "tune", path)
    if not isinstance(item, Mapping):
        if not isinstance(item, list) or not item:
            raise read.wrong(
                f"the hyperparameter {path!r} has nothing that it could be", place, item, "a list of values, or low and high"
            )
        return item
    read.only(item, _RANGE_KEYS, place, f"the range of {path!r}")
    if not {"low", "high"} <= set(item):
        raise read.wrong(f"the range of {path!r} has no ends", place, dict(item), "low and high")
    try:
        return between(item["low"], item["high"], item.get("levels", 2), log=item.get("log") is True)
    except InvalidStudy as error:
        raise read.wrong(error.problem, place, error.value, error.expected) from error
