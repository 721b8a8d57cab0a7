"""How far equal runs lie apart: the tolerance that a run's own noise justifies.

Runs of the very same recipe that are not the ones being judged are put beside each other, point by point. The tolerance of a metric is the
repeatability limit of the point at which they scatter most: the difference that two equal runs exceed one time in twenty.

Source: ISO 5725-6:1994, 4.1 (repeatability limit), with Student's t in place of the normal, since the runs are few.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from assay.comparison.closeness import ATOL, RTOL
from assay.comparison.curves import Curve

Curves = Mapping[str, Curve]
FEWEST = 3
"""Equal runs from which a tolerance is learned: with two, the one difference between them says next to nothing of the next."""


class Learned(NamedTuple):
    """The tolerance of one metric, absolute, in its unit, and from how many runs it was learned."""

    atol: float
    runs: int

    @property
    def tolerance(self) -> tuple[float, float]:
        """Relative and absolute: never narrower than the default, since two machines may differ where one does not."""
        return RTOL, max(ATOL, self.atol)


def learned(groups: Sequence[Sequence[Curves]]) -> dict[str, Learned]:
    """The tolerance of every metric that equal runs say enough of.

    Args:
        groups: runs that are equal among themselves, such as those recorded then and those carried out now: what lies between two groups
            is what is to be judged, and is no noise.

    Returns:
        Nothing of metrics that fewer than three equal runs have, or that they have at other steps, or in which some are NaN and others not.
    """
    names = dict.fromkeys(name for group in groups for run in group for name in run)
    found = {name: _of_metric([[run[name] for run in group if name in run] for group in groups]) for name in names}
    return {name: limit for name, limit in found.items() if limit is not None}


def _of_metric(groups: Sequence[Sequence[Curve]]) -> Learned | None:
    groups = [group for group in groups if len(group) > 1]
    runs = sum(map(len, groups))
    freedom = runs - len(groups)
    if freedom < FEWEST - 1 or any(curve.steps != group[0].steps for group in groups for curve in group):
        return None
    if len({len(group[0].steps) for group in groups}) != 1:
        return None
    squares = [sum(parts) for parts in zip(*(_squares(group) for group in groups), strict=True)]
    if any(math.isnan(square) for square in squares):
        return None
    return Learned(_limit(math.sqrt(max(squares, default=0.0) / freedom), freedom), runs)


def _squares(group: Iterable[Curve]) -> Iterator[float]:
    """At each point, the squared deviations from the group's mean, summed; NaN where not all values, or none, are finite."""
    for values in zip(*(curve.values for curve in group), strict=True):
        same = all(value == values[0] or (math.isnan(value) and math.isnan(values[0])) for value in values)
        mean = math.fsum(values) / len(values) if all(map(math.isfinite, values)) else math.nan
        yield 0.0 if same else math.fsum((value - mean) ** 2 for value in values)


def _limit(sd: float, freedom: int) -> float:
    if sd == 0:
        return 0.0
    # Late: most comparisons learn nothing, and scipy takes a third of a second to load.
    from assay.stats.simultaneous import t_quantile

    return t_quantile(0.975, freedom) * math.sqrt(2) * sd
