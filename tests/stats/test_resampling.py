"""The mean over splits of the same data varies more than its spread says."""

from __future__ import annotations

from math import sqrt

import pytest

from assay.errors import InvalidValue
from assay.stats.resampling import overlap_inflation


@pytest.mark.parametrize(
    ("splits", "test", "variance"),
    [
        (10, 0.1, 1 / 10 + 1 / 9),  # ten folds: a tenth tests, nine tenths train
        (5, 0.2, 1 / 5 + 1 / 4),
        (15, 0.2, 1 / 15 + 1 / 4),  # fifteen random splits of one to four
        (2, 0.5, 1 / 2 + 1),
    ],
)
def test_the_variance_of_the_mean_is_that_of_nadeau_and_bengio(splits: int, test: float, variance: float) -> None:
    assert overlap_inflation(splits, test) / sqrt(splits) == pytest.approx(sqrt(variance), rel=1e-12)


@pytest.mark.parametrize(("splits", "test"), [(1, 0.2), (0, 0.2), (5, 0.0), (5, 1.0), (5, -0.1)])
def test_what_is_no_resampling_is_refused(splits: int, test: float) -> None:
    with pytest.raises(InvalidValue):
        overlap_inflation(splits, test)
