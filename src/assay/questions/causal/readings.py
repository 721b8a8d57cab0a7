"""What a study's trials say of a component and any recorded variable: differences by seed, and their interval."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isfinite

import numpy as np

from assay.ablation.comparisons import Compared, Comparisons, compare
from assay.ablation.components import effect_name, merge
from assay.ablation.designs import design_of
from assay.records.causal import Estimated
from assay.records.evidence import StudyEvidence
from assay.records.factor import Factor, Level
from assay.stats.blocks import Contrast, contrast_values
from assay.stats.multiplicity import holm
from assay.stats.paired import is_constant, paired_t
from assay.stats.simultaneous import Array


class Readings:
    """Tables of a study by variable, and the contrasts of its design. Trials without a finite value are NaN, and left out with their pairs."""

    def __init__(self, evidence: StudyEvidence) -> None:
        self.evidence = evidence
        self.factors = merge(evidence.factors)
        self.names = [configuration.name for configuration in evidence.plan.configurations]
        self.levels: list[Mapping[str, str] | None] = [
            None if one.name in evidence.plan.named else one.levels for one in evidence.plan.configurations
        ]
        self.compared = self._compared()

    @property
    def variables(self) -> list[str]:
        """Names of everything that trials recorded."""
        return list(dict.fromkeys(name for row in self.evidence.rows for name in row.metrics))

    @property
    def fixed(self) -> list[str]:
        """Variables that have one value in each configuration, under every seed."""
        return [name for name in self.variables if not np.any(np.nan_to_num(np.ptp(self.table(name), axis=0)))]

    @property
    def sides(self) -> list[tuple[Factor, Level]]:
        """Every component with each of its levels."""
        return [(factor, level) for factor in self.factors for level in factor.levels]

    def table(self, variable: str) -> Array:
        """Shape (blocks, configurations)."""
        line = {block.index: number for number, block in enumerate(self.evidence.plan.blocks)}
        table = np.full((len(line), len(self.names)), np.nan)
        for row in self.evidence.rows:
            value = float(row.metrics.get(variable, np.nan))
            if row.state == "finished" and isfinite(value):
                table[line[row.block], self.names.index(row.configuration)] = value
        return table

    def column(self, levels: Mapping[str, str]) -> int | None:
        """The configuration of the design with exactly these levels; None where it has none."""
        return next((index for index, one in enumerate(self.levels) if one is not None and dict(one) == dict(levels)), None)

    def effect(self, name: str) -> Compared | None:
        """How the design compares an effect; None where it does not."""
        return next((one for one in self.compared.effects if one.names == (name,)), None)

    def flips(self, name: str, variable: str) -> Array:
        """Differences by seed that an effect makes to a variable, NaN where there are none."""
        one = self.effect(name)
        table = self.table(variable)
        return contrast_values(table, one.contrast) if one is not None else np.full(len(table), np.nan)

    def pairs(self, variable: str, plus: Sequence[int], minus: Sequence[int]) -> Array:
        """Mean differences by seed between configurations."""
        return contrast_values(self.table(variable), Contrast(np.array(plus, dtype=np.intp), np.array(minus, dtype=np.intp)))

    def _compared(self) -> Comparisons:
        plan = self.evidence.plan
        design = design_of(plan)
        own = [levels for levels in self.levels if levels is not None]
        replaced = bool(plan.left_out) and design.way in ("model", "three levels")
        return compare(design, self.factors, own, plan.options, replaced=replaced)


def names_of(factor: Factor) -> list[str]:
    """The effect's name for each level of a component."""
    return [effect_name(factor, level) for level in factor.levels]


def finite(values: Array) -> Array:
    """The values that are numbers."""
    return values[np.isfinite(values)]


def estimated(values: Array) -> Estimated:
    """Mean and 95 % interval of differences; exact where they are all the same."""
    return together([values])[0]


def together(values: Sequence[Array]) -> list[Estimated]:
    """Means with intervals that hold together (Bonferroni), p by Holm; exact ones have neither."""
    found: list[Estimated] = []
    for each in values:
        known = finite(each)
        if not len(known):
            found.append(Estimated(estimate=float("nan")))
        elif is_constant(known, float(np.max(np.abs(known)))):
            found.append(Estimated(estimate=float(known[0]), exact=len(known) > 1))
        else:
            one = paired_t(known, comparisons=len(values))
            found.append(Estimated(estimate=one.estimate, low=one.low, high=one.high, p=one.p))
    adjusted = holm([one.p for one in found], asked=len(found))
    return [
        Estimated(estimate=one.estimate, low=one.low, high=one.high, p=p, exact=one.exact)
        for one, p in zip(found, adjusted, strict=True)
    ]


def excludes_nothing(value: Estimated) -> bool | None:
    """Whether an effect is there: its interval excludes 0, or it is exact and not 0; None where there is neither."""
    if value.exact:
        return value.estimate != 0
    return None if not isfinite(value.low) else value.low > 0 or value.high < 0


def in_words(value: Estimated) -> str:
    """The number with its interval.

    >>> in_words(Estimated(estimate=-0.1, low=-0.2, high=0.05)), in_words(Estimated(estimate=2.0, exact=True))
    ('−0.1 [−0.2, +0.05]', '+2 under every seed')
    """
    if value.exact:
        return f"{_signed(value.estimate)} under every seed"
    if not isfinite(value.low):
        return f"{_signed(value.estimate)} (no interval)"
    return f"{_signed(value.estimate)} [{_signed(value.low)}, {_signed(value.high)}]"


def _signed(value: float) -> str:
    return (f"{value:+.0f}" if 1000 <= abs(value) < 1e7 else f"{value:+.3g}").replace("-", "−")
