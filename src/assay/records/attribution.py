"""Attribution: which of the differences between two runs moved a metric, and by how much."""

from __future__ import annotations

from typing import Literal

from assay.records.canonical import Record
from assay.records.finding import Finding
from assay.records.verdict import DifferenceKind


class Estimate(Record, frozen=True, kw_only=True):
    """A number in the metric's unit with its 95 % interval; `low` and `high` are the number itself where it is exact, NaN where none exists."""

    value: float
    low: float
    high: float


class Cause(Record, frozen=True, kw_only=True):
    """A difference that moved the metric.

    Attributes:
        factor: its name; several names where runs did not suffice to tell which of them it is.
        kind: of what it is a difference.
        a, b: what it is in the good and in the bad run; None where absent.
        effect: bad minus good: the Shapley value among all causes, so that effects add up to the gap.
        share: of the gap, 1 is all of it; negative where it moved the metric the other way.
    """

    factor: str
    kind: DifferenceKind
    a: str | None
    b: str | None
    effect: Estimate
    share: float


class Joint(Record, frozen=True, kw_only=True):
    """What causes do together beyond what they do apart."""

    factors: tuple[str, ...]
    effect: Estimate


class SetAside(Record, frozen=True, kw_only=True):
    """A factor that is no cause, or of which nothing can be said, and why."""

    factor: str
    kind: DifferenceKind
    why: str


class Tried(Record, frozen=True, kw_only=True):
    """One run that was looked at: which factors stood as in the bad run, its seed and value (None: it broke, for the reason in `why`)."""

    bad: tuple[str, ...]
    seed: int | None
    run: str | None
    value: float | None
    reused: bool = False
    why: str = ""


class Attribution(Record, frozen=True, kw_only=True):
    """Why a metric differs between two runs.

    Attributes:
        metric: the metric.
        good, bad: ids of the runs.
        verdict: "decided": the causes explain the gap, confirmed from both ends; "within noise": the gap is no larger than what the same recipe
            does by itself; "gone": both recipes give the same here, whatever they gave then; "no difference": nothing differs that
            could be flipped; "cannot tell": the budget or combinations that cannot run ended the search.
        words: the answer in a sentence or two.
        gap: bad minus good as recorded; its interval where the noise is known.
        noise: standard deviation of one run around its seed's level, in the metric's unit; NaN where it was not measured.
        margin: effects below it are no causes.
        causes, interactions: by size.
        ruled_out: factors that are no causes above the margin.
        untested: factors that could not be tested here, or were not reached.
        minimal: the smallest set of changes that moves the metric as far as the bad run; `minimal_seen`: just that was run.
        sure: posterior probability that these are all the causes and the only ones; NaN where nothing was searched.
        tried: every run that was looked at.
        findings: what else a reader must know.
    """

    metric: str
    good: str
    bad: str
    verdict: Literal["decided", "within noise", "gone", "no difference", "cannot tell"]
    words: str
    gap: Estimate
    noise: float
    margin: float
    causes: tuple[Cause, ...] = ()
    interactions: tuple[Joint, ...] = ()
    ruled_out: tuple[SetAside, ...] = ()
    untested: tuple[SetAside, ...] = ()
    minimal: tuple[str, ...] = ()
    minimal_seen: bool = False
    sure: float = float("nan")
    tried: tuple[Tried, ...] = ()
    findings: tuple[Finding, ...] = ()
