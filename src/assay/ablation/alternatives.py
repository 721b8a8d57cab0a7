"""What other designs would tell of the same components, in how many configurations, and how many seeds an effect needs in each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from assay.ablation.comparisons import Comparisons, compare
from assay.ablation.components import merge
from assay.ablation.designs import DESIGNS
from assay.ablation.telling import choose, smallest_seen
from assay.errors import InvalidStudy
from assay.records.factor import Factor
from assay.records.plan import DesignOptions, Spreads
from assay.stats.power import first_enough

LARGEST = 256
"""Configurations of a design that is offered beside the one asked for; what needs more is looked at where it is asked for itself."""

_FRACTIONS = {
    3: "main effects, each in one number with interactions of two",
    4: "main effects clear of interactions of two, which come as sums of several",
    5: "main effects and interactions of two, each in a number of its own",
}
"""What fractions tell by their resolution."""


class Alternative(NamedTuple):
    """One design for a study's components.

    Attributes:
        design: its name, with the resolution of a fraction: "fractional, resolution 4".
        configurations: how many it has, named ones included.
        tells: what it is good for, in a clause.
        compared: what it compares.
        named: how many configurations are compared with the baseline beside its own.
        spreads: what is known of the noise of the configurations.
    """

    design: str
    configurations: int
    tells: str
    compared: Comparisons
    named: int
    spreads: Spreads = "unknown"

    def detectable(self, blocks: int) -> float | None:
        """Smallest effect that so many seeds show, in standard deviations of a paired difference."""
        return smallest_seen(self.compared, self.configurations, blocks, self.named, spreads=self.spreads)

    def blocks_needed(self, effect: float, power: float = 0.8) -> int | None:
        """Seeds with which every effect of this size is seen; None where a thousand are too few.

        Args:
            effect: in standard deviations of one paired difference.
            power: chance to see it.
        """

        def enough(blocks: int) -> bool:
            seen = smallest_seen(self.compared, self.configurations, blocks, self.named, spreads=self.spreads, power=power)
            return seen is not None and seen <= effect

        return first_enough(enough)


def alternatives(factors: Sequence[Factor], options: DesignOptions, *, named: int = 0) -> list[Alternative]:
    """Every design that these components can have, the smallest first.

    Args:
        factors: components.
        options: constraints and groups; of a fraction, resolutions 3, 4 and 5 are looked at.
        named: how many named configurations run beside it.
    """
    merged = merge(factors)
    found: list[Alternative] = []
    for name in DESIGNS:
        for resolution in (3, 4, 5) if name == "fractional" else (None,):
            one = _alternative(name, merged, options, resolution, named)
            # A fraction that has a higher resolution by itself is the same as that of the next.
            if one is not None and not (
                found and found[-1].design.startswith(f"{name},") and found[-1].configurations == one.configurations
            ):
                found.append(one)
            elif one is not None:
                found[-1] = one
    return sorted(found, key=lambda one: one.configurations)


def _alternative(
    name: str, factors: Sequence[Factor], options: DesignOptions, resolution: int | None, named: int
) -> Alternative | None:
    design = DESIGNS[name]
    own = DesignOptions(resolution=resolution, budget=None, groups=options.groups, constraints=options.constraints)
    if name in ("group-screening", "optimal") and not (options.groups if name == "group-screening" else options.constraints):
        return None
    try:
        if name in ("full", "shapley") and 2 ** len(factors) > LARGEST:
            return None
        rows = choose(design, factors, own)
        if len(rows.combinations) > LARGEST:
            return None
        compared = compare(design, factors, rows.combinations, own, replaced=rows.replaced)
    except InvalidStudy:  # these components cannot have this design
        return None
    if not compared.effects:
        return None
    shown = f"{name}, resolution {resolution}" if resolution else name
    tells = _FRACTIONS.get(resolution or 0, design.tells)
    return Alternative(shown, len(rows.combinations) + named, tells, compared, named, options.spreads)
