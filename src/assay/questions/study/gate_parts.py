"""What the baseline gate looks at, each part with its answer in words and what must be said beside it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isfinite, sqrt
from typing import NamedTuple

import msgspec
import numpy as np

from assay.ablation.gates import setting_name
from assay.ablation.plans import make_plan
from assay.comparison.closeness import number_sameness, tolerance_for, worst
from assay.comparison.verdict import compare
from assay.errors import UnknownRun
from assay.execution.protocol import Outcome
from assay.questions.study.analysis import analyse
from assay.questions.study.analysis_readings import LARGEST, reason
from assay.questions.study.analysis_words import amount, amount_signed, size
from assay.records.effect import Effect
from assay.records.factor import Factor, Hypothesis, MetricGoal
from assay.records.finding import Finding
from assay.records.gate import GateAsked, GatePart
from assay.records.plan import Block, Configuration, Plan, Trial
from assay.records.verdict import RANKS, Sameness, Verdict
from assay.stats.simultaneous import t_quantile
from assay.stats.two_samples import difference_of_means
from assay.store.store import Store

Judged = tuple[GatePart, list[Finding]]
_MEND = (
    "Seed every source of randomness (`assay doctor` finds it), or say that it may differ (`reproducible: statistical`), "
    "or accept the baseline with a reason."
)


def run_twice(store: Store, asked: GateAsked, goals: Sequence[MetricGoal], first: Outcome, again: Outcome | None) -> Judged:
    """Whether the baseline's second run under its first seed has the result of the first.

    Metrics of the study decide; other results (and files) count where "identical" is asked, and are a finding where not.
    """
    if again is None:
        return GatePart(name="run twice", state="not checked", text="Not run a second time: the gate was told so."), []
    if not (first.state == again.state == "finished"):
        text = f"Under seed {first.trial.seed} one of its two runs did not finish{_because([first, again])}."
        # A baseline that cannot run under this seed at all is what the other parts are about.
        state = "not checked" if first.state != "finished" else "failed"
        return GatePart(name="run twice", state="not checked" if state == "not checked" else "failed", text=text), []
    same = {goal.name: _sameness(goal.name, first, again) for goal in goals if not goal.measured}
    verdict = _compared(store, first, again)
    whole = worst([verdict.verdict if verdict else "identical", *same.values()])
    asked_for = worst(same.values())
    seed = f"under seed {first.trial.seed}"
    if whole == "identical":
        return GatePart(name="run twice", state="passed", text=f"Run twice {seed}: identical in every result."), []
    rank = RANKS[whole if asked.reproducible == "identical" else asked_for]
    parted = _parted(same, first, again) or _others(verdict)
    if asked.reproducible != "statistical" and rank < RANKS["identical" if asked.reproducible == "identical" else "numerical"]:
        return GatePart(name="run twice", state="failed", text=f"Run twice {seed}, it is not the same: {parted}. {_MEND}"), []
    if asked_for == "not reproduced":
        text = f"Run twice {seed}, it is not the same: {parted}. That was said to be allowed (statistical)."
        beside = "No single run can be had again, and effects smaller than that cannot be told; the intervals hold, since this noise is in them."
        finding = Finding(kind="not reproducible", about="baseline", text=f"Two runs of one recipe differ: {parted}. {beside}")
        return GatePart(name="run twice", state="passed", text=text), [finding]
    words = (
        "equal up to rounding"
        if asked_for == "numerical"
        else "equal in every metric that the study asks about, but not in all results"
    )
    text = f"Run twice {seed}: {words} ({parted})."
    return GatePart(name="run twice", state="passed", text=text), [Finding(kind="not identical", about="baseline", text=text)]


def over_seeds(goals: Sequence[MetricGoal], baseline: Sequence[Outcome]) -> Judged:
    """The noise floor: how the baseline scatters over the study's seeds."""
    finished = [one for one in baseline if one.state == "finished"]
    if not finished:
        over = blocks_in_words([one.trial for one in baseline])
        text = f"It finished under none of its {over}{_because(baseline)}: there is nothing to compare with."
        return GatePart(name="over seeds", state="failed", text=text), []
    said: list[str] = []
    empty: list[str] = []
    alone = all(one.trial.split is None for one in baseline)
    for goal in goals:
        values = _values(goal.name, finished)
        (said if values else empty).append(_scatter(goal.name, values, alone=alone) if values else goal.name)
    lost = len(baseline) - len(finished)
    short = f" {lost} of {len(baseline)} trials did not finish{_because(baseline)}." if lost else ""
    if empty:
        text = f"Under no seed does it give a usable value of {' and '.join(empty)}.{short}"
        return GatePart(name="over seeds", state="failed", text=text), []
    over = blocks_in_words([one.trial for one in baseline])
    return GatePart(name="over seeds", state="passed", text=f"Over {over}: {'; '.join(said)}.{short}"), []


class _Question(NamedTuple):
    """The question whether a setting moves the criterion."""

    goals: Sequence[MetricGoal]
    factors: Sequence[Factor] = ()
    hypotheses: Sequence[Hypothesis] = ()


def around_tuning(
    plan: Plan, settings: Sequence[Configuration], outcomes: Sequence[Outcome], criterion: MetricGoal, asked: GateAsked
) -> tuple[GatePart, tuple[Effect, ...]]:
    """Whether a setting one step away is clearly better: its interval, simultaneous with the others', lies beyond the margin."""
    if asked.tuning != "none":
        text = f"Tuned as every configuration is: over the same settings, by {criterion.name}, under seeds of their own."
        return GatePart(name="around its tuning", state="passed", text=text), ()
    if not settings:
        text = "Not checked around its tuning: no hyperparameter was named."
        return GatePart(name="around its tuning", state="not checked", text=text), ()
    effects = _effects(plan, settings, outcomes, criterion, asked)
    better = [one for one in effects if _clearly_better(one, criterion)]
    tried = f"{len(settings)} setting{'s' * (len(settings) > 1)} one step away ({', '.join(one.path for one in asked.tune)})"
    if better:
        best = max(better, key=lambda one: abs(one.estimate))
        named = setting_name(next(one.settings for one in settings if one.name == best.component))
        moved = f"{'raises' if best.estimate > 0 else 'lowers'} {criterion.name} by {_amount(best)}"
        text = (
            f"Of {tried}, {len(better)} {'are' if len(better) > 1 else 'is'} clearly better: {named} {moved}. "
            "Tune the baseline first, or accept it with a reason: what a component is worth to a badly tuned baseline says little."
        )
        return GatePart(name="around its tuning", state="failed", text=text), effects
    open_ = [one for one in effects if one.verdict == "cannot tell"]
    left = f" {len(open_)} of them cannot be told from it with these seeds." if open_ else ""
    margin = f" by more than {criterion.margin:g}" if criterion.margin is not None else ""
    return GatePart(
        name="around its tuning", state="passed", text=f"Of {tried}, none is clearly better in {criterion.name}{margin}.{left}"
    ), effects


def beside_other_seeds(goals: Sequence[MetricGoal], baseline: Sequence[Outcome], others: Sequence[Outcome]) -> Judged:
    """The baseline against itself under as many other seeds: an A/A pair, in which only the seeds differ."""
    said, findings = [], []
    for goal in goals:
        one, other = (_values(goal.name, side) for side in (baseline, others))
        if len(one) < 2 or len(other) < 2:
            said.append(f"{goal.name} has too few values")
            continue
        if float(np.ptp([*one, *other])) == 0:
            said.append(f"{goal.name} is the same under all of them")
            continue
        test = difference_of_means(one, other)
        said.append(f"{goal.name} differs by {amount_signed(test.estimate, test.low, test.high)}")
        if test.low > 0 or test.high < 0:
            text = (
                f"The baseline differs from itself under other seeds: {said[-1]}. One study in twenty says so by chance; if it comes again, "
                "the seeds are not exchangeable (data order, a cache, a seed that is used up)."
            )
            findings.append(Finding(kind="calibration failed", about=f"A/A pair, {goal.name}", text=text))
    text = f"Against itself under {len(others)} other seeds: {'; '.join(said)}."
    return GatePart(name="other seeds", state="passed", text=text), findings


def _effects(
    plan: Plan, settings: Sequence[Configuration], outcomes: Sequence[Outcome], criterion: MetricGoal, asked: GateAsked
) -> tuple[Effect, ...]:
    """The settings as named configurations of a plan without components, so that they are analysed as everything else is."""
    baseline = plan.configurations[0]
    blocks = tuning_blocks(plan, asked)
    empty = make_plan("leave-one-out", baseline.params, (), list(dict.fromkeys(block.seed for block in blocks)), splits=plan.splits)
    whole = msgspec.structs.replace(
        empty, configurations=(baseline, *settings), named=tuple(one.name for one in settings), comparisons=len(settings)
    )
    names = {one.name for one in whole.configurations}
    rows = [one for one in outcomes if one.trial.configuration in names and one.trial.block < len(blocks)]
    if not any(criterion.name in row.metrics for row in rows):
        return ()
    return tuple(analyse(_Question([criterion]), whole, rows).effects)


def tuning_blocks(plan: Plan, asked: GateAsked) -> tuple[Block, ...]:
    """The blocks under which settings run: those of the study's first seeds, each with all of its splits."""
    seeds = list(dict.fromkeys(block.seed for block in plan.blocks))[: asked.seeds]
    return tuple(block for block in plan.blocks if block.seed in seeds)


def blocks_in_words(blocks: Sequence[Block] | Sequence[Trial]) -> str:
    """How many seeds, or blocks of seed and split.

    >>> blocks_in_words([Block(index=0, seed=3)])
    '1 seed'
    """
    what = "seed" if all(block.split is None for block in blocks) else "block"
    return f"{len(blocks)} {what}{'s' * (len(blocks) != 1)}"


def _clearly_better(one: Effect, goal: MetricGoal) -> bool:
    if one.verdict not in ("matters", "exact") or not one.better:
        return False
    margin = goal.margin or 0.0
    if one.verdict == "exact":
        return abs(one.estimate) > margin
    return one.low > margin if one.estimate > 0 else one.high < -margin


def _sameness(name: str, first: Outcome, again: Outcome) -> Sameness:
    one, other = first.metrics.get(name), again.metrics.get(name)
    if one is None or other is None:
        return "identical" if one is other else "not reproduced"
    return number_sameness(one, other, tolerance_for({}, name))


def _compared(store: Store, first: Outcome, again: Outcome) -> Verdict | None:
    """The verdict on the two runs in all that they left; None where one of them is gone."""
    if first.run is None or again.run is None:
        return None
    try:
        return compare(store, store.runs.read(first.run), store.runs.read(again.run))
    except UnknownRun:
        return None


def _parted(same: Mapping[str, Sameness], first: Outcome, again: Outcome) -> str:
    """Metrics of the study that differ, with both values."""
    return ", ".join(
        f"{name} {first.metrics.get(name, float('nan')):.10g} and {again.metrics.get(name, float('nan')):.10g}"
        for name, sameness in same.items()
        if sameness != "identical"
    )


def _others(verdict: Verdict | None) -> str:
    if verdict is None:
        return "other results differ"
    names = [one.name for one in verdict.metrics if not one.measured and one.sameness != "identical"]
    names += [one.path for one in verdict.files if one.counts and one.sameness != "identical"]
    return (
        f"{', '.join(names[:3])}{f' and {len(names) - 3} more' if len(names) > 3 else ''} differ" if names else "their ends differ"
    )


def _values(name: str, outcomes: Sequence[Outcome]) -> list[float]:
    found = [one.metrics[name] for one in outcomes if one.state == "finished" and name in one.metrics]
    return [float(value) for value in found if isfinite(value) and abs(value) <= LARGEST]


def _scatter(name: str, values: Sequence[float], *, alone: bool) -> str:
    """Mean and deviation, and where seeds alone make the blocks, what chance makes of two means: trials of one split are not independent."""
    mean, count = float(np.mean(values)), len(values)
    if count < 2:
        return f"{name} {size(mean)}, and no noise floor from a single seed"
    sd = float(np.std(values, ddof=1))
    if sd == 0:
        return f"{name} {size(mean)}, the same under every {'seed' if alone else 'block'}"
    if not alone:
        return f"{name} {size(mean, beside=sd)} ± {size(sd, beside=sd)}"
    floor = t_quantile(0.975, 2 * (count - 1)) * sd * sqrt(2 / count)
    apart = f"two means of unlike seeds lie up to {size(floor, beside=floor)} apart by chance"
    return f"{name} {size(mean, beside=sd)} ± {size(sd, beside=sd)}, so {apart}"


def _amount(one: Effect) -> str:
    return amount(one.estimate, one.low, one.high)


def _because(outcomes: Sequence[Outcome]) -> str:
    reasons = [reason(one.failure) for one in outcomes if one.failure is not None]
    return f" ({reasons[0]})" if reasons else ""
