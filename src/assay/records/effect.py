"""Effects: what the evidence says about a component."""

from __future__ import annotations

from typing import Literal

from assay.records.canonical import Record
from assay.records.factor import Hypothesis

EffectVerdict = Literal["matters", "no effect", "cannot tell", "exact", "no-op"]


class Effect(Record, frozen=True, kw_only=True):
    """The effect of one component on one metric: variant minus baseline, in the metric's unit.

    Attributes:
        component: the factor, or "factor: level" where it has several levels, or the name of a named configuration.
        metric: the metric.
        estimand: what the number estimates, in words.
        estimate: mean of the paired differences; NaN where no pair is complete.
        low, high: simultaneous interval at `confidence`; NaN where none exists (fewer than 2 pairs, or an exact difference).
        n: complete pairs.
        differences: the raw paired differences, in the order of the blocks (of the splits, averaged over seeds, where a study has
            them); NaN where a trial failed or was NaN.
        p: p-value corrected for the comparisons of this metric; NaN where none exists.
        method: "blocked Dunnett", "Holm over paired t", "paired t" …
        verdict: "matters"; "no effect" (none larger than the margin); "cannot tell"; "exact" (the same difference in every
            block, up to rounding: the value, no interval); "no-op" (exactly 0 in every block).
        better: whether the variant is better by the metric's goal; None where that is not decided.
        within_margin: the equivalence test passed too (a difference that matters statistically but is smaller than the margin).
        margin: the margin that was given; None where none was.
        d_z: standardised paired difference with small-sample correction; NaN where undefined.
        superiority: probability that the variant beats the baseline under one block (probability of improvement): the share of blocks in which it
            did, ties counted half.
        superiority_low, superiority_high: its interval, which holds in at least 95 % whatever the noise is, not corrected for the other
            comparisons; NaN where blocks are splits of the same data, which are not independent.
        seeds_needed: blocks for 80 % power at the estimate seen; None where it is decided or cannot be said.
        words: the verdict in a sentence.
    """

    component: str
    metric: str
    estimand: str
    estimate: float
    low: float
    high: float
    n: int
    verdict: EffectVerdict
    words: str
    differences: tuple[float, ...] = ()
    p: float = float("nan")
    confidence: float = 0.95
    method: str = ""
    better: bool | None = None
    within_margin: bool = False
    margin: float | None = None
    d_z: float = float("nan")
    superiority: float = float("nan")
    superiority_low: float = float("nan")
    superiority_high: float = float("nan")
    seeds_needed: int | None = None


class Interaction(Record, frozen=True, kw_only=True):
    """Interaction of two or more factors on one metric: the part of their joint change that their single changes do not explain."""

    components: tuple[str, ...]
    metric: str
    estimand: str
    estimate: float
    low: float
    high: float
    n: int
    verdict: EffectVerdict
    words: str
    p: float = float("nan")
    method: str = ""


class Answer(Record, frozen=True, kw_only=True):
    """What the evidence says of a hypothesis, and which evidence."""

    hypothesis: Hypothesis
    answer: Literal["supported", "refuted", "undecided"]
    evidence: str
