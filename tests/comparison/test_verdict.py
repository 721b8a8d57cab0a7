"""Verdicts on two runs: identical, numerical or not reproduced, and where they part."""

import json
import math

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from assay.comparison.closeness import worst
from assay.comparison.verdict import compare
from assay.errors import InvalidValue, UnknownMetric
from assay.records.journal import Point, Saved
from assay.records.run import Failure, Start
from assay.store.runs import new_run_id

series = st.dictionaries(
    st.sampled_from(["loss", "acc", "reward"]),
    st.lists(st.one_of(st.floats(), st.sampled_from([0.5, 0.5 + 1e-9, math.nan])), min_size=1, max_size=4),
    max_size=3,
)
outputs = st.dictionaries(
    st.sampled_from(["m.json", "m.bin", "run.log", "out/w.npy"]), st.sampled_from([b"0.5", b"0.50000001", b"x"]), max_size=3
)
laws = settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@laws
@given(series, outputs)
def test_a_run_is_identical_to_itself_and_to_an_equal_one(bench, points, files):
    """NaN, infinities and files that cannot be read included."""
    a, b = (bench.run(points, outputs=files) for _ in range(2))
    for other in (a, b):
        verdict = compare(bench.store, a, other)
        assert (verdict.verdict, verdict.divergence) == ("identical", None)


@laws
@given(series, series, outputs, outputs)
def test_the_verdict_does_not_depend_on_the_order_of_the_runs(bench, one, other, files, others):
    a, b = bench.run(one, outputs=files), bench.run(other, outputs=others)
    there, back = compare(bench.store, a, b), compare(bench.store, b, a)
    assert there.verdict == back.verdict
    assert [metric.sameness for metric in there.metrics] == [metric.sameness for metric in back.metrics]
    assert (there.divergence is None) == (back.divergence is None)


@laws
@given(
    st.lists(st.floats(), min_size=1, max_size=3), st.lists(st.floats(), min_size=1, max_size=3), st.floats(0, 2), st.floats(0, 2)
)
def test_a_wider_tolerance_never_makes_the_verdict_worse(bench, one, other, rtol, atol):
    a, b = bench.run({"loss": one}), bench.run({"loss": other})
    narrow = compare(bench.store, a, b, tolerances={"loss": (rtol, atol)}).verdict
    wide = compare(bench.store, a, b, tolerances={"loss": (rtol * 2, atol + 1)}).verdict
    assert worst([narrow, wide]) == narrow


def test_the_first_step_at_which_a_series_parts_is_named(bench):
    """The earliest step of any series, not of the first by name."""
    a = bench.run({"acc": [(0, 0.1), (10, 0.2)], "loss": [(0, 1.0), (5, 0.9), (10, 0.8)]})
    b = bench.run({"acc": [(0, 0.1), (10, 0.3)], "loss": [(0, 1.0), (5, 0.7), (10, 0.6)]})
    verdict = compare(bench.store, a, b)
    assert verdict.verdict == "not reproduced"
    parting = verdict.divergence
    assert (parting.name, parting.position, parting.step, parting.a, parting.b) == ("loss", 1, 5, 0.9, 0.7)


def test_a_small_move_is_numerical_and_a_tolerance_makes_a_larger_one_so(bench):
    a, near, far = (bench.run({"loss": [1.0, value]}) for value in (0.5, 0.5 + 1e-8, 0.51))
    verdict = compare(bench.store, a, near)
    assert (verdict.verdict, verdict.divergence.step) == ("numerical", 1)
    assert "1e-08" in verdict.metrics[0].note
    assert compare(bench.store, a, far).verdict == "not reproduced"
    assert compare(bench.store, a, far, tolerances={"loss": (0.1, 0.0)}).verdict == "numerical"


def test_measurements_are_shown_but_never_count(bench):
    a, b = (bench.run({"loss": [0.5], "seconds": [value]}, measured=["seconds"]) for value in (1.0, 7.0))
    verdict = compare(bench.store, a, b)
    assert (verdict.verdict, verdict.divergence) == ("identical", None)
    assert [(metric.name, metric.sameness, metric.measured) for metric in verdict.metrics][1] == ("seconds", "not reproduced", True)


@pytest.mark.parametrize(
    ("one", "other", "note"),
    [
        ({"loss": [0.5], "acc": [1.0]}, {"loss": [0.5]}, "only in a"),
        ({"loss": [0.5, 0.4]}, {"loss": [0.5]}, "2 points against 1"),
        ({"loss": [(0, 0.5)]}, {"loss": [(1, 0.5)]}, "logged at other steps"),
        ({"loss": [0.5]}, {"loss": [math.nan]}, "largest difference nan"),
    ],
)
def test_what_is_missing_or_of_another_length_is_not_reproduced_and_said(bench, one, other, note):
    verdict = compare(bench.store, bench.run(one), bench.run(other))
    assert verdict.verdict == "not reproduced"
    assert note in [metric.note for metric in verdict.metrics]
    assert verdict.divergence is not None


def test_points_that_several_writers_logged_out_of_order_are_compared_by_step(bench):
    a, b = bench.run({"loss": [(0, 1.0), (1, 0.5)]}), bench.run({"loss": [(1, 0.5), (0, 1.0)]})
    assert compare(bench.store, a, b).verdict == "identical"


@pytest.mark.parametrize(
    ("path", "a", "b", "expected", "counts"),
    [
        ("m.json", b'{"loss": 1}', b'{"loss":1}', "identical", True),
        ("m.json", b'{"loss": 0.5}', b'{"loss": 0.50000001}', "numerical", True),
        ("m.bin", b"1", b"2", "not reproduced", True),
        ("runs/events.out.tfevents.1763692581.host", b"1", b"2", "identical", False),
        ("train.log", b"a", b"b", "identical", False),
        ("curve.svg", b"a", b"b", "identical", False),
        ("wandb/run/config.bin", b"a", b"b", "identical", False),
        (f"cache/text/default-65dd11baf819c2d3/0.0.0/{'3f' * 32}/text-train.arrow", b"a", b"b", "identical", False),
        ("out/default-65dd11baf819c2d3/text-train.arrow", b"a", b"b", "not reproduced", True),
    ],
)
def test_files_count_unless_they_only_tell_of_a_result(bench, path, a, b, expected, counts):
    verdict = compare(bench.store, *(bench.run({"x": [1.0]}, outputs={path: content}) for content in (a, b)))
    assert verdict.verdict == expected
    assert verdict.files[0].counts is counts
    assert verdict.files[0].note


def test_the_first_differing_file_is_named_where_no_series_parts(bench):
    a, b = (bench.run({"loss": [1.0]}, outputs={"a.json": b"1", "w.bin": content}) for content in (b"1", b"2"))
    divergence = compare(bench.store, a, b).divergence
    assert (divergence.kind, divergence.name, divergence.a != divergence.b) == ("file", "w.bin", True)


def test_a_file_of_one_run_alone_is_not_reproduced_unless_it_is_temporary(bench):
    a, b = bench.run(outputs={"w.bin": b"1"}), bench.run()
    assert compare(bench.store, a, b).verdict == "not reproduced"
    assert compare(bench.store, a, b).files[0].note == "only in a"
    scratch = bench.run(outputs={"/tmp/tmpx1y2/w.bin": b"1"})
    assert compare(bench.store, scratch, b).verdict == "identical"


def test_files_whose_names_differ_in_time_stamps_are_one_file(bench):
    a = bench.run(outputs={"out/2026-11-21/02-36-21/m.json": b"1.0"})
    b = bench.run(outputs={"out/2026-11-22/08-00-00/m.json": b"1.0000001"})
    verdict = compare(bench.store, a, b)
    assert verdict.verdict == "numerical"
    assert "2026-11-22" in verdict.files[0].note


def test_a_file_that_was_only_hashed_cannot_be_compared_by_value(bench):
    a, b = (bench.run(outputs={"m.json": content}, keep=False) for content in (b"1.0", b"1.00"))
    verdict = compare(bench.store, a, b)
    assert verdict.verdict == "not reproduced"
    assert "only hashed" in verdict.files[0].note


def test_a_file_of_unknown_content_is_named_and_does_not_count(bench):
    verdict = compare(bench.store, bench.run({"x": [1.0]}, outputs={"m": None}), bench.run({"x": [1.0]}, outputs={"m": b"1"}))
    assert verdict.verdict == "identical"
    assert "vanished" in verdict.files[0].note


def test_the_tolerance_of_a_file_is_its_own(bench):
    a, b = (bench.run(outputs={"m.json": json.dumps(value).encode()}) for value in (1.0, 1.1))
    assert compare(bench.store, a, b, tolerances={"m.json": (0.2, 0.0)}).verdict == "numerical"


def test_the_end_of_a_run_is_part_of_its_result(bench):
    """The same numbers, but one of them failed; two that failed in the same way are compared by what they had."""
    done, failed, other = (
        bench.run({"x": [1.0]}, state=state, exit_code=code) for state, code in (("finished", 0), ("failed", 1), ("failed", 2))
    )
    assert compare(bench.store, done, failed).verdict == "not reproduced"
    assert compare(bench.store, failed, other).verdict == "not reproduced"
    verdict = compare(bench.store, failed, failed)
    assert verdict.verdict == "identical"
    assert "failed (exit code 1)" in verdict.findings[0].text


def test_runs_that_failed_in_different_ways_are_not_the_same(bench):
    """The exit code of Python is 1 for every exception; the address of an object and the run's own folder are no difference."""

    def failed(text, root="/p"):
        return bench.run({"x": [1.0]}, state="failed", exit_code=1, failure=Failure(kind="exit code 1", text=text), root=root)

    a = failed("ValueError: <Model object at 0x7f01> in /p/m.py")
    assert compare(bench.store, a, failed("ValueError: <Model object at 0x8f02> in /q/m.py", root="/q")).verdict == "identical"
    verdict = compare(bench.store, a, failed("ModuleNotFoundError: No module named 'numpy'"))
    assert verdict.verdict == "not reproduced"
    assert "ModuleNotFoundError" in verdict.findings[0].text


def test_a_run_that_crashed_is_compared_by_its_journal_and_what_it_saved(bench):
    """It left neither result nor trace."""
    writer = bench.store.runs.create(Start(id=new_run_id(), recipe=bench.run().start.recipe))
    content = bench.store.objects.put(b"1")
    writer.journal().append(Saved(1.0, "m.bin", content, 1))
    crashed = bench.store.runs.read(writer.id)
    verdict = compare(bench.store, crashed, bench.run(outputs={"m.bin": b"1"}))
    assert verdict.verdict == "not reproduced"
    assert verdict.files[0].sameness == "identical"
    assert verdict.findings[0].kind == "state"


def test_runs_without_results_say_that_nothing_was_compared(bench):
    verdict = compare(bench.store, bench.run(), bench.run())
    assert verdict.verdict == "identical"
    assert [finding.kind for finding in verdict.findings] == ["nothing compared"]


def test_a_tolerance_for_something_that_no_run_has_is_refused_with_what_there_is(bench):
    run = bench.run({"loss": [1.0]})
    with pytest.raises(UnknownMetric, match="'los'; expected loss"):
        compare(bench.store, run, run, tolerances={"los": (1.0, 1.0)})
    with pytest.raises(InvalidValue):
        compare(bench.store, run, run, tolerances={"loss": (-1.0, 1.0)})


def test_every_source_of_a_metric_is_compared(bench):
    """A script prints its losses and writes the last into a file: the series counts, though the file is what the metric names."""
    runs = []
    for losses in ([1.0, 0.5], [0.9, 0.5]):
        start = Start(id=new_run_id(), recipe=bench.run().start.recipe)
        journal = bench.store.runs.create(start).journal()
        journal.append(Point(1.0, None, {"loss": losses[-1]}, source="json:m.json"))
        for step, loss in enumerate(losses):
            journal.append(Point(2.0, step, {"loss": loss}, source="output"))
        runs.append(bench.store.runs.read(start.id))
    verdict = compare(bench.store, *runs)
    assert [(metric.name, metric.sameness) for metric in verdict.metrics] == [
        ("loss", "identical"),
        ("loss [output]", "not reproduced"),
    ]
    assert verdict.divergence.step == 0
    assert compare(bench.store, *runs, tolerances={"loss": (1.0, 0.0)}).verdict == "numerical"
