"""The claim that a metric is the same on average, and everything that stops it from being made."""

import math

import numpy as np
import pytest

from assay.comparison.equivalence import Margin, Sides, equivalence

NAN = math.nan


def judge(recorded, again, margin=1.0, *, paired=True):
    return equivalence("loss", Sides(tuple(recorded), tuple(again), paired), Margin(margin))


def test_pairs_that_differ_by_little_are_equal_up_to_the_margin():
    found = judge([1, 2, 3, 4], [1.1, 1.95, 3.02, 4.04])
    assert (found.verdict, found.method, found.recorded, found.again) == ("equivalent", "paired t", 4, 4)
    assert found.low < found.estimate < found.high
    assert "the same up to 1" in found.words


def test_the_same_values_unpaired_say_less():
    """What the seed does to both sides no longer cancels, and the number of runs that would decide is named."""
    found = judge([1, 2, 3, 4], [1.1, 1.95, 3.02, 4.04], paired=False)
    assert (found.verdict, found.method) == ("cannot tell", "Welch's t")
    more = judge([1, 2, 3, 4] * 4, [2.4, 3.9, 1.2], paired=False)
    assert more.verdict == "cannot tell"
    assert more.needed > 3
    assert f"{more.needed} runs would probably decide it" in more.words


def test_a_real_difference_is_never_called_equal():
    assert judge([1, 2, 3, 4], [4.1, 4.9, 6.02, 7.04]).verdict == "differs"


def test_a_difference_that_is_there_and_smaller_than_the_margin_is_said():
    found = judge([1, 2, 3, 4], [1.5, 2.49, 3.51, 4.52])
    assert (found.verdict, "smaller than that" in found.words) == ("equivalent", True)


def test_equal_differences_are_exact_and_have_no_interval():
    found = judge([1.0, 2.0, 3.0], [1.5, 2.5, 3.5])
    assert (found.verdict, found.method) == ("equivalent", "exact")
    assert math.isnan(found.low)
    assert math.isnan(found.p)
    assert judge([1.0, 2.0, 3.0], [2.0, 3.0, 4.0]).verdict == "differs"
    assert judge([1.0], [1.0, 1.0], paired=False).verdict == "equivalent"


def test_one_recorded_run_alone_says_so():
    found = judge([1.0], [1.1, 0.8, 1.4], margin=0.5, paired=False)
    assert (found.verdict, found.method, found.needed) == ("cannot tell", "pooled t", None)
    assert "one recorded run alone says too little" in found.words


@pytest.mark.parametrize(("recorded", "again", "paired"), [([1.0], [1.2], True), ([1.0], [1.2], False)])
def test_too_few_runs_claim_nothing(recorded, again, paired):
    found = judge(recorded, again, paired=paired)
    assert (found.verdict, found.needed) == ("cannot tell", 2)


def test_values_that_are_not_finite_are_shown_and_never_averaged_away():
    """NaN equals NaN; a NaN that came, or went, is a difference."""
    assert judge([NAN, NAN], [NAN, NAN]).verdict == "equivalent"
    left_out = judge([1.0, 2.0, 3.0, NAN], [1.01, 2.02, 3.01, NAN])
    assert (left_out.verdict, left_out.recorded) == ("equivalent", 3)
    assert "1 pairs" in left_out.words
    assert judge([1.0, 2.0, 3.0], [1.0, NAN, 3.0]).verdict == "differs"
    assert judge([1.0, NAN], [2.0, 1.0, NAN], paired=False).verdict == "cannot tell"
    assert judge([1.0, 2.0], [2.0, 1.0, math.inf], paired=False).verdict == "differs"


@pytest.mark.parametrize("paired", [True, False])
def test_at_the_edge_of_the_margin_one_claim_in_twenty_is_made(paired):
    """The true difference equals the margin: the claim is then wrong, and made in at most 5 % of studies."""
    rng = np.random.default_rng(7)
    claims = 0
    for _ in range(600):
        recorded = rng.normal(0, 1, 6)
        again = (recorded if paired else rng.normal(0, 1, 6)) + 2.0 + rng.normal(0, 0.3, 6)
        claims += judge(recorded, again, margin=2.0, paired=paired).verdict == "equivalent"
    assert claims / 600 < 0.08
