"""What a study file asks: metrics and hypotheses."""

from __future__ import annotations

import re
from collections.abc import Sequence
from difflib import get_close_matches

from assay.ablation.components import hypothesis
from assay.project.study_file_gate import range_of
from assay.project.study_reader import Reader
from assay.records.factor import Hypothesis, MetricGoal
from assay.tracking.asked import SOURCES

_METRIC_KEYS = ("goal", "from", "margin", "at", "measured", "range")
_AT = re.compile(r"last|min|max|mean|mean of the last [1-9]\d*")
_HYPOTHESIS = re.compile(r"(?P<component>.+?)\s+(?P<direction>raises|lowers)\s+(?P<metric>.+?)(?:\s+by\s+(?P<by>[-+.\deE]+))?\s*")


def metrics(read: Reader) -> list[MetricGoal]:
    """The metrics; `accuracy: maximize` is short for `accuracy: {goal: maximize}`.

    Raises:
        InvalidStudy: a metric has another shape.
    """
    return [_metric(read, name, item) for name, item in read.mapping("metrics").items()]


def _metric(read: Reader, name: str, item: object) -> MetricGoal:
    place = ("metrics", name)
    body = {"goal": item} if isinstance(item, str) else read.checked(item, place)
    read.only(body, _METRIC_KEYS, place, f"the metric {name!r}")
    goal, margin, source, at = body.get("goal"), body.get("margin"), body.get("from"), body.get("at", "last")
    if goal not in ("maximize", "minimize"):
        raise read.wrong(f"the metric {name!r} has no goal", (*place, "goal"), goal, "maximize or minimize")
    if margin is not None and (isinstance(margin, bool) or not isinstance(margin, int | float) or not 0 < margin < float("inf")):
        raise read.wrong(f"the margin of {name!r} is no size", (*place, "margin"), margin, "a positive number in the metric's unit")
    _source(read, name, source, (*place, "from"))
    if not isinstance(at, str) or not _AT.fullmatch(at):
        raise read.wrong(f"no such value of {name!r}", (*place, "at"), at, "last, min, max, mean, or mean of the last N")
    measured = body.get("measured", False)
    if not isinstance(measured, bool):
        raise read.wrong(f"measured of {name!r} is no truth value", (*place, "measured"), measured, "true or false")
    number = None if margin is None else float(margin)
    return MetricGoal(
        name=name,
        goal="maximize" if goal == "maximize" else "minimize",
        margin=number,
        measured=measured,
        source=source,
        at=at,
        range=range_of(read, name, body.get("range"), (*place, "range")),
    )


def _source(read: Reader, name: str, source: object, place: Sequence[str | int]) -> None:
    kind = source.partition(":")[0] if isinstance(source, str) else ""
    if source is None or kind in SOURCES:
        return
    near = get_close_matches(kind, SOURCES, n=1)
    raise read.wrong(
        f"the source of {name!r} is none that can be read",
        place,
        source,
        f"{', '.join(SOURCES[:-1])} or {SOURCES[-1]}, as in tensorboard:Loss/test, json:out/m.json:score or output:loss",
        f"Did you mean {near[0]!r}?" if near else "",
    )


def hypotheses(read: Reader) -> list[Hypothesis]:
    """Sentences such as "attention lowers test_loss by 0.05".

    Raises:
        InvalidStudy: one is no such sentence.
    """
    return [_hypothesis(read, number, item) for number, item in enumerate(read.sentences("hypotheses"))]


def _hypothesis(read: Reader, number: int, item: object) -> Hypothesis:
    found = _HYPOTHESIS.fullmatch(item) if isinstance(item, str) else None
    try:
        by = float(found["by"] or 0) if found else 0.0
    except ValueError:
        found = None
    if found is None:
        expected = '"COMPONENT raises METRIC" or "COMPONENT lowers METRIC by NUMBER"'
        raise read.wrong("a hypothesis cannot be read", ("hypotheses", number), item, expected)
    metric = found["metric"]
    if found["direction"] == "raises":
        return hypothesis(found["component"], raises=metric, by=by)
    return hypothesis(found["component"], lowers=metric, by=by)
