"""Matched controls: which ablated configuration of a plan is compared with which control."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from assay.ablation.components import control_name, effect_name
from assay.records.factor import Factor, Level
from assay.records.plan import Configuration


class Controlled(NamedTuple):
    """A component with a matched control.

    Attributes:
        factor, level: the component, and the level that was matched.
        ablated, control: columns of the plan's configurations: the component alone at that level, and its control.
    """

    factor: Factor
    level: Level
    ablated: int
    control: int

    @property
    def name(self) -> str:
        """What reports call the comparison of the two."""
        return f"{effect_name(self.factor, self.level)}, beyond size"


def controlled(factors: Sequence[Factor], configurations: Sequence[Configuration]) -> list[Controlled]:
    """Every component with a matched control whose two configurations the plan has.

    Designs that never flip a component alone have only the control, which is compared with the baseline.
    """
    column = {configuration.name: index for index, configuration in enumerate(configurations)}
    alone = {
        next(iter(configuration.levels.items())): index
        for index, configuration in enumerate(configurations)
        if len(configuration.levels) == 1
    }
    return [
        Controlled(factor, level, alone[factor.name, level.name], column[control_name(factor, level)])
        for factor in factors
        for level in factor.levels
        if level.matched and (factor.name, level.name) in alone and control_name(factor, level) in column
    ]
