"""How much of an effect goes through a measured variable, from paired differences."""

from __future__ import annotations

from math import atanh, nan, sqrt, tanh
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from assay.errors import InvalidValue
from assay.stats.paired import checked, is_constant
from assay.stats.simultaneous import t_quantile

_DRAWS = 20_000
_FEWEST = 4


class Through(NamedTuple):
    """A total effect in two parts, each as (estimate, low, high) at 95 %, in the unit of the outcome.

    Attributes:
        total: mean difference of the outcome.
        through: the part by way of the variable.
        direct: the rest.
        slope: of the outcome's differences on the variable's.
        rho: correlation of the differences: a confounder that correlates their errors so much explains the part through it away.
        rho_enough: the end of its interval that is nearer to 0; 0 where that interval holds 0, or the part's own does.
    """

    total: tuple[float, float, float]
    through: tuple[float, float, float]
    direct: tuple[float, float, float]
    slope: float
    rho: float = nan
    rho_enough: float = nan


def within_pairs(variable: ArrayLike, outcome: ArrayLike) -> Through:
    """The parts under sequential ignorability: given the flip, nothing moves both variable and outcome from seed to seed.

    The outcome's differences are regressed on the variable's; the part through it is slope times mean difference, its interval by draws of
    both (of Student's t), the same ones each time.

    Args:
        variable, outcome: paired differences, shape (n,), n >= 4; those of the variable not all equal.

    Raises:
        InvalidValue: fewer pairs, a value that is not finite, or a variable that moves by the same amount in all of them.

    Source: Judd, Kenny and McClelland 2001 and Montoya and Hayes 2017 (two conditions within a unit); MacKinnon, Lockwood and Williams
    2004 (the interval by draws); Imai, Keele and Yamamoto 2010, theorem 4 (rho).

    >>> found = within_pairs([1.0, 2.0, 3.0, 4.0], [3.1, 4.9, 7.0, 9.0])
    >>> round(found.slope, 2), round(found.through[0], 2), round(found.direct[0], 2)
    (1.98, 4.95, 1.05)
    """
    m, y = checked(variable), checked(outcome)
    n = len(m)
    if n < _FEWEST or len(y) != n or is_constant(m, float(np.max(np.abs(m), initial=0.0))):
        raise InvalidValue(
            "nothing tells what the variable does from what the flip does",
            value=n,
            expected=f"at least {_FEWEST} pairs in which the variable moves by unlike amounts",
        )
    centred = m - m.mean()
    spread = float(centred @ centred)
    slope = float(centred @ y) / spread
    residual = y - y.mean() - slope * centred
    noise = float(residual @ residual) / (n - 2)
    error_slope, error_mean = sqrt(noise / spread), float(np.std(m, ddof=1)) / sqrt(n)
    draw = np.random.default_rng(0)
    slopes = slope + error_slope * draw.standard_t(n - 2, _DRAWS)
    means = float(m.mean()) + error_mean * draw.standard_t(n - 1, _DRAWS)
    low, high = np.quantile(slopes * means, [0.025, 0.975])
    direct = float(y.mean() - slope * m.mean())
    half = t_quantile(0.975, n - 2) * sqrt(noise * (1 / n + float(m.mean()) ** 2 / spread))
    rho, enough = _explained_away(m, y)
    enough = 0.0 if low <= 0 <= high else enough
    return Through(
        _mean(y),
        (slope * float(m.mean()), float(low), float(high)),
        (direct, direct - half, direct + half),
        slope,
        rho,
        enough,
    )


def through_confounded(variable: ArrayLike, outcome: ArrayLike, rho: float) -> float:
    """The part through the variable, were the errors of variable and outcome correlated by `rho` through a confounder.

    Source: Imai, Keele and Yamamoto 2010, theorem 4: (a s1 / s2) (r - rho sqrt((1 - r^2) / (1 - rho^2))).
    """
    m, y = checked(variable), checked(outcome)
    r = float(np.corrcoef(m, y)[0, 1])
    scale = float(m.mean()) * float(np.std(y, ddof=1) / np.std(m, ddof=1))
    return scale * (r - rho * sqrt((1 - r * r) / (1 - rho * rho)))


def moved_by(variable: ArrayLike, outcome: ArrayLike, variable_moved: ArrayLike, outcome_moved: ArrayLike) -> Through:
    """The parts where something else moves the outcome through the variable alone, linearly: its ratio is the variable's effect.

    Args:
        variable, outcome: paired differences of the flip, shape (n,), n >= 2.
        variable_moved, outcome_moved: paired differences, in the same blocks, of what moves the variable.

    Raises:
        InvalidValue: fewer pairs, a value that is not finite, or a variable of which the interval for how far it is moved holds 0.

    Source: Wald 1940 (the ratio); Quenouille 1956 and Tukey 1958 (the jackknife over blocks, for the intervals).
    """
    rows = np.column_stack([checked(one) for one in (variable, outcome, variable_moved, outcome_moved)])
    _, least, most = _mean(rows[:, 2]) if len(rows) > 1 else (nan, nan, nan)
    if not (least > 0 or most < 0):  # a ratio over what may be 0 has no interval to speak of
        raise InvalidValue("the variable is not moved", value=len(rows), expected="at least 2 pairs, in which it is clearly moved")

    def part(some: np.ndarray) -> float:
        m, _, moved, by = some.mean(axis=0)
        return float(by / moved * m)

    whole = part(rows)
    without = np.array([part(np.delete(rows, index, axis=0)) for index in range(len(rows))])
    pseudo = len(rows) * whole - (len(rows) - 1) * without
    through = _mean(pseudo)
    # The total minus pseudo-values keeps the two parts paired, so that what they share cancels.
    direct = _mean(rows[:, 1] - pseudo)
    slope = float(rows[:, 3].mean() / rows[:, 2].mean())
    return Through(_mean(rows[:, 1]), through, direct, slope)


def matched(outcome: ArrayLike, outcome_held: ArrayLike) -> Through:
    """The parts where the flip was made with the variable held as it was: what is left then is direct.

    Args:
        outcome, outcome_held: paired differences to the baseline without and with the variable held, shape (n,), n >= 2.

    Raises:
        InvalidValue: fewer pairs, or a value that is not finite.
    """
    free, held = checked(outcome), checked(outcome_held)
    if len(free) < 2 or len(held) != len(free):
        raise InvalidValue("no interval exists", value=len(free), expected="at least two pairs")
    return Through(_mean(free), _mean(free - held), _mean(held), nan)


def _mean(values: np.ndarray) -> tuple[float, float, float]:
    mean = float(values.mean())
    half = t_quantile(0.975, len(values) - 1) * float(np.std(values, ddof=1)) / sqrt(len(values))
    return mean, mean - half, mean + half


def _explained_away(m: np.ndarray, y: np.ndarray) -> tuple[float, float]:
    """The correlation, and the end of its interval (Fisher 1921) that is nearer to 0."""
    if not np.ptp(y):
        return 0.0, 0.0
    r = float(np.clip(np.corrcoef(m, y)[0, 1], -1 + 1e-12, 1 - 1e-12))
    half = 1.959963984540054 / sqrt(max(1, len(m) - 3))
    low, high = tanh(atanh(r) - half), tanh(atanh(r) + half)
    return r, 0.0 if low <= 0 <= high else min(abs(low), abs(high))
