"""Mediation over paired differences: values worked by hand, known systems, and the bound on a confounder."""

from __future__ import annotations

import numpy as np
import pytest

from assay.errors import InvalidValue
from assay.stats.mediation import matched, moved_by, through_confounded, within_pairs


def test_the_parts_are_those_of_the_regression() -> None:
    # y = 1 + 2 m exactly at the means: m 0, 1, 2, 3; residuals 1, -1, -1, 1 leave the slope.
    found = within_pairs([0, 1, 2, 3], [2, 2, 4, 8])
    assert found.slope == pytest.approx(2)
    assert (found.total[0], found.through[0], found.direct[0]) == pytest.approx((4, 3, 1))
    # Of the intercept: residual mean square 2, (1/4 + 2.25/5) 2 = 1.4; the quantile of t with 2 degrees of freedom is 4.3027.
    assert found.direct[2] - 1 == pytest.approx(4.30265 * np.sqrt(1.4), rel=1e-5)


def test_a_known_system_is_taken_apart_and_a_hidden_cause_misleads() -> None:
    draw = np.random.default_rng(3)
    m = 2 + draw.normal(size=400)
    y = 0.5 + 1.5 * m + draw.normal(size=400)
    found = within_pairs(m, y)
    assert found.through[1] < 3 < found.through[2] and found.direct[1] < 0.5 < found.direct[2]
    assert found.rho_enough > 0.6
    # The errors have a cause in common, and the variable itself does nothing.
    hidden = draw.normal(size=400)
    m, y = 2 + hidden + draw.normal(size=400), 0.5 + hidden + draw.normal(size=400)
    misled = within_pairs(m, y)
    assert misled.through[1] > 0.5
    assert through_confounded(m, y, 0.5) == pytest.approx(0, abs=0.15)  # the true correlation of the errors is 1/2
    assert through_confounded(m, y, 0.0) == pytest.approx(misled.through[0])
    assert through_confounded(m, y, misled.rho) == pytest.approx(0, abs=1e-9)


def test_intervals_of_both_parts_hold_what_they_promise() -> None:
    draw, inside = np.random.default_rng(5), np.zeros(2)
    for _ in range(200):
        m = 1 + draw.normal(size=8)
        found = within_pairs(m, 0.3 + 0.8 * m + draw.normal(size=8))
        inside += [found.through[1] <= 0.8 <= found.through[2], found.direct[1] <= 0.3 <= found.direct[2]]
    assert np.all(inside / 200 >= 0.91)


def test_a_moved_variable_and_a_matched_control_give_the_parts_by_design() -> None:
    # The flip takes 4 units of the variable and 3 of the outcome; another component takes 2 and 1, so a unit is worth 1/2.
    found = moved_by([-4, -4, -4], [-3.1, -2.9, -3.0], [-2, -2, -2], [-1.1, -1.0, -0.9])
    assert (found.total[0], found.through[0], found.direct[0]) == pytest.approx((-3, -2, -1))
    assert found.through[2] - found.through[1] == pytest.approx(2 * 4.30265 * 2 * 0.1 / np.sqrt(3), rel=1e-5)
    held = matched([-3.1, -2.9, -3.0], [-1.0, -1.1, -0.9])
    assert (held.total[0], held.through[0], held.direct[0]) == pytest.approx((-3, -2, -1))


def test_what_moves_by_the_same_amount_in_every_pair_tells_nothing() -> None:
    with pytest.raises(InvalidValue, match="nothing tells what the variable does"):
        within_pairs([-4, -4, -4, -4], [1, 2, 3, 4])
    with pytest.raises(InvalidValue, match="not moved"):
        moved_by([1, 2], [1, 2], [1, -1], [0, 1])
    with pytest.raises(InvalidValue, match="not moved"):  # by 1 ± 2.5: a ratio over what may be 0
        moved_by([1, 2, 3], [1, 2, 3], [0, 1, 2], [0, 1, 1])
