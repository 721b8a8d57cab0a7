"""Which comparisons of a family have more noise than the residual that all of them share says."""

from __future__ import annotations

from collections.abc import Sequence
from math import sqrt
from typing import NamedTuple

import numpy as np

from assay.questions.study.analysis_contrasts import Asked
from assay.records.finding import Finding
from assay.stats.blocks import contrast_values
from assay.stats.own_noise import PairNoise, pair_noise
from assay.stats.simultaneous import Array
from assay.stats.unlike import Noise, contrast_ratio, is_unlike, noise_of


class Unlike(NamedTuple):
    """A comparison with noise of its own.

    Attributes:
        at: which of the comparisons.
        name: what is noisier, in words.
        times: how many times as much it varies between the blocks as the others do.
        said: whether that is so much that a reader should know it.
        pair: of a single pair the noise by what its sides say; None: that of its values.
    """

    at: int
    name: str
    times: float
    said: bool
    pair: PairNoise | None


def pool_of(table: Array, columns: Sequence[int]) -> list[int]:
    """Those of the columns that say what the noise of the others is: all, but for what is far noisier.

    Args:
        table: shape (blocks, configurations), NaN where there is no value.
        columns: with noise of their own.
    """
    complete = _complete(table, columns)
    if len(complete) < 2 or len(columns) < 2:
        return list(columns)
    return [column for column, kept in zip(columns, noise_of(complete).pool.tolist(), strict=True) if kept]


def comparison_noise(table: Array, columns: Sequence[int], asked: Sequence[Asked], weights: Sequence[float]) -> list[Unlike]:
    """The comparisons that may be noisier than the pooled residual.

    A single pair is as noisy as its two configurations. An effect that averages over many has the noise of all of them, so that one noisy
    configuration makes it no other than the rest; it is unlike where it varies with the block itself.

    Args:
        table: shape (blocks, configurations), NaN where there is no value.
        columns: with noise of their own.
        asked: comparisons that are tested under it.
        weights: of each, how many pairs without a common column would have a mean of its variance.
    """
    complete = _complete(table, columns)
    if len(complete) < 2 or len(columns) < 2:
        return []
    noise = noise_of(complete)
    residual = float(np.sum(_left(complete) ** 2))
    shared = len({int(one.contrast.minus[0]) for one in asked}) == 1 < len(asked)
    found = []
    for index, (one, weight) in enumerate(zip(asked, weights, strict=True)):
        if len(one.contrast.plus) == 1 and one.contrast.weights is None:
            found.append(_of_pair(index, one, noise, columns, shared=shared))
        else:
            values = contrast_values(table[np.isfinite(table[:, columns]).all(axis=1)], one.contrast)
            ratio = contrast_ratio(values, weight=weight, residual=residual, contrasts=len(columns) - 1)
            found.append(Unlike(index, one.name, sqrt(ratio), True, None) if is_unlike(ratio, len(complete)) else None)
    return [one for one in found if one is not None]


def unlike_noise(metric: str, what: str, found: Sequence[Unlike]) -> list[Finding]:
    """What is noisier than the others, and what was done about it; none where nothing is.

    Args:
        metric: its name.
        what: "effects" or "interactions".
        found: as `comparison_noise` gives them.
    """
    times = {one.name: one.times for one in found if one.said}
    if not times:
        return []
    said = ", ".join(f"{name} {f'{value:.1f}' if value < 100 else 'over 100'} times as much" for name, value in times.items())
    text = (
        f"Of the {what}, not all vary alike between seeds ({said} as the others). Such a comparison's interval is the wider one of two: "
        "under the noise of all, and under spreads of its own."
    )
    return [Finding(kind="unlike noise", about=metric, text=text)]


def _complete(table: Array, columns: Sequence[int]) -> Array:
    own = table[:, list(columns)]
    return own[np.isfinite(own).all(axis=1)]


def _left(complete: Array) -> Array:
    left = complete - complete.mean(axis=0)
    return np.asarray(left - left.mean(axis=1, keepdims=True))


def _of_pair(index: int, one: Asked, noise: Noise, columns: Sequence[int], *, shared: bool) -> Unlike | None:
    """The pair with the name of the noisier one of its two configurations; None where neither stands alone."""
    plus, minus = (list(columns).index(int(side[0])) for side in (one.contrast.plus, one.contrast.minus))
    pair = pair_noise(noise, plus, minus, shared=shared)
    if not pair.alone:
        return None
    ratios = (float(noise.ratios[plus]), float(noise.ratios[minus]))
    against = "the baseline" if one.contrast.minus[0] == 0 else f"what {one.name} is compared with"
    said = bool(is_unlike(max(ratios), noise.blocks))
    return Unlike(index, one.name if ratios[0] >= ratios[1] else against, sqrt(max(ratios)), said, pair)
