"""What a search found, in the terms of the two runs."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import msgspec

from assay.ablation.search.records import Answer, Interval, Point
from assay.questions.why.flips import Flip
from assay.questions.why.seeds import SeedHandle
from assay.questions.why.trying import Trials
from assay.records.attribution import Attribution, Cause, Estimate, Joint, SetAside
from assay.records.finding import Finding

_NAN = float("nan")
_AGREE = 1e-6
"""Relative difference up to which a run that came again has the value that was recorded."""
_ALL_AT_ONCE = "all differences together move the metric by no more than the noise"
_HOW = {
    "individually": "runs set it apart from every other difference, and it moved nothing that can be seen{below}",
    "jointly": "it moved nothing that can be seen{below} together with others; effects that cancel each other exactly would have gone unseen",
}


class Ends(NamedTuple):
    """The two runs with what they recorded."""

    metric: str
    good_id: str
    bad_id: str
    good: float
    bad: float

    @property
    def gap(self) -> float:
        """Bad minus good, as recorded."""
        return self.bad - self.good


def unanswered(ends: Ends, flips: Sequence[Flip]) -> Attribution:
    """The answer where nothing can be flipped."""
    barred = any(flip.barred for flip in flips)
    words = (
        "Nothing in which the two runs differ can be flipped here; see what was not tested."
        if barred
        else "The two runs have the same recipe and the same inputs, so their difference comes from what no recipe holds: "
        "`assay doctor` finds out what makes this command nondeterministic."
    )
    return Attribution(
        metric=ends.metric,
        good=ends.good_id,
        bad=ends.bad_id,
        verdict="cannot tell" if barred else "no difference",
        words=words,
        gap=_exact(ends.gap),
        noise=_NAN,
        margin=_NAN,
        ruled_out=_idle(flips),
        untested=_barred(flips),
    )


def answered(ends: Ends, flips: Sequence[Flip], answer: Answer, trials: Trials, handle: SeedHandle | None) -> Attribution:
    """The answer of a search, with each factor as the difference that it is; the seed's part is told apart from all others'."""
    by_key = {flip.key: flip for flip in flips}
    gone = answer.verdict == "within noise" and answer.noise.exact and answer.gap.estimate == 0
    seed = _of_seed(ends, answer, trials, by_key, handle)
    whole = ends.gap if seed is not None else answer.gap.estimate
    causes = [
        Cause(
            factor=", ".join(by_key[key].name for key in cause.factors),
            kind=by_key[cause.factors[0]].kind,
            a=by_key[cause.factors[0]].a,
            b=by_key[cause.factors[0]].b,
            effect=_estimate(cause.effect),
            share=cause.effect.estimate / whole if whole else _NAN,
        )
        for cause in answer.causes
    ]
    if seed is not None:
        causes.append(seed)
    found = Attribution(
        metric=ends.metric,
        good=ends.good_id,
        bad=ends.bad_id,
        verdict="gone" if gone and seed is None else answer.verdict,
        words="",
        gap=_estimate(answer.gap) if seed is None else _exact(ends.gap),
        noise=answer.noise.sd,
        margin=answer.margin,
        causes=tuple(sorted(causes, key=lambda cause: -abs(cause.effect.value))),
        interactions=tuple(
            Joint(factors=tuple(by_key[key].name for key in each.factors), effect=_estimate(each.effect))
            for each in answer.interactions
        ),
        ruled_out=(*_idle(flips), *_no_causes(answer, by_key)),
        untested=(*_barred(flips), *_open(answer, by_key)),
        minimal=tuple(sorted(by_key[key].name for key in answer.minimal)),
        minimal_seen=answer.minimal_seen,
        sure=answer.sure,
        tried=tuple(trials.tried.values()),
        findings=tuple(_findings(ends, trials, by_key, handle)),
    )
    return _with_words(found, answer)


def _no_causes(answer: Answer, by_key: Mapping[str, Flip]) -> list[SetAside]:
    if answer.verdict == "within noise":
        keys = [*(each.factor for each in answer.ruled_out), *answer.undecided, *answer.untested]
        return [_aside(by_key[key], _ALL_AT_ONCE) for key in by_key if key in keys]
    below = f" (below the margin of {answer.margin:.3g})" if answer.margin > 0 else ""
    return [_aside(by_key[each.factor], _HOW[each.how].format(below=below)) for each in answer.ruled_out]


def _open(answer: Answer, by_key: Mapping[str, Flip]) -> list[SetAside]:
    if answer.verdict == "within noise":
        return []
    undecided = [_aside(by_key[key], "it may be a cause; the runs did not suffice to tell") for key in answer.undecided]
    return undecided + [_aside(by_key[key], "no run that worked set it apart") for key in answer.untested]


def only_seed(answer: Answer, handle: SeedHandle | None) -> bool:
    """Whether the two runs' seeds differ, and all their other differences together move nothing at all under one seed."""
    nothing = answer.verdict == "within noise" and answer.gap.estimate == 0 and answer.noise.sd == 0
    return nothing and handle is not None and handle.good != handle.bad


def seed_alone(ends: Ends, flips: Sequence[Flip], trials: Trials, handle: SeedHandle) -> Attribution:
    """The answer where nothing but the seed is at work: how large the gap is among the draws of the good run's recipe."""
    ends_only = [tried for point, tried in trials.tried.items() if not point.bad and not point.repeat]
    values = [tried.value for tried in ends_only if tried.value is not None and math.isfinite(tried.value)]
    sd = statistics.stdev(values) if len(values) > 1 else _NAN
    words = (
        f"Nothing but the seed ({handle.good} and {handle.bad}) is at work here. Over {len(values)} seeds the same "
        f"recipe gives {ends.metric} with a standard deviation of {sd:.4g}: the gap of {ends.gap:+.4g} is a draw of the seed, not a change."
    )
    return Attribution(
        metric=ends.metric,
        good=ends.good_id,
        bad=ends.bad_id,
        verdict="within noise",
        words=words,
        gap=_exact(ends.gap),
        noise=sd,
        margin=_NAN,
        causes=(_seed_cause(handle, ends.gap, 1.0),),
        ruled_out=(*_idle(flips), *(_aside(flip, _ALL_AT_ONCE) for flip in flips if flip.is_open)),
        untested=_barred(flips),
        tried=tuple(trials.tried.values()),
        findings=tuple(_findings(ends, trials, {flip.key: flip for flip in flips}, handle)),
    )


def _of_seed(ends: Ends, answer: Answer, trials: Trials, by_key: Mapping[str, Flip], handle: SeedHandle | None) -> Cause | None:
    """What the other seed moved: the recorded gap less the mean gap of all other differences under these two seeds."""
    if handle is None or handle.good == handle.bad or answer.verdict == "within noise":
        return None
    everything = frozenset(key for key, flip in by_key.items() if flip.is_open)
    gaps = []
    for block in (0, 1):
        low, high = (trials.tried.get(Point(state, block)) for state in (frozenset[str](), everything))
        if low is None or high is None or low.value is None or high.value is None:
            return None
        gaps.append(high.value - low.value)
    effect = ends.gap - sum(gaps) / 2
    return _seed_cause(handle, effect, effect / ends.gap if ends.gap else _NAN)


def _seed_cause(handle: SeedHandle, effect: float, share: float) -> Cause:
    return Cause(factor="seed", kind="seed", a=str(handle.good), b=str(handle.bad), effect=_exact(effect), share=share)


def _findings(ends: Ends, trials: Trials, by_key: Mapping[str, Flip], handle: SeedHandle | None) -> list[Finding]:
    """Whether the recorded values came back, and what has changed here since both runs."""
    found = []
    names = {flip.name for flip in by_key.values()}
    ends_of = {
        "good": (frozenset[str](), 0, ends.good),
        "bad": (frozenset(key for key, flip in by_key.items() if flip.is_open), 0, ends.bad),
    }
    if handle is not None and handle.good != handle.bad:
        ends_of["bad"] = (ends_of["bad"][0], 1, ends.bad)
    for word, (state, block, recorded) in ends_of.items():
        again = [
            tried.value
            for point, tried in trials.tried.items()
            if point.bad == state and point.block == block and not tried.reused and tried.value is not None
        ]
        if again and not any(_agree(value, recorded) for value in again):
            text = f"the {word} run recorded {recorded!r} and gave {again[0]!r} when it was carried out again"
            found.append(Finding(kind="did not come back", about=ends.good_id if word == "good" else ends.bad_id, text=text))
    found += [finding for finding in trials.findings if finding.about not in names]
    return found


def _agree(a: float, b: float) -> bool:
    return (math.isnan(a) and math.isnan(b)) or math.isclose(a, b, rel_tol=_AGREE, abs_tol=1e-12)


def _with_words(found: Attribution, answer: Answer) -> Attribution:
    return msgspec.structs.replace(found, words=_words(found, answer))


def _words(found: Attribution, answer: Answer) -> str:
    gap = f"{found.gap.value:+.4g}"
    if found.verdict == "gone":
        return (
            f"The gap does not come back here: both recipes give the same {found.metric} now. What was not tested, and what has changed "
            "here since, are the candidates."
        )
    if found.verdict == "within noise":
        return (
            f"The gap of {gap} is within the noise: one run of the same recipe varies with a standard deviation of {found.noise:.4g}. "
            "No cause was looked for."
        )
    if not found.causes:
        return f"{len(found.tried)} runs did not suffice to tell what moved {found.metric} by {gap}."
    named = [f"{cause.factor} ({cause.share:.0%})" for cause in found.causes]
    listed = named[0] if len(named) == 1 else f"{', '.join(named[:-1])} and {named[-1]}"
    act = "moved" if found.verdict == "decided" else "probably moved, though the runs did not suffice to be sure,"
    together = next(
        (each for each in found.interactions if abs(each.effect.value) > max(found.margin, abs(found.gap.value) / 4)), None
    )
    words = f"{listed} {act} {found.metric} by {gap}."
    return words + (f" {' and '.join(together.factors)} act together." if together else "")


def _idle(flips: Sequence[Flip]) -> tuple[SetAside, ...]:
    return tuple(_aside(flip, flip.idle) for flip in flips if flip.idle and not flip.barred)


def _barred(flips: Sequence[Flip]) -> tuple[SetAside, ...]:
    return tuple(_aside(flip, flip.barred) for flip in flips if flip.barred)


def _aside(flip: Flip, why: str) -> SetAside:
    return SetAside(factor=flip.name, kind=flip.kind, why=why)


def _estimate(interval: Interval) -> Estimate:
    return Estimate(value=interval.estimate, low=interval.low, high=interval.high)


def _exact(value: float) -> Estimate:
    return Estimate(value=value, low=value, high=value)
