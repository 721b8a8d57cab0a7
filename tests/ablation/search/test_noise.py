"""The ends: what is wanted of them, and when a gap is more than noise."""

import numpy as np
import pytest

from assay.ablation.search.noise import MOST_BLOCKS, judge_ends
from assay.ablation.search.records import Point

GOOD, BAD = frozenset(), frozenset("ab")


def judged(lows, highs, *, repeat=None, reseedable=True):
    at = (lambda end, n: Point(end, n)) if reseedable else (lambda end, n: Point(end, 0, n))
    values = {at(GOOD, n): low for n, low in enumerate(lows)} | {at(BAD, n): high for n, high in enumerate(highs)}
    if repeat is not None:
        values[Point(GOOD, 0, 1)] = repeat
    return judge_ends(values, (), GOOD, BAD, reseedable=reseedable, confidence=0.95)


def test_equal_numbers_under_two_seeds_mean_that_nothing_is_random():
    ends = judged([0.5, 0.5], [0.7, 0.7])
    assert (ends.wanted, ends.real, ends.noise.exact, ends.noise.seeds_matter, ends.noise.sd) == ((), True, True, False, 0)


def test_one_repeat_tells_whether_a_seed_fixes_the_number():
    assert judged([0.5, 0.6], [0.7, 0.9]).wanted == (Point(GOOD, 0, 1),)
    assert judged([0.5, 0.6, 0.4], [5.7, 5.9, 5.6], repeat=0.5).noise.exact
    assert not judged([0.5, 0.6, 0.4], [5.7, 5.9, 5.6], repeat=0.51).noise.exact


def test_the_noise_is_that_of_one_evaluation_within_its_block():
    """Differences 0.2, 0.3, 0.1 have standard deviation 0.1: one evaluation has 0.1 / sqrt 2, whatever the seeds add to both ends."""
    ends = judged([0.0, 10.0, -5.0], [0.2, 10.3, -4.9], repeat=0.0)
    assert ends.noise.sd == pytest.approx(0.1 / np.sqrt(2))
    assert ends.gap.estimate == pytest.approx(0.2)
    assert ends.gap.high - ends.gap.estimate == pytest.approx(4.302653 * 0.1 / np.sqrt(3), rel=1e-5)


def test_repeats_stand_in_where_there_are_no_seeds():
    ends = judged([0.5, 0.6], [0.7, 0.9], reseedable=False)
    assert ends.wanted == (Point(GOOD, 0, 2), Point(BAD, 0, 2))
    assert judged([0.5, 0.6, 0.5], [9.7, 9.9, 9.8], reseedable=False).real


def test_no_gap_is_given_up_and_the_search_for_one_ends():
    rng = np.random.default_rng(1)
    verdicts = []
    for _ in range(200):
        lows, highs = rng.normal(size=MOST_BLOCKS), rng.normal(size=MOST_BLOCKS)
        real = next(
            real for n in range(3, MOST_BLOCKS + 1) if (real := judged(lows[:n], highs[:n], repeat=lows[0]).real) is not None
        )
        verdicts.append(real)
    assert np.mean(verdicts) < 0.1
