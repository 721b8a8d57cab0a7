"""What has to be said of a design beside its effects: those that it lost, and what drawing orders adds to their uncertainty."""

from __future__ import annotations

from collections.abc import Sequence
from math import sqrt

import numpy as np

from assay.ablation.designs import design_of
from assay.ablation.designs_factorial import set_levels, shapley_orders
from assay.ablation.generators.orders import sets_of
from assay.questions.study.analysis_contrasts import Asked
from assay.questions.study.analysis_words import size
from assay.records.factor import Factor, MetricGoal
from assay.records.finding import Finding
from assay.records.plan import Plan
from assay.stats.simultaneous import Array


def lost_effects(goal: MetricGoal, planned: Sequence[Asked], effects: Sequence[Asked]) -> list[Finding]:
    """Effects of a linear model that the plan would have told and the trials that gave values do not."""
    gone = [one.name for one in planned if one.name not in {each.name for each in effects}]
    changed = [one.name for one, other in _both(planned, effects) if one.aliases != other.aliases]
    found = []
    if gone:
        text = f"The configurations that gave values do not tell the effect of {', '.join(gone)} from others."
        found.append(Finding(kind="not estimable", about=goal.name, text=text))
    if changed:
        text = (
            f"Some configurations never gave a value, so the linear model is fitted to the others; "
            f"the effect of {', '.join(changed)} then holds other aliases than the plan says, which its words name."
        )
        found.append(Finding(kind="aliases changed", about=goal.name, text=text))
    return found


def order_spread(plan: Plan, factors: Sequence[Factor], goal: MetricGoal, table: Array) -> list[Finding]:
    """How far Shapley values would move if other orders had been drawn, as a standard error over the orders."""
    orders = shapley_orders(factors, plan.options) if design_of(plan).way == "shapley" else ()
    complete = table[np.isfinite(table).all(axis=1)]
    if len(orders) < 4 or not len(complete):
        return []
    means = complete.mean(axis=0)
    own = [configuration for configuration in plan.configurations if configuration.name not in plan.named]
    columns = {frozenset(configuration.levels.items()): index for index, configuration in enumerate(own)}
    gains = np.zeros((len(orders), len(factors)))
    for row, order in enumerate(orders):
        values = [means[columns[frozenset(set_levels(chosen, factors).items())]] for chosen in sets_of(order)]
        gains[row, list(order)] = np.diff(values)
    errors = gains.std(axis=0, ddof=1) / sqrt(len(orders))
    said = ", ".join(f"{factor.name} ±{size(float(error))}" for factor, error in zip(factors, errors, strict=True))
    text = (
        f"The intervals are those of the {len(orders)} orders that were drawn. Other orders would move the shares "
        f"(standard errors: {said}); a larger budget draws more."
    )
    return [Finding(kind="sampled orders", about=goal.name, text=text)]


def _both(planned: Sequence[Asked], effects: Sequence[Asked]) -> list[tuple[Asked, Asked]]:
    by_name = {one.name: one for one in effects}
    return [(one, by_name[one.name]) for one in planned if one.name in by_name]
