"""Results on splits of the same data: they share most of what they were trained on, so their mean varies more than their spread says."""

from __future__ import annotations

from math import sqrt

from assay.errors import InvalidValue


def overlap_inflation(splits: int, test: float) -> float:
    """By how much the standard error of a mean over splits of the same data is larger than s / sqrt(n).

    The variance of the mean is (1/n + n_test/n_train) s² in place of s²/n.

    Args:
        splits: how many, n.
        test: share of the data that each tests on; 1/k for k folds.

    Raises:
        InvalidValue: there are fewer than two splits, or the share is not between 0 and 1.

    Source: Nadeau and Bengio 2003 (Inference for the generalization error, section 3, the corrected resampled t-test).

    >>> round(overlap_inflation(5, 0.2), 4)
    1.5
    """
    if splits < 2:
        raise InvalidValue("one split tells nothing of others", value=splits, expected="at least 2 splits")
    if not 0 < test < 1:
        raise InvalidValue("this is no share of the data", value=test, expected="a number between 0 and 1")
    return sqrt(1 + splits * test / (1 - test))
