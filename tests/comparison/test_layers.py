"""Checksums of layers, side by side."""

import pytest

from assay.comparison.layers import Moment, layer_divergence, recorded_sums
from assay.comparison.verdict import compare, divergence_of
from assay.records.journal import Sums


def sums(*layers, step=0, rank=0):
    return Sums(float(step or 0), step, {name: (content.encode().ljust(16), float(len(content))) for name, content in layers}, rank)


def recorded(bench, *entries, **options):
    run = bench.run(finish=False, **options)
    journal = bench.store.runs.open_writer(run.id).journal()
    for entry in entries:
        journal.append(entry)
    return run


BASE = [sums(("first", "x"), ("second", "y"), step=step) for step in range(4)]


def test_the_first_layer_and_step_are_named_with_their_norms(bench):
    """Step 2 parts in its second layer, step 3 in the first one too."""
    a = recorded(bench, *BASE)
    b = recorded(bench, *BASE[:2], sums(("first", "x"), ("second", "yy"), step=2), sums(("first", "z"), ("second", "yy"), step=3))
    found = layer_divergence(recorded_sums(bench.store, a), recorded_sums(bench.store, b))
    assert (found.kind, found.name, found.step, found.a, found.b) == ("layer", "second", 2, 1.0, 2.0)
    assert layer_divergence(recorded_sums(bench.store, a), recorded_sums(bench.store, a)) is None


@pytest.mark.parametrize(
    ("entries", "name", "step"),
    [
        (BASE[:3], "first", 3),
        ([*BASE[:3], sums(("first", "x"), step=3)], "second", 3),
        ([*BASE[:3], sums(("first", "x"), ("second", "y"), ("third", "y"), step=3)], "third", 3),
        ([*BASE, sums(("first", "x"), step=1, rank=1)], "first of rank 1", 1),
        ([*BASE, sums(("first", "x"), step=3)], "first", 3),
    ],
)
def test_what_one_run_lacks_parts_them(bench, entries, name, step):
    found = divergence_of(bench.store, recorded(bench, *BASE), recorded(bench, *entries))
    assert (found.name, found.step) == (name, step)
    assert None in (found.a, found.b)


def test_moments_without_a_step_are_counted(bench):
    a = recorded(bench, *(sums(("w", text), step=None) for text in "xyz"))
    assert list(recorded_sums(bench.store, a)) == [Moment(0, None, 0), Moment(0, None, 1), Moment(0, None, 2)]
    b = recorded(bench, *(sums(("w", text), step=None) for text in "xyy"))
    assert divergence_of(bench.store, a, b).position == 2


def test_sums_that_only_one_run_took_say_nothing(bench):
    assert divergence_of(bench.store, recorded(bench, *BASE), bench.run()) is None


def test_sums_deny_identity_and_no_more_and_stand_before_the_metrics_of_their_step(bench):
    """A loss that moved at the same step follows from the layer; one that moved earlier was first."""
    series = {"loss": [0.5, 0.4, 0.3, 0.2]}
    a = recorded(bench, *BASE, series=series)
    b = recorded(bench, *BASE[:3], sums(("first", "x"), ("second", "q"), step=3), series=series)
    verdict = compare(bench.store, a, b)
    assert (verdict.verdict, verdict.divergence.name, verdict.divergence.step) == ("numerical", "second", 3)
    moved = recorded(bench, *BASE[:3], sums(("first", "x"), ("second", "q"), step=3), series={"loss": [0.5, 0.4, 0.3, 0.9]})
    assert compare(bench.store, a, moved).divergence.kind == "layer"
    early = recorded(bench, *BASE[:3], sums(("first", "x"), ("second", "q"), step=3), series={"loss": [0.5, 0.7, 0.3, 0.9]})
    assert compare(bench.store, a, early).divergence.kind == "metric"
