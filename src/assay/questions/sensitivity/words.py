"""Whether a conclusion survives, in words."""

from __future__ import annotations

from collections.abc import Sequence

from assay.questions.sensitivity.standing import DECIDED, goodness, has_effect, is_nothing
from assay.records.effect import Effect
from assay.records.factor import MetricGoal
from assay.records.sensitivity import Combined, Condition, Standing, Survival

_NAMED = 4


def conclusion_words(
    effect: Effect,
    goal: MetricGoal,
    survival: Survival,
    standings: Sequence[Standing],
    combined: Combined | None,
    conditions: Sequence[Condition],
) -> str:
    """The answer for one conclusion: what survives where, what contradicts it, what it depends on, and where nothing is known."""
    about = f"{effect.component} on {effect.metric} ({_concluded(effect, goal)})"
    parts = [f"{about}: {survival}{_counts(effect, standings)}."]
    parts += _contrary(effect, goal, standings)
    parts += _undecided(effect, standings)
    parts += _depends(effect, standings)
    if combined is not None:
        parts.append(_over_splits(effect, combined))
    if survival == "not tested":
        return f"{about}: not tested, since nothing was found that it could be held against."
    if survival == "nothing concluded":
        parts += _decided_elsewhere(standings)
    silent = [one.name for one in conditions if one.name not in {own.condition for own in standings}]
    if silent and any(not condition.readings for condition in conditions):
        parts.append(f"Nothing can be said {_listed([_under(name) for name in silent])}.")
    return " ".join(parts)


def _concluded(effect: Effect, goal: MetricGoal) -> str:
    if has_effect(effect):
        return f"{_signed(effect.estimate)}: flipping it {_way(goodness(effect, goal))}"
    return "no effect" if is_nothing(effect) else "cannot tell"


def _way(good: float) -> str:
    return "pays" if good > 0 else "costs"


def _counts(effect: Effect, standings: Sequence[Standing]) -> str:
    if not standings:
        return ""
    number = len(standings)
    counts = []
    if has_effect(effect):
        counts.append(f"same sign in {sum(one.same_sign is True for one in standings)} of {number}")
    counts.append(f"same verdict in {sum(one.same_verdict for one in standings)} of {number}")
    ranked = [one for one in standings if one.same_rank is not None]
    if ranked:
        counts.append(f"same rank in {sum(one.same_rank is True for one in ranked)} of {len(ranked)}")
    return f"; {', '.join(counts)}"


def _contrary(effect: Effect, goal: MetricGoal, standings: Sequence[Standing]) -> list[str]:
    against = [one for one in standings if one.contrary]
    if not against:
        return []
    shown = [f"{_signed(one.estimate)} {_under(one.condition)} ({_there(effect, goal, one)})" for one in against[:_NAMED]]
    more = [f"{len(against) - _NAMED} more"] if len(against) > _NAMED else []
    return [f"Against it: {', '.join(shown + more)}."]


def _undecided(effect: Effect, standings: Sequence[Standing]) -> list[str]:
    """Where what the study decided is open, without being contradicted."""
    names = [one.condition for one in standings if one.verdict == "cannot tell" and not one.contrary]
    return (
        [f"Undecided {_listed([_under(name) for name in names])}."] if names and (has_effect(effect) or is_nothing(effect)) else []
    )


def _there(effect: Effect, goal: MetricGoal, one: Standing) -> str:
    """What was found under a condition; where it decides, which way it goes there."""
    if one.verdict not in DECIDED:
        return _verdict(one)
    turned = -1 if one.same_sign is False else 1
    return f"{one.verdict}: there it {_way(turned * goodness(effect, goal))}"


def _verdict(one: Standing) -> str:
    return {"no effect": "no effect larger than the margin", "no-op": "exactly nothing"}.get(one.verdict, one.verdict)


def _depends(effect: Effect, standings: Sequence[Standing]) -> list[str]:
    """Conditions under which the effect is another one by more than noise."""
    other = [one for one in standings if one.depends]
    if not other:
        return []
    shown = [
        f"{_signed(one.estimate)} {_under(one.condition)} (a difference of {_signed(one.shift)}{_corrected(one)})"
        for one in other[:_NAMED]
    ]
    more = f" and under {len(other) - _NAMED} more" if len(other) > _NAMED else ""
    return [f"It depends on the condition: {_signed(effect.estimate)} in the study, {', '.join(shown)}{more}."]


def _corrected(one: Standing) -> str:
    # A difference that is the same under every seed has no p-value.
    return f", corrected p {one.shift_p:.2g}" if one.shift_p == one.shift_p else ", the same under every seed"


def _over_splits(effect: Effect, combined: Combined) -> str:
    said = "which excludes 0" if combined.verdict == "matters" else "which includes 0"
    found = f"{_signed(combined.estimate)} [{_signed(combined.low)}, {_signed(combined.high)}]"
    return f"Over {combined.splits} splits it is {found}, {said}; corrected for the data that the splits share."


def _decided_elsewhere(standings: Sequence[Standing]) -> list[str]:
    decided = [one for one in standings if one.verdict in ("matters", "no effect")]
    if not decided:
        return []
    return [
        "It is decided " + _listed([f"{_under(one.condition)} ({_verdict(one)}, {_signed(one.estimate)})" for one in decided]) + "."
    ]


def _signed(value: float) -> str:
    return f"{value:+.3g}".replace("-", "−")


def _under(condition: str) -> str:
    """A condition within a sentence: some names begin with a preposition of their own.

    >>> _under("seeds 0, 1"), _under("without seed 2"), _under("by f1")
    ('under seeds 0, 1', 'without seed 2', 'by f1')
    """
    return condition if condition.startswith(("by ", "without ")) else f"under {condition}"


def _listed(names: Sequence[str]) -> str:
    shown = [*names[:_NAMED], *([f"{len(names) - _NAMED} more"] if len(names) > _NAMED else [])]
    return f"{', '.join(shown[:-1])} and {shown[-1]}" if len(shown) > 1 else "".join(shown)
