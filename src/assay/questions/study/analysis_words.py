"""Verdicts in sentences: what is done to the baseline, by how much it moves the metric, and who is better."""

from __future__ import annotations

from collections.abc import Sequence
from math import floor, isfinite, log10, nan
from typing import NamedTuple

from assay.questions.study.analysis_models import Estimate
from assay.records.effect import EffectVerdict
from assay.records.factor import MetricGoal
from assay.stats.power import MOST_SEEDS


class Said(NamedTuple):
    """What a sentence on an effect is made of.

    Attributes:
        one, goal, verdict: the comparison, its metric, and what is said of it.
        within: it is smaller than the margin by the equivalence test.
        needed: seeds that would decide; None where it is decided, or none would.
        changed: result metrics in which the variant differs anywhere from the baseline.
        where: ", averaged over the other components", or nothing.
    """

    one: Estimate
    goal: MetricGoal
    verdict: EffectVerdict
    within: bool = False
    needed: int | None = None
    changed: Sequence[str] = ()
    where: str = ""


def sentence(said: Said) -> str:
    """The verdict on an effect."""
    one, goal, verdict, within, needed, changed, where = said
    act = one.asked.act
    if verdict == "no-op":
        return capital(f"{act} changes {goal.name} not at all: exactly 0 in {blocks_of(one)}{_beside(goal.name, changed)}.")
    if verdict == "exact":
        return capital(
            f"{act} {_moves(one, goal)}{where}, exactly so in {blocks_of(one)}{_who(one, goal)}{_small(within and one.estimate != 0, goal)}."
        )
    if verdict == "matters":
        text = capital(f"{act} {_moves(one, goal)}{where}{_who(one, goal)}{_small(within, goal)}.")
        return text + _stepped(one)
    if verdict == "no effect":
        return capital(f"{act} has no effect on {goal.name} larger than {goal.margin:g}{where} (difference {signed(one)}).")
    return _open(one, goal, needed, where)


def size(value: float, *, beside: float = nan) -> str:
    """A number with the digits that its interval warrants.

    Args:
        value: what is written.
        beside: half-width of the interval, which is shown to two digits; where there is none, three of the value itself.

    >>> size(0.01234, beside=0.004), size(-3.0), size(0.0)
    ('0.0123', '−3.00', '0')
    """
    if value == 0 or not isfinite(value):
        return "0" if value == 0 else str(value)
    decimals = 1 - floor(log10(beside)) if isfinite(beside) and beside > 0 else 2 - floor(log10(abs(value)))
    text = f"{value:.3g}" if decimals > 8 or abs(value) >= 1e7 else f"{value:.{max(0, decimals)}f}"
    return text.replace("-", "−") if float(text) else text.lstrip("-")


def amount(estimate: float, low: float = nan, high: float = nan) -> str:
    """How much, without its sign: "0.012 [0.008, 0.016]", the interval turned with it."""
    half = (high - low) / 2
    if estimate < 0:
        estimate, low, high = -estimate, -high, -low
    if not isfinite(half):
        return size(estimate)
    return f"{size(estimate, beside=half)} {_interval(low, high)}"


def better_by(estimate: float, goal: MetricGoal) -> bool | None:
    """Whether a difference is an improvement; None for none at all."""
    return None if estimate == 0 else (estimate > 0) == (goal.goal == "maximize")


def _open(one: Estimate, goal: MetricGoal, needed: int | None, where: str) -> str:
    start = f"Cannot tell whether {one.asked.act} changes {goal.name}{where}: "
    if one.kind == "none":
        return start + "no pair of trials gave a value."
    if one.kind == "single":
        return f"{start}{size(one.estimate)} in the one {one.unit} that both completed, which gives no interval; more {one.unit}s would."
    return f"{start}{signed(one)}; {what_would(one, needed)}."


def what_would(one: Estimate, needed: int | None) -> str:
    """What would decide it, as a sentence goes on after the estimate; `needed` blocks in all, None for more than are worth naming."""
    if one.unit != "seed":
        return f"more {one.unit}s or more data might, more seeds alone would not"
    if needed is not None:
        more = needed - len(one.finite)
        return f"about {more} more seed{'s' * (more > 1)} would ({needed} in all, 80 % power), if the difference is what it seems"
    return f"not even {MOST_SEEDS:,} seeds would, if the difference is what it seems"


def signed(one: Estimate) -> str:
    """Estimate and interval with their signs."""
    test = one.comparison
    return amount_signed(one.estimate, test.low, test.high) if test else size(one.estimate)


def amount_signed(estimate: float, low: float, high: float) -> str:
    """Estimate and interval with their signs; the estimate alone where the interval has no width."""
    half = (high - low) / 2
    if not half > 0:
        return size(estimate)
    return f"{size(estimate, beside=half)} {_interval(low, high)}"


def _interval(low: float, high: float) -> str:
    """Both ends in brackets; one that excludes 0 by less than its last digit has as many as show it.

    >>> _interval(0.000048, 0.074), _interval(-0.00002, 0.074)
    ('[0.00005, 0.074]', '[0.000, 0.074]')
    """
    half = (high - low) / 2
    ends = [size(end, beside=half) for end in (low, high)]
    nearest = min((low, high), key=abs)
    if low * high > 0 and not float(ends[(low, high).index(nearest)].replace("−", "-")):
        ends[(low, high).index(nearest)] = size(nearest, beside=10 * abs(nearest))
    return f"[{ends[0]}, {ends[1]}]"


def _moves(one: Estimate, goal: MetricGoal) -> str:
    if one.estimate == 0:
        return f"changes {goal.name} by 0"
    test = one.comparison
    moved = amount(one.estimate, test.low, test.high) if test else amount(one.estimate)
    return f"{'raises' if one.estimate > 0 else 'lowers'} {goal.name} by {moved}"


def _who(one: Estimate, goal: MetricGoal) -> str:
    better = better_by(one.estimate, goal)
    return "" if better is None else f": {one.asked.gained if better else one.asked.kept}"


def _small(within: bool, goal: MetricGoal) -> str:
    return f", but by less than {goal.margin:g}" if within else ""


def _stepped(one: Estimate) -> str:
    """Holm's test steps down where the intervals, which hold together, cannot."""
    test = one.comparison
    if test is None or test.low > 0 or test.high < 0:
        return ""
    return (
        f" Holm's step-down test tells it from 0 (p = {test.p:.2g}) although the simultaneous interval, which is wider, does not."
    )


def _beside(metric: str, changed: Sequence[str]) -> str:
    others = [name for name in changed if name != metric]
    return f"; it does change {', '.join(others[:3])}{' and others' if len(others) > 3 else ''}" if others else ""


def aliased(one: Estimate) -> str:
    """What the number may be of as well, as a sentence; empty where it is of one thing."""
    names = one.asked.aliases
    if not names:
        return ""
    shown = list(names[:3]) + ([f"{len(names) - 3} more"] if len(names) > 3 else [])
    listed = f"{', '.join(shown[:-1])} and {shown[-1]}" if len(shown) > 1 else shown[0]
    return f" This design cannot tell it from {listed}."


def blocks_of(one: Estimate) -> str:
    """How many seeds (or splits) an exact statement is about."""
    number = len(one.finite)
    return f"the one {one.unit} that was run" if number == 1 else f"all {number} {one.unit}s"


def capital(text: str) -> str:
    """The sentence with its first letter large, and the others as they are."""
    return text[0].upper() + text[1:]
