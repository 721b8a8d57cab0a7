"""The noise that earlier trials tell."""

import numpy as np
import pytest

from assay.questions.study.pilot import noise_of


def test_noise_is_that_of_one_paired_difference():
    """Montgomery's residual of blocks and configurations, by hand."""
    table = np.array(
        [
            [92.1, 91.8, 90.9, 92.0],
            [93.4, 93.0, 92.1, 93.6],
            [91.0, 90.9, 89.7, 91.2],
            [92.8, 92.2, 91.6, 92.7],
            [93.9, 93.7, 92.5, 94.1],
        ]
    )
    found = noise_of(table)
    assert found.paired and found.df == 12 and found.deviation == pytest.approx(np.sqrt(2 * 0.0180833), rel=1e-5)
    copied = noise_of(np.column_stack([table, table[:, 0] + 1]))
    assert copied.deviation == pytest.approx(found.deviation), "a configuration that repeats another's noise adds none"


def test_one_configuration_tells_the_noise_of_unlike_seeds():
    found = noise_of(np.array([[1.0], [2.0], [3.0]]))
    assert not found.paired and found.deviation == pytest.approx(np.sqrt(2)) and found.df == 2


@pytest.mark.parametrize(
    "table",
    [
        [[1.0, 2.0]],
        [[1.0, 2.0], [1.0, 2.0]],
        [[np.nan, 1.0], [np.nan, 1.0]],
        [[1.0, np.nan], [2.0, 3.0]],
        [[np.nan, np.nan], [np.nan, np.nan]],
    ],
)
def test_what_has_no_noise_tells_none(table):
    assert noise_of(np.array(table)) is None
