"""Margins and tolerances: given, or learned from equal runs that are not judged."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from assay.comparison.curves import curves
from assay.comparison.noise import FEWEST, Learned, learned
from assay.comparison.verdict import compare
from assay.errors import InvalidValue, UsageError
from assay.execution.again import equals
from assay.questions.reproduce.design import Asked, Done
from assay.records.finding import Finding
from assay.records.run import Run
from assay.store.store import Store


def margins_of(store: Store, run: Run, asked: Asked) -> dict[str, tuple[float, int]]:
    """Each margin, and from how many runs it was learned; none where no statistical verdict is asked for.

    Raises:
        UsageError: there is no margin, or one is to be learned from runs that are not there.
        InvalidValue: a margin is not above 0 and finite.
        UnknownMetric: the run has no such metric.
    """
    if not asked.statistical:
        return {}
    if not asked.margins:
        raise UsageError(
            "means are called equal only up to a margin that is given beforehand",
            expected="--margin METRIC=DELTA, the largest difference that does not matter to you",
            next_step="Write --margin accuracy=0.01, in the metric's own unit.",
        )
    # Late: what chooses a value from a series is of no use to other verdicts.
    from assay.tracking.series import choose

    found: dict[str, tuple[float, int]] = {}
    limits: dict[str, Learned] | None = None
    for name, size in asked.margins.items():
        choose(run.result.metrics if run.result else {}, name)
        if size is None:
            limits = _of_equals(store, run) if limits is None else limits
            size, runs = _learned_margin(run, name, limits)
            found[name] = (size, runs)
        elif not 0 < size < float("inf"):
            raise InvalidValue(f"this is no margin for {name}", value=size, expected="a number above 0, in the metric's unit")
        else:
            found[name] = (size, 0)
    return found


def _learned_margin(run: Run, name: str, limits: Mapping[str, Learned]) -> tuple[float, int]:
    limit = limits.get(name)
    if limit is None or limit.atol == 0:
        why = "equal runs do not differ in it at all" if limit else f"fewer than {FEWEST} other finished runs of its recipe have it"
        raise UsageError(
            f"no margin of {name} can be learned: {why}",
            value=run.id,
            expected=f"at least {FEWEST} other runs of the very same recipe, which scatter",
            next_step=f"Say what does not matter to you: --margin {name}=0.01.",
        )
    return limit.atol, limit.runs


def _of_equals(store: Store, run: Run, others: Sequence[Run] = ()) -> dict[str, Learned]:
    return learned([[curves(store, each) for each in group] for group in (equals(store, run), others)])


def with_learned(store: Store, one: Done, done: Sequence[Done], asked: Asked) -> Done:
    """The comparison anew, with tolerances from runs that are equal to its two sides and are none of them."""
    if one.seed is not None:
        return one
    others = [each.again for each in done if each is not one and each.original.id == one.original.id and each.seed is None]
    limits = _of_equals(store, one.original, others)
    verdict = compare(store, one.original, one.again, tolerances=asked.tolerances, learned=limits)
    said = one.verdict.findings
    if not limits:
        text = f"no tolerance could be learned: it takes {FEWEST} finished runs of the very same recipe beside the two that are compared"
        said = (*said, Finding(kind="noise", about=one.original.id, text=text))
    return one._replace(verdict=msgspec.structs.replace(verdict, findings=said))
