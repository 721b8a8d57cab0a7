"""Several p-values at once, without assumptions on how they depend on each other."""

from __future__ import annotations

from collections.abc import Sequence
from math import isnan


def holm(p_values: Sequence[float], *, asked: int | None = None) -> list[float]:
    """Holm's step-down adjustment, in the order given; each is compared with the level as it stands.

    Args:
        p_values: uncorrected; NaN stays NaN.
        asked: how many comparisons were asked, where some gave no p-value; those count as if they were the largest.

    Source: Holm 1979.

    >>> [round(p, 3) for p in holm([0.01, 0.04, 0.03])]
    [0.03, 0.06, 0.06]
    """
    number = max(asked or 0, len(p_values))
    adjusted = [float("nan")] * len(p_values)
    largest = 0.0
    for rank, index in enumerate(sorted((i for i, p in enumerate(p_values) if not isnan(p)), key=lambda i: p_values[i])):
        largest = max(largest, min(1.0, (number - rank) * p_values[index]))
        adjusted[index] = largest
    return adjusted
