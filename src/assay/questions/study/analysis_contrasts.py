"""What a plan asks, as contrasts of its configurations: one for each effect, one for each interaction that the design can estimate."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from assay.ablation.components import effect_name
from assay.ablation.designs import interaction_name, pairs
from assay.records.canonical import canonical
from assay.records.factor import Factor, Level
from assay.records.plan import Configuration, Plan
from assay.stats.blocks import Contrast, interaction, main_effect
from assay.stats.simultaneous import Array


class Asked(NamedTuple):
    """One comparison that a plan asks for.

    Attributes:
        components: the effect's name; two for an interaction.
        contrast: columns of the table, which are the plan's configurations in their order.
        estimand: what the number means, in words.
        act: what is done to the baseline ("removing augmentation"), the subject of the verdict's sentence.
        kept, gained: who is better where the variant is worse, and where it is better ("augmentation helps", "augmentation hurts").
        columns: configurations in which the level is set; empty for an interaction.
        group: comparisons of one group share their baseline cells, so their estimates have correlation 1/2.
    """

    components: tuple[str, ...]
    contrast: Contrast
    estimand: str
    act: str
    kept: str
    gained: str
    columns: frozenset[int] = frozenset()
    group: str = ""

    @property
    def name(self) -> str:
        """The effect's name, or "a × b"."""
        return interaction_name(self.components)


def asked_effects(plan: Plan, factors: Sequence[Factor]) -> list[Asked]:
    """One comparison for each level of each factor, then one for each named configuration."""
    asked = [_effect(plan, factors, factor, level) for factor in factors for level in factor.levels]
    column = {configuration.name: index for index, configuration in enumerate(plan.configurations)}
    return asked + [_named(name, column[name]) for name in plan.named]


def asked_interactions(plan: Plan, factors: Sequence[Factor]) -> list[Asked]:
    """One comparison for each two levels of two factors; none where the design does not run them together."""
    if plan.design != "full":
        return []
    levels = _coded(_own(plan), factors)
    return [
        Asked(
            components=(effect_name(one, level), effect_name(other, rival)),
            contrast=interaction(levels, (factors.index(one), i), (factors.index(other), j)),
            estimand=f"half the difference between the effect of {_act(one, level)} with {effect_name(other, rival)!r} changed and in the "
            "baseline, averaged over the other components",
            act=_act(one, level),
            kept=_act(other, rival),
            gained="",
        )
        for one, other in pairs(factors)
        for i, level in enumerate(one.levels, 1)
        for j, rival in enumerate(other.levels, 1)
    ]


def group_sizes(asked: Sequence[Asked]) -> tuple[int, ...]:
    """Sizes of the groups, for the simultaneous critical value; comparisons without a group are uncorrelated, each alone."""
    named = [one.group for one in asked if one.group]
    return tuple(named.count(group) for group in dict.fromkeys(named)) + (1,) * (len(asked) - len(named))


def without_repeats(plan: Plan, table: Array, asked: Sequence[Asked]) -> list[Asked]:
    """The comparisons with every configuration that repeats another one replaced by it.

    A named configuration may have the parameters of a combination of the design, and so be the same trials: it adds no evidence.
    """
    first: dict[bytes, int] = {}
    own = np.arange(len(plan.configurations))
    for index, configuration in enumerate(plan.configurations):
        before = first.setdefault(canonical(configuration.params), index)
        if np.array_equal(table[:, before], table[:, index], equal_nan=True):
            own[index] = before
    return [
        one._replace(
            contrast=Contrast(own[one.contrast.plus], own[one.contrast.minus]), columns=frozenset(own[sorted(one.columns)].tolist())
        )
        for one in asked
    ]


def _effect(plan: Plan, factors: Sequence[Factor], factor: Factor, level: Level) -> Asked:
    own = _own(plan)
    columns = frozenset(i for i, configuration in enumerate(own) if configuration.levels.get(factor.name) == level.name)
    if plan.design == "full":
        contrast = main_effect(_coded(own, factors), factors.index(factor), factor.levels.index(level) + 1)
        estimand, group = (
            "mean change from the baseline level, averaged over all combinations of the other components",
            f"levels of {factor.name}",
        )
    else:
        contrast = Contrast(np.array(sorted(columns)), np.zeros(len(columns), dtype=np.intp))
        estimand, group = "mean change from the baseline, everything else as in the baseline", "baseline"
    kept, gained = _better(factor, level)
    return Asked((effect_name(factor, level),), contrast, estimand, _act(factor, level), kept, gained, columns, group)


def _named(name: str, column: int) -> Asked:
    return Asked(
        components=(name,),
        contrast=Contrast(np.array([column]), np.array([0])),
        estimand="mean change from the baseline to this named configuration",
        act=f"the configuration {name!r}",
        kept="the baseline is better",
        gained=f"{name!r} is better",
        columns=frozenset([column]),
        group="baseline",
    )


def _own(plan: Plan) -> list[Configuration]:
    return [configuration for configuration in plan.configurations if configuration.name not in plan.named]


def _coded(configurations: Sequence[Configuration], factors: Sequence[Factor]) -> NDArray[np.intp]:
    numbers = [{level.name: i for i, level in enumerate(factor.levels, 1)} for factor in factors]
    return np.array(
        [
            [number.get(c.levels.get(factor.name, ""), 0) for number, factor in zip(numbers, factors, strict=True)]
            for c in configurations
        ],
        dtype=np.intp,
    )


def _act(factor: Factor, level: Level) -> str:
    if factor.kind == "remove":
        return f"removing {factor.name}"
    return f"replacing {factor.name} by {level.name}" if factor.kind == "replace" else f"setting {factor.name} to {level.name}"


def _better(factor: Factor, level: Level) -> tuple[str, str]:
    if factor.kind == "remove":
        return f"{factor.name} helps", f"{factor.name} hurts"
    if factor.kind == "replace":
        return f"{factor.name} is better", f"{level.name} is better"
    return f"the baseline's {factor.name} is better", f"{level.name} is better"
