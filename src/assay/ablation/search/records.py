"""What a search asks, is told and answers: plain data."""

from __future__ import annotations

from typing import Literal, NamedTuple

Verdict = Literal["decided", "within noise", "cannot tell"]
Certainty = Literal["individually", "jointly"]


class Point(NamedTuple):
    """One evaluation: the recipe that is as GOOD but for the factors in `bad`, which are as in BAD.

    Attributes:
        bad: factors at their level of BAD; empty is GOOD itself, all factors are BAD itself.
        block: the seed, counted from 0; block 0 is the seed that GOOD and BAD were recorded with.
        repeat: 0 for the first evaluation of this recipe under this seed; higher numbers ask for it again, afresh (nothing reused).
    """

    bad: frozenset[str]
    block: int = 0
    repeat: int = 0


class Observation(NamedTuple):
    """A point with what came of it: a finite number."""

    point: Point
    value: float


class Interval(NamedTuple):
    """An estimate with its interval; `low` and `high` are the estimate itself where it is exact, NaN where no interval exists."""

    estimate: float
    low: float
    high: float


class Noise(NamedTuple):
    """How far the metric moves when nothing is changed.

    Attributes:
        sd: standard deviation of one evaluation around its block's level, in the unit of the metric; 0 where nothing moves it.
        exact: the same recipe under the same seed gave the very same number.
        seeds_matter: another seed gave another number; False also where the script cannot be reseeded.
        blocks: seeds, or repeats where there are no seeds, under which both ends were evaluated.
    """

    sd: float
    exact: bool
    seeds_matter: bool
    blocks: int


class Cause(NamedTuple):
    """A factor that moves the metric.

    Attributes:
        factors: one name; several where the budget ended before they could be told apart (at least one of them is a cause).
        effect: the Shapley value of the factor among the found causes, level of BAD minus level of GOOD, in the metric's unit. It
            averages what the change does over the states of the other causes, so that the effects of all causes add up to the gap.
        share: `effect` over the gap.
    """

    factors: tuple[str, ...]
    effect: Interval
    share: float


class Together(NamedTuple):
    """What two or more causes do beyond what they do apart: the product's coefficient, in the metric's unit.

    f(both) - f(one) - f(other) + f(none) for a pair, with all factors that are no causes anywhere.
    """

    factors: tuple[str, ...]
    effect: Interval


class RuledOut(NamedTuple):
    """A factor that is no cause above the margin.

    Attributes:
        how: "individually": the evaluations tell its effect apart from that of every other factor; "jointly": it was flipped only in
            company, so that effects which cancel each other exactly, or which another change masks, would have gone unseen.
    """

    factor: str
    how: Certainty


class Answer(NamedTuple):
    """What is known of a gap.

    Attributes:
        verdict: "decided": the causes explain the gap and were confirmed from both ends; "within noise": the gap is no larger than what the
            same recipe does by itself, and no causes were looked for; "cannot tell": the budget, or combinations that cannot run, ended it.
        gap: BAD minus GOOD.
        noise: see `Noise`.
        margin: effects smaller than this are no causes, in the metric's unit.
        causes: by size of effect.
        interactions: between causes, by size.
        ruled_out: in the order of the factors.
        undecided: factors that may be causes.
        untested: factors that no evaluation set apart from the ends (every combination that would have could not run, or none was asked).
        minimal: the smallest set of causes that moves the metric as far as BAD (up to a tenth of the gap, or the noise); empty where none.
        minimal_seen: whether just that set was evaluated.
        sure: posterior probability that `causes` are all causes and the only ones.
        runs: evaluations that were told, failed ones included.
        broken: combinations that cannot run.
    """

    verdict: Verdict
    gap: Interval
    noise: Noise
    margin: float
    causes: tuple[Cause, ...]
    interactions: tuple[Together, ...]
    ruled_out: tuple[RuledOut, ...]
    undecided: tuple[str, ...]
    untested: tuple[str, ...]
    minimal: frozenset[str]
    minimal_seen: bool
    sure: float
    runs: int
    broken: tuple[frozenset[str], ...]
