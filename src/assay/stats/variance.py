"""Where variance comes from: crossed random effects by the analysis of variance, with intervals."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations
from math import prod, sqrt
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import fdtri, gammainccinv

from assay.errors import InvalidValue
from assay.stats.jackknife import without_each_level
from assay.stats.resampling import overlap_inflation
from assay.stats.simultaneous import Array

Axes = frozenset[int]


class Component(NamedTuple):
    """One source of variance.

    Attributes:
        axes: the crossed factors whose interaction it is; one for a main source; empty for repeated values of one cell.
        estimate: in the unit of the data squared; negative where less than chance would give was found.
        low, high: 95 % interval, not below 0.
        mean_square, df: of its line in the analysis of variance.
    """

    axes: tuple[int, ...]
    estimate: float
    low: float
    high: float
    mean_square: float
    df: int


class _Line(NamedTuple):
    square: float
    df: int


def variance_components(table: ArrayLike, *, repeated: bool = False) -> list[Component]:
    """The variance of a complete crossed table, by source: each axis, then their interactions; the last is what is left.

    Intervals take normal effects of the sources for granted; three levels cannot tell. What is left need not be normal: its interval is the wider
    one of chi-squared's and the jackknife's. No interval holds a variance where tails are so heavy that it is mostly made by values never seen.

    Args:
        table: one axis for each crossed factor, each with at least two levels, finite.
        repeated: the last axis is no factor, but values of one cell that were taken again.

    Raises:
        InvalidValue: the table has fewer than two factors, an axis with fewer than two levels, or a value that is not finite.

    Source: Searle, Casella and McCulloch 1992, Variance Components, chapter 4 (estimates); Ting, Burdick, Graybill, Jeyaratnam and Lu 1990
    (intervals); Miller 1968 and Arvesen and Layard 1975 (the jackknife).

    >>> [round(one.estimate, 3) for one in variance_components([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])]
    [4.0, 0.5, 0.0]
    """
    y = np.asarray(table, dtype=np.float64)
    factors = y.ndim - repeated
    if factors < 2 or min(y.shape, default=0) < 2 or not np.all(np.isfinite(y)):
        raise InvalidValue(
            "no analysis of variance fits this table",
            value=y.shape,
            expected="finite values, at least two factors with at least two levels each",
        )
    every = [frozenset(axes) for axes in _subsets(range(factors))]
    lines = {axes: _line(y, axes, factors) for axes in every}
    if repeated:
        lines[frozenset()] = _within(y)
    found = [_component(axes, lines, y.shape, factors, repeated=repeated) for axes in every]
    if repeated:
        within = lines[frozenset()]
        found.append(Component((), within.square, *_interval([(1.0, within)], []), within.square, within.df))
    found[-1] = _without_normal_noise(found[-1], y, factors, repeated=repeated)
    return found


def _without_normal_noise(left: Component, y: Array, factors: int, *, repeated: bool) -> Component:
    """The same variance with the wider one of both intervals."""

    def mean_square(table: Array) -> float:
        return (_within(table) if repeated else _line(table, frozenset(range(factors)), factors)).square

    ends = without_each_level(y, factors, mean_square, fewest=1 if repeated else 2)
    return left if ends is None else left._replace(low=min(left.low, ends[0]), high=max(left.high, ends[1]))


def _subsets(axes: Sequence[int]) -> Iterator[tuple[int, ...]]:
    for size in range(1, len(axes) + 1):
        yield from combinations(axes, size)


def _line(y: Array, axes: Axes, factors: int) -> _Line:
    """Mean square of the interaction of these axes."""
    left = y.mean(axis=tuple(range(factors, y.ndim)), keepdims=True) if y.ndim > factors else y
    left = left.mean(axis=tuple(axis for axis in range(factors) if axis not in axes), keepdims=True)
    for axis in axes:
        left = left - left.mean(axis=axis, keepdims=True)
    df = prod(y.shape[axis] - 1 for axis in axes)
    return _Line(float(np.sum(left * left)) * y.size / left.size / df, df)


def _within(y: Array) -> _Line:
    df = y.size - y.size // y.shape[-1]
    return _Line(float(np.sum((y - y.mean(axis=-1, keepdims=True)) ** 2)) / df, df)


def _component(axes: Axes, lines: dict[Axes, _Line], shape: tuple[int, ...], factors: int, *, repeated: bool) -> Component:
    """The alternating sum of the mean squares of all interactions that hold these axes, for each value that a level has."""
    each = prod(size for axis, size in enumerate(shape) if axis not in axes)
    plus: list[tuple[float, _Line]] = []
    minus: list[tuple[float, _Line]] = []
    for other, line in lines.items():
        if axes <= other:
            (minus if (len(other) - len(axes)) % 2 else plus).append((1 / each, line))
    if repeated and len(axes) == factors:
        minus.append((1 / each, lines[frozenset()]))
    estimate = sum(share * line.square for share, line in plus) - sum(share * line.square for share, line in minus)
    own = lines[axes]
    return Component(tuple(sorted(axes)), estimate, *_interval(plus, minus), own.square, own.df)


def _interval(plus: list[tuple[float, _Line]], minus: list[tuple[float, _Line]], tail: float = 0.025) -> tuple[float, float]:
    """Of a sum of mean squares minus another one; both ends at least 0."""
    estimate = sum(share * line.square for share, line in plus) - sum(share * line.square for share, line in minus)
    low = estimate - sqrt(max(0.0, _spread(plus, minus, tail, lower=True)))
    high = estimate + sqrt(max(0.0, _spread(plus, minus, tail, lower=False)))
    return max(0.0, low), max(0.0, high)


def _spread(plus: list[tuple[float, _Line]], minus: list[tuple[float, _Line]], tail: float, *, lower: bool) -> float:
    """The square of the distance between the estimate and one end (Burdick and Graybill 1992, equations 3.3.1 and 3.3.2)."""
    gains, losses = (plus, minus) if lower else (minus, plus)
    # The side whose mean squares may be too large shrinks, the other grows.
    total = sum((_shrunk(line.df, tail) * share * line.square) ** 2 for share, line in gains)
    total += sum((_grown(line.df, tail) * share * line.square) ** 2 for share, line in losses)
    for share, line in gains:
        for other_share, other in losses:
            ratio = float(fdtri(line.df, other.df, 1 - tail))
            mixed = ((ratio - 1) ** 2 - (_shrunk(line.df, tail) * ratio) ** 2 - _grown(other.df, tail) ** 2) / ratio
            total += mixed * share * line.square * other_share * other.square
    for (share, line), (other_share, other) in combinations(gains, 2):
        total += _joint(line.df, other.df, tail) / (len(gains) - 1) * share * line.square * other_share * other.square
    return total


def _shrunk(df: int, tail: float) -> float:
    """1 - df / chi-squared, at the upper end."""
    return 1 - df / (2 * float(gammainccinv(df / 2, tail)))


def _grown(df: int, tail: float) -> float:
    """df / chi-squared - 1, at the lower end."""
    return df / (2 * float(gammainccinv(df / 2, 1 - tail))) - 1


def _joint(df: int, other: int, tail: float) -> float:
    both = (_shrunk(df + other, tail) * (df + other)) ** 2 / (df * other)
    return both - _shrunk(df, tail) ** 2 * df / other - _shrunk(other, tail) ** 2 * other / df


def overlapping_splits(values: ArrayLike, test_to_train: float) -> tuple[float, float, int]:
    """Mean over splits, the standard error that their common data leaves it, and its degrees of freedom.

    Args:
        values: shape (splits,), finite, at least two.
        test_to_train: how many items are tested for each that is trained on.

    Source: Nadeau and Bengio 2003, Inference for the generalization error, equation 9 (the corrected resampled t-test).

    >>> mean, error, df = overlapping_splits([1.0, 2.0, 3.0, 4.0], 0.25)
    >>> round(mean, 3), round(error, 4), df
    (2.5, 0.9129, 3)
    """
    y = np.asarray(values, dtype=np.float64)
    if y.ndim != 1 or len(y) < 2 or not np.all(np.isfinite(y)) or not test_to_train > 0:
        raise InvalidValue("splits give no interval", value=y.tolist(), expected="at least two finite values, and a ratio above 0")
    inflation = overlap_inflation(len(y), test_to_train / (1 + test_to_train))
    return float(y.mean()), inflation * float(np.std(y, ddof=1)) / sqrt(len(y)), len(y) - 1
