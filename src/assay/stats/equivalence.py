"""Equal is a claim of its own: two one-sided tests against a margin given beforehand."""

from __future__ import annotations

from scipy.special import stdtr

from assay.errors import InvalidValue


def tost(estimate: float, se: float, df: float, margin: float) -> float:
    """p-value of "the true difference lies within the margin", the larger of two one-sided tests; uncorrected.

    Args:
        estimate, se, margin: difference, its standard error (> 0) and the margin (> 0), in the metric's unit.
        df: degrees of freedom of the standard error.

    Raises:
        InvalidValue: the margin or the standard error is not positive.

    Source: Schuirmann 1987.

    >>> round(tost(0.001, 0.001, 8, 0.005), 5)
    0.00197
    """
    if not (margin > 0 and se > 0):
        raise InvalidValue("equivalence needs a margin and a standard error", value=(margin, se), expected="both above 0")
    return float(max(stdtr(df, -(estimate + margin) / se), stdtr(df, -(margin - estimate) / se)))
