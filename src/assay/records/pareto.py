"""Quality against cost: which configurations of a study are worth choosing, when several metrics count at once."""

from __future__ import annotations

from typing import Literal

from assay.records.canonical import Record

Standing = Literal["front", "undecided", "dominated", "no value"]


class ParetoPoint(Record, frozen=True, kw_only=True):
    """One configuration.

    Attributes:
        configuration: its name.
        means: of each metric, in the order of the front's, over the blocks that are compared; NaN where it gave no value.
        bars: half-lengths of bars around the means: two whose bars do not meet differ clearly; NaN where nothing tells the noise.
        standing: "dominated" (another one is clearly better in a metric and clearly not worse in any); "undecided" (another one's means are
            as good or better in all, but that is not clear); "front" (no other one's means are); "no value".
        by: the configuration that dominates it, or that may.
        words: what that means, in a sentence.
    """

    configuration: str
    means: tuple[float, ...]
    bars: tuple[float, ...]
    standing: Standing
    words: str
    by: str | None = None


class ParetoFront(Record, frozen=True, kw_only=True):
    """The configurations of a study held against each other in several metrics.

    Attributes:
        metrics: what counts, in the order asked.
        maximize: for each whether more is better.
        points: one for each configuration of the plan, in its order.
        blocks: for each metric how many blocks the comparison stands on.
        comparisons: how many differences are corrected for.
    """

    metrics: tuple[str, ...]
    maximize: tuple[bool, ...]
    points: tuple[ParetoPoint, ...]
    blocks: tuple[int, ...]
    comparisons: int
