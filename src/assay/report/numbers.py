"""Numbers as people read them: rounded by their own uncertainty, so that no digit is shown that the evidence does not carry."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from statistics import median

MINUS = "−"
# A space at which no line is broken: what belongs to one number stays together.
_JOINT = "\u00a0"
_PLUS_MINUS = f"{_JOINT}±{_JOINT}"
_LARGEST_PLAIN = 1e7
_SMALLEST_PLAIN = 1e-4
_MOST_DECIMALS = 6


def decimals_for(spreads: Iterable[float], values: Iterable[float]) -> int:
    """Decimals that show two digits of a typical spread; four digits of a typical value where nothing spreads.

    Args:
        spreads: standard deviations and half-widths of intervals, in the metric's unit; zeros and non-finite ones are passed over.
        values: what is to be shown, in the same unit.
    """
    spread = [abs(s) for s in spreads if math.isfinite(s) and s != 0]
    if spread:
        return _decimals(median(spread), digits=2)
    sizes = [abs(v) for v in values if math.isfinite(v) and v != 0]
    if not sizes or all(size == int(size) for size in sizes):
        return 0
    return _decimals(median(sizes), digits=4)


def _decimals(size: float, *, digits: int) -> int:
    return min(max(digits - 1 - math.floor(math.log10(size)), 0), _MOST_DECIMALS)


def number(value: float, decimals: int = 4, *, signed: bool = False) -> str:
    """`value` as text, with a typographic minus.

    What `decimals` would turn into 0, and what is very large, is written with a power of ten: a small number is never shown as none.

    >>> number(-0.0123, 3, signed=True), number(1e-9, 3), number(float("nan")), number(float("-inf"))
    ('−0.012', '1e−9', 'NaN', '−∞')
    """
    if math.isnan(value):
        return "NaN"
    text = "∞" if math.isinf(value) else _digits(abs(value), decimals)
    sign = MINUS if value < 0 else "+" if signed and value > 0 else ""
    return sign + text


def exactly(value: float) -> str:
    """`value` with the digits that it was given, for what was chosen and not measured.

    >>> exactly(0.1), exactly(1.0), exactly(-3e-5), exactly(float("inf"))
    ('0.1', '1', '−3e−05', '∞')
    """
    return f"{value:.12g}".replace("-", MINUS) if math.isfinite(value) else number(value)


def _digits(size: float, decimals: int) -> str:
    if size >= _LARGEST_PLAIN or (size and float(f"{size:.{decimals}f}") == 0.0):
        digits, _, power = f"{size:.3g}".partition("e") if size >= _LARGEST_PLAIN else f"{size:.2g}".partition("e")
        return digits + (_power(int(power)) if power else "")
    return f"{size:.{decimals}f}"


def _power(power: int) -> str:
    # The typographic minus, since browsers break a line after a hyphen.
    return f"e{power}".replace("-", MINUS)


def spread(mean: float, std: float, decimals: int) -> str:
    r"""Mean and standard deviation; the mean alone where no spread is known (fewer than two values).

    Both are written with one common power of ten where they are very small.

    >>> spread(0.91234, 0.0031, 4), spread(2.34e-8, 1e-9, 6), spread(3.0, float("nan"), 1), spread(-8e-5, 0.025, 3)
    ('0.9123\xa0±\xa00.0031', '(2.34\xa0±\xa00.10)e−8', '3.0', '0.000\xa0±\xa00.025')
    """
    if not math.isfinite(std):
        return number(mean, decimals)
    largest = max(abs(mean), std)
    if abs(mean) < 0.5 * 10**-decimals <= std:  # a mean that is uncertain by more is not worth a power of ten
        mean = 0.0
    if math.isfinite(mean) and largest and (largest < _SMALLEST_PLAIN or largest >= _LARGEST_PLAIN):
        power = math.floor(math.log10(largest))
        unit = 10.0**power if power > -300 else 1e-300
        return f"({number(mean / unit, 2)}{_PLUS_MINUS}{std / unit:.2f}){_power(power)}"
    return f"{number(mean, decimals)}{_PLUS_MINUS}{number(std, decimals)}"


def interval(low: float, high: float, decimals: int) -> str:
    r"""An interval in brackets; empty where none exists.

    >>> interval(-0.0213, 0.0042, 3), interval(float("nan"), float("nan"), 3)
    ('[−0.021,\xa0+0.004]', '')
    """
    if math.isnan(low) or math.isnan(high):
        return ""
    return f"[{number(low, decimals, signed=True)},{_JOINT}{number(high, decimals, signed=True)}]"


def estimate(value: float, low: float, high: float, decimals: int) -> str:
    r"""An estimate with its interval, or alone where none exists.

    An estimate smaller than its interval's last digit is written as 0: what is uncertain by more is not worth a power of ten.

    >>> estimate(-0.00029, -0.006, 0.005, 3), estimate(-0.00029, float("nan"), float("nan"), 3)
    ('0.000 [−0.006,\xa0+0.005]', '−0.00029')
    """
    bounds = interval(low, high, decimals)
    if bounds and abs(value) < 0.5 * 10**-decimals <= (high - low) / 2:
        value = 0.0
    return f"{number(value, decimals, signed=True)} {bounds}".rstrip()


def thousands(value: float) -> str:
    r"""A count with narrow spaces between groups of three digits.

    >>> thousands(1234567.0)
    '1\u202f234\u202f567'
    """
    if not math.isfinite(value) or value != int(value) or abs(value) >= 1e15:
        return number(value, 2)
    return f"{int(value):,}".replace(",", "\u202f").replace("-", MINUS)


def p_value(p: float) -> str:
    """A p-value to two digits; below one in ten thousand, that it is.

    >>> p_value(0.0312), p_value(1e-9), p_value(float("nan"))
    ('0.031', '< 0.0001', '')
    """
    if math.isnan(p):
        return ""
    return "< 0.0001" if p < 1e-4 else f"{p:.2g}"


def mean_and_deviation(values: Sequence[float]) -> tuple[float, float]:
    """Mean and sample standard deviation (ddof 1) of the values; NaN where there are none, or fewer than two for the deviation.

    Infinite values make the mean infinite (NaN where both signs occur) and the deviation NaN; nothing is dropped.
    """
    if not values:
        return math.nan, math.nan
    if not all(math.isfinite(value) for value in values):
        return sum(values), math.nan
    # Divided by the largest first: values near the largest float would overflow when squared or added.
    unit = max(abs(value) for value in values) or 1.0
    scaled = [value / unit for value in values]
    mean = math.fsum(scaled) / len(scaled)
    if len(scaled) < 2:
        return mean * unit, math.nan
    return mean * unit, unit * math.sqrt(math.fsum((value - mean) ** 2 for value in scaled) / (len(scaled) - 1))


def duration(seconds: float) -> str:
    """A span of time.

    >>> duration(0.0123), duration(75.2)
    ('12 ms', '1 min 15 s')
    """
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"
