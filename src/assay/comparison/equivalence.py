"""Whether a metric is the same on average up to a margin: two one-sided tests over seeds, or over repeated runs."""

from __future__ import annotations

import math
from math import sqrt
from typing import Literal, NamedTuple

import msgspec
import numpy as np

from assay.records.verdict import Equivalence
from assay.stats.equivalence import tost
from assay.stats.paired import Comparison, is_constant, paired_t
from assay.stats.power import seeds_for_equivalence
from assay.stats.two_samples import Scatter, difference_of_means, runs_for_equivalence

LEVEL = 0.05
"""Of each of the two one-sided tests. Several metrics need no correction: all of them must pass (Berger and Hsu 1996)."""


class Sides(NamedTuple):
    """Values of one metric: of the recorded runs and of those carried out again; pair by pair where `paired` (then of equal length)."""

    recorded: tuple[float, ...]
    again: tuple[float, ...]
    paired: bool


class Margin(NamedTuple):
    """Up to which difference two means are called equal, in the metric's unit; `learned` from so many runs, 0 where it was given."""

    size: float
    learned: int = 0


def equivalence(metric: str, sides: Sides, margin: Margin) -> Equivalence:
    """The claim that both sides have the same mean up to `margin`, tested.

    Values that are not finite are never averaged away: a pair in which both are the same (NaN) is left out and counted, any other decides
    nothing, or differs. Nothing is claimed from fewer than two pairs, or three runs on both sides together.
    """
    odd = _not_finite(metric, sides, margin)
    if odd is not None:
        return odd
    sides, dropped = _finite(sides)
    said = _tested(metric, sides, margin)
    if not dropped:
        return said
    return msgspec.structs.replace(said, words=f"{said.words} {dropped} pairs of the same value that is not finite were left out.")


def _tested(metric: str, sides: Sides, margin: Margin) -> Equivalence:
    differences = np.subtract(sides.again, sides.recorded) if sides.paired else np.array([])
    if sides.paired and len(differences) < 2:
        return _undecided(metric, sides, margin, "a comparison over seeds needs two of them at least", 2)
    if not sides.paired and len(sides.recorded) + len(sides.again) < 3:
        return _undecided(metric, sides, margin, "it takes three runs at least to see how much they scatter", 2)
    if _is_exact(sides):
        return _exact(metric, sides, margin)
    test = paired_t(differences) if sides.paired else difference_of_means(sides.recorded, sides.again)
    return _judged(metric, sides, margin, test)


def _judged(metric: str, sides: Sides, margin: Margin, test: Comparison) -> Equivalence:
    p = tost(test.estimate, test.se, test.df, margin.size)
    verdict: Literal["equivalent", "differs", "cannot tell"] = "cannot tell"
    if p <= LEVEL:
        verdict = "equivalent"
    elif test.low > 0 or test.high < 0:
        verdict = "differs"
    needed = _needed(sides, margin, test) if verdict == "cannot tell" else None
    return Equivalence(
        metric=metric,
        margin=margin.size,
        estimate=test.estimate,
        low=test.low,
        high=test.high,
        p=p,
        recorded=len(sides.recorded),
        again=len(sides.again),
        method=_method(sides),
        verdict=verdict,
        needed=needed,
        learned=margin.learned,
        words=_words(metric, sides, margin, test, verdict, needed),
    )


def _method(sides: Sides) -> str:
    if sides.paired:
        return "paired t"
    return "Welch's t" if min(len(sides.recorded), len(sides.again)) > 1 else "pooled t"


def _needed(sides: Sides, margin: Margin, test: Comparison) -> int | None:
    """Runs of the second side (pairs, where they are paired) that would decide, if the estimate and the scatter seen are the true ones."""
    if sides.paired:
        found = seeds_for_equivalence(test.estimate, margin.size, test.se * sqrt(len(sides.again)))
    else:
        recorded, again = (
            Scatter(float(np.std(side, ddof=min(1, len(side) - 1))), len(side)) for side in (sides.recorded, sides.again)
        )
        if again.n == 1:
            again = again._replace(sd=recorded.sd)
        found = runs_for_equivalence(test.estimate, margin.size, recorded, again)
    # What was run did not decide, so at least one more is needed; the estimate may have been unlucky.
    return None if found is None else max(found, len(sides.again) + 1)


def _words(metric: str, sides: Sides, margin: Margin, test: Comparison, verdict: str, needed: int | None) -> str:
    over = f"{len(sides.again)} seeds" if sides.paired else f"{len(sides.again)} runs against {len(sides.recorded)} recorded"
    seen = f"{test.estimate:+.4g} [{test.low:+.4g}, {test.high:+.4g}] over {over}"
    bound = _bound(margin)
    if verdict == "equivalent":
        small = "; a difference is there, and smaller than that" if test.low > 0 or test.high < 0 else ""
        return f"{metric} is the same up to {bound}: {seen}{small}."
    if verdict == "differs":
        return f"{metric} is not the same: {seen}."
    return f"Whether {metric} is the same up to {bound} cannot be told yet: {seen}. {_advice(sides, needed)}"


def _bound(margin: Margin) -> str:
    return f"{margin.size:g}" + (f" (learned from {margin.learned} equal runs)" if margin.learned else "")


def _advice(sides: Sides, needed: int | None) -> str:
    if needed is not None:
        return f"{needed} {'seeds' if sides.paired else 'runs'} would probably decide it."
    if not sides.paired and len(sides.recorded) == 1:
        return "No number of further runs would, since one recorded run alone says too little: record it several times, or widen the margin."
    return (
        "No practical number of further runs would: the difference seen is as large as the margin, or the scatter too wide for it."
    )


def _is_exact(sides: Sides) -> bool:
    """Whether nothing scatters: every pair differs by the same, or each side has one value throughout."""
    scale = max(map(abs, (*sides.recorded, *sides.again)))
    if sides.paired:
        return is_constant(np.subtract(sides.again, sides.recorded), scale)
    return all(is_constant(side, scale) for side in (sides.recorded, sides.again))


def _exact(metric: str, sides: Sides, margin: Margin) -> Equivalence:
    """Without scatter there is neither an interval nor a p-value: the difference is what it is."""
    estimate = float(np.mean(sides.again) - np.mean(sides.recorded))
    within = abs(estimate) < margin.size
    over = f"in each of {len(sides.again)} pairs" if sides.paired else f"in all {len(sides.recorded) + len(sides.again)} runs"
    text = f"{metric} differs by {estimate:+.4g} {over}, {'less' if within else 'no less'} than {_bound(margin)}; nothing scatters."
    return _without_test(metric, sides, margin, "equivalent" if within else "differs", text, estimate=estimate, method="exact")


def _not_finite(metric: str, sides: Sides, margin: Margin) -> Equivalence | None:
    """The answer where a value is not finite, but for pairs in which both are the same; None where that stands in no one's way."""
    if all(map(math.isfinite, (*sides.recorded, *sides.again))):
        return None
    if all(map(math.isnan, (*sides.recorded, *sides.again))):
        return _without_test(metric, sides, margin, "equivalent", f"{metric} is NaN in every run, then and now.")
    pairs = list(zip(sides.recorded, sides.again, strict=True)) if sides.paired else []
    if pairs and all((math.isfinite(a) and math.isfinite(b)) or _same_and_odd(a, b) for a, b in pairs):
        return None
    odd = [sum(not math.isfinite(value) for value in side) for side in (sides.recorded, sides.again)]
    text = (
        f"{metric} is not finite in {odd[0]} of {len(sides.recorded)} recorded runs and in {odd[1]} of {len(sides.again)} carried out "
        "again; that is never averaged away, so no mean can be compared."
    )
    return _without_test(metric, sides, margin, "differs" if pairs or odd[0] != odd[1] else "cannot tell", text)


def _same_and_odd(a: float, b: float) -> bool:
    return not math.isfinite(a) and (a == b or (math.isnan(a) and math.isnan(b)))


def _finite(sides: Sides) -> tuple[Sides, int]:
    """The pairs of finite values, and how many others there were."""
    if not sides.paired:
        return sides, 0
    kept = [(a, b) for a, b in zip(sides.recorded, sides.again, strict=True) if math.isfinite(a)]
    dropped = len(sides.recorded) - len(kept)
    return Sides(tuple(a for a, _ in kept), tuple(b for _, b in kept), True), dropped


def _undecided(metric: str, sides: Sides, margin: Margin, why: str, needed: int) -> Equivalence:
    text = f"Whether {metric} is the same up to {_bound(margin)} cannot be told: {why}."
    return _without_test(metric, sides, margin, "cannot tell", text, needed=needed)


def _without_test(
    metric: str,
    sides: Sides,
    margin: Margin,
    verdict: Literal["equivalent", "differs", "cannot tell"],
    words: str,
    *,
    estimate: float = math.nan,
    method: str = "none",
    needed: int | None = None,
) -> Equivalence:
    return Equivalence(
        metric=metric,
        margin=margin.size,
        estimate=estimate,
        low=math.nan,
        high=math.nan,
        p=math.nan,
        recorded=len(sides.recorded),
        again=len(sides.again),
        method=method,
        verdict=verdict,
        needed=needed,
        learned=margin.learned,
        words=words,
    )
