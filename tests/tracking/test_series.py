"""Summaries and series: one account of the points, whatever reported them."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.errors import InvalidValue, UnknownMetric, UnknownRun
from assay.records.journal import Point
from assay.records.run import Metric
from assay.store.store import Store
from assay.tracking.recorder import Recorder
from assay.tracking.series import choose, series, value_at
from assay.tracking.summary import summarise

NUMBERS = st.lists(st.floats(-1e9, 1e9) | st.just(math.nan), min_size=1)


@given(NUMBERS)
def test_a_summary_is_what_the_whole_series_says(values: list[float]) -> None:
    """Last and number of all points, smallest and largest of those that are numbers, a mean that NaN spoils."""
    metric = summarise(Point(0.0, step, {"x": value}) for step, value in enumerate(values))["x"]
    real = [value for value in values if not math.isnan(value)]
    assert metric.n == len(values) and metric.step == len(values) - 1
    assert (metric.last == values[-1]) or (math.isnan(metric.last) and math.isnan(values[-1]))
    if real:
        assert (metric.minimum, metric.maximum) == (min(real), max(real))
        assert (value_at(tuple(values), "min"), value_at(tuple(values), "max")) == (min(real), max(real))
    else:
        assert math.isnan(metric.minimum) and math.isnan(metric.maximum)
    if len(real) == len(values):
        assert metric.mean == pytest.approx(sum(values) / len(values), rel=1e-9, abs=1e-6)
    else:
        assert math.isnan(metric.mean)


def test_infinities_are_ends() -> None:
    """An infinite loss is the largest."""
    metric = summarise([Point(0.0, None, {"x": math.inf}), Point(0.0, None, {"x": 1.0})])["x"]
    assert (metric.minimum, metric.maximum, metric.mean) == (1.0, math.inf, math.inf)


def test_what_was_logged_stands_before_what_was_read() -> None:
    """Of one name, the first source in the order of precedence; other names come from wherever they are."""
    points = [
        Point(0.0, None, {"loss": 1.0, "acc": 0.1}, False, "output"),
        Point(0.0, None, {"loss": 2.0}, False, "csv:a.csv"),
        Point(0.0, None, {"loss": 3.0}, False, "tensorboard"),
    ]
    assert {name: metric.last for name, metric in summarise(points).items()} == {"loss": 3.0, "acc": 0.1}
    with_log = summarise([*points, Point(0.0, None, {"loss": 4.0})])
    assert (with_log["loss"].last, with_log["loss"].source) == (4.0, "log")


def test_series_of_a_running_run_by_source(project: Path) -> None:
    """Readers see what was logged so far, of all sources or of one."""
    store = Store.open(project)
    recorder = Recorder.begin(store, project)
    recorder.log({"x": 1.0}, 5)
    recorder.log({"x": 2.0})
    assert series(store, recorder.id)["x"][:2] == ((5, None), (1.0, 2.0))
    assert series(store, recorder.id, source="output") == {}
    recorder.finish()
    with pytest.raises(UnknownRun):
        series(store, "a" * 16)


METRICS = {
    "loss": Metric(last=0.5, minimum=0.2, maximum=1.0, mean=0.6),
    "precision@10": Metric(last=0.1, minimum=0.0, maximum=0.3, mean=0.2),
}


@pytest.mark.parametrize(
    ("selector", "value"),
    [
        ("loss", 0.5),
        ("loss@last", 0.5),
        ("loss@min", 0.2),
        ("loss@max", 1.0),
        ("loss@mean", 0.6),
        ("precision@10", 0.1),
        ("precision@10@max", 0.3),
    ],
)
def test_a_value_is_chosen(selector: str, value: float) -> None:
    """Names may hold "@" themselves."""
    assert choose(METRICS, selector) == value


def test_a_choice_that_is_none_names_what_there_is() -> None:
    """An unknown name, and an unknown value of a known one."""
    with pytest.raises(UnknownMetric, match=r"'los'.*loss"):
        choose(METRICS, "los@min")
    with pytest.raises(InvalidValue, match="median"):
        choose(METRICS, "loss@median")


def test_the_mean_of_the_last_points() -> None:
    """Fewer points than asked for are all of them; an empty series and a word that is none are errors."""
    assert value_at((9.0, 1.0, 2.0), "mean of the last 2") == 1.5
    assert value_at((1.0, 2.0), "mean of the last 9") == 1.5
    for values, at in (((), "last"), ((1.0,), "median"), ((1.0,), "mean of the last 0")):
        with pytest.raises(InvalidValue):
            value_at(values, at)
