"""What a plan asks, as contrasts of its configurations: one for each effect, one for each interaction that the design can estimate."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from assay.ablation.comparisons import Compared, act, compare
from assay.ablation.controls import Controlled, controlled
from assay.ablation.design import interaction_name
from assay.ablation.designs import design_of
from assay.records.canonical import canonical
from assay.records.factor import Factor, Level
from assay.records.plan import Plan
from assay.stats.blocks import Contrast
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
        aliases: what the design cannot tell from it, by name.
    """

    components: tuple[str, ...]
    contrast: Contrast
    estimand: str
    act: str
    kept: str
    gained: str
    columns: frozenset[int] = frozenset()
    group: str = ""
    aliases: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The effect's name, or "a × b"."""
        return interaction_name(self.components)


def asked(plan: Plan, factors: Sequence[Factor], usable: Sequence[bool] | None = None) -> tuple[list[Asked], list[Asked]]:
    """Effects and interactions that a plan asks for: one effect for each that the design estimates, then one for each named configuration.

    Args:
        plan: the plan.
        factors: components.
        usable: for each configuration of the plan whether it gave values; a linear model is fitted to those alone.
    """
    own = [configuration for configuration in plan.configurations if configuration.name not in plan.named]
    compared = compare(
        design_of(plan),
        factors,
        [configuration.levels for configuration in own],
        plan.options,
        replaced=is_replaced(plan),
        usable=None if usable is None else list(usable)[: len(own)],
    )
    column = {configuration.name: index for index, configuration in enumerate(plan.configurations)}
    effects = [_asked(one) for one in compared.effects] + [_named(name, column[name]) for name in plan.named]
    effects += [_beyond(one) for one in controlled(factors, plan.configurations)]
    return effects, [_asked(one) for one in compared.interactions]


def is_replaced(plan: Plan) -> bool:
    """Whether constraints broke the design, and its linear model is of other combinations."""
    return bool(plan.left_out) and design_of(plan).way in ("model", "three levels")


def group_sizes(asked: Sequence[Asked]) -> tuple[int, ...]:
    """Sizes of the groups, for the simultaneous critical value; comparisons without a group are uncorrelated, each alone."""
    named = [one.group for one in asked if one.group]
    return tuple(named.count(group) for group in dict.fromkeys(named)) + (1,) * (len(asked) - len(named))


def without_repeats(plan: Plan, table: Array, asked: Sequence[Asked]) -> list[Asked]:
    """The comparisons with every configuration that repeats another one replaced by it.

    A named configuration may have the parameters of a combination of the design, and so be the same trials: it adds no evidence.
    """
    alike: dict[bytes, list[int]] = {}
    own = np.arange(len(plan.configurations))
    for index, configuration in enumerate(plan.configurations):
        # Parameters may be many, so they are looked at only where the values are the same.
        before = alike.setdefault((table[:, index] + 0.0).tobytes(), [])
        if before:
            same = canonical(configuration.params)
            own[index] = next((one for one in before if canonical(plan.configurations[one].params) == same), index)
        if own[index] == index:
            before.append(index)
    return [
        one._replace(
            contrast=one.contrast._replace(plus=own[one.contrast.plus], minus=own[one.contrast.minus]),
            columns=frozenset(own[sorted(one.columns)].tolist()),
        )
        for one in asked
    ]


def _asked(one: Compared) -> Asked:
    factor, level = one.sides[0]
    acts = {
        "line": f"moving {factor.name} from {factor.levels[0].name} to {factor.levels[-1].name}",
        "curve": f"moving {factor.name} to both sides of the baseline",
        "group": f"flipping all of {factor.name}",
    }
    kept, gained = _better(factor, level, one.kind)
    if len(one.sides) == 2:
        kept, gained = act(*one.sides[1]), ""
    return Asked(
        one.names,
        one.contrast,
        one.estimand,
        acts.get(one.kind) or act(factor, level),
        kept,
        gained,
        one.own,
        one.group,
        one.aliases,
    )


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


def _beyond(one: Controlled) -> Asked:
    kept, gained = _better(one.factor, one.level, "")
    return Asked(
        components=(one.name,),
        contrast=Contrast(np.array([one.ablated]), np.array([one.control])),
        estimand="mean change from the matched control, which has the component, to the configuration without it",
        act=f"{act(one.factor, one.level)}, compared with a system of equal size that has it,",
        kept=kept,
        gained=gained,
        columns=frozenset([one.ablated]),
    )


def _better(factor: Factor, level: Level, kind: str) -> tuple[str, str]:
    """Who is better where the variant is worse, and where it is better."""
    if kind in ("line", "curve", "group"):
        first, second = {
            "line": (factor.levels[0].name, factor.levels[-1].name),
            "curve": ("the middle", "the sides"),
            "group": ("the baseline", "the other side"),
        }[kind]
        return f"{first} is better", f"{second} is better"
    if factor.kind == "remove":
        return f"{factor.name} helps", f"{factor.name} hurts"
    if factor.kind == "add":
        return f"{factor.name} hurts", f"{factor.name} helps"
    if factor.kind == "placebo":
        return "the baseline is better", f"{factor.name} is better"
    if factor.kind == "replace":
        return f"{factor.name} is better", f"{level.name} is better"
    return f"the baseline's {factor.name} is better", f"{level.name} is better"
