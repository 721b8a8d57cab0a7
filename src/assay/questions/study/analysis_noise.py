"""Which comparisons of a family have more noise than the residual that all of them share says."""

from __future__ import annotations

from collections.abc import Sequence
from math import sqrt
from typing import NamedTuple

import numpy as np

from assay.questions.study.analysis_contrasts import Asked
from assay.records.finding import Finding
from assay.stats.blocks import contrast_values
from assay.stats.simultaneous import Array
from assay.stats.unlike import contrast_ratio, is_unlike, noise_of


class Unlike(NamedTuple):
    """A comparison with noise of its own.

    Attributes:
        at: which of the comparisons.
        name: what is noisier, in words.
        times: how many times as much it varies between the blocks as the others do.
    """

    at: int
    name: str
    times: float


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
    """The comparisons that are noisier than the pooled residual.

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
    ratios = dict(zip(columns, noise.ratios.tolist(), strict=True))
    residual = float(np.sum(_left(complete) ** 2))
    found = []
    for index, (one, weight) in enumerate(zip(asked, weights, strict=True)):
        if len(one.contrast.plus) == 1 and one.contrast.weights is None:
            name, ratio = _of_pair(one, ratios)
        else:
            values = contrast_values(table[np.isfinite(table[:, columns]).all(axis=1)], one.contrast)
            name, ratio = one.name, contrast_ratio(values, weight=weight, residual=residual, contrasts=len(columns) - 1)
        if is_unlike(ratio, len(complete)):
            found.append(Unlike(index, name, sqrt(ratio)))
    return found


def unlike_noise(metric: str, what: str, found: Sequence[Unlike]) -> list[Finding]:
    """What is noisier than the others, and what was done about it; none where nothing is.

    Args:
        metric: its name.
        what: "effects" or "interactions".
        found: as `comparison_noise` gives them.
    """
    if not found:
        return []
    times = {one.name: one.times for one in found}
    said = ", ".join(f"{name} {f'{value:.1f}' if value < 100 else 'over 100'} times as much" for name, value in times.items())
    text = (
        f"{metric}, {what}: not all vary alike between seeds ({said} as the others). Such a comparison's interval is the wider one of two: "
        "under the noise of all, and under the spread of its own differences."
    )
    return [Finding(kind="unlike noise", about=metric, text=text)]


def _complete(table: Array, columns: Sequence[int]) -> Array:
    own = table[:, list(columns)]
    return own[np.isfinite(own).all(axis=1)]


def _left(complete: Array) -> Array:
    left = complete - complete.mean(axis=0)
    return np.asarray(left - left.mean(axis=1, keepdims=True))


def _of_pair(one: Asked, ratios: dict[int, float]) -> tuple[str, float]:
    """The noisier one of the two configurations of a pair."""
    plus, minus = (ratios.get(int(side[0]), 0.0) for side in (one.contrast.plus, one.contrast.minus))
    shared = "the baseline" if one.contrast.minus[0] == 0 else f"what {one.name} is compared with"
    return (one.name, plus) if plus >= minus else (shared, minus)
