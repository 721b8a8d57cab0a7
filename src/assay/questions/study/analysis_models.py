"""How the comparisons of one metric are estimated: which model holds for them, and what is exact and so needs none."""

from __future__ import annotations

from collections.abc import Sequence
from math import nan, sqrt
from typing import Literal, NamedTuple

import numpy as np

from assay.questions.study.analysis_contrasts import Asked, group_sizes
from assay.questions.study.analysis_noise import Unlike, comparison_noise, pool_of
from assay.records.plan import Spreads
from assay.stats.blocks import Contrast, additive_residual, contrast_values, equal_pairs, pooled, separate
from assay.stats.equivalence import tost
from assay.stats.multiplicity import holm
from assay.stats.own_noise import under_own
from assay.stats.paired import Comparison, is_constant, paired_t
from assay.stats.simultaneous import Array
from assay.stats.unlike import wider


class Estimate(NamedTuple):
    """One comparison with what the trials say of it.

    Attributes:
        asked: the comparison.
        values: its value in every block, NaN where a trial that it needs is missing.
        pairs: paired differences within a block that it averages over; fewer than asked where configurations never gave a value.
        kind: "tested" (there is an interval), "exact" (the same value in every block), "no-op" (every pair is exactly equal),
            "single" (one block), "none" (no block is complete).
        comparison: estimate and interval; None where not tested.
        method: how it was tested.
        within: the equivalence test against the margin passed.
        rounding: their mean is 0 up to rounding.
        unit: what a block is: "seed", or what the study calls its splits.
    """

    asked: Asked
    values: Array
    pairs: int
    kind: Literal["tested", "exact", "no-op", "single", "none"]
    comparison: Comparison | None = None
    method: str = ""
    within: bool = False
    rounding: bool = False
    unit: str = "seed"

    @property
    def finite(self) -> Array:
        """Values of the complete blocks."""
        return self.values[np.isfinite(self.values)]

    @property
    def estimate(self) -> float:
        """Mean over the complete blocks; NaN where there is none."""
        if self.kind == "no-op" or self.rounding:
            return 0.0
        return float(np.mean(self.finite)) if len(self.finite) else nan


class Family(NamedTuple):
    """All comparisons of one kind on one metric, corrected together.

    Attributes:
        estimates: in the order asked.
        groups: how the comparisons are correlated, for the correction and for the seeds that more would need.
        df_per_block: residual degrees of freedom that each further block adds.
        switched: why the pooled model was left for separate tests; empty where it was not.
        unlike: comparisons whose noise is larger than the pooled one, so that their intervals are no narrower than of their own spread.
        incomplete: how it was estimated where trials are missing in some of the pairs; empty where none are.
        unit: what a block is: "seed", or what the study calls its splits.
        priced: single pairs that share a baseline of which it is not known whether it is as noisy as the others.
    """

    estimates: list[Estimate]
    groups: tuple[int, ...]
    df_per_block: int
    switched: str = ""
    incomplete: str = ""
    unlike: tuple[Unlike, ...] = ()
    unit: str = "seed"
    priced: bool = False


def estimate_family(
    table: Array,
    asked: Sequence[Asked],
    *,
    noisy: Sequence[int],
    margin: float | None,
    inflation: float = 1.0,
    unit: str = "seed",
    spreads: Spreads = "unknown",
) -> Family:
    """Estimates, intervals and equivalence of comparisons that are corrected together.

    Args:
        table: shape (blocks, configurations), NaN where there is no value.
        asked: all of them, those that failed too: the correction counts what was asked.
        noisy: columns with noise of their own (see `noisy_columns`); the residual is theirs.
        margin: for the equivalence test; None: none is made.
        inflation: by how much standard errors are larger than those of independent lines.
        unit: what a line of the table is.
        spreads: what is known of the noise of the configurations.
    """
    found = [_look(table, one)._replace(unit=unit) for one in asked]
    tested = [index for index, one in enumerate(found) if one.kind == "tested"]
    chosen = [found[index] for index in tested]
    usable = [column for column in noisy if np.isfinite(table[:, column]).any()]
    pool = usable if spreads == "alike" else pool_of(table, usable)
    complete = table[:, pool][np.isfinite(table[:, pool]).all(axis=1)]
    weights = [_distinct(one, frozenset(usable)) for one in chosen]
    reason = _why_separate(weights, complete, spreads)
    # Comparisons over unlike blocks share less than half of their noise; taken as uncorrelated they are corrected on the safe side.
    groups = group_sizes(asked) if not reason and _alike(chosen) else (1,) * len(asked)
    stretched = [_stretched(one.finite, inflation) for one in chosen]
    compared = separate(stretched, asked=len(asked)) if reason else _pooled(chosen, complete, weights, groups, inflation)
    unlike = [] if reason or spreads == "alike" else comparison_noise(table, usable, [one.asked for one in chosen], weights)
    for noisier in unlike:
        compared[noisier.at] = wider(compared[noisier.at], _own(noisier, stretched[noisier.at], groups, inflation))
    method = _method(groups, reason)
    passes = _equivalence(compared, margin, len(asked))
    for index, one, passed in zip(tested, compared, passes, strict=True):
        found[index] = found[index]._replace(comparison=one, method=method, within=passed)
    priced = spreads == "unknown" and len(groups) == 1 < groups[0] and all(len(one.contrast.plus) == 1 for one in asked)
    incomplete = "" if reason or _alike(chosen) else f"the noise is estimated from the {len(complete)} complete blocks"
    return Family(found, groups, 1 if reason else max(1, len(pool) - 1), reason, incomplete, tuple(unlike), unit, priced)


def noisy_columns(table: Array, effects: Sequence[Asked]) -> list[int]:
    """Configurations of these effects whose noise is their own.

    One that equals its baseline level up to a constant repeats that one's noise: counted in the residual it would make the noise look
    smaller than it is.
    """
    columns = {column for one in effects for column in (*one.contrast.plus.tolist(), *one.contrast.minus.tolist())}
    copies: set[int] = set()
    for one in effects:
        if _noiseless(table, one.contrast):
            copies |= one.columns
    return sorted(columns - copies)


def tolerance(table: Array) -> float:
    """Largest value of a table: the scale at which differences are rounded."""
    return float(np.nanmax(np.abs(table), initial=0.0))


def _look(table: Array, asked: Asked) -> Estimate:
    """The comparison before any test: its values, and whether it is exact."""
    contrast = _restricted(table, asked)
    pairs = len(contrast.plus)
    if pairs == 0:
        return Estimate(asked, np.full(len(table), nan), 0, "none")
    values = contrast_values(table, contrast)
    finite = values[np.isfinite(values)]
    found = Estimate(asked, values, pairs, "tested")
    if len(finite) == 0:
        return found._replace(kind="none")
    if _all_zero(table, contrast):
        return found._replace(kind="no-op")
    if len(finite) == 1:
        return found._replace(kind="single")
    scale = tolerance(table)
    if not is_constant(finite, scale):
        return found._replace(rounding=is_constant([0.0, float(np.mean(finite))], scale))
    return found._replace(kind="exact", rounding=is_constant([0.0, *finite.tolist()], scale))


def _restricted(table: Array, asked: Asked) -> Contrast:
    """The contrast without combinations in which some configuration never gave a value."""
    usable = np.asarray(np.isfinite(table).any(axis=0))
    plus, minus, weights = asked.contrast
    kept = usable[plus] & usable[minus]
    if weights is not None:
        # Each difference is needed: without one, the others would no longer make the effect.
        return asked.contrast if kept.all() else Contrast(plus[:0], minus[:0])
    if len(asked.components) > 1:
        half = len(kept) // 2
        kept = np.tile(kept[:half] & kept[half:], 2)
    return Contrast(plus[kept], minus[kept])


def _all_zero(table: Array, contrast: Contrast) -> bool:
    differences = table[:, contrast.plus] - table[:, contrast.minus]
    finite = differences[np.isfinite(differences)]
    return len(finite) > 0 and not finite.any()


def _noiseless(table: Array, contrast: Contrast) -> bool:
    """Whether every single pair of the contrast differs by the same amount in all blocks, of which there are two or more."""
    scale = tolerance(table)
    for plus, minus in zip(contrast.plus, contrast.minus, strict=True):
        differences = table[:, plus] - table[:, minus]
        finite = differences[np.isfinite(differences)]
        if len(finite) < 2 or not is_constant(finite, scale):
            return False
    return True


def _alike(tested: Sequence[Estimate]) -> bool:
    """Whether all comparisons use the same blocks, and all the pairs that were asked."""
    return all(
        np.array_equal(np.isfinite(one.values), np.isfinite(tested[0].values)) and one.pairs == len(one.asked.contrast.plus)
        for one in tested
    )


def _why_separate(weights: Sequence[float], complete: Array, spreads: Spreads) -> str:
    """Why one residual variance for all comparisons cannot be had, or would be wrong; empty where it is right."""
    if not weights:
        return ""
    if not all(weights):
        return "some differences repeat the noise of others"
    if len(complete) < 2 or additive_residual(complete).mean_square <= 0:
        return "fewer than two blocks are complete"
    return "the study says that spreads are unlike" if spreads == "unlike" and len(weights) > 1 else ""


def _distinct(one: Estimate, noisy: frozenset[int]) -> float:
    """Pairs with noise of their own; the others repeat these. Of weighted pairs, how many equal ones they are worth."""
    pairs = zip(one.asked.contrast.plus.tolist(), one.asked.contrast.minus.tolist(), strict=True)
    own = np.array([plus in noisy and minus in noisy for plus, minus in pairs], dtype=bool)
    if one.asked.contrast.weights is not None:
        return equal_pairs(one.asked.contrast) if own.all() else 0
    return int(own.sum())


def _stretched(values: Array, inflation: float) -> Array:
    """The values with their spread, and so the standard error of their mean, so much larger."""
    return np.asarray(np.mean(values) + inflation * (values - np.mean(values)))


def _pooled(
    tested: Sequence[Estimate], complete: Array, weights: Sequence[float], groups: tuple[int, ...], inflation: float
) -> list[Comparison]:
    if not tested:
        return []
    residual = additive_residual(complete)
    errors = [
        inflation * sqrt(2 * residual.mean_square / (weight * len(one.finite))) for one, weight in zip(tested, weights, strict=True)
    ]
    return pooled([one.estimate for one in tested], errors, residual.df, groups)


def _own(noisier: Unlike, values: Array, groups: tuple[int, ...], inflation: float) -> Comparison:
    """The comparison under spreads of its own; `values` are stretched already."""
    if noisier.pair is not None:
        return under_own(float(np.mean(values)), len(values), noisier.pair, groups, inflation=inflation)
    number = sum(groups)
    alone = paired_t(values, comparisons=number)
    return alone._replace(p=min(1.0, number * alone.p))


def _equivalence(compared: Sequence[Comparison], margin: float | None, asked: int) -> list[bool]:
    if margin is None:
        return [False] * len(compared)
    alone = [tost(one.estimate, one.se, one.df, margin) for one in compared]
    return [p <= 0.05 for p in holm(alone, asked=asked)]


def _method(groups: tuple[int, ...], separately: str) -> str:
    if groups == (1,):
        return "paired t"
    if separately:
        return "Holm over paired t"
    return "blocked Dunnett" if len(groups) == 1 else "simultaneous contrasts in blocks"
